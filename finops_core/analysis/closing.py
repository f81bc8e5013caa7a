"""Month close: what a billing period came to, frozen; and what changed since, as adjustments in the next open month.

Each closed month's change since its close belongs to exactly one month: the first open one after it. So the closed
statements with their adjustments, and the adjustments that are still open, always sum to what the ledger says today.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars

from finops_core.analysis.showback import of_pool, shared_out
from finops_core.errors import UsageError
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Condition, Query
from finops_core.store import rulesets
from finops_core.store.batches import Batch, in_force, plain
from finops_core.store.closes import Close, Row, closes, insist, keep, period_of
from finops_core.store.load import repair
from finops_core.store.state import State

MONEY = polars.Decimal(38, 18)
COSTS = ("BilledCost", "EffectiveCost")
POOL = "Pool"
"""The shared pool that a figure is a share of; null for what an owner caused directly."""
KEYS = ("BillingCurrency", "x_Team", "x_CostCenter", POOL)
"""What a month's figures, and adjustments to them, are told apart by."""
DETAIL = ("ServiceName", "x_Product")
"""What direct figures are told apart by beside; null for shares of pools."""
_SETTLES = timedelta(days=2)
"""How long before the end of a month its newest charge may be for the month to count as there."""

FIGURES = polars.Schema(
    {
        "BillingPeriod": polars.String(),
        **dict.fromkeys((*KEYS, *DETAIL), polars.String()),
        **dict.fromkeys(COSTS, MONEY),
    }
)
ADJUSTMENTS = polars.Schema({name: kind for name, kind in FIGURES.items() if name not in DETAIL})
"""Columns of the tables below."""


class NotComplete(UsageError):
    """A month that is not complete is closed only where somebody wants it all the same."""


@dataclass(frozen=True)
class Month:
    """A billing period: as it was closed, or as it stands today."""

    period: str
    close: Close | None
    """None while it is open."""
    figures: polars.DataFrame
    """BillingPeriod, KEYS, DETAIL, COSTS."""
    adjustments: polars.DataFrame
    """For earlier closed months: BillingPeriod, KEYS, COSTS."""
    lake_version: int
    rules_version: int | None
    through: date | None
    """The last day with charges."""

    @property
    def is_complete(self) -> bool:
        """Whether charges reach the end of the month."""
        return self.through is not None and self.through + timedelta(1) >= _end(self.period)


def figures(ledger: Ledger, periods: Iterable[str]) -> polars.DataFrame:
    """What billing periods come to today: BillingPeriod, KEYS, DETAIL and COSTS, in the order of the keys."""
    wanted = tuple(sorted(set(periods)))
    if not wanted:
        return polars.DataFrame(schema=FIGURES)
    query = Query(COSTS, where=(Condition("BillingPeriod", "in", wanted),))
    found = shared_out(ledger, query, ("BillingPeriod", "x_Team", "x_CostCenter", *DETAIL))
    shared = of_pool()
    named = found.with_columns(
        polars.when(shared).then(polars.col("x_AllocationRule")).alias(POOL),
        *(polars.when(~shared).then(polars.col(name)).alias(name) for name in DETAIL),
    )
    return summed(named, ("BillingPeriod", *KEYS, *DETAIL)).cast(dict(FIGURES))  # type: ignore[arg-type]


def month(ledger: Ledger, state: State, period: str) -> Month:
    """A billing period with its adjustments: as it was closed, else as it stands today."""
    return _month(ledger, state, period_of(period), closes(state))


def _month(ledger: Ledger, state: State, period: str, known: Mapping[str, Close]) -> Month:
    closed = known.get(period)
    if closed is not None:
        through = date.fromisoformat(closed.through) if closed.through else None
        figures_then = frame_of(closed.figures, FIGURES, period)
        stated = frame_of(closed.adjustments, ADJUSTMENTS)
        return Month(period, closed, figures_then, stated, closed.lake_version, closed.rules_version, through)
    return Month(
        period,
        None,
        figures(ledger, [period]),
        _adjustments(ledger, period, known),
        lake_version(ledger),
        _rules_version(state),
        last_day(ledger, period),
    )


def adjustments(ledger: Ledger, state: State, period: str) -> polars.DataFrame:
    """What a month's statement adds for earlier closed months: BillingPeriod (the month it is for), KEYS and COSTS.

    Of a closed month what it stated; of an open one today's figures less the closed ones and what statements since have
    adjusted already, for the closed months that it is the first open one after. Rows of nothing are left out.
    """
    return month(ledger, state, period).adjustments


def _adjustments(ledger: Ledger, period: str, known: Mapping[str, Close]) -> polars.DataFrame:
    landing = [closed for closed in known if lands_in(closed, known) == period]
    return unstated(figures(ledger, landing), {p: known[p] for p in landing}, known.values())


def unstated(
    today: polars.DataFrame, closed: Mapping[str, Close], statements: Iterable[Close]
) -> polars.DataFrame:
    """Today's figures of closed months less their closed ones, less what statements have adjusted of it already."""
    frozen = [frame_of(c.figures, FIGURES, p).drop(DETAIL) for p, c in closed.items()]
    stated = [frame_of(c.adjustments, ADJUSTMENTS) for c in statements]
    of_closed = polars.col("BillingPeriod").is_in(list(closed))
    taken = [(-polars.col(name)).cast(MONEY).alias(name) for name in COSTS]
    parts = [
        today.drop(DETAIL).filter(of_closed),
        *(part.filter(of_closed).with_columns(taken) for part in (*frozen, *stated)),
    ]
    found = summed(polars.concat(parts), tuple(n for n in ADJUSTMENTS if n not in COSTS))
    return found.filter(polars.any_horizontal(polars.col(name) != 0 for name in COSTS))


