"""The month in a few sentences, and its figures by currency."""

from decimal import Decimal

from finops_core.model import words
from finops_core.model.periods import previous
from finops_core.reporting.pack.content import CHANGE, MONEY, Column, Part, Section, Table, Value
from finops_core.reporting.situation import METRIC, Situation


def _make(found: Situation) -> Part:
    now, past, billed = (
        _by_currency(found, METRIC, True),
        _by_currency(found, METRIC, False),
        _by_currency(found, "BilledCost", True),
    )
    said, rows = [], []
    for code in found.span.currencies:
        after, before = now.get(code, Decimal(0)), past.get(code)
        plan = (
            sum(
                (s.budget for s in found.account.statuses if s.currency == code and s.metric == METRIC),
                Decimal(0),
            )
            or None
        )
        saved = sum(
            (r.net for r in found.known.realised if r.month == found.month and r.currency == code), Decimal(0)
        )
        row: list[Value] = [
            code,
            after,
            before,
            after - before if before is not None else None,
            billed.get(code),
            plan,
            saved,
        ]
        rows.append(row)
        said.append(_sentence(found, code, after, before, plan))
    open_now = [t for t in found.incidents_of_month if t.is_open]
    said.append(
        f"{words.counted(len(found.incidents_of_month), 'anomaly', 'anomalies')} went on in the month; {len(open_now)} still open."
        if found.incidents_of_month
        else "No anomaly was found in the month."
    )
    columns = [
        Column("Currency", weight=0.7), Column("Effective cost", MONEY), Column("Month before", MONEY), Column("Change", CHANGE), Column("Billed", MONEY),
        Column("Budget", MONEY), Column("Saved, net", MONEY),
    ]  # fmt: skip
    return Part(said, [Table("", columns, rows)])


def _by_currency(found: Situation, metric: str, is_now: bool) -> dict[str, Decimal]:
    """Of the month, or of as many days of the one before."""
    days = found.days if is_now else previous(found.days)
    table = found.ledger.query(found.query(metric=metric).but(start=days.start, end=days.end))
    return dict(table.select("BillingCurrency", metric).drop_nulls().iter_rows())


def _sentence(
    found: Situation, code: str, after: Decimal, before: Decimal | None, plan: Decimal | None
) -> str:
    so_far = " so far" if found.is_running else ""
    told = f"{words.period(found.period)}{so_far} cost {words.money(after, code)}"
    if before is not None:
        relative = words.ratio(after - before, before)
        more = "more" if after > before else "less"
        if relative is not None:
            told += f", {words.percent(abs(relative))} {more} than {'the same days of ' if found.is_running else ''}the month before ({words.signed(after - before)})"
    if plan is not None and not found.is_running:
        off = after / plan - 1
        told += f"; that is {words.percent(abs(off))} {'above' if off > 0 else 'below'} the budgets of {words.money(plan, code)}"
    return f"{told}."


SECTION = Section("summary", "Summary", 10, _make)
