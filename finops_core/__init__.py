"""Farthing's core: cloud bills in, exact figures out. Plain Python; never imports Streamlit.

Two names open every door::

    from finops_core import Ledger, Query

    ledger = Ledger.open("data")
    table = ledger.query(Query("EffectiveCost", by=["ServiceName"], grain="month"))
"""

import decimal
from typing import TYPE_CHECKING, Any

# Money has 38 digits, and Python rounds what it adds up to 28 unless it is told otherwise: here, for every thread.
decimal.DefaultContext.prec = 60
decimal.getcontext().prec = 60

if TYPE_CHECKING:
    from finops_core.model.ledger import Ledger
    from finops_core.model.query import Query

__all__ = ["Ledger", "Query"]


def __getattr__(name: str) -> Any:
    """Import the two names on first use: `import finops_core` alone stays cheap."""
    if name == "Ledger":
        from finops_core.model.ledger import Ledger

        return Ledger
    if name == "Query":
        from finops_core.model.query import Query

        return Query
    raise AttributeError(f"module 'finops_core' has no attribute {name!r}")