def lands_in(period: str, closed: Iterable[str]) -> str:
    """The first month after a closed one that is open: where its adjustments are stated."""
    taken = set(closed)
    found = following(period)
    while found in taken:
        found = following(found)
    return found


def following(period: str, months: int = 1) -> str:
    """The billing period so many months later."""
    return f"{add_months(date.fromisoformat(f'{period}-01'), months):%Y-%m}"


def close(ledger: Ledger, state: State, period: str, who: str, reason: str, anyway: bool = False) -> Close:
    """Freezes a month: its figures, its adjustments for earlier months, and the versions of lake and rules they are from.

    Raises NotComplete where the month is not complete (`doubts`) and not to be closed `anyway`, and UsageError where it is
    closed already, and without who or reason.
    """
    insist(who, reason)
    period_of(period)
    with ledger.home.writing():
        repair(ledger.home)  # so that the figures are those of the newest versions of lake and rules
        return _close(ledger, state, period, who, reason, anyway)


def _close(ledger: Ledger, state: State, period: str, who: str, reason: str, anyway: bool) -> Close:
    with state.writing() as connection:
        known = closes(state, connection)
        found = doubts(ledger.batches(), period)
        if found and not anyway and period not in known:
            raise NotComplete(f"{period} is not complete: {'; '.join(found)}")
        now = _month(ledger, state, period, {p: c for p, c in known.items() if p != period})
        closed = Close(
            period,
            now.lake_version,
            now.rules_version,
            now.through.isoformat() if now.through else "",
            _rows(now.figures.drop("BillingPeriod")),
            _rows(now.adjustments),
            reason.strip(),
            found,
        )
        keep(state, connection, closed, who, totals(now))
    return closes(state)[period]


def totals(month: Month) -> dict[str, dict[str, str]]:
    """Currency → cost → its total with adjustments, as plain decimals."""
    both = polars.concat([month.figures.drop(DETAIL), month.adjustments])
    rows = summed(both, ("BillingCurrency",)).iter_rows(named=True)
    return {row["BillingCurrency"]: {name: plain(row[name]) for name in COSTS} for row in rows}


def doubts(batches: Sequence[Batch], period: str) -> list[str]:
    """Why a billing period is not completely loaded or does not reconcile, of all batches ever loaded, oldest first."""
    current = in_force(batches)
    here = {source: batch for (source, of), batch in current.items() if of == period}
    if not here:
        return [f"nothing is loaded of {period}"]
    before = following(period, -1)
    found = [
        f"{source} has charges of {before} and none of {period}"
        for source, of in sorted(current)
        if of == before and source not in here
    ]
    for source, batch in sorted(here.items()):
        if not batch.reconciled:
            found.append(f"{source} does not reconcile with its own total")
        later = any(s == source and of > period for s, of in current)
        if not later and not _reaches_end(batch, period):
            found.append(f"{source} reaches only to {batch.newest[:10] or 'no day'}")
    return found


def _reaches_end(batch: Batch, period: str) -> bool:
    """Whether a load may hold the whole month: it was made after the month's end, or has charges of its last days."""
    end = _end(period)
    newest = date.fromisoformat(batch.newest[:10]) if batch.newest else date.min
    return date.fromisoformat(batch.loaded_at[:10]) >= end or newest >= end - timedelta(1) - _SETTLES


def _end(period: str) -> date:
    return add_months(date.fromisoformat(f"{period}-01"), 1)


def lake_version(ledger: Ledger) -> int:
    """The version of the lake that today's figures come from."""
    return int(ledger.frame("SELECT value FROM meta WHERE key = 'lake_version'")["value"][0])


def last_day(ledger: Ledger, period: str) -> date | None:
    """The last day with charges of a billing period."""
    where = (Condition("BillingPeriod", "=", (period,)),)
    newest = ledger.query(Query("ChargeCount", grain="day", where=where))[PERIOD].max()
    return newest if isinstance(newest, date) else None


def _rules_version(state: State) -> int | None:
    return next((version.number for version in rulesets.versions(state)), None)


def summed(frame: polars.DataFrame, keys: Sequence[str]) -> polars.DataFrame:
    """Both costs by keys, in the order of the keys; a missing cost is 0."""
    costs = [polars.col(name).fill_null(Decimal(0)).sum().cast(MONEY) for name in COSTS]
    return frame.group_by(keys).agg(costs).sort(keys, nulls_last=True)


def _rows(frame: polars.DataFrame) -> list[Row]:
    """A table as it is kept: costs as plain decimals."""
    return [
        {name: plain(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in frame.iter_rows(named=True)
    ]


def frame_of(rows: Sequence[Row], schema: polars.Schema, period: str | None = None) -> polars.DataFrame:
    """A table as it was kept; `period` where its rows are all of one."""
    columns: dict[str, list[str | Decimal | None]] = {}
    for name in schema:
        if name == "BillingPeriod" and period is not None:
            columns[name] = [period] * len(rows)
        elif name in COSTS:
            columns[name] = [Decimal(row[name] or 0) for row in rows]
        else:
            columns[name] = [row[name] for row in rows]
    return polars.DataFrame(columns, schema=schema)
