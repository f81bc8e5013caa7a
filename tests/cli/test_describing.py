"""What can be read, grouped by and measured, as JSON: every name that is told can be asked."""

import json
from typing import Any

import pytest

from finops_core import Query
from finops_core.cli import app
from finops_core.formats.origins import source_columns
from finops_core.model import engine
from finops_core.store.home import Home
from finops_core.store.load import known_formats


def told(home: Home, capfdbinary: pytest.CaptureFixture[bytes], command: str) -> dict[str, Any]:
    app(["--home", str(home.path), command, "--json"], standalone_mode=False)
    return json.loads(capfdbinary.readouterr().out)


def test_every_dimension_that_is_told_can_be_asked(
    home: Home, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = told(home, capfdbinary, "dimensions")
    by_name = {d["name"]: d for d in found["dimensions"]}
    for name in by_name:
        assert "GROUP BY" in engine.sql(Query("EffectiveCost", by=[name]))
    assert {"name", "label", "description", "column", "kind"} < set(by_name["Month"])
    assert by_name["Month"]["kind"] == "text" and by_name["Month"]["example"] == "2026-09"
    assert by_name["Day"]["kind"] == "time" and by_name["Day"]["group"] == "Time"
    assert by_name["ServiceName"]["below"] == "Sku"
    assert by_name["ServiceName"]["hierarchies"] == ["cloud", "owner"]
    assert not by_name["tag:KEY"]["ordered"]
    assert [f["name"] for f in found["filters"]] == [
        "BilledCost",
        "EffectiveCost",
        "ListCost",
        "ContractedCost",
        "x_SourceCost",
    ]
    assert found["hierarchies"][1]["levels"] == ["x_CostCenter", "x_Team", "x_Product", "ServiceName"]


def test_every_metric_that_is_told_can_be_asked(
    home: Home, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = {m["name"]: m for m in told(home, capfdbinary, "metrics")["metrics"]}
    for name, metric in found.items():
        assert "SELECT" in engine.sql(Query(["EffectiveCost", name], grain="month"))
        assert metric["description"] and metric["formula"] and metric["label"]
    assert found["SavingsRate"]["kind"] == "ratio" and found["SavingsRate"]["additive"] is False
    assert (
        found["NegotiatedSavings"]["unit"] == "currency" and found["NegotiatedSavings"]["group"] == "Savings"
    )


def test_columns_of_formats_name_what_they_are_made_of(
    home: Home, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for found in told(home, capfdbinary, "formats")["formats"]:
        assert {o["column"]: o["expression"] for o in found["column_origins"]} == found["columns"]
    aws = next(f for f in told(home, capfdbinary, "formats")["formats"] if f["name"] == "aws-cur")
    origins = {o["column"]: o for o in aws["column_origins"]}
    assert "line_item_unblended_cost" in origins["BilledCost"]["source_columns"]
    assert "pricing_public_on_demand_cost" in origins["ListCost"]["source_columns"]
    assert origins["ListCost"]["meaning"].endswith(".")


def test_definitions_are_followed_and_text_is_no_column(home: Home) -> None:
    aws = next(f for f in known_formats(home) if f.name == "aws-cur")
    assert source_columns(aws, "money([a]) + [b] + quantity([a])") == ("a", "b")
    assert source_columns(aws, "regexp_extract(x, '[0-9]+')") == ()
    assert "line_item_line_item_type" in source_columns(aws, "$type")
