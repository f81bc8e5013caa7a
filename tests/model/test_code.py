"""A Query as code gives the Query back."""

import shlex
from decimal import Decimal

import polars
import pytest

from finops_core import Ledger, Query
from finops_core.cli import app
from finops_core.model.code import as_command, as_python, as_sql, movers_command, movers_in_python
from finops_core.model.periods import Period
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

QUERY = Query(
    ["EffectiveCost", "BilledCost"],
    by=["ServiceName", "tag:it's"],
    grain="month",
    where=["x_Team in a\\,b,c", "RegionId is null"],
    start="2026-01-01",
    end="2026-12-01",
    order="-BilledCost",
    limit=5,
)


def test_python_is_the_same_query() -> None:
    source = as_python(QUERY).split("ledger.query(", 1)[1].rsplit(")", 1)[0]
    assert eval(source, {"Query": Query}) == QUERY


def test_nested_conditions_survive_python_and_the_shell() -> None:
    query = Query(
        ["EffectiveCost", "ShareOfTotal"],
        by=['tag:"k=v"'],
        grain="month",
        where=['(ServiceName="it\'s \\"so\\"" or x_Team is null) and not tag:"a b"~c', "BilledCost>1"],
    )
    source = as_python(query).split("ledger.query(", 1)[1].rsplit(")", 1)[0]
    assert eval(source, {"Query": Query}) == query
    words = shlex.split(as_command(query))
    where = [words[place + 1] for place, word in enumerate(words) if word == "--where"]
    assert Query("EffectiveCost", where=where).where == query.where


def test_the_command_answers(home: Home, tmp_path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    load(
        home, [write_focus(tmp_path / "a.csv", [focus_row(RegionId="", Tags='{"it\'s": "so", "team": "c"}')])]
    )
    words = shlex.split(as_command(QUERY))
    assert words[0] == "farthing"
    app(["--home", str(home.path), *words[1:]], standalone_mode=False)
    out = capfdbinary.readouterr().out.decode()
    assert out == (
        "ChargePeriod,BillingCurrency,ServiceName,tag:it's,EffectiveCost,BilledCost\n"
        "2026-09-01,USD,Amazon Elastic Compute Cloud,so,1,1\n"
    )


def test_sql_names_the_cube_or_the_charges() -> None:
    assert "services" in as_sql(Query("EffectiveCost", by=["ServiceName"]))
    assert "charges" in as_sql(Query("EffectiveCost", by=["ResourceId"]))


def test_movers_as_python_and_as_a_command_are_the_same(
    home: Home, tmp_path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    load(home, [write_focus(tmp_path / "a.csv", [focus_row(RegionId="it's", EffectiveCost="2.5")])])
    query = Query(
        "EffectiveCost",
        by=["RegionId"],
        grain="day",
        where=['RegionId="it\'s"'],
        start="2026-09-01",
        end="2026-10-01",
        limit=3,
    )
    before = Period.parse("2026-08-01..2026-09-01")
    monkeypatch.setattr("finops_core.Ledger.open", lambda path: Ledger(home))
    found: dict[str, polars.DataFrame] = {}
    exec(movers_in_python(query, before), found)
    assert found["table"].select("RegionId", "before", "after", "new").rows() == [
        ("it's", 0, Decimal("2.5"), Decimal("2.5"))
    ]
    app(["--home", str(home.path), *shlex.split(movers_command(query, before))[1:]], standalone_mode=False)
    out = capfdbinary.readouterr().out.decode().splitlines()
    assert out[1].startswith("USD,it's,0,2.5,2.5,")
