"""Shared cost, whatever the rules and pools: every cost column is conserved, by pool, day and currency, to the last digit."""

import json
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.showback import showback
from finops_core.errors import InputRefused, UsageError
from finops_core.focus.charges import COSTS
from finops_core.quality.verify import verify
from finops_core.store import rulesets
from finops_core.store.applying import apply, undo
from finops_core.store.home import Home
from finops_core.store.load import load, rebuild
from finops_core.store.ownership import in_force
from finops_core.store.state import State
from tests.exports import focus_row, write_focus

DAYS = ("2026-08-31", "2026-09-01", "2026-09-02")
SCANNED = "date,team,tb\n2026-09-01,search,3\n2026-09-01,web,1\n2026-09-02,search,0\n"
DRIVER = {"kind": "table", "file": "scanned.csv", "quantity": "tb"}
RULES = [
    {"name": "tag", "set": {"x_Team": {"tag": "team"}, "x_Environment": {"tag": "env"}}},
    {
        "name": "account",
        "from": "2026-09-02",
        "set": {"x_Team": {"column": "SubAccountId", "map": {"2": "ml"}}},
    },
]


def pool(service: str, split: Any, **more: Any) -> dict[str, Any]:
    return {"name": service, "when": f"ServiceName={service}", "split": split, **more}


FIVE = [
    pool("Cluster", {"driver": DRIVER}, fallback={"fixed": {"search": "1/3", "web": "1/3", "ml": "1/3"}}),
    pool("Lake", {"fixed": {"search": "0.4", "web": "0.3", "pool:Support": "0.3"}}),
    pool("Support", {"direct": ["search", "web", "ml", "pool:Lake"]}),
    pool("Tax", {"even": "all"}),
    pool(
        "Seats", {"tiered": {"search": "0.25", "web": "0.10"}, "currency": "USD", "rest": {"direct": "all"}}
    ),
]


def written(rules: list[Any], pools: list[Any]) -> dict[str, str]:
    return {"allocation.yaml": json.dumps({"rules": rules, "pools": pools})}


def home_of(path: Path, rows: list[dict[str, str]]) -> Home:
    home = Home(path / "home")
    home.metrics.mkdir(parents=True)
    (home.metrics / "scanned.csv").write_text(SCANNED)
    load(home, [write_focus(path / "x.csv", rows)])
    return home


def row(
    day: str, service: str, cost: object, team: str = "", account: str = "1", currency: str = "USD"
) -> dict[str, str]:
    month = day[:7]
    return focus_row(
        BilledCost=cost, EffectiveCost=Decimal(str(cost)) / 3 if cost else 0, ListCost="", ContractedCost=cost, BillingCurrency=currency,
        BillingPeriodStart=f"{month}-01", BillingPeriodEnd="2026-09-01" if month == "2026-08" else "2026-10-01",
        ChargePeriodStart=f"{day}T05:00:00Z", ChargePeriodEnd=f"{day}T06:00:00Z", ServiceName=service, SubAccountId=account,
        Tags=json.dumps({"team": team, "env": "prod"}) if team else "",
    )  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Ledger]]:
    """Teams with 60, 20 and 20 of direct cost in September, and five pools."""
    path = tmp_path_factory.mktemp("shared")
    rows = [
        row("2026-09-01", "Compute", 180, "search"),
        row("2026-09-02", "Compute", 60, "web"),
        row("2026-09-02", "Compute", 60, account="2"),
    ]
    rows += [row("2026-09-01", name, 30) for name in ("Cluster", "Lake", "Support", "Tax", "Seats")]
    rows += [row("2026-09-02", "Cluster", 3), row("2026-09-01", "Compute", 6, account="3")]
    home = home_of(path, rows)
    apply(home, written(RULES, FIVE), "Ada", "Five pools")
    ledger = Ledger(home)
    yield home, ledger
    ledger.close()


