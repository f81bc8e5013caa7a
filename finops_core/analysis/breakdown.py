"""The members of a Query by cost, the rest as Other, over time and against a period before; every sum exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.model.engine import PERIOD, uses_cube
from finops_core.model.ledger import Ledger
from finops_core.model.periods import Period
from finops_core.model.query import Condition, Query, conditions

MEMBER = "Member"
KIND = "Kind"
MISSING = "(none)"
JOINED = " · "
ROWS = 200
"""How many members a table lists before the rest is one row."""
_MONEY = polars.Decimal(38, 18)
_NOTHING = polars.lit(Decimal(0), _MONEY)


@dataclass(frozen=True)
class Breakdown:
    """What a breakdown found. Costs are Decimal, in the query's one currency; null or None where nothing of it is known.

    `table`: Kind (member | other), the dimensions, Member (its label), before, after, change, share (0–1 of the total).
    `series`: ChargePeriod, Member, Kind, cost: the members shown, and Other, whose sum in each period is the total's.
    """

    table: polars.DataFrame
    series: polars.DataFrame
    after: Decimal | None
    before: Decimal | None
    """None also where it is compared with nothing."""
    members: int
    """How many members there are in all."""
    shown: int
    """How many of them the series names."""

    @property
    def change(self) -> Decimal | None:
        """After less before; None where one of them is."""
        return None if self.after is None or self.before is None else self.after - self.before

    def top(self) -> polars.DataFrame:
        """The members that the series names, and Other, whose cost is the total's remainder: Member, Kind, after."""
        named = self.table.head(self.shown).select(MEMBER, KIND, "after")
        if self.members == self.shown:
            return named
        rest = self.table.slice(self.shown).select(known_sum("after")).item()
        row = {MEMBER: other_label(self.members - self.shown), KIND: "other", "after": rest}
        return polars.concat([named, polars.DataFrame([row], schema=named.schema)])


def breakdown(ledger: Ledger, query: Query, compared: Period | None, top: int) -> Breakdown:
    """Breaks the first metric (additive) of a query down by its dimensions; without dimensions there is one member.

    The query's days must be given; its grain is that of the series. The members of the period before count too: one
    that is gone has an `after` of 0. A metric that is not known of any charge of a member (savings without a list price) is
    null for it; sums are over what is known, as those of the store are.
    """
    metric, by = query.metrics[0], tuple(query.by)
    asked = query.but(metrics=(metric,), order=None, limit=None)
    cells = _cells(ledger, asked, metric) if _at_once(asked) else None
    now = _summed(cells, by) if cells is not None else _members(ledger, asked, metric)
    past = None
    if compared is not None:
        before = asked.but(start=compared.start, end=compared.end)
        found = (
            _summed(_cells(ledger, before, metric), by)
            if cells is not None
            else _members(ledger, before, metric)
        )
        past = found.rename({"cost": "before"})
    ranked = _ranked(now.rename({"cost": "after"}), past, by)
    after = total(ranked["after"])
    before_all = total(ranked["before"]) if past is not None else None
    shown = min(top, len(ranked))
    named, rest = ranked.head(shown), len(ranked) - shown
    if cells is not None:
        series = _series(cells, _by_period(cells), named, rest)
    else:
        totals = _cells(ledger, asked.but(by=()), metric).select(PERIOD, "cost")
        series = _series(_restricted(ledger, asked, metric, named), totals, named, rest)
    return Breakdown(_with_rest(ranked, ROWS, by, after), series, after, before_all, len(ranked), shown)


def _at_once(query: Query) -> bool:
    """Whether one question by members and periods is asked, and added up here: where a cube answers it. At the level of
    resources, members and periods may be millions, of which a few are shown."""
    return len(query.by) != 1 or uses_cube(query)


def _cells(ledger: Ledger, query: Query, metric: str) -> polars.DataFrame:
    """The members of a query by its grain: ChargePeriod, the dimensions, Member, cost."""
    frame = ledger.query(query)
    if query.grain == "none":
        frame = frame.with_columns(polars.lit(query.start).alias(PERIOD))
    return frame.select(PERIOD, *query.by, labels(query.by).alias(MEMBER), _cost(metric))


def _members(ledger: Ledger, query: Query, metric: str) -> polars.DataFrame:
    """The members of a query: the dimensions, Member, cost."""
    return _cells(ledger, query.but(grain="none"), metric).drop(PERIOD)


def _summed(cells: polars.DataFrame, by: tuple[str, ...]) -> polars.DataFrame:
    return cells.group_by(*by, MEMBER).agg(known_sum("cost"))


def _by_period(cells: polars.DataFrame) -> polars.DataFrame:
    return cells.group_by(PERIOD).agg(known_sum("cost"))


