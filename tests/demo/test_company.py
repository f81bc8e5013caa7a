"""The demo company: the same bytes every time, exact to the last digit, and what it is made to show is there."""

import hashlib
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from typer.testing import CliRunner

from finops_core.cli import app
from finops_core.demo import company
from finops_core.demo.estate import teams
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.quality import history
from finops_core.quality.verify import verify
from finops_core.store.batches import Batch, plain
from finops_core.store.budgets import budgets as kept_budgets
from finops_core.store.home import Home
from finops_core.store.state import State
from tests import exports_demo as exports

MONTHS = ["2026-08", "2026-09", "2026-10", "2026-11"]
SCALE = 0.03
SOURCES = ["demo-aws", "demo-azure", "demo-gcp", "demo-observa"]


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[Batch]]:
    """A small company of four months, loaded."""
    home = Home(tmp_path_factory.mktemp("demo") / "home")
    return home, company.make_demo(home, 4, SCALE, 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The months of the calendar year of a small company, written but not loaded."""
    folder = tmp_path_factory.mktemp("whole")
    company.write(folder / "demo", folder / "mappings", 11, SCALE, 1)
    return folder / "demo"


@pytest.fixture(scope="module")
def items(whole: Path) -> list[exports.Row]:
    """The line items of these months of AWS."""
    return list(exports.aws_rows(whole))


@pytest.fixture(scope="module")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One month at scale 1, written but not loaded."""
    folder = tmp_path_factory.mktemp("full")
    company.write(folder / "demo", folder / "mappings", 2, 1, 1)
    return folder / "demo"


def _truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return found


def test_every_month_of_every_source_reconciles(made: tuple[Home, list[Batch]]) -> None:
    home, batches = made
    assert [(b.source, b.billing_period) for b in batches] == [(s, m) for s in SOURCES for m in MONTHS]
    assert all(b.reconciled for b in batches)
    assert {reason for b in batches for reason in b.dropped if b.source == "demo-aws"} == {
        "Savings Plan negation"
    }
    checks = verify(home)
    assert len(checks) == 16
    assert all(c.agrees for c in checks)


def test_the_same_arguments_write_the_same_bytes(made: tuple[Home, list[Batch]], tmp_path: Path) -> None:
    home, _ = made
    company.write(tmp_path / "again", tmp_path / "mappings", 4, SCALE, 1)
    first, again = _hashes(home.path / "demo"), _hashes(tmp_path / "again")
    assert first == again
    assert len(first) > 40
    assert _hashes(home.mappings) == _hashes(tmp_path / "mappings")


def test_another_seed_writes_other_figures_and_a_month_does_not_depend_on_how_many(
    made: tuple[Home, list[Batch]], tmp_path: Path
) -> None:
    home, _ = made
    company.write(tmp_path / "one", tmp_path / "mappings", 1, SCALE, 1)
    company.write(tmp_path / "other", tmp_path / "mappings", 1, SCALE, 2)
    four, one, other = (_hashes(f) for f in (home.path / "demo", tmp_path / "one", tmp_path / "other"))
    exported = [name for name in one if name.split("/")[0] in ("aws", "azure", "gcp", "observa")]
    assert len(exported) == 9
    assert all(one[name] == four[name] for name in exported)
    data = [name for name in exported if not name.endswith("json")]
    assert all(one[name] != other[name] for name in data)


def test_queries_give_what_the_files_add_up_to(made: tuple[Home, list[Batch]]) -> None:
    home, _ = made
    frame = Ledger(home).query(Query(["BilledCost", "EffectiveCost"], ["x_Source", "BillingPeriod"]))
    found = {
        (r["x_Source"], r["BillingPeriod"]): (r["BilledCost"], r["EffectiveCost"])
        for r in frame.iter_rows(named=True)
    }
    assert found == exports.totals(home.path / "demo")


def test_the_truth_is_what_is_stored(made: tuple[Home, list[Batch]]) -> None:
    home, batches = made
    truth = _truth(home.path / "demo")
    for b in batches:
        stated = truth["totals"][b.source][b.billing_period]
        assert b.currency == stated["currency"]
        found = (b.rows_stored, b.total("BilledCost"), b.total("EffectiveCost"))
        assert found == (stated["rows"], stated["BilledCost"], stated["EffectiveCost"])
        owners = truth["owners"][b.source][b.billing_period]
        assert plain(sum(map(Decimal, owners.values()), Decimal(0))) == stated["EffectiveCost"]
        assert set(owners) <= {*teams(), "(shared)"}


def test_making_it_again_changes_nothing(made: tuple[Home, list[Batch]]) -> None:
    home, first = made
    again = company.make_demo(home, 4, SCALE, 1)
    assert {b.action for b in again} == {"unchanged"}
    assert [b.batch_id for b in again] == [b.batch_id for b in first]


def test_the_restated_month_shows_what_came_late(made: tuple[Home, list[Batch]]) -> None:
    home, batches = made
    before, after = history.versions(home, "demo-aws", "2026-09")
    assert (before.action, after.action) == ("added", "replaced")
    changes = history.compare(home, "demo-aws", "2026-09", before.lake_version, after.lake_version)
    changed = {c.service: c.effective[1] - c.effective[0] for c in changes if c.kind != "unchanged"}
    assert changed["Amazon Elastic Compute Cloud"] == -4200 * Decimal(str(SCALE))
    assert changed["Amazon CloudFront"] > 0
    assert len(changed) == 2
    totals = [Decimal(b.total("EffectiveCost") or "0") for b in (before, after)]
    assert sum(changed.values()) == totals[1] - totals[0]
    assert after.batch_id == next(b.batch_id for b in batches if b.source == "demo-aws")


def _series(rows: dict[str, list[exports.Row]], incident: dict[str, Any]) -> dict[str, Decimal]:
    source, account, meter = incident["series"].values()
    return exports.daily(rows[source], account, meter)


def test_six_incidents_show_in_their_series_with_their_size(whole: Path, items: list[exports.Row]) -> None:
    rows = {
        "demo-aws": items,
        "demo-gcp": list(exports.gcp_rows(whole)),
        "demo-azure": list(exports.azure_rows(whole, "amortized")),
    }
    incidents = _truth(whole)["incidents"]
    kinds = [i["kind"] for i in incidents]
    assert kinds == ["spike", "level shift", "weekend leak", "slow leak", "drop", "runaway"]
    for incident in incidents:
        series = _series(rows, incident)
        start, end = date.fromisoformat(incident["start"]), date.fromisoformat(incident["end"])
        days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        # What the same weekdays of the four weeks before cost, is what would have been usual.
        usual = sum(
            median(series.get(str(d - timedelta(weeks=w + (d - start).days // 7)), 0) for w in range(1, 5))
            for d in days
        )
        extra = sum(series.get(str(d), Decimal(0)) for d in days) - usual
        amount = Decimal(incident["amount"])
        assert abs(extra - amount) < abs(amount) * Decimal("0.2"), incident["key"]
        assert abs(amount) > 400 * Decimal(str(SCALE))
        assert incident["team"] in teams()


def test_tags_are_as_careless_as_stated(full_size: Path) -> None:
    october = [r for r in exports.aws_rows(full_size) if r["month"] == "2026-10"]
    taggable = [r for r in october if r["resource"] and r["type"].endswith("Usage")]
    named = {id(r): next((v for k, v in r["tags"].items() if k.lower() == "team"), None) for r in taggable}
    cost = {id(r): exports.aws_effective(r) for r in taggable}
    whole = sum(cost.values())
    unusable = sum(cost[i] for i, team in named.items() if team not in teams()) / whole
    missing = sum(cost[i] for i, team in named.items() if team is None) / whole
    assert Decimal("0.25") < unusable < Decimal("0.38")
    assert Decimal("0.05") < missing < Decimal("0.20")
    environments = {v for r in taggable for k, v in r["tags"].items() if k in ("environment", "env")}
    assert {"prod", "Prod", "production", "prd", "prodution", "staging", "stg", "dev"} <= environments


def test_a_full_month_has_its_rows_and_its_spend(full_size: Path) -> None:
    totals = {source: months["2026-10"] for source, months in _truth(full_size)["totals"].items()}
    # Fourteen months of this, less a week, are the 300,000 rows that the command promises, within 15 %.
    assert 18_500 < sum(t["rows"] for t in totals.values()) < 25_000
    spend = {source: float(t["EffectiveCost"]) for source, t in totals.items()}
    assert 350_000 < spend["demo-aws"] < 500_000
    assert 50_000 < spend["demo-azure"] < 75_000
    assert 60_000 < spend["demo-gcp"] < 100_000
    assert 10_000 < spend["demo-observa"] < 15_000


def test_commitments_idle_expire_and_add_up(items: list[exports.Row]) -> None:
    idle: dict[bool, Decimal] = {True: Decimal(0), False: Decimal(0)}
    last: dict[str, str] = {}
    sums: dict[tuple[str, str], Decimal] = {}
    for row in items:
        plan = row["arn"].rsplit("/", 1)[-1]
        if row["type"] == "SavingsPlanRecurringFee":
            last[plan] = max(last.get(plan, ""), row["day"])
            if plan.endswith("weekday"):
                idle[date.fromisoformat(row["day"]).weekday() > 4] += exports.aws_effective(row)
        elif row["type"] in ("SavingsPlanCoveredUsage", "SavingsPlanNegation"):
            key = (row["arn"], row["month"])
            sums[key] = sums.get(key, Decimal(0)) + Decimal(row["net"])
    # Covered rows and their negations cancel, plan by plan and month by month.
    assert len(sums) == 11 + 8 + 10
    assert set(sums.values()) == {Decimal(0)}
    assert idle[True] > 5 * idle[False]
    assert last["9be2f0c4-shared"] == "2026-08-31"
    assert last["4d0c7a11-weekday"] == "2026-11-23"


def test_a_team_moves_from_one_account_to_another(items: list[exports.Row]) -> None:
    by_account: dict[tuple[str, str], Decimal] = {}
    for row in items:
        if row["type"] == "Usage" and row["account"] in ("419902265743", "419902265750"):
            key = (row["account"], row["month"])
            by_account[key] = by_account.get(key, Decimal(0)) + exports.aws_effective(row)
    assert by_account["419902265743", "2026-03"] > 0
    assert ("419902265743", "2026-06") not in by_account
    march, june = (
        sum(v for (_, m), v in by_account.items() if m == month) for month in ("2026-03", "2026-06")
    )
    assert Decimal("0.9") * march < june < Decimal("1.15") * march


def test_what_stands_beside_the_bills(made: tuple[Home, list[Batch]]) -> None:
    folder = made[0].path / "demo"
    budgets = (folder / "budgets.csv").read_text().splitlines()
    assert budgets[0] == "team,currency,2026-08,2026-09,2026-10,2026-11,2026-12"
    in_dollars = [line.split(",")[0] for line in budgets[1:] if line.split(",")[1] == "USD"]
    assert in_dollars == [*teams(), "(shared)"]
    in_euro = [line.split(",")[0] for line in budgets[1:] if line.split(",")[1] == "EUR"]
    assert in_euro == ["payments", "warehouse", "platform", "data-platform", "(shared)"]
    assert len(kept_budgets(State(made[0]))) == len(budgets[1:]) * 5
    metrics = {line.split(",")[1] for line in (folder / "metrics.csv").read_text().splitlines()[1:]}
    assert metrics == {"requests", "orders", "customers", "tokens"}
    for name in ("deployments.csv", "rates.csv", "drivers/kubernetes_usage.csv", "ownership/people.csv"):
        assert len((folder / name).read_text().splitlines()) > 4
    assert {f.name for f in made[0].metrics.iterdir()} == {f.name for f in (folder / "drivers").iterdir()}
    assert (made[0].metrics / "observability_usage.csv").read_text().startswith("date,team,gb_ingested\n")
    accounts = (folder / "ownership/accounts.csv").read_text().splitlines()
    assert len(accounts) == 36
    assert (folder / "ownership/services.yaml").read_text().count("application:") == len(teams())


@pytest.mark.parametrize(
    ("months", "scale", "seed"), [(0, 1, 1), (25, 1, 1), (2, 0, 1), (2, 51, 1), (2, 1, -1)]
)
def test_arguments_out_of_range_are_refused(home: Home, months: int, scale: float, seed: int) -> None:
    with pytest.raises(UsageError):
        company.make_demo(home, months, scale, seed)
    assert not home.path.exists()


def test_the_command_says_what_it_made(home: Home) -> None:
    result = CliRunner().invoke(
        app, ["--home", str(home.path), "demo", "--months", "1", "--scale", "0.01", "--json"]
    )
    batches = json.loads(result.stdout)["batches"]
    assert [b["source"] for b in batches] == SOURCES
    assert {b["billing_period"] for b in batches} == {"2026-11"}
    assert all(b["reconciled"] for b in batches)
