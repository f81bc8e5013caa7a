"""Looks for what could be saved: each line of the last 30 days counts for the first kind of waste that takes it, and for no other."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal, localcontext

import polars

from finops_core.analysis.savings.finders import Finder, Situation, finders
from finops_core.analysis.savings.finders.finder import COST, CURRENCY, DAYS, USAGE
from finops_core.analysis.savings.opportunity import Opportunity, key_of
from finops_core.model import words
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query
from finops_core.model.span import span

_LEAST = Decimal(20)
"""Money a month below which a saving is nobody's time worth; in any currency."""
_RESOURCES = 20
_MOST_NAMED = 500
"""Resources that a query may name."""
_CENT = Decimal("0.01")


def find(ledger: Ledger, as_of: date | None = None) -> list[Opportunity]:
    """What could be saved, by kind and team, the most money first within each currency. Empty for an empty store."""
    if ledger.is_empty():
        return []
    end = min(as_of or date.max, span(ledger).complete_until)
    situation = Situation(ledger, end)
    rest = situation.lines.with_row_index("line")
    found: list[Opportunity] = []
    for finder in finders():
        chosen = _chosen(finder, situation, rest)
        if not chosen.is_empty():
            rest = rest.join(chosen.select("line"), on="line", how="anti")
            found += _opportunities(finder, situation, chosen)
    return sorted(found, key=lambda o: (o.currency, -o.saving, o.key))


def _chosen(finder: Finder, situation: Situation, rest: polars.DataFrame) -> polars.DataFrame:
    """The lines that a finder takes, with `share` of each that could be saved."""
    chosen = rest.filter(finder.lines)
    if chosen.is_empty():
        return chosen
    if isinstance(finder.share, float):
        return chosen.with_columns(polars.lit(finder.share).alias("share"))
    return finder.share(situation, chosen)


def _opportunities(finder: Finder, situation: Situation, chosen: polars.DataFrame) -> list[Opportunity]:
    found = []
    for (code, team), lines in chosen.group_by(CURRENCY, "x_Team", maintain_order=True):
        cost = Decimal(lines[COST].sum())
        with localcontext() as context:
            context.prec = 60
            parts = zip(lines[COST], lines["share"], strict=True)
            saving = sum((c * Decimal(repr(s)) for c, s in parts), Decimal(0)).quantize(_CENT, ROUND_DOWN)
        if saving < _LEAST:
            continue
        query = _evidence(finder, situation, lines, str(code), team)
        resources = _costliest(lines)
        owner = str(team) if team is not None else ""
        many = lines["ResourceId"].drop_nulls().n_unique()
        whose = f" of {owner}" if owner else " that nobody owns"
        told = f"{many:,} resources{whose}" if many > 1 else f"usage{whose}"
        found.append(
            Opportunity(
                key_of(finder.name, str(code), owner or None),
                finder.name,
                finder.title,
                f"{finder.why} {told[:1].upper()}{told[1:]} cost {words.money(cost, str(code))} in {DAYS} days; about {words.money(saving, str(code))} of it could be saved.",
                str(code), cost, saving, query, resources, owner, finder.effort, finder.risk, finder.caveats,
            )
        )  # fmt: skip
    return found


def _evidence(
    finder: Finder, situation: Situation, lines: polars.DataFrame, code: str, team: str | None
) -> Query:
    """The query whose total is the opportunity's cost: the usage types, of the team, in its accounts; where resources matter, of these."""
    where = [USAGE, Condition(CURRENCY, "=", (code,)), _is("x_Team", [team])]
    for name in ("x_UsageType", "ServiceName", "SubAccountId", "RegionId", "x_Environment", "CommitmentDiscountStatus"):  # fmt: skip
        where.append(_is(name, lines[name].unique().sort().to_list()))
    resources = lines["ResourceId"].unique().sort().to_list()
    if finder.by_resource and len(resources) <= _MOST_NAMED:
        where.append(_is("ResourceId", resources))
    kept = [condition for condition in where if condition is not None]
    return Query(COST, where=tuple(kept), start=situation.start, end=situation.end)


def _is(name: str, values: Sequence[str | None]) -> Condition | None:
    """A condition for these values; None where they are mixed with rows that have none, which no one condition can say."""
    if None in values:
        return Condition(name, "is null") if len(values) == 1 else None
    told = tuple(str(value) for value in values)
    return Condition(name, "=", told) if len(told) == 1 else Condition(name, "in", told)


def _costliest(lines: polars.DataFrame) -> tuple[tuple[str, Decimal], ...]:
    named = lines.drop_nulls("ResourceId").group_by("ResourceId").agg(polars.col(COST).sum())
    ranked = named.sort([COST, "ResourceId"], descending=[True, False]).head(_RESOURCES)
    return tuple((str(name), Decimal(cost)) for name, cost in ranked.iter_rows())
