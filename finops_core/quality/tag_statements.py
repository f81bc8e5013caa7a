"""The SQL of tag coverage: conditions and dimensions come from the semantic layer, the sums around them are written out.

Tags are read once for each distinct text of them, and joined to the charges' sums: reading JSON in every charge takes
thirty times longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from finops_core.formats.expressions import identifier, quoted
from finops_core.model.engine import CURRENCY, charges
from finops_core.model.query import Node, Query, conditions
from finops_core.quality.tag_policy import SOMETHING
from finops_core.vocabulary.dimensions import dimension
from finops_core.vocabulary.expressions import condition, value

FIGURES = ("taggable", "covered", "excepted", "effective", "effective_excepted")
"""Of each: `…_cost` (EffectiveCost) and `…_rows` (charges)."""
OFFENDER_DIMENSIONS = ("SubAccountId", "ServiceName", "x_Team")
COLUMNS = tuple(f"{figure}_{unit}" for unit in ("cost", "rows") for figure in FIGURES)


@dataclass(frozen=True)
class KeyPlan:
    """How one required key is judged: conditions, the spellings of it in the data, and its exceptions by number."""

    key: str
    owner: str
    covered: Node
    spelled: tuple[str, ...]
    exceptions: tuple[int, ...]
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    """A regular expression that a whole value fits, with its ends."""


@dataclass(frozen=True)
class Plan:
    """How charges are judged: what makes them taggable, each required key, and all exceptions in force."""

    taggable: tuple[Node, ...]
    keys: tuple[KeyPlan, ...]
    exceptions: tuple[Node, ...]


def tag_keys(query: Query, taggable: tuple[Node, ...]) -> str:
    """SQL of the keys of Tags that taggable charges have: one column, `key`."""
    rows = _rows(_where(query), (), Plan(taggable, (), ()))
    return f"""
        SELECT DISTINCT unnest(json_keys(Tags)) AS key
        FROM (SELECT DISTINCT Tags FROM ({rows}) WHERE reason IS NULL {_days(query)}) WHERE json_valid(Tags) ORDER BY 1"""


def sums(query: Query, plan: Plan, by: Sequence[str]) -> str:
    """SQL of the figures of each required key, by currency and dimensions: `key`, BillingCurrency, the dimensions, COLUMNS."""
    dims = _dims(by)
    keys = "".join(f"{name}, " for name in dims)
    names = "".join(
        f"{name} AS {identifier(asked)}, " for name, asked in zip(dims, _members(by), strict=True)
    )
    parts = " UNION ALL ".join(
        f"""
        SELECT {quoted(found.key)} AS key, {CURRENCY}, {names}{_figures(k)}
        FROM joined GROUP BY {CURRENCY}, {keys}1"""
        for k, found in enumerate(plan.keys)
    )
    return _joined(query, plan, by) + parts


def offenders(query: Query, plan: Plan) -> str:
    """SQL of the figures of each required key, by currency and members of OFFENDER_DIMENSIONS: `key`, BillingCurrency,
    `by` (the dimension), `member`, `member_name` (of accounts), COLUMNS."""
    by = (*OFFENDER_DIMENSIONS, "SubAccountName")
    name_of = {"SubAccountId": f"min({_dims(['SubAccountName'])[0]})"}
    parts = " UNION ALL ".join(
        f"""
        SELECT {quoted(found.key)} AS key, {CURRENCY}, {quoted(name)} AS by, {_dims([name])[0]} AS member,
               {name_of.get(name, "NULL")} AS member_name, {_figures(k)}
        FROM joined GROUP BY {CURRENCY}, member"""
        for k, found in enumerate(plan.keys)
        for name in OFFENDER_DIMENSIONS
    )
    return _joined(query, plan, by) + parts


_OF_RESOURCE = ("ResourceId", "ServiceName", "SubAccountId", "SubAccountName")
_USUAL = (*_OF_RESOURCE, "x_Team")
"""Dimensions that are compiled for every plan: what a statement does not ask, DuckDB does not read."""


def resources(query: Query, plan: Plan, most: int) -> str:
    """SQL of each required key's taggable resources by currency: how many there are, how many are covered, excepted and
    effectively covered, and `worst`: a list of the `most` with the most EffectiveCost that is uncovered."""
    parts = " UNION ALL ".join(_resources_of(k, plan.keys[k].key, most) for k in range(len(plan.keys)))
    return _joined(query, plan, _OF_RESOURCE) + parts


def _resources_of(k: int, key: str, most: int) -> str:
    resource, service, account, name = _dims(_OF_RESOURCE)
    return f"""
        SELECT {quoted(key)} AS key, {CURRENCY}, count(*) AS taggable, count(*) FILTER (covered_rows > 0) AS covered,
               count(*) FILTER (excepted_rows > 0) AS excepted, count(*) FILTER (effective_rows > 0) AS effective,
               list(struct_pack(ResourceId := resource, ServiceName := service, SubAccountId := account, SubAccountName := account_name, uncovered_cost := uncovered_cost) ORDER BY abs(uncovered_cost) DESC, resource)[:{most}] AS worst
        FROM (SELECT {CURRENCY}, {resource} AS resource, min({service}) AS service, min({account}) AS account,
                     min({name}) AS account_name, {_figures(k)} FROM joined WHERE {resource} IS NOT NULL GROUP BY {CURRENCY}, resource)
        GROUP BY {CURRENCY}"""


def values(query: Query, plan: Plan) -> str:
    """SQL of the values of each required key: `key`, BillingCurrency, `value`, `covered`, `cost`, `rows`."""
    parts = " UNION ALL ".join(
        f"""
        SELECT {quoted(found.key)} AS key, {CURRENCY}, {identifier(f"value {k}")} AS value, {_covered(k)} AS covered,
               coalesce(sum(cost), 0) AS cost, CAST(sum(n) AS BIGINT) AS rows
        FROM joined WHERE {identifier(f"value {k}")} IS NOT NULL GROUP BY ALL"""
        for k, found in enumerate(plan.keys)
    )
    return (
        _joined(query, plan, (), ", ".join(identifier(f"value {k}") for k in range(len(plan.keys)))) + parts
    )


def set_apart(query: Query, plan: Plan) -> str:
    """SQL of all charges by BillingCurrency, ServiceName and `reason`, the number of the first condition of the plan that
    a charge does not fulfil (null: it is taggable): `cost`, `rows`."""
    rows = _rows(_where(query), tuple(sorted(_USUAL)), plan)
    return f"""
        SELECT {CURRENCY}, {_dims(["ServiceName"])[0]} AS ServiceName, reason, coalesce(sum(cost), 0) AS cost, count(*) AS rows
        FROM ({rows}) WHERE TRUE {_days(query)} GROUP BY ALL ORDER BY {CURRENCY}, reason, abs(sum(cost)) DESC, ServiceName"""


def excepted(query: Query, plan: Plan) -> str:
    """SQL of what the exceptions set apart: `key`, BillingCurrency, `exception` (its number), `cost`, `rows`.

    Each charge counts with the first exception that fits it.
    """
    parts = []
    for k, found in enumerate(plan.keys):
        cases = " ".join(f"WHEN {identifier(f'exception {e}')} THEN {e}" for e in found.exceptions)
        if cases:
            parts.append(
                f"""
        SELECT {quoted(found.key)} AS key, {CURRENCY}, CASE {cases} END AS exception, coalesce(sum(cost), 0) AS cost,
               CAST(sum(n) AS BIGINT) AS rows
        FROM joined WHERE {_excepted(k, found)} GROUP BY ALL"""
            )
    return _joined(query, plan, ()) + " UNION ALL ".join(parts) if parts else ""


def _joined(query: Query, plan: Plan, by: Sequence[str], more: str = "") -> str:
    """SQL of the relation `joined`: sums of taggable charges that are alike in everything that is asked."""
    rows = _rows(_where(query), tuple(sorted({*_USUAL, *_members(by)})), plan)
    dims = "".join(f"{name}, " for name in _dims(by))
    exceptions = [identifier(f"exception {e}") for e in range(len(plan.exceptions))]
    owners = [identifier(f"effective {k}") for k in range(len(plan.keys))]
    alike = "".join(f"{name}, " for name in (*exceptions, *owners))
    judged = ", ".join(f"{_covered(k)} AS {identifier(f'covered {k}')}" for k in range(len(plan.keys)))
    states = ", ".join(
        f"{_excepted(k, found)} AS {identifier(f'excepted {k}')},"
        f" {_excepted(k, found, 'effective')} AS {identifier(f'effective excepted {k}')}"
        for k, found in enumerate(plan.keys)
    )
    return f"""
        WITH cells AS MATERIALIZED (
            SELECT {CURRENCY}, Tags, {dims}{alike}sum(cost) AS cost, count(*) AS n
            FROM ({rows}) WHERE reason IS NULL {_days(query)} GROUP BY ALL),
        found_tags AS (SELECT DISTINCT Tags FROM cells WHERE json_valid(Tags)),
        judged AS MATERIALIZED ({_judged(plan)}),
        joined AS MATERIALIZED (
            SELECT {CURRENCY}, {dims}{alike}{f"{more}, " if more else ""}{judged}, {states},
                   sum(cost) AS cost, CAST(sum(n) AS BIGINT) AS n
            FROM cells LEFT JOIN judged USING (Tags) GROUP BY ALL)"""


@lru_cache(maxsize=256)
def _rows(where: tuple[Node, ...], by: tuple[str, ...], plan: Plan) -> str:
    """SQL of the charges that conditions keep, of all days: what is asked of each, and `reason`."""
    table = charges()
    columns: dict[str, ir.Value] = {
        CURRENCY: table[CURRENCY],
        "day": table["ChargePeriodStart"],
        "Tags": table["Tags"],
        "cost": table["EffectiveCost"],
        "reason": ibis.cases(
            *[
                (condition(table, node, negated=True), ibis.literal(number, "int64"))
                for number, node in enumerate(plan.taggable)
            ]
        ),
    }
    columns |= {f"by {name}": value(table, dimension(name)) for name in by}
    columns |= {
        f"exception {e}": ibis.coalesce(condition(table, node), False)
        for e, node in enumerate(plan.exceptions)
    }
    columns |= {f"effective {k}": table[found.owner].notnull() for k, found in enumerate(plan.keys)}
    asked = [condition(table, node) for node in where]
    kept = table.filter(asked) if asked else table
    return str(ibis.to_sql(kept.select(**columns), dialect="duckdb"))


def _judged(plan: Plan) -> str:
    """SQL of the distinct Tags of `found_tags`: whether each key is covered, and the value that stands for it.

    The text of every spelling is read in one go. It decides as the conditions of `KeyPlan.covered` do: `tag:KEY` finds
    KEY itself first, and under what prefix it may be found else is a spelling too.
    """
    spelled = list(dict.fromkeys(name for found in plan.keys for name in found.spelled))
    pointers = ", ".join(quoted("/" + name.replace("~", "~0").replace("/", "~1")) for name in spelled)
    columns = []
    for k, found in enumerate(plan.keys):
        texts = [f"texts[{spelled.index(name) + 1}]" for name in found.spelled]
        fits = [_fits(found, text) for text in texts]
        good = [f"CASE WHEN {fit} THEN {text} END" for fit, text in zip(fits, texts, strict=True)]
        some = [f"CASE WHEN {_filled(text)} THEN {text} END" for text in texts]
        columns.append(f"coalesce({' OR '.join(fits)}, FALSE) AS {identifier(f'covered {k}')}")
        columns.append(f"coalesce({', '.join([*good, *some])}) AS {identifier(f'value {k}')}")
    return f"""
        SELECT Tags, {", ".join(columns)}
        FROM (SELECT Tags, json_extract_string(Tags, [{pointers}]) AS texts FROM found_tags)"""


def _fits(found: KeyPlan, text: str) -> str:
    """SQL: whether a text is an allowed value."""
    if found.allowed is not None:
        return f"{text} IN ({', '.join(map(quoted, found.allowed))})"
    if found.pattern is not None:
        return f"({_filled(text)} AND regexp_matches({text}, {quoted(found.pattern)}))"
    return _filled(text)


def _filled(text: str) -> str:
    return f"regexp_matches({text}, {quoted(SOMETHING)})"


def _where(query: Query) -> tuple[Node, ...]:
    return conditions(query.where)


def _days(query: Query) -> str:
    """SQL of the query's range of days."""
    bounds = ((">=", query.start), ("<", query.end))
    return "".join(f" AND day {sign} TIMESTAMP '{day}'" for sign, day in bounds if day is not None)


