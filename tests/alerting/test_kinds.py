"""Each kind of rule on a small home, with its figures."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unittest import mock

import polars
import pytest

from finops_core import Ledger
from finops_core.alerting.alert import Alert, Situation
from finops_core.alerting.kinds import kinds
from finops_core.alerting.looking import look
from finops_core.alerting.rules import parse
from finops_core.analysis import triaging
from finops_core.analysis.incidents import Incident
from finops_core.analysis.incidents.series_names import Series
from finops_core.analysis.triaging import Triaged
from finops_core.model.query import Query
from finops_core.store import budgets
from finops_core.store.budgets import BudgetLine
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State
from finops_core.store.triage import Triage
from tests.exports import focus_row, write_focus

FIRST, SPIKE, LAST = date(2026, 7, 1), date(2026, 9, 18), date(2026, 9, 20)


def row(day: date, cost: int, **changes: object) -> dict[str, str]:
    following = (day.replace(day=28) + timedelta(4)).replace(day=1)
    return focus_row(
        BilledCost=cost,
        EffectiveCost=cost,
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
        BillingPeriodStart=f"{day.replace(day=1)}T00:00:00Z",
        BillingPeriodEnd=f"{following}T00:00:00Z",
        **changes,
    )


@pytest.fixture(scope="module")
def situation(tmp_path_factory: pytest.TempPathFactory) -> Situation:
    """82 days: 100 a day of team search, 1,000 on the spike; a commitment used 6 and idle 2 a day; for three days a new service
    of 6 a day that nobody owns."""
    folder = tmp_path_factory.mktemp("kinds")
    rows = []
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(number)
        plan = {"CommitmentDiscountId": "plan"}
        rows.append(row(day, 1000 if day == SPIKE else 100, ResourceId="i-1"))
        rows.append(row(day, 6, **plan, CommitmentDiscountStatus="Used"))
        rows.append(row(day, 2, **plan, CommitmentDiscountStatus="Unused", Tags="{}"))
        if day >= SPIKE:
            rows.append(row(day, 6, ServiceName="Amazon Bedrock", ResourceId="m", Tags="{}"))
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)], LoadOptions(source="aws"))
    state = State(home)
    line = BudgetLine(
        "Search", "search", "EffectiveCost", "x_Team=search", "USD", date(2026, 9, 1), Decimal(3000)
    )
    budgets.enter(state, [line], "Ada")
    return Situation(Ledger(home), state, datetime(2026, 9, 23, tzinfo=UTC))


def alerts(situation: Situation, written: str) -> list[Alert]:
    found = look(parse(f"rules:\n  - {{name: R, {written}}}\n"), situation)[0]
    assert found.error == ""
    return list(found.alerts)


@pytest.mark.parametrize(
    ("written", "key", "state", "owner", "figures"),
    [
        ("kind: commitment, below: 76, owner: finops", "USD/plan", "below 76 %", "finops",
         {"used": "42", "unused": "14", "utilisation": "0.75"}),
        ("kind: new, above: 18", "USD/0222/ServiceName/Amazon Bedrock", "new", "", {"cost": "18"}),
        ("kind: freshness, hours: 47", "aws", "late", "", {"hours": "48", "target_hours": "47"}),
        ("kind: unallocated, above: 1.8", "USD", "above 1.8 %", "", {"unallocated": "78", "allocable": "4158"}),
        ("kind: tags, below: 99.6, keys: team", "team/USD", "below 99.6 %", "",
         {"taggable_cost": "3918", "uncovered_cost": "18"}),
        ("kind: budget, forecast: []", "2026-09/USD/Search/actual", "actual 100 %", "search",
         {"budget": "3000", "actual": "3020"}),
    ],
)  # fmt: skip
def test_a_kind_tells_what_it_measured(
    situation: Situation, written: str, key: str, state: str, owner: str, figures: dict[str, str]
) -> None:
    (found,) = alerts(situation, written)
    assert (found.key, found.state, found.owner) == (key, state, owner)
    assert {name: found.figures[name] for name in figures} == {n: Decimal(v) for n, v in figures.items()}


@pytest.mark.parametrize(
    "written",
    [
        "kind: commitment, below: 75",
        "kind: commitment, where: ServiceName=Other",
        "kind: new, above: 18.01",
        "kind: new, by: RegionId",
        "kind: new, days: 366",
        "kind: freshness, hours: 48",
        "kind: freshness, targets: {aws: 48}",
        "kind: freshness, sources: gcp",
        "kind: reconciliation",
        "kind: unallocated, above: 1.9",
        "kind: tags, below: 99.5, keys: team",
        "kind: budget, actual: 101, forecast: []",
        "kind: budget, budgets: Web",
        "kind: anomaly, severity: info, owners: web",
        "kind: anomaly, severity: info, where: ServiceName=Other",
        "kind: anomaly, severity: info, enabled: no",
    ],
)
def test_a_kind_is_silent_where_its_bar_is_not_passed(situation: Situation, written: str) -> None:
    assert alerts(situation, written) == []


def test_an_incident_without_many_others_is_told_in_few_words(situation: Situation) -> None:
    others = tuple(Series("USD", ("ServiceName",), (f"Service {n}",)) for n in range(6))
    money = Decimal(2000)
    wide = Incident(
        "k", "total", (), (), "USD", SPIKE, LAST, SPIKE, True, "up", "runaway",
        money, money * 2, money, money, "high", 2.0, "", sentence="expected 1", without=others,
    )  # fmt: skip
    told = Triaged(wide, Triage())
    with mock.patch.multiple(
        triaging, triaged=mock.Mock(return_value=[told]), explained=lambda _, found: found
    ):
        (alert,) = alerts(situation, "kind: anomaly")
    assert alert.subject == "total without 6 other incidents: runaway"
    assert alert.sentence == "total without 6 other incidents: expected 1"


def test_a_commitment_is_named_by_the_end_of_its_id(situation: Situation) -> None:
    status = "CommitmentDiscountStatus"
    rows = [
        ("USD", "arn:aws:savingsplans::1:savingsplan/abc", "Used", Decimal(1)),
        ("USD", "arn:aws:savingsplans::1:savingsplan/abc", "Unused", Decimal(1)),
    ]
    frame = polars.DataFrame(
        rows, schema=["BillingCurrency", "CommitmentDiscountId", status, "EffectiveCost"], orient="row"
    )
    with mock.patch.object(Ledger, "query", return_value=frame):
        (alert,) = alerts(situation, "kind: commitment, below: 90")
    assert alert.subject == "Commitment used 50 %: abc"
    assert alert.sentence.startswith("Commitment arn:aws:savingsplans::1:savingsplan/abc was used 50 %")


def test_a_late_source_is_told_with_its_days_in_words(situation: Situation) -> None:
    (alert,) = alerts(situation, "kind: freshness, hours: 47")
    assert alert.sentence.startswith(
        "The newest day of aws, 20 September 2026, ended 48 hours ago; the target is 47 hours. It was last loaded on "
    )
    assert alert.sentence.endswith(" UTC")


def test_lower_shares_of_a_budget_go_without_saying(situation: Situation) -> None:
    (found,) = alerts(situation, "kind: budget, forecast: []")
    assert (found.also, found.severity) == (("actual 50 %", "actual 80 %"), "high")


def test_an_incident_is_told_to_its_owner(situation: Situation) -> None:
    (found,) = alerts(situation, "kind: anomaly, severity: info, where: ServiceName~compute")
    assert (found.owner, found.state, found.figures["actual"]) == ("search", "open", Decimal(1006))
    assert found.figures["impact"] == found.figures["actual"] - found.figures["expected"]  # type: ignore[operator]
    assert found.link == f"/anomalies?incident={found.key}"


def test_a_month_that_does_not_reconcile_is_told(situation: Situation) -> None:
    def wrong(ledger: Ledger) -> list[object]:
        batch = real(ledger)[-1]
        totals = {"USD": {**batch.totals["USD"], "source_total": "3220.01"}}
        return [replace(batch, reconciled=False, totals=totals)]

    real = Ledger.batches
    with mock.patch.object(Ledger, "batches", wrong):
        (found,) = alerts(situation, "kind: reconciliation")
    billed = situation.ledger.query(Query("BilledCost", start="2026-09-01"))["BilledCost"][0]  # type: ignore[arg-type]
    assert (found.key, found.severity) == ("aws/2026-09/USD", "critical")
    assert (found.figures["BilledCost"], found.figures["difference"]) == (billed, Decimal("3220.01") - billed)


def test_a_link_asks_what_was_measured(situation: Situation) -> None:
    from urllib.parse import parse_qs, urlsplit

    (found,) = alerts(situation, "kind: commitment, below: 76")
    asked = Query.from_params(parse_qs(urlsplit(found.link).query))
    answer = situation.ledger.query(asked.but(grain="none")).sort("CommitmentDiscountStatus")
    assert list(answer["EffectiveCost"]) == [found.figures["unused"], found.figures["used"]]


def test_every_kind_says_what_it_is() -> None:
    assert all(kind.description and kind.rule.__doc__ for kind in kinds().values())
    assert list(kinds()) == [
        "anomaly", "budget", "commitment", "freshness", "new", "reconciliation", "tags", "unallocated",
    ]  # fmt: skip
