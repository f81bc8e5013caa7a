"""Tag coverage: which part of the cost that can carry tags carries the required ones, as tagged and after rules.

Every figure is one that `farthing query` answers to the conditions of `KeyCoverage.definition`, to the last digit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars

from finops_core.errors import UsageError
from finops_core.focus.charges import COSTS
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Node, Not, Query
from finops_core.quality import tag_statements as statements
from finops_core.quality.spellings import NearMiss, near_misses
from finops_core.quality.tag_exceptions import TagException, in_force
from finops_core.quality.tag_policy import TagPolicy, any_of
from finops_core.quality.tag_statements import COLUMNS, FIGURES, OFFENDER_DIMENSIONS, KeyPlan, Plan
from finops_core.vocabulary.conditions import OPPOSITES
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, dimension

RESOURCES = "ResourceId"
RESOURCE_COUNTS = ("taggable", "covered", "excepted", "effective")
MOST = 10
"""How many offenders of a kind, values and services are listed."""


@dataclass(frozen=True)
class Tally:
    """What the taggable charges of a key and currency come to, in EffectiveCost and in charges.

    taggable = covered + uncovered + excepted. `excepted` is what an exception in force spares of what is not covered;
    `effective` is covered by the owner column, after rules.
    """

    taggable_cost: Decimal
    covered_cost: Decimal
    excepted_cost: Decimal
    effective_cost: Decimal
    effective_excepted_cost: Decimal
    taggable_rows: int
    covered_rows: int
    excepted_rows: int
    effective_rows: int
    effective_excepted_rows: int

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Tally":
        """Of a row with COLUMNS."""
        return cls(**{name: row[name] for name in COLUMNS})

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in COLUMNS})

    @property
    def uncovered_cost(self) -> Decimal:
        return self.taggable_cost - self.covered_cost - self.excepted_cost

    @property
    def uncovered_rows(self) -> int:
        return self.taggable_rows - self.covered_rows - self.excepted_rows

    @property
    def coverage_by_cost(self) -> Decimal | None:
        return share(self.covered_cost, self.taggable_cost - self.excepted_cost)

    @property
    def coverage_by_rows(self) -> Decimal | None:
        return share(self.covered_rows, self.taggable_rows - self.excepted_rows)

    @property
    def effective_coverage_by_cost(self) -> Decimal | None:
        return share(self.effective_cost, self.taggable_cost - self.effective_excepted_cost)


NOTHING = Tally(*[Decimal(0)] * len(FIGURES), *[0] * len(FIGURES))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Resources:
    """How many distinct resources the taggable charges are for; one whose tags changed may be covered and excepted."""

    taggable: int = 0
    covered: int = 0
    excepted: int = 0
    effective: int = 0

    @property
    def coverage(self) -> Decimal | None:
        return share(self.covered, self.taggable)


@dataclass(frozen=True)
class ValueCost:
    """A value of a tag, and what carries it."""

    value: str
    cost: Decimal
    rows: int


@dataclass(frozen=True)
class Offender:
    """Untagged money in one place: `by` is a dimension, `member` its value and what else is known of it."""

    by: str
    member: dict[str, str | None]
    uncovered_cost: Decimal
    tally: Tally | None = None
    """Of the whole member; None for a single resource."""


@dataclass(frozen=True)
class KeyCoverage:
    """The coverage of one required key in one currency."""

    key: str
    currency: str | None
    """None where nothing is charged at all."""
    owner: str
    tally: Tally
    resources: Resources
    not_allowed: tuple[ValueCost, ...]
    near_misses: tuple[NearMiss, ...]
    offenders: tuple[Offender, ...]
    excepted: tuple[tuple[TagException, Decimal, int], ...]
    """Exception, EffectiveCost, charges."""
    definition: dict[str, list[str]]
    """Conditions as `farthing query --where` takes them, all of which must hold: what is taggable, covered, effective."""


@dataclass(frozen=True)
class Apart:
    """What cannot carry tags: a service, why, and what it comes to."""

    currency: str
    service: str | None
    why: str
    cost: Decimal
    rows: int


@dataclass(frozen=True)
class Coverage:
    """Tag coverage of a question."""

    keys: tuple[KeyCoverage, ...]
    """Each key of the policy and each currency."""
    not_taggable: tuple[Apart, ...]
    totals: dict[str, Decimal]
    """Currency → EffectiveCost of all charges, taggable or not."""


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A part of a whole; None where there is no whole."""
    return Decimal(part) / Decimal(whole) if whole else None