def amounts(ledger: Ledger, rule: str, day: str = "2026-09-01") -> dict[str | None, Decimal]:
    found = ledger.sql(
        f"SELECT x_Team, sum(EffectiveCost) FROM allocated WHERE x_AllocationRule = '{rule}' AND ChargeDay = '{day}' GROUP BY 1"
    )
    return dict(found.iter_rows())


def test_each_method_gives_its_shares(shared: tuple[Home, Ledger]) -> None:
    _, ledger = shared
    assert amounts(ledger, "Cluster") == {"search": Decimal("7.5"), "web": Decimal("2.5")}
    # No data with a weight on the 2nd: the fallback, in thirds of 1, the last digit to the last.
    thirds = amounts(ledger, "Cluster", "2026-09-02")
    assert thirds == {
        "ml": Decimal("0.333333333333333333"),
        "search": Decimal("0.333333333333333333"),
        "web": Decimal("0.333333333333333334"),
    }
    assert {t: round(a, 15) for t, a in amounts(ledger, "Tax").items()} == dict.fromkeys(
        ("ml", "search", "web"), Decimal("3.333333333333333")
    )
    # Fees of 0.25 and 0.10, the rest of 9.65 by 60 : 20 : 20.
    assert {t: round(a, 12) for t, a in amounts(ledger, "Seats").items()} == {
        "search": Decimal("6.04"), "web": Decimal("2.03"), "ml": Decimal("1.93")
    }  # fmt: skip


def test_pools_that_feed_each_other_are_solved_together(shared: tuple[Home, Ledger]) -> None:
    _, ledger = shared
    # Support gives 60, 20, 20 of 110 and 10 of 110 to Lake; Lake gives 0.4, 0.3 and 0.3 back to Support.
    # s = (6/11, 2/11, 2/11) + 1/11 × l; l = (0.4, 0.3, 0) + 0.3 × s, for search, web, ml.
    found = {t: round(a, 12) for t, a in amounts(ledger, "Support").items()}
    kept = Decimal(1) - Decimal("0.3") / 11
    wanted = {
        "search": (Decimal(6) / 11 + Decimal("0.4") / 11) / kept, "web": (Decimal(2) / 11 + Decimal("0.3") / 11) / kept, "ml": Decimal(2) / 11 / kept
    }  # fmt: skip
    assert found == {team: round(share * 10, 12) for team, share in wanted.items()}


@pytest.mark.parametrize("metric", COSTS[:2])
@pytest.mark.parametrize("by", ["x_Team", "x_Environment", "SubAccountId", "tag:team", "Month"])
def test_showback_sums_to_the_querys_total(shared: tuple[Home, Ledger], metric: str, by: str) -> None:
    _, ledger = shared
    table = showback(ledger, Query(metric, by=[by], start="2026-09-01"))  # type: ignore[arg-type]
    total = ledger.query(Query(metric, start="2026-09-01"))[metric][0]  # type: ignore[arg-type]
    assert table["total"].sum() == total
    assert table["direct"].sum() == (306 if metric == "BilledCost" else 102)
    assert (table["direct"] + table["shared"]).to_list() == table["total"].to_list()


def test_malformed_rules_leave_the_version_in_force(shared: tuple[Home, Ledger]) -> None:
    home, ledger = shared
    version = ledger.version
    with pytest.raises(InputRefused, match=r"allocation.yaml, line 1: .*sum to 0.9"):
        apply(home, written(RULES, [pool("Tax", {"fixed": {"a": "0.9"}})]), "Ada", "Wrong")
    with pytest.raises(InputRefused, match=r"scanned2\.csv"):
        apply(
            home,
            written(RULES, [pool("Tax", {"driver": {**DRIVER, "file": "scanned2.csv"}})]),
            "Ada",
            "No data",
        )
    with pytest.raises(UsageError, match="nothing changed"):
        apply(home, written(RULES, FIVE), "Ada", "Again")
    with pytest.raises(UsageError, match="say who"):
        apply(home, written(RULES, []), "Ada", " ")
    assert (ledger.version, in_force(home).number) == (version, 1)