def _members(by: Sequence[str]) -> list[str]:
    return [dimension(name).name for name in by]


def _dims(by: Sequence[str]) -> list[str]:
    return [identifier(f"by {name}") for name in _members(by)]


def _covered(k: int) -> str:
    return f"coalesce({identifier(f'covered {k}')}, FALSE)"


def _excepted(k: int, found: KeyPlan, unless: str = "covered") -> str:
    """SQL: whether a charge need not have the key, and does not."""
    fits = " OR ".join(identifier(f"exception {e}") for e in found.exceptions) or "FALSE"
    has = _covered(k) if unless == "covered" else identifier(f"effective {k}")
    return f"(NOT {has} AND ({fits}))"


def _figures(k: int) -> str:
    """SQL of COLUMNS over `joined`, and `cost`: what is neither covered nor excepted."""
    when = {
        "taggable": "TRUE",
        "covered": identifier(f"covered {k}"),
        "excepted": identifier(f"excepted {k}"),
        "effective": identifier(f"effective {k}"),
        "effective_excepted": identifier(f"effective excepted {k}"),
    }
    costs = [f"coalesce(sum(cost) FILTER ({when[f]}), 0) AS {f}_cost" for f in FIGURES]
    rows = [f"CAST(coalesce(sum(n) FILTER ({when[f]}), 0) AS BIGINT) AS {f}_rows" for f in FIGURES]
    missing = f"NOT {when['covered']} AND NOT {when['excepted']}"
    return ", ".join([*costs, *rows, f"coalesce(sum(cost) FILTER ({missing}), 0) AS uncovered_cost"])
