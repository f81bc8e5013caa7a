"""The answer of a view in one sentence, as a person would say it."""

import polars

from finops_core.analysis.breakdown import Breakdown
from finops_core.model import words
from finops_core.model.metrics import METRICS
from finops_core.model.periods import Period
from finops_core.model.span import Span
from finops_core.model.view import View

_WORTH_NAMING = 0.1
"""The smallest part of a change that a member is named for."""


def headline(
    found: Breakdown, view: View, days: Period, compared: Period | None, currency: str, span: Span
) -> str:
    """`October 2026 cost 41,280 USD, 6 % more than September 2026 (+2,340); search explains 71 % of it.`"""
    what = METRICS[view.metric].label.lower()
    verb = "cost" if view.metric == "EffectiveCost" else f"has a {what} of"
    whole = days.start.day == 1 and days.end.day == 1
    so_far = " so far" if whole and days.end > span.complete_until else ""
    if found.after is None:
        return f"{words.period(days)}{so_far}: the {what} of these charges is not known."
    sentence = f"{words.period(days)}{so_far} {verb} {words.money(found.after, currency)}"
    if compared is None or found.before is None:
        return f"{sentence}."
    change = found.after - found.before
    if not change:
        return f"{sentence}, exactly as much as {words.period(compared)}."
    relative = words.ratio(change, found.before)
    if relative is None:
        return f"{sentence}; {words.period(compared)} had {words.money(found.before, currency)}."
    more = "more" if change > 0 else "less"
    sentence += (
        f", {words.percent(abs(relative))} {more} than {words.period(compared)} ({words.signed(change)})"
    )
    return f"{sentence}{_explained(found, view)}."


def _explained(found: Breakdown, view: View) -> str:
    """The member that moved most in the direction of the whole change, and its part of it."""
    assert found.before is not None and found.after is not None
    change = found.after - found.before
    members = found.table.filter(
        (polars.col("Kind") == "member") & (polars.col("change") * change.copy_sign(1) != 0)
    )
    same = members.filter((polars.col("change") > 0) == (change > 0))
    if not view.query.by or found.members == 1 or same.is_empty():
        return ""
    top = same.sort(polars.col("change").abs(), descending=True).row(0, named=True)
    part = top["change"] / change
    if part < _WORTH_NAMING:
        return ""
    if part > 1:
        return f"; {top['Member']} alone changed by {words.signed(top['change'])}"
    return f"; {top['Member']} explains {words.percent(part)} of it"
