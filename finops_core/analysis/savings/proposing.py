"""Opportunities as items of the backlog: what was found becomes somebody's idea, with its evidence and its baseline."""

from collections.abc import Iterable
from typing import Any

import polars

from finops_core.analysis.savings.opportunity import Opportunity
from finops_core.model.export import cell
from finops_core.model.query import conditions
from finops_core.store.savings import COLUMNS, SavingsItem

_CONFIDENCE = {"low": "0.8", "medium": "0.6", "high": "0.4"}


def proposals(found: Iterable[Opportunity]) -> list[dict[str, Any]]:
    """Opportunities as `finops_core.store.savings.add` takes them: the baseline is the 30 days that they were found in."""
    return [
        {
            "title": f"{one.title}, {one.team or 'without a team'}",
            "currency": one.currency,
            "expected_monthly": one.saving,
            "where": tuple(str(node) for node in conditions(one.query.where)),
            "baseline_start": one.query.start,
            "baseline_end": one.query.end,
            "hypothesis": one.sentence,
            "owner": one.team,
            "effort": one.effort,
            "risk": one.risk,
            "confidence": _CONFIDENCE[one.risk],
            "opportunity": one.key,
            "note": "; ".join(one.caveats),
        }
        for one in found
    ]


def sheet(items: Iterable[SavingsItem]) -> polars.DataFrame:
    """The items as `savings import` reads them: COLUMNS as text, money without exponent."""
    rows = [{name: _written(getattr(item, name)) for name in COLUMNS} for item in items]
    return polars.DataFrame(rows, dict.fromkeys(COLUMNS, polars.String))


def _written(value: Any) -> str | None:
    if isinstance(value, tuple):
        return "; ".join(value)
    return None if value is None else str(cell(value))