def known_sum(name: str) -> polars.Expr:
    """The sum of what is known; null where nothing is."""
    column = polars.col(name)
    return polars.when(column.is_not_null().any()).then(column.sum()).cast(_MONEY).alias(name)


def ranking(ledger: Ledger, query: Query) -> list[str]:
    """The labels of a query's members, the costliest first."""
    found = _members(ledger, query, query.metrics[0]).rename({"cost": "after"})
    return list(_ranked(found, None, query.by)[MEMBER])


def labels(by: Sequence[str]) -> polars.Expr:
    """What members are called: the values of their dimensions, or Total where there are none."""
    return polars.concat_str([_text(d) for d in by], separator=JOINED) if by else polars.lit("Total")


def _text(name: str) -> polars.Expr:
    return polars.col(name).cast(polars.String).fill_null(MISSING).replace("", MISSING)


def _cost(name: str) -> polars.Expr:
    return polars.col(name).cast(_MONEY).alias("cost")


def _ranked(now: polars.DataFrame, past: polars.DataFrame | None, by: Sequence[str]) -> polars.DataFrame:
    if past is None:
        found = now.with_columns(polars.lit(None, _MONEY).alias("before"))
    else:
        keys = [*by, MEMBER]
        found = now.with_columns(is_now=True).join(
            past.with_columns(is_past=True), on=keys, how="full", coalesce=True, nulls_equal=True
        )
        # No charges are a cost of 0; charges of which it is not known are not.
        found = found.with_columns(
            polars.when(polars.col(there).is_null()).then(_NOTHING).otherwise(polars.col(side)).alias(side)
            for side, there in (("after", "is_now"), ("before", "is_past"))
        ).drop("is_now", "is_past")
    return found.sort([polars.col("after").abs(), MEMBER], descending=[True, False], nulls_last=True)


def total(costs: polars.Series) -> Decimal | None:
    """The sum of what is known. 0 where there is nothing at all, None where there is and nothing is known of it."""
    return None if len(costs) and costs.null_count() == len(costs) else Decimal(costs.sum() or 0)


def _with_rest(
    ranked: polars.DataFrame, rows: int, by: tuple[str, ...], whole: Decimal | None
) -> polars.DataFrame:
    listed = ranked.head(rows).with_columns(polars.lit("member").alias(KIND))
    rest = ranked.slice(rows)
    if len(rest):
        other = rest.select(
            *[polars.lit(None, rest.schema[d]).alias(d) for d in by],
            polars.lit(other_label(len(rest))).alias(MEMBER),
            known_sum("after"),
            known_sum("before"),
            polars.lit("other").alias(KIND),
        )
        listed = polars.concat([listed.select(other.columns), other])
    share = polars.lit(None, polars.Float64)
    if whole:
        share = polars.col("after").cast(polars.Float64) / float(whole)
    return listed.select(
        KIND,
        *by,
        MEMBER,
        "before",
        "after",
        (polars.col("after") - polars.col("before")).alias("change"),
        share.alias("share"),
    )


def other_label(count: int) -> str:
    return f"Other ({count:,})"


def _series(
    cells: polars.DataFrame, totals: polars.DataFrame, top: polars.DataFrame, rest: int
) -> polars.DataFrame:
    """The members' cost by period, and Other as the total's remainder."""
    shown = _kinds(cells.join(top.select(MEMBER), on=MEMBER, how="semi"), "member")
    if not rest:
        return shown.sort(PERIOD, MEMBER)
    known = shown.group_by(PERIOD).agg(polars.col("cost").sum().alias("known"))
    other = totals.join(known, on=PERIOD, how="left").select(
        PERIOD,
        (polars.col("cost") - polars.col("known").fill_null(_NOTHING)).alias("cost"),
        polars.lit(other_label(rest)).alias(MEMBER),
    )
    return polars.concat([shown, _kinds(other, "other")]).sort(PERIOD, KIND, MEMBER)


def _kinds(frame: polars.DataFrame, kind: str) -> polars.DataFrame:
    return frame.select(PERIOD, MEMBER, polars.lit(kind).alias(KIND), polars.col("cost").cast(_MONEY))


def _restricted(ledger: Ledger, query: Query, metric: str, top: polars.DataFrame) -> polars.DataFrame:
    """The cells of the top members of one dimension, and no others."""
    (name,) = query.by
    where = conditions(query.where)
    named = tuple(_written(value) for value in top[name] if value is not None)
    asked = [query.but(where=(*where, Condition(name, "in", named)))] if named else []
    if top[name].null_count():
        asked.append(query.but(where=(*where, Condition(name, "is null"))))
    return polars.concat([_cells(ledger, q, metric) for q in asked or [query.but(limit=0)]])


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