def planned(policy: TagPolicy, exceptions: Iterable[TagException] = ()) -> Plan:
    """How a policy judges charges."""
    spared = tuple(exceptions)
    keys = []
    for key, rule in policy.keys.items():
        numbers = tuple(e for e, exception in enumerate(spared) if exception.concerns(key))
        allowed = None if rule.allowed is None else tuple(rule.allowed)
        keys.append(KeyPlan(key, rule.owner, policy.names(key), numbers, allowed, rule.whole_pattern))
    return Plan(policy.taggable_conditions(), tuple(keys), tuple(exception.condition for exception in spared))


def coverage(
    ledger: Ledger,
    query: Query,
    policy: TagPolicy,
    exceptions: Iterable[TagException] = (),
    today: date | None = None,
    most: int = MOST,
) -> Coverage:
    """Tag coverage of the charges of a query's days and conditions; its dimensions and grain say nothing here.

    Money is the query's first metric, as a rule EffectiveCost. `exceptions` count while they are in force on `today` (by
    default the clock's, UTC). Raises UsageError for a metric that is no cost.
    """
    _refuse_other_than_costs(query)
    spared = in_force(exceptions, today)
    plan = planned(policy, spared)
    told = _Told(ledger.frame(statements.everything(query, plan, most)))
    apart = ledger.frame(statements.set_apart(query, plan))
    all_costs = apart.group_by(CURRENCY).agg(polars.col("cost").sum()).sort(CURRENCY)
    currencies: list[str | None] = list(all_costs[CURRENCY]) or [None]
    keys = [
        _key(told, key, policy, currency, plan, spared, most) for key in plan.keys for currency in currencies
    ]
    return Coverage(tuple(keys), _apart(apart, plan), dict(all_costs.iter_rows()))


def _refuse_other_than_costs(query: Query) -> None:
    if query.metrics[0] not in COSTS:
        raise UsageError(
            f"coverage is a part of a cost, and {query.metrics[0]} is none of {', '.join(COSTS)}"
        )


class _Told:
    """The answer of the store, by part, key and currency."""

    def __init__(self, frame: polars.DataFrame) -> None:
        self._rows: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
        for row in frame.iter_rows(named=True):
            self._rows.setdefault((row["part"], row["key"], row[CURRENCY]), []).append(row)

    def rows(self, part: str, key: str, currency: str | None = None) -> list[dict[str, Any]]:
        return self._rows.get((part, key, currency), [])


def _key(
    told: _Told,
    planned: KeyPlan,
    policy: TagPolicy,
    currency: str | None,
    plan: Plan,
    spared: Sequence[TagException],
    most: int,
) -> KeyCoverage:
    key = planned.key
    of_dimension = {
        name: [row for row in told.rows("offender", key, currency) if row["by"] == name]
        for name in OFFENDER_DIMENSIONS
    }
    counted = next(iter(told.rows("resources", key, currency)), None)
    values = told.rows("value", key, currency)
    wrong = [ValueCost(row["value"], row["cost"], row["rows"]) for row in values if not row["covers"]]
    worst = [o for name, rows in of_dimension.items() for o in _member_offenders(name, rows, most)]
    excepted = sorted(told.rows("exception", key, currency), key=lambda row: int(row["exception"]))
    spelled = policy.spelled(key, [row["value"] for row in told.rows("spelling", key)])
    return KeyCoverage(
        key,
        currency,
        planned.owner,
        sum((Tally.of(row) for row in of_dimension["ServiceName"]), NOTHING),
        Resources(*(counted[name] for name in RESOURCE_COUNTS)) if counted else Resources(),
        tuple(sorted(wrong, key=lambda v: (-abs(v.cost), v.value))),
        tuple(_near(values, policy, key)),
        (*worst, *_resource_offenders(counted)),
        tuple((spared[row["exception"]], row["cost"], row["rows"]) for row in excepted),
        definition(plan, planned, policy.is_covered(key, spelled)),
    )


def definition(plan: Plan, key: KeyPlan, covered: Node) -> dict[str, list[str]]:
    """What is counted, as texts for `farthing query --where`: ask for the charges of `taggable`, and of them for those of
    `covered`, `effective` or `excepted`."""
    taggable = [str(node) for node in plan.taggable]
    found = {"taggable": taggable, "covered": [*taggable, str(covered)]}
    found["effective"] = [*taggable, f"{key.owner} is not null"]
    if key.exceptions:
        spared = any_of([plan.exceptions[e] for e in key.exceptions])
        found["excepted"] = [*taggable, str(Not(covered)), str(spared)]
    return found


