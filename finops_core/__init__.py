"""Farthing's core: cloud bills in, exact figures out. Plain Python; never imports Streamlit.

Two names open every door::

    from finops_core import Ledger, Query

    ledger = Ledger.open("data")
    table = ledger.query(Query("EffectiveCost", by=["ServiceName"], grain="month"))
"""

from typing import TYPE_CHECKING, Any

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
