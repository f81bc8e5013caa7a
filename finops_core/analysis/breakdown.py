"""The members of a Query by cost, the rest as Other, over time and against a period before; every sum exact."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import Period
from finops_core.model.query import Condition, Query, conditions

MEMBER = "Member"
KIND = "Kind"
MISSING = "(none)"
JOINED = " · "
ROWS = 200
"""How many members a table lists before the rest is one row."""
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Breakdown:
    """What a breakdown found. Costs are Decimal, in the query's one currency.

    `table`: Kind (member | other), the dimensions, Member (its label), before, after, change, share (0–1 of the total).
    `series`: ChargePeriod, Member, Kind, cost: the members shown, and Other, whose sum in each period is the total's.
    """

    table: polars.DataFrame
    series: polars.DataFrame
    after: Decimal
    before: Decimal | None
    members: int
    """How many members there are in all."""
    shown: int
    """How many of them the series names."""

    def top(self) -> polars.DataFrame:
        """The members that the series names, and Other, whose cost is the total's remainder: Member, Kind, after."""
        named = self.table.head(self.shown).select(MEMBER, KIND, "after")
        if self.members == self.shown:
            return named
        rest = self.after - Decimal(named["after"].sum() or 0)
        row = {MEMBER: other_label(self.members - self.shown), KIND: "other", "after": rest}
        return polars.concat([named, polars.DataFrame([row], schema=named.schema)])


def breakdown(ledger: Ledger, query: Query, compared: Period | None, top: int) -> Breakdown:
    """Breaks the first metric (additive) of a query down by its dimensions; without dimensions there is one member.

    The query's days must be given; its grain is that of the series. The members of the period before count too: one
    that is gone has an `after` of 0.
    """
    metric, by = query.metrics[0], tuple(query.by)
    plain = query.but(metrics=(metric,), grain="none", order=None, limit=None)
    now = _labelled(ledger.query(plain), by, metric, "after")
    past = None
    if compared is not None:
        past = _labelled(
            ledger.query(plain.but(start=compared.start, end=compared.end)), by, metric, "before"
        )
    ranked = _ranked(now, past, by)
    after = _total(ranked, "after")
    before = _total(ranked, "before") if past is not None else None
    table = _with_rest(ranked, ROWS, by, after)
    shown = min(top, len(ranked))
    series = _series(
        ledger, query.but(metrics=(metric,), order=None, limit=None), ranked.head(shown), len(ranked) - shown
    )
    return Breakdown(table, series, after, before, len(ranked), shown)


def ranking(ledger: Ledger, query: Query) -> list[str]:
    """The labels of a query's members, the costliest first."""
    metric, by = query.metrics[0], tuple(query.by)
    return list(_ranked(_labelled(ledger.query(query), by, metric, "after"), None, by)[MEMBER])


def _labelled(frame: polars.DataFrame, by: tuple[str, ...], metric: str, name: str) -> polars.DataFrame:
    return frame.select(*by, labels(by).alias(MEMBER), _cost(metric).alias(name))


def labels(by: tuple[str, ...]) -> polars.Expr:
    """What members are called: the values of their dimensions, or Total where there are none."""
    return polars.concat_str([_text(d) for d in by], separator=JOINED) if by else polars.lit("Total")


def _text(name: str) -> polars.Expr:
    return polars.col(name).cast(polars.String).fill_null(MISSING).replace("", MISSING)


def _cost(name: str) -> polars.Expr:
    return polars.col(name).cast(polars.Decimal(38, 18)).fill_null(_NOTHING)


def _ranked(now: polars.DataFrame, past: polars.DataFrame | None, by: tuple[str, ...]) -> polars.DataFrame:
    if past is None:
        found = now.with_columns(polars.lit(None, polars.Decimal(38, 18)).alias("before"))
    else:
        keys = [*by, MEMBER]
        found = now.join(past, on=keys, how="full", coalesce=True, nulls_equal=True).with_columns(
            _cost("after"), _cost("before")
        )
    return found.sort([polars.col("after").abs(), MEMBER], descending=[True, False])


def _total(frame: polars.DataFrame, name: str) -> Decimal:
    return Decimal(frame[name].sum() or 0)


def _with_rest(ranked: polars.DataFrame, rows: int, by: tuple[str, ...], total: Decimal) -> polars.DataFrame:
    listed = ranked.head(rows).with_columns(polars.lit("member").alias(KIND))
    rest = ranked.slice(rows)
    if len(rest):
        other = rest.select(
            *[polars.lit(None, rest.schema[d]).alias(d) for d in by],
            polars.lit(other_label(len(rest))).alias(MEMBER),
            polars.col("after", "before").sum(),
            polars.lit("other").alias(KIND),
        )
        listed = polars.concat([listed.select(other.columns), other])
    share = polars.lit(None, polars.Float64)
    if total:
        share = polars.col("after").cast(polars.Float64) / float(total)
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


def _series(ledger: Ledger, query: Query, top: polars.DataFrame, rest: int) -> polars.DataFrame:
    """The members' cost by period, and Other as the total's remainder."""
    metric, by = query.metrics[0], tuple(query.by)
    totals = ledger.query(query.but(by=()))
    if query.grain == "none":
        totals = totals.with_columns(polars.lit(query.start).alias(PERIOD))
    totals = totals.select(PERIOD, _cost(metric).alias("cost"))
    if not by:
        return _kinds(totals.with_columns(polars.lit("Total").alias(MEMBER)), "member")
    found = [ledger.query(q) for q in _restricted(query, top)]
    frame = polars.concat(found) if found else ledger.query(query.but(limit=0))
    if query.grain == "none":
        frame = frame.with_columns(polars.lit(query.start).alias(PERIOD))
    shown = frame.select(PERIOD, labels(by).alias(MEMBER), _cost(metric).alias("cost"))
    shown = _kinds(shown.join(top.select(MEMBER), on=MEMBER, how="semi"), "member")
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
    return frame.select(
        PERIOD, MEMBER, polars.lit(kind).alias(KIND), polars.col("cost").cast(polars.Decimal(38, 18))
    )


def _restricted(query: Query, top: polars.DataFrame) -> list[Query]:
    """Queries that together hold the top members: by one dimension only they are read, by several, all are."""
    if len(query.by) != 1:
        return [query]
    (name,) = query.by
    where = conditions(query.where)
    values = top[name]
    named = tuple(_written(value) for value in values if value is not None)
    found = [query.but(where=(*where, Condition(name, "in", named)))] if named else []
    if values.null_count():
        found.append(query.but(where=(*where, Condition(name, "is null"))))
    return found


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
