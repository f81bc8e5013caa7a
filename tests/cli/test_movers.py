"""`farthing movers`, as a shell sees it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import csv_text, focus_row
from tests.shell import Ran, farthing

HEADER = "BillingCurrency,ServiceName,before,after,change,quantity,list_price,negotiated_discount,commitment,rate,new,gone,other"
SEPTEMBER = ("--metric", "EffectiveCost", "--from", "2026-09-01", "--to", "2026-10-01")
FIGURES = {"PricingUnit": "Hours", "ListCost": "", "ContractedCost": ""}


def charge(
    day: str, service: str, cost: str, quantity: str, tags: str = '{"team":"search"}'
) -> dict[str, str]:
    month = int(day[5:7])
    return focus_row(
        ServiceName=service,
        EffectiveCost=cost,
        PricingQuantity=quantity,
        Tags=tags,
        BillingPeriodStart=f"{day[:7]}-01T00:00:00Z",
        BillingPeriodEnd=f"{day[:5]}{month + 1:02}-01T00:00:00Z",
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day}T23:00:00Z",
        **FIGURES,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("movers")
    (folder / "focus.csv").write_text(
        csv_text(
            [
                charge("2026-08-05", "Compute", "10", "100"),
                charge("2026-09-05", "Compute", "12", "150"),
                charge("2025-09-05", "Compute", "3", "30"),
                charge("2026-09-06", "Storage", "0.000000000000000001", "1", tags=""),
            ]
        ),
        "utf-8",
    )
    found = Home(folder / "home")
    load(found, [folder / "focus.csv"])
    yield found


def movers(home: Home, *words: str | Path) -> Ran:
    return farthing(home, "movers", *words)


def test_the_worked_example_and_a_member_without_a_value(home: Home) -> None:
    found = movers(home, *SEPTEMBER, "--by", "x_Team", "--format", "csv")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines() == [
        HEADER.replace("ServiceName", "x_Team"),
        "USD,search,10,12,2,4.5,0,0,0,-2.5,0,0,0",
        "USD,,0,0.000000000000000001,0.000000000000000001,0,0,0,0,0,0.000000000000000001,0,0",
    ]


def test_money_is_text_in_json_and_decimal_in_parquet(home: Home, tmp_path: Path) -> None:
    (row,) = json.loads(
        movers(home, *SEPTEMBER, "--by", "ServiceName", "--limit", "1", "--format", "json").stdout
    )
    assert (row["ServiceName"], row["quantity"], row["rate"]) == ("Compute", "4.5", "-2.5")
    written = movers(home, *SEPTEMBER, "--format", "parquet", "--out", tmp_path / "movers.parquet")
    assert (written.returncode, written.stdout) == (0, "")
    frame = polars.read_parquet(tmp_path / "movers.parquet")
    assert frame.columns == [name for name in HEADER.split(",") if name != "ServiceName"]
    assert frame.schema["other"] == polars.Decimal(38, 18)
    assert frame["change"].to_list() == [Decimal("2.000000000000000001")]


def test_what_it_is_compared_with(home: Home) -> None:
    only = (*SEPTEMBER, "--where", "ServiceName=Compute", "--format", "csv")
    year = movers(home, *only, "--versus", "year").stdout.splitlines()[1]
    assert year == "USD,3,12,9,10.8,0,0,0,-1.8,0,0,0"
    assert movers(home, *only, "--versus", "2025-09-01..2025-10-01").stdout.splitlines()[1] == year
    assert movers(home, *only, "--versus", "2026-08-01..2026-09-01").stdout == movers(home, *only).stdout


def test_per_day(home: Home) -> None:
    found = movers(
        home, *SEPTEMBER, "--where", "ServiceName=Compute", "--versus", "year", "--per-day", "--format", "csv"
    )
    assert found.stdout.splitlines()[1] == "USD,0.1,0.4,0.3,0.36,0,0,0,-0.06,0,0,0"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*SEPTEMBER, "--versus", "none"), "need a period to compare with"),
        ((*SEPTEMBER, "--versus", "last"), "cannot compare with 'last'"),
        ((*SEPTEMBER, "--by", "Servicename"), "did you mean ServiceName"),
        (("--metric", "PricingQuantity", *SEPTEMBER[2:]), "movers explain one cost, not PricingQuantity"),
        ((*SEPTEMBER, "--format", "xml"), "no output format 'xml'"),
        (("--metric", "EffectiveCost"), "--from"),
    ],
)
def test_wrong_usage(home: Home, words: tuple[str, ...], said: str) -> None:
    found = movers(home, *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
