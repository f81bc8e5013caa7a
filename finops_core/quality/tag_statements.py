"""The SQL of tag coverage: conditions and dimensions come from the semantic layer, the sums around them are written out.

Tags are read once for each distinct text of them, and joined to the charges' sums: reading JSON in every charge takes
thirty times longer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from finops_core.focus.charges import TAG_PREFIXES
from finops_core.formats.expressions import identifier, quoted
from finops_core.model.engine import CURRENCY, charges
from finops_core.model.query import Node, Query, conditions
from finops_core.quality.tag_policy import SOMETHING
from finops_core.vocabulary.dimensions import dimension
from finops_core.vocabulary.expressions import condition, value

FIGURES = ("taggable", "covered", "excepted", "effective", "effective_excepted")
"""Of each: `…_cost` (the query's first metric) and `…_rows` (charges)."""
OFFENDER_DIMENSIONS = ("SubAccountId", "ServiceName", "x_Team")
COLUMNS = tuple(f"{figure}_{unit}" for unit in ("cost", "rows") for figure in FIGURES)
_BLANKS = r"' ' || chr(9) || chr(10) || chr(13)"


@dataclass(frozen=True)
class KeyPlan:
    """How one required key is judged: its names without case and prefix, and its exceptions by number."""

    key: str
    owner: str
    names: tuple[str, ...]
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


def sums(query: Query, plan: Plan, by: Sequence[str]) -> str:
    """SQL of the figures of each required key, by currency and dimensions: `key`, BillingCurrency, the dimensions, COLUMNS."""
    dims = _dims(by)
    keys = "".join(f"{name}, " for name in dims)
    names = "".join(
        f"{name} AS {identifier(asked)}, " for name, asked in zip(dims, _members(by), strict=True)
    )
    parts = [
        f"SELECT {quoted(found.key)} AS key, {CURRENCY}, {names}{_figures(k)} FROM joined GROUP BY {CURRENCY}, {keys}1"
        for k, found in enumerate(plan.keys)
    ]
    return f"WITH {_joined(query, plan, by)} {' UNION ALL '.join(parts)}"


def everything(query: Query, plan: Plan, most: int) -> str:
    """SQL of all that is told of each required key, in one pass over the charges. Rows by `part`, each with `key`:

    - offender: BillingCurrency, `by` (a dimension), `member`, `member_name` (of accounts), COLUMNS
    - resources: BillingCurrency, `taggable`, `covered`, `excepted`, `effective`: how many; `worst`: the `most` with the
      most untagged money
    - value: BillingCurrency, `value`, `covers`, `cost`, `rows`
    - exception: BillingCurrency, `exception` (its number), `cost`, `rows`; a charge counts with the first that fits it
    - spelling: `value`, the key as it stands in Tags
    """
    parts = []
    for k, found in enumerate(plan.keys):
        of_key = [*_offenders(k), _resources(k, most), _values(k), *_exceptions(k, found), _spellings(k)]
        parts += [text.replace("SELECT", f"SELECT {quoted(found.key)} AS key,", 1) for text in of_key]
    by = (*OFFENDER_DIMENSIONS, "ResourceId", "SubAccountName")
    values = ", ".join(identifier(f"value {k}") for k in range(len(plan.keys)))
    return f"WITH {_joined(query, plan, by, values)} {' UNION ALL BY NAME '.join(parts)}"


def _offenders(k: int) -> list[str]:
    name_of = {"SubAccountId": f"min({_dim('SubAccountName')})"}
    return [
        f"SELECT 'offender' AS part, {CURRENCY}, {quoted(name)} AS by, {_dim(name)} AS member,"
        f" {name_of.get(name, 'CAST(NULL AS VARCHAR)')} AS member_name, {_figures(k)}"
        f" FROM joined GROUP BY {CURRENCY}, {_dim(name)}"
        for name in OFFENDER_DIMENSIONS
    ]


def _resources(k: int, most: int) -> str:
    firsts = ", ".join(
        f"min({_dim(name)}) AS {name}" for name in ("ServiceName", "SubAccountId", "SubAccountName")
    )
    told = ", ".join(
        f"{name} := {name}"
        for name in ("ResourceId", "ServiceName", "SubAccountId", "SubAccountName", "uncovered_cost")
    )
    return f"""SELECT 'resources' AS part, {CURRENCY}, count(*) AS taggable, count(*) FILTER (covered_rows > 0) AS covered,
               count(*) FILTER (excepted_rows > 0) AS excepted, count(*) FILTER (effective_rows > 0) AS effective,
               (list(struct_pack({told}) ORDER BY abs(uncovered_cost) DESC, ResourceId)
                   FILTER (uncovered_cost <> 0))[:{most}] AS worst
        FROM (SELECT {CURRENCY}, {_dim("ResourceId")} AS ResourceId, {firsts}, {_figures(k)}
              FROM joined WHERE {_dim("ResourceId")} IS NOT NULL GROUP BY {CURRENCY}, {_dim("ResourceId")})
        GROUP BY {CURRENCY}"""


def _values(k: int) -> str:
    text = identifier(f"value {k}")
    return f"""SELECT 'value' AS part, {CURRENCY}, {text} AS value, {identifier(f"covered {k}")} AS covers,
               coalesce(sum(cost), 0) AS cost, CAST(sum(n) AS BIGINT) AS rows
        FROM joined WHERE {text} IS NOT NULL GROUP BY {CURRENCY}, {text}, {identifier(f"covered {k}")}"""


def _exceptions(k: int, found: KeyPlan) -> list[str]:
    cases = " ".join(f"WHEN {identifier(f'exception {e}')} THEN {e}" for e in found.exceptions)
    if not cases:
        return []
    return [
        f"""SELECT 'exception' AS part, {CURRENCY}, CASE {cases} END AS exception, coalesce(sum(cost), 0) AS cost,
               CAST(sum(n) AS BIGINT) AS rows
        FROM joined WHERE {identifier(f"excepted {k}")} GROUP BY {CURRENCY}, exception"""
    ]


def _spellings(k: int) -> str:
    return f"SELECT 'spelling' AS part, name AS value FROM tag_pairs WHERE k = {k} GROUP BY name"


def set_apart(query: Query, plan: Plan) -> str:
    """SQL of all charges by BillingCurrency, ServiceName and `reason`, the number of the first condition of the plan that
    a charge does not fulfil (null: it is taggable): `cost`, `rows`."""
    rows = _rows(query.metrics[0], _where(query), tuple(sorted(_USUAL)), plan)
    return f"""
        SELECT {CURRENCY}, {_dim("ServiceName")} AS ServiceName, reason, coalesce(sum(cost), 0) AS cost, count(*) AS rows
        FROM ({rows}) WHERE TRUE {_days(query)} GROUP BY ALL ORDER BY {CURRENCY}, reason, abs(sum(cost)) DESC, ServiceName"""


_USUAL = (*OFFENDER_DIMENSIONS, "ResourceId", "SubAccountName")
"""Dimensions that are compiled for every plan: what a statement does not ask, DuckDB does not read."""


def _joined(query: Query, plan: Plan, by: Sequence[str], more: str = "") -> str:
    """SQL of the relation `joined`, sums of taggable charges that are alike in everything that is asked, and of
    `tag_pairs`: which tags mean a required key."""
    rows = _rows(query.metrics[0], _where(query), tuple(sorted({*_USUAL, *_members(by)})), plan)
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
        cells AS MATERIALIZED (
            SELECT {CURRENCY}, Tags, {dims}{alike}sum(cost) AS cost, count(*) AS n
            FROM ({rows}) WHERE reason IS NULL {_days(query)} GROUP BY ALL),
        {_judged(plan)},
        joined AS MATERIALIZED (
            SELECT {CURRENCY}, {dims}{alike}{f"{more}, " if more else ""}{judged}, {states},
                   sum(cost) AS cost, CAST(sum(n) AS BIGINT) AS n
            FROM cells LEFT JOIN judged USING (Tags) GROUP BY ALL)"""


@lru_cache(maxsize=256)
def _rows(metric: str, where: tuple[Node, ...], by: tuple[str, ...], plan: Plan) -> str:
    """SQL of the charges that conditions keep, of all days: what is asked of each, and `reason`."""
    table = charges()
    columns: dict[str, ir.Value] = {
        CURRENCY: table[CURRENCY],
        "day": table["ChargePeriodStart"],
        "Tags": table["Tags"],
        "cost": table[metric],
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
    """SQL of `tag_pairs`, the tags of `cells` that mean a required key (its number `k`, and the `rank` of the name), and of
    `judged`, by distinct Tags: whether each key is covered, and the value that stands for it.

    It decides as the conditions of `TagPolicy.is_covered` do: `tag:NAME` finds NAME itself first, and under what prefix it
    may be found else, is a name of the key too.
    """
    known = ", ".join(
        f"({k}, {rank}, {quoted(name)})"
        for k, found in enumerate(plan.keys)
        for rank, name in enumerate(found.names)
    )
    prefixes = "|".join(re.escape(prefix) for prefix in TAG_PREFIXES if prefix)
    bare = f"regexp_replace(lower(trim(name, {_BLANKS})), {quoted(f'^({prefixes})+')}, '')"
    columns = []
    for k, found in enumerate(plan.keys):
        fits = f"k = {k} AND {_fits(found, 'text')}"
        columns.append(f"coalesce(bool_or({fits}), FALSE) AS {identifier(f'covered {k}')}")
        columns.append(
            f"coalesce(arg_min(text, (rank, name)) FILTER ({fits}), arg_min(text, (rank, name)) FILTER (k = {k} AND"
            f" {_filled('text')})) AS {identifier(f'value {k}')}"
        )
    return f"""
        tag_pairs AS MATERIALIZED (
            SELECT Tags, name, k, rank,
                   json_extract_string(Tags, '/' || replace(replace(name, '~', '~0'), '/', '~1')) AS text
            FROM (SELECT DISTINCT Tags, unnest(json_keys(Tags)) AS name
                  FROM (SELECT DISTINCT Tags FROM cells WHERE json_valid(Tags)))
            JOIN (VALUES {known}) AS known(k, rank, bare) ON bare = {bare}),
        judged AS (SELECT Tags, {", ".join(columns)} FROM tag_pairs GROUP BY Tags)"""


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


def _dim(name: str) -> str:
    return _dims([name])[0]


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