def test_undo_is_another_version_with_the_old_figures(tmp_path: Path) -> None:
    home = home_of(tmp_path, [row("2026-09-01", "Tax", 30), row("2026-09-01", "Compute", 3, "web")])
    ledger = Ledger(home)
    apply(home, written(RULES, [pool("Tax", {"even": ["search"]})]), "Ada", "One")
    first = showback(ledger, Query("BilledCost", by=["x_Team"])).rows()
    apply(home, written(RULES, [pool("Tax", {"even": ["web"]})]), "Ada", "Two")
    assert showback(ledger, Query("BilledCost", by=["x_Team"])).rows() == [("USD", "web", 3, 30, 33)]
    assert undo(home, 1, "Ada", "Back").number == 3
    assert showback(ledger, Query("BilledCost", by=["x_Team"])).rows() == first
    assert [v.number for v in rulesets.versions(State(home))] == [3, 2, 1]
    ledger.close()


costs = st.decimals(-10, 10, places=18) | st.sampled_from([Decimal("1e-18"), Decimal("33.3333"), Decimal(0)])
services = st.sampled_from(["Cluster", "Lake", "Support", "Tax", "Seats", "Compute", "Compute"])
charges = st.lists(
    st.tuples(st.sampled_from(DAYS), services, costs, st.sampled_from(["search", "web", ""]), st.sampled_from(["1", "2"]), st.sampled_from(["USD", "EUR"])),
    min_size=1, max_size=8,
)  # fmt: skip
some_rules = st.lists(st.sampled_from(RULES), max_size=2, unique_by=lambda r: r["name"])
feeding = {"Lake", "Support"}


@st.composite
def some_pools(draw: st.DrawFn) -> list[Any]:
    chosen = draw(st.lists(st.sampled_from(FIVE), max_size=5, unique_by=lambda p: p["name"]))
    names = {p["name"] for p in chosen}
    # A pool may only feed one that is there.
    return [p for p in chosen if p["name"] not in feeding or feeding <= names]


@settings(max_examples=4, deadline=None, derandomize=True)
@given(charges, st.lists(st.tuples(some_rules, some_pools()), min_size=1, max_size=2), st.booleans())
def test_any_rules_and_pools_conserve_every_cost(drawn: list[Any], versions: list[Any], anew: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = home_of(Path(directory), [row(*charge) for charge in drawn])
        for number, (rules, pools) in enumerate(versions):
            files = written([*rules, {"name": f"last {number}", "set": {"x_Product": "p"}}], pools)
            apply(home, files, "Ada", "Try")
        ledger = Ledger(home)
        conserved(ledger)
        tables = everything(ledger)
        if anew:
            with home.writing():
                rebuild(home)
            assert everything(ledger) == tables
        assert all(check.agrees for check in verify(home))
        ledger.close()


def conserved(ledger: Ledger) -> None:
    """Every cost column, by pool, day, currency and account: what the parts sum to is what the pool's charges sum to."""
    keys = "x_AllocationRule, ChargeDay, BillingCurrency, SubAccountId, BillingPeriod"
    sums = ", ".join(f"coalesce(sum({cost}), 0)" for cost in COSTS)
    parts = ledger.sql(f"SELECT {keys}, {sums} FROM allocated GROUP BY ALL ORDER BY ALL").rows()
    whole = ledger.sql(
        f"SELECT {keys}, {sums} FROM daily WHERE x_AllocationKind = 'shared' GROUP BY ALL ORDER BY ALL"
    ).rows()
    assert parts == whole
    for name in COSTS:
        asked = Query(name, by=["Day"])
        assert ledger.query(asked).rows() == ledger.query(asked.but(allocated=True)).rows()


def everything(ledger: Ledger) -> dict[str, list[Any]]:
    return {
        table: ledger.sql(f"SELECT * FROM {table} ORDER BY ALL").rows()
        for table in ("charges", "allocated", "pool_shares", "daily")
    }