def _near(rows: Iterable[dict[str, Any]], policy: TagPolicy, key: str) -> list[NearMiss]:
    rule = policy.keys[key]
    costs: dict[str, Decimal] = {}
    for row in rows:
        costs[row["value"]] = costs.get(row["value"], Decimal(0)) + row["cost"]
    if rule.pattern is not None:
        return []
    return near_misses(costs, rule.allowed, rule.known_spellings)


def _member_offenders(by: str, rows: Iterable[dict[str, Any]], most: int) -> list[Offender]:
    found = []
    for row in rows:
        member = {by: row["member"]}
        if by == "SubAccountId":
            member["SubAccountName"] = row["member_name"]
        tally = Tally.of(row)
        found.append(Offender(by, member, tally.uncovered_cost, tally))
    wrong = [offender for offender in found if offender.uncovered_cost]
    return sorted(wrong, key=lambda o: (-abs(o.uncovered_cost), str(o.member[by])))[:most]


def _resource_offenders(row: dict[str, Any] | None) -> tuple[Offender, ...]:
    worst = (row["worst"] if row is not None else None) or []
    names = (RESOURCES, "ServiceName", "SubAccountId", "SubAccountName")
    return tuple(Offender(RESOURCES, {n: r[n] for n in names}, r["uncovered_cost"]) for r in worst)


def _apart(frame: polars.DataFrame, plan: Plan) -> tuple[Apart, ...]:
    last = len(plan.taggable) - 1
    words = [
        "Service without tags" if number == last and isinstance(node, Not) else _opposite(node)
        for number, node in enumerate(plan.taggable)
    ]
    return tuple(
        Apart(row[CURRENCY], row["ServiceName"], words[row["reason"]], row["cost"], row["rows"])
        for row in frame.filter(polars.col("reason").is_not_null()).iter_rows(named=True)
    )


def _opposite(node: Node) -> str:
    """For people: what holds where a condition does not."""
    opposites = OPPOSITES | {negative: positive for positive, negative in OPPOSITES.items()}
    if isinstance(node, Condition) and node.operator in opposites:
        return Condition(node.dimension, opposites[node.operator], node.values).in_words()
    return Not(node).in_words()


def members(
    ledger: Ledger,
    query: Query,
    policy: TagPolicy,
    by: Sequence[str],
    exceptions: Iterable[TagException] = (),
    today: date | None = None,
) -> polars.DataFrame:
    """Coverage by the values of dimensions, most taggable cost first, time in its order: `key`, BillingCurrency, the dimensions, the figures of
    Tally, `uncovered_cost`, and the shares `coverage_by_cost`, `coverage_by_rows`, `effective_coverage_by_cost` (Float64;
    null where nothing is taggable). With `Month` or `Week` as a dimension: the trend."""
    _refuse_other_than_costs(query)
    plan = planned(policy, in_force(exceptions, today))
    names = list(dict.fromkeys(dimension(name).name for name in by if name != CURRENCY))
    frame = ledger.frame(statements.sums(query, plan, names))
    order = {key: number for number, key in enumerate(policy.keys)}
    rows = [(row, Tally.of(row)) for row in frame.iter_rows(named=True)]
    in_time = any(name in DAY_DIMENSIONS for name in names)
    rows.sort(
        key=lambda r: (
            order[r[0]["key"]],
            r[0][CURRENCY],
            Decimal(0) if in_time else -abs(r[1].taggable_cost),
            *(str(r[0][name]) for name in names),
        )
    )
    money = polars.Decimal(38, 18)
    schema = {
        "key": polars.String,
        CURRENCY: polars.String,
        **{n: frame.schema[n] for n in names},
        **{n: money if n.endswith("cost") else polars.Int64 for n in (*COLUMNS, "uncovered_cost")},
        **dict.fromkeys(SHARES, polars.Float64),
    }
    return polars.DataFrame([{**row, **shares(tally)} for row, tally in rows], schema)


SHARES = ("coverage_by_cost", "coverage_by_rows", "effective_coverage_by_cost")


def shares(tally: Tally) -> dict[str, float | None]:
    """The shares of a tally, for tables and charts."""
    found = {name: getattr(tally, name) for name in SHARES}
    return {name: None if value is None else float(value) for name, value in found.items()}
