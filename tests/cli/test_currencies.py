"""`farthing rates` and `farthing convert`, as a shell sees them."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import polars
import pytest

from finops_core.store.home import Home
from finops_core.store.load import load
from tests import shell
from tests.exports import focus_row, write_focus
from tests.shell import Ran

Farthing = Callable[..., Ran]
RATES = "date,from,to,rate\n2026-03-01,GBP,EUR,1.2\n2026-03-01,USD,EUR,0.9\n2026-03-03,USD,EUR,0.333333333333333333\n"
MARCH = ("--metric", "EffectiveCost", "--from", "2026-03-01", "--to", "2026-04-01")
HEADER = "BillingCurrency,x_Team,EffectiveCost,DisplayCurrency,Converted"


@pytest.fixture
def farthing(home: Home) -> Farthing:
    return partial(shell.farthing, home)


def charge(day: str, code: str, cost: str, team: str) -> dict[str, str]:
    return focus_row(
        BillingCurrency=code,
        EffectiveCost=cost,
        Tags=f'{{"team":"{team}"}}',
        BillingPeriodStart="2026-03-01T00:00:00Z",
        BillingPeriodEnd="2026-04-01T00:00:00Z",
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day}T23:00:00Z",
    )


@pytest.fixture
def charges(home: Home, tmp_path: Path) -> None:
    rows = [
        charge("2026-03-01", "USD", "10", "search"),
        charge("2026-03-03", "USD", "0.5", "search"),
        charge("2026-03-04", "USD", "0.5", "shop"),
        charge("2026-03-02", "EUR", "7.25", "shop"),
        charge("2026-03-02", "GBP", "-5", "search"),
    ]
    load(home, [write_focus(tmp_path / "march.csv", rows)])


def test_rates_are_imported_listed_and_removed(farthing: Farthing, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES)
    first = farthing("rates", "import", file)
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr == "New rates: 3; replaced: 0; kept already: 0\n"
    assert farthing("rates", "list", "--format", "csv").stdout == RATES
    file.write_text(RATES.replace("1.2", "1.25"))
    assert "New rates: 0; replaced: 1; kept already: 2" in farthing("rates", "import", file).stderr
    removed = farthing("rates", "remove", "2026-03-03", "USD", "EUR")
    assert (removed.returncode, removed.stdout) == (0, "")
    assert json.loads(farthing("rates", "list", "--format", "json").stdout) == [
        {"date": "2026-03-01", "from": "GBP", "to": "EUR", "rate": "1.25"},
        {"date": "2026-03-01", "from": "USD", "to": "EUR", "rate": "0.9"},
    ]
    again = farthing("rates", "remove", "2026-03-03", "USD", "EUR")
    assert (again.returncode, again.stderr) == (
        2,
        "farthing: there is no rate from USD to EUR dated 2026-03-03\n",
    )


def test_a_wrong_row_keeps_nothing(farthing: Farthing, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES + "2026-03-05,USD,EUR,0;9\n")
    found = farthing("rates", "import", file)
    assert (found.returncode, found.stdout) == (3, "")
    assert "rates.csv, row 5, column 'rate': '0;9' is no rate" in found.stderr
    assert farthing("rates", "list", "--format", "csv").stdout == "date,from,to,rate\n"
    assert farthing("rates", "import", tmp_path / "none.csv").returncode == 3


@pytest.mark.usefixtures("charges")
def test_costs_in_a_display_currency(farthing: Farthing, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(RATES)
    farthing("rates", "import", tmp_path / "rates.csv")
    found = farthing("convert", *MARCH, "--into", "EUR", "--by", "x_Team", "--format", "csv")
    assert found.returncode == 0
    assert found.stdout.splitlines() == [
        HEADER,
        "EUR,shop,7.25,EUR,7.25",
        "GBP,search,-5,EUR,-6",
        "USD,search,10.5,EUR,9.166666666666666667",
        "USD,shop,0.5,EUR,0.166666666666666666",
    ]
    assert found.stderr.splitlines() == [
        "rates: 1 GBP = 1.2 EUR (2026-03-01);"
        " 1 USD = 0.9 EUR (2026-03-01) to 1 USD = 0.333333333333333333 EUR (2026-03-03), 2 rates",
        "total: 10.583333333333333333 EUR",
    ]
    only = ("--from", "2026-03-02", "--to", "2026-03-04", "--where", "x_Team=search")
    written = farthing(
        "convert", *MARCH[:2], *only, "--into", "EUR", "--format", "parquet", "--out", tmp_path / "f"
    )
    assert (written.returncode, written.stdout) == (0, "")
    frame = polars.read_parquet(tmp_path / "f")
    assert frame["Converted"].to_list() == [
        Decimal(-6),
        Decimal("0.1666666666666666665").quantize(Decimal("1E-18")),
    ]


@pytest.mark.usefixtures("charges")
def test_without_a_rate_there_is_no_sum(farthing: Farthing, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("date,from,to,rate\n2026-03-04,USD,EUR,0.9\n")
    farthing("rates", "import", tmp_path / "rates.csv")
    found = farthing("convert", *MARCH, "--into", "EUR", "--by", "x_Team", "--format", "csv")
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        HEADER,
        "EUR,shop,7.25,EUR,7.25",
        "GBP,search,-5,EUR,",
        "USD,search,10.5,EUR,",
        "USD,shop,0.5,EUR,0.45",
    ]
    assert found.stderr.splitlines() == [
        "rates: 1 USD = 0.9 EUR (2026-03-04)",
        "farthing: no total in EUR: no rate for GBP on 2026-03-02; no rate for USD on 2026-03-01",
    ]


@pytest.mark.usefixtures("charges")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--metric", "EffectiveCost", "--into", "eur"), "did you mean EUR"),
        (("--metric", "ChargeCount", "--into", "EUR"), "only a cost is in a currency, ChargeCount is not"),
        (("--metric", "EffectiveCost"), "--into"),
        (("--metric", "EffectiveCost", "--into", "EUR", "--by", "Servicename"), "did you mean ServiceName"),
    ],
)
def test_wrong_usage(farthing: Farthing, words: tuple[str, ...], said: str) -> None:
    found = farthing("convert", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
