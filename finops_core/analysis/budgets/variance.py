"""Variance: actual − budget, told by what moved since the period before and by the plan, in parts that sum to it exactly.

A budget states amounts, not quantities, so a price and a volume effect against it would be invented. What can be known is
how the charges differ from those of the period before; and that period lies somewhere between plan and actual. With A1 the
month's actual and B1 its budget, A0 and B0 those of the month before,

    A1 − B1 = (A1 − A0) + (A0 − B0) − (B1 − B0)
            = drivers of the change + variance carried over − planned change.

The drivers are those of `finops_core.analysis.drivers`. Where the month before has no budget, B0 is taken for A0: nothing is
carried over, and the plan is the change that was budgeted on what was spent. Of a running month only complete days are
told, against the same days of the month before; s being the usual share of a month for those days, B1·s and B0·s stand for
the budgets, and the part *rest of month* is the remainder: charges of later days − B1·(1 − s).

A plan by team says nothing of services. Told by a dimension that budgets do not name, members are held against the month
before, so that their variance is what moved; and one row holds the plan less that cost. All still sums to actual − budget.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

import polars

from finops_core.analysis.budgets import words_of_variance
from finops_core.analysis.budgets.costs import member_named
from finops_core.analysis.budgets.pace import MONTHS, usual_share
from finops_core.analysis.cents import less, total
from finops_core.analysis.drivers import PARTS as DRIVERS
from finops_core.analysis.movers import movers
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import Period, add_months, previous
from finops_core.model.query import Query
from finops_core.model.span import Span, span
from finops_core.store.budgets import BUDGET, BudgetLine, versions
from finops_core.vocabulary.dimensions import dimension

PREVIOUS = "previous"
"""Against the month before instead of a plan."""
CARRIED, PLANNED, REST = "carried_over", "planned_change", "rest_of_month"
PARTS = (*DRIVERS, CARRIED, PLANNED, REST)
"""The parts of a variance, in the order of the table."""
_PLACES = Decimal("1e-18")
_MONEY = polars.Decimal(38, 18)


@dataclass(frozen=True)
class Variance:
    """A month against a plan.

    `table`: BillingCurrency, the dimension (null: charges without one), `budget`, `actual`, `variance`, PARTS, `text`; by
    currency, the largest variance first. In every row, and so in their sum, Σ PARTS = variance = actual − budget, exactly; the
    rows sum to the month's cost and to the plan. What the plan does not tell by the dimension is a row of its own, named by
    `not_by`, less what members cost the month before, which is their `budget`.
    """

    table: polars.DataFrame
    month: date
    against: str
    by: str
    metric: str
    before: Period
    """What the drivers are told against."""
    through: date
    """Days of the month before this one are complete."""
    usual: dict[str, Decimal]
    """Currency → the usual share of the month for the complete days."""
    explained: dict[str, Decimal]
    """Currency → how much of what moved since the period before its drivers tell: Σ|named drivers| ÷ Σ|all drivers|, 0 to 1."""
    left_out: tuple[str, ...]
    """Budgets of another metric, which are not part of this."""

    @property
    def is_running(self) -> bool:
        return self.through < add_months(self.month, 1)

    def totals(self, currency: str) -> dict[str, Decimal]:
        """The sum of every figure of a currency."""
        own = self.table.filter(polars.col(CURRENCY) == currency)
        return {name: Decimal(own[name].sum() or 0) for name in ("budget", "actual", "variance", *PARTS)}


def not_by(by: str) -> str:
    """What the row of budgets is called that are not told by a dimension."""
    return f"(budget not by {dimension(by).label.lower()})"


def variance(
    ledger: Ledger,
    lines: Sequence[BudgetLine],
    month: date | None = None,
    against: str = BUDGET,
    by: str = "x_Team",
    metric: str = "EffectiveCost",
) -> Variance:
    """The variance of a month by a dimension against a version of the plan, or against `previous`, the month before.

    Without any budget all is unplanned, and the plan 0. Raises UsageError for another version without amounts, or an unknown
    dimension; NothingLoaded for an empty store.
    """
    dimension(by)
    known = span(ledger)
    start = month if month is not None else known.usual_month
    end = add_months(start, 1)
    if against not in (PREVIOUS, BUDGET, *versions(lines)):
        have = ", ".join([*versions(lines), PREVIOUS])
        raise UsageError(f"there is no version {against!r} of the budgets; there are {have}")
    through = min(max(known.complete_until, start + timedelta(1)), end)
    told = Period(start, through)
    before = previous(told)
    planned = [line for line in lines if line.version == against and line.metric == metric]
    moved = movers(ledger, _drivers_query(by, metric, told), before).table
    late = _late(ledger, by, metric, through, end)
    shares = _usual_shares(ledger, metric, start, through, known)
    plan = _plan(planned, start, by)
    past = _plan(planned, add_months(start, -1), by)
    referred = {
        key for key in {*_keys(moved, by), *late}
        if against == PREVIOUS or ((key[0], not_by(by)) in plan and key not in plan and key not in past)
    }  # fmt: skip
    rows = []
    for key in sorted({*_keys(moved, by), *late, *plan}, key=lambda k: (k[0], k[1] is None, k[1] or "")):
        own = moved.filter(_is(key, by))
        lent = _lent(moved, referred, key[0], by) if key[1] == not_by(by) else Decimal(0)
        share = shares.get(key[0], Decimal(1))
        held = _Plan(plan.get(key, Decimal(0)), past.get(key), share, key in referred, lent)
        rows.append(_row(key, own, late.get(key, Decimal(0)), held, against, by))
    schema: dict[str, polars.DataType | type[polars.DataType]] = {
        CURRENCY: polars.String,
        by: polars.String,
        **dict.fromkeys(("budget", "actual", "variance", *PARTS), _MONEY),
        "text": polars.String,
    }
    table = polars.DataFrame(rows, schema=schema, orient="row")
    order = [polars.col(CURRENCY), -polars.col("variance").abs(), polars.col(by)]
    return Variance(
        table.sort(order, nulls_last=True), start, against, by, metric, before, through, shares, _explained(moved),
        tuple(sorted({line.name for line in lines if line.version == against and line.metric != metric})),
    )  # fmt: skip


_Key = tuple[str, str | None]


def _drivers_query(by: str, metric: str, told: Period) -> Query:
    """By the dimension and another one, which the text names."""
    return Query(metric, by=(by, words_of_variance.beside(by)), start=told.start, end=told.end)


def _keys(moved: polars.DataFrame, by: str) -> set[_Key]:
    return {(currency, _text(member)) for currency, member in moved.select(CURRENCY, by).iter_rows()}


def _text(member: object) -> str | None:
    return None if member is None else str(member)


def _is(key: _Key, by: str) -> polars.Expr:
    column = polars.col(by).cast(polars.String)
    return (polars.col(CURRENCY) == key[0]) & (column.is_null() if key[1] is None else column == key[1])


def _lent(moved: polars.DataFrame, referred: set[_Key], currency: str, by: str) -> Decimal:
    """The cost of the month before of the members that are held against it."""
    rows = moved.filter(polars.col(CURRENCY) == currency).select(by, "before").iter_rows()
    return total([before for member, before in rows if (currency, _text(member)) in referred])


def _late(ledger: Ledger, by: str, metric: str, through: date, end: date) -> dict[_Key, Decimal]:
    """Charges of days that are not complete yet."""
    if through >= end:
        return {}
    answer = ledger.query(Query(metric, by=(by,), start=through, end=end))
    return {
        (row[CURRENCY], _text(row[by])): row[metric] or Decimal(0) for row in answer.iter_rows(named=True)
    }


def _usual_shares(ledger: Ledger, metric: str, start: date, through: date, known: Span) -> dict[str, Decimal]:
    if through == add_months(start, 1):
        return dict.fromkeys(known.currencies, Decimal(1))
    answer = ledger.query(Query(metric, grain="day", start=add_months(start, -MONTHS), end=through))
    found = {}
    for currency in known.currencies:
        own = answer.filter(polars.col(CURRENCY) == currency)
        days = {day: cost or Decimal(0) for day, cost in own.select(PERIOD, metric).iter_rows()}
        found[currency] = usual_share(days, start, through).share
    return found


def _plan(lines: Sequence[BudgetLine], month: date, by: str) -> dict[_Key, Decimal]:
    """Currency and member → what is planned; of lines that do not name one member, under `not_by`."""
    found: dict[_Key, list[Decimal]] = defaultdict(list)
    for line in lines:
        if line.month == month:
            named = member_named(line, by)
            found[line.currency, not_by(by) if named is None else named[0]].append(line.amount)
    return {key: total(amounts) for key, amounts in found.items()}


@dataclass(frozen=True)
class _Plan:
    """What a row is held against."""

    budget: Decimal
    """Of the whole month."""
    past: Decimal | None
    """The budget of the month before, where there was one."""
    share: Decimal
    """The usual share of the month for the complete days."""
    reference: bool = False
    """Whether the row is held against the month before, for the plan is not told by its dimension."""
    lent: Decimal = Decimal(0)
    """What the month before lends to rows of that kind, in place of the plan."""


def _row(
    key: _Key, own: polars.DataFrame, late: Decimal, plan: _Plan, against: str, by: str
) -> tuple[object, ...]:
    sums = {name: Decimal(own[name].sum() or 0) for name in ("before", "after", *DRIVERS)}
    actual = total([sums["after"], late])
    if plan.reference:
        budget = sums["before"]
        parts = {CARRIED: Decimal(0), PLANNED: Decimal(0), REST: late}
    else:
        budget = less(plan.budget, plan.lent)
        base, so_far = total([sums["before"], plan.lent]), _of(plan.budget, plan.share)
        rest = less(late, less(plan.budget, so_far))
        past = base if plan.past is None else _of(plan.past, plan.share)
        parts = {CARRIED: less(base, past), PLANNED: less(past, so_far), REST: rest}
    drivers = {name: sums[name] for name in DRIVERS}
    figures = {"budget": budget, "actual": actual, "variance": less(actual, budget), **drivers, **parts}
    known = plan.past is not None
    text = words_of_variance.paragraph(key[0], by, figures, own, against, known, plan.reference)
    return (*key, *figures.values(), text)


def _of(amount: Decimal, share: Decimal) -> Decimal:
    """A share of an amount at 18 digits, half-even."""
    with localcontext(prec=80):
        return (amount * share).quantize(_PLACES)


def _explained(moved: polars.DataFrame) -> dict[str, Decimal]:
    """Of the drivers of all leaves' members: those with a name against all."""
    found = {}
    for (currency,), own in moved.partition_by([CURRENCY], as_dict=True).items():
        sizes = {part: Decimal(own[part].abs().sum() or 0) for part in DRIVERS}
        whole = total(list(sizes.values()))
        told = less(whole, sizes["other"])
        found[str(currency)] = (told / whole).quantize(Decimal("0.000001")) if whole else Decimal(1)
    return found
