"""FOCUS in the flavours of its providers."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from finops_core import Ledger
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import csv_text, focus_row, write_focus


def tags_of(home: Home) -> list[object]:
    found = Ledger(home).sql("SELECT Tags FROM charges ORDER BY ResourceId")["Tags"]
    return [json.loads(tags) if tags is not None else None for tags in found]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('{"team": "search", "Team": "x"}', {"team": "search", "Team": "x"}),
        (
            '[{"key": "team", "value": "search"}, {"Key": "env", "Value": "dev"}]',
            {"team": "search", "env": "dev"},
        ),
        ('"team": "search"', {"team": "search"}),
        ("", None),
        ("{}", None),
        ("team=search", {"x_Unread": "team=search"}),
    ],
)
def test_tags_in_any_form(home: Home, tmp_path: Path, text: str, tags: object) -> None:
    load(home, [write_focus(tmp_path / "a.csv", [focus_row(Tags=text)])])
    assert tags_of(home) == [tags]


def test_json_lines_with_tags_as_objects(home: Home, tmp_path: Path) -> None:
    rows = [
        {**focus_row(ResourceId="1"), "BilledCost": 1.5, "Tags": {"team": "search", "a.b": "c"}},
        {**focus_row(ResourceId="2"), "Tags": {"env": "dev"}},
    ]
    (tmp_path / "focus.json").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    load(home, [tmp_path / "focus.json"])
    assert tags_of(home) == [{"team": "search", "a.b": "c"}, {"env": "dev"}]


def test_parquet_with_tags_as_a_map_and_costs_as_doubles(home: Home, tmp_path: Path) -> None:
    columns = {name: [value] for name, value in focus_row().items() if name != "Tags"}
    columns |= {"BilledCost": [0.1], "EffectiveCost": [1e-7]}
    table = pyarrow.table(columns)
    tags = pyarrow.array([[("team", "search")]], pyarrow.map_(pyarrow.string(), pyarrow.string()))
    pyarrow.parquet.write_table(table.append_column("Tags", tags), tmp_path / "focus.parquet")
    (batch,) = load(home, [tmp_path / "focus.parquet"])
    assert (batch.totals["USD"]["BilledCost"], batch.totals["USD"]["EffectiveCost"]) == ("0.1", "0.0000001")
    assert batch.reconciled
    assert tags_of(home) == [{"team": "search"}]


def test_an_export_without_any_effective_cost_falls_back_and_says_so(home: Home, tmp_path: Path) -> None:
    rows = [focus_row(EffectiveCost="0", BilledCost=cost, ProviderName="Oracle") for cost in ("1.25", "2")]
    (batch,) = load(home, [write_focus(tmp_path / "a.csv", rows)])
    assert batch.totals["USD"]["EffectiveCost"] == "3.25"
    assert batch.reconciled
    assert any("no EffectiveCost anywhere" in warning for warning in batch.warnings)


def test_an_effective_cost_that_is_rounded_is_reported_and_not_repaired(home: Home, tmp_path: Path) -> None:
    rows = [focus_row(BilledCost="1.25", EffectiveCost="1"), focus_row(BilledCost="0.25", EffectiveCost="0")]
    (batch,) = load(home, [write_focus(tmp_path / "a.csv", rows)])
    assert (batch.totals["USD"]["BilledCost"], batch.totals["USD"]["EffectiveCost"]) == ("1.5", "1")
    assert any("may be rounded or broken" in warning for warning in batch.warnings)


def test_what_microsoft_writes_as_0_is_unknown(home: Home, tmp_path: Path) -> None:
    rows = [focus_row(ListCost="0", ProviderName=provider) for provider in ("Microsoft", "AWS")]
    load(home, [write_focus(tmp_path / "a.csv", rows)])
    found = Ledger(home).sql("SELECT ProviderName, ListCost FROM charges ORDER BY 1").rows()
    assert found == [("AWS", Decimal(0)), ("Microsoft", None)]


def test_a_billing_period_with_an_offset_is_of_its_month_in_utc(home: Home, tmp_path: Path) -> None:
    row = focus_row(
        BillingPeriodStart="2026-08-31T20:00:00-04:00", BillingPeriodEnd="2026-09-30T20:00:00-04:00"
    )
    (batch,) = load(home, [write_focus(tmp_path / "a.csv", [row])])
    assert (batch.billing_period, batch.reconciled) == ("2026-09", True)


@pytest.mark.parametrize("column", ["BilledCost", "EffectiveCost", "BillingCurrency"])
def test_a_mandatory_column_that_is_missing_is_named(home: Home, tmp_path: Path, column: str) -> None:
    row = {name: value for name, value in focus_row().items() if name != column}
    (tmp_path / "a.csv").write_text(csv_text([row]))
    with pytest.raises(InputRefused, match=column):
        load(home, [tmp_path / "a.csv"])
