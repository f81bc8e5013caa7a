"""What answers Queries: DuckDB where nothing else is named. A new engine is one new module here.

The module's name is the engine's; it has `open_engine(ledger) -> Engine`. A Query becomes one Ibis expression over the
table `charges` and its cubes (`finops_core.model.engine`), so an engine over the same lake needs a connection and no more.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

import polars

from finops_core.errors import UsageError
from finops_core.model.query import Query

if TYPE_CHECKING:
    from finops_core.model.ledger import Ledger

DEFAULT = "duckdb"


class Engine(Protocol):
    """A connection to the tables of a home."""

    def answer(self, query: Query) -> polars.DataFrame:
        """ChargePeriod (with a grain), BillingCurrency, the dimensions, the metrics; money as Decimal(38, 18).

        Raises UsageError for what cannot be asked, or not of this engine.
        """


def engine_names() -> list[str]:
    """The engines that there are."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def open_engine(name: str, ledger: "Ledger") -> Engine:
    """The engine of a name over a ledger's home. Raises UsageError for a name that does not exist."""
    if name not in engine_names():
        raise UsageError(f"there is no engine {name!r}; known are {', '.join(engine_names())}")
    return cast(Engine, importlib.import_module(f"{__name__}.{name}").open_engine(ledger))
