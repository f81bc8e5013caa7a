"""`farthing budgets` and `farthing variance`, as a shell sees them."""

import csv
import io
from decimal import Decimal
from pathlib import Path

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.shell import farthing

COLUMNS = "name,owner,BillingCurrency,month,budget,actual,forecast,share,pace,state"
PARTS = "quantity,list_price,negotiated_discount,commitment,rate,new,gone,other,carried_over,planned_change,rest_of_month"


def test_a_plan_is_imported_held_against_the_bill_and_told(home: Home, tmp_path: Path) -> None:
    days = ["2026-08-05", "2026-09-05", "2026-10-05"]
    rows = [
        focus_row(
            EffectiveCost=f"{number + 1}0.5",
            BillingPeriodStart=f"{day[:7]}-01T00:00:00Z",
            BillingPeriodEnd=f"2026-{int(day[5:7]) + 1:02}-01T00:00:00Z",
            ChargePeriodStart=f"{day}T00:00:00Z",
            ChargePeriodEnd=f"{day}T23:00:00Z",
        )
        for number, day in enumerate(days)
    ]
    load(home, [write_focus(tmp_path / "focus.csv", [*rows, {**rows[1], "Tags": ""}])])
    plan = tmp_path / "plan.csv"
    plan.write_text('team,currency,Aug 26,Sep 26,Total\nsearch,USD,10,"1,100",1110\n', "utf-8")

    tried = farthing(home, "budgets", "import", plan, "--dry-run")
    assert tried.returncode == 0 and "budget: 1110 USD, 2026-08 to 2026-09" in tried.stderr
    assert farthing(home, "budgets", "list", "--format", "csv").stdout.count("\n") == 1
    assert "New amounts: 2" in farthing(home, "budgets", "import", plan).stderr
    kept = tmp_path / "kept.csv"
    kept.write_text(farthing(home, "budgets", "list", "--format", "csv").stdout, "utf-8")
    assert "kept already: 2" in farthing(home, "budgets", "import", kept).stderr

    told = farthing(home, "budgets", "--month", "2026-09", "--format", "csv").stdout
    assert told.splitlines() == [
        COLUMNS,
        "search,search,USD,2026-09,1100,20.5,20.5,0.018636,0.018636,within",
        "(no budget),,USD,2026-09,0,20.5,,,,no budget",
    ]
    found = farthing(home, "variance", "--month", "2026-09", "--format", "csv").stdout
    assert found.splitlines()[0] == f"BillingCurrency,x_Team,budget,actual,variance,{PARTS},text"
    for row in csv.DictReader(io.StringIO(found)):
        parts = sum(Decimal(row[part]) for part in PARTS.split(","))
        assert parts == Decimal(row["variance"]) == Decimal(row["actual"]) - Decimal(row["budget"])
    feed = farthing(home, "variance", "--month", "2026-09", "--feed").stdout
    assert feed.startswith("cost_center,account,period,currency,budget,actual,variance,")
    assert farthing(home, "budgets", "remove", "--version", "budget").returncode == 0
    history = farthing(home, "budgets", "history", "--format", "csv").stdout
    assert [line.split(",")[5] for line in history.splitlines()[1:]] == ["", "", "1100", "10"]


def test_what_cannot_be_is_said(home: Home, tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("team,Jan 26,Feb 26\nweb,1.234,2\n", "utf-8")
    refused = farthing(home, "budgets", "import", tmp_path / "plan.csv", "--currency", "USD")
    assert refused.returncode == 3 and "row 2, column 'Jan 26'" in refused.stderr and refused.stdout == ""
    assert farthing(home, "budgets", "import", tmp_path / "none.csv").returncode == 3
    for words in (
        ["budgets", "--month", "2026-13"],
        ["budgets", "--version", "x"],
        ["budgets", "remove", "--version", "x"],
    ):
        assert farthing(home, *words).returncode == 2


def test_an_import_tells_the_months_of_each_version_and_currency(home: Home, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "team,version,currency,period,amount\nweb,budget,USD,2026-01,1\nweb,budget,USD,2026-03,1\nweb,Forecast 1,EUR,2026-02,5\n",
        "utf-8",
    )
    told = farthing(home, "budgets", "import", plan, "--dry-run").stderr
    assert "budget: 2 USD, 2026-01 to 2026-03" in told and "forecast 1: 5 EUR, 2026-02 to 2026-02" in told
