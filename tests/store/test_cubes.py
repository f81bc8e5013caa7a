"""The cubes as declared: what each must have, and which one a question is asked of."""

import duckdb
import pytest

from finops_core import Query
from finops_core.model.engine import cubes_of, sql
from finops_core.quality.verify import verify
from finops_core.store import warehouse
from finops_core.store.cubes import CUBES, Cube
from finops_core.store.home import Home
from finops_core.store.lake import PARTITIONS
from finops_core.store.load import rebuild
from finops_core.store.warehouse import charge_table_columns
from tests.store.surviving import OLD, exports, holds, loaded, old

__all__ = ["exports", "loaded", "old"]


@pytest.mark.parametrize("cube", CUBES, ids=lambda cube: cube.name)
def test_a_cube_has_columns_of_charges_and_what_a_load_and_every_question_need(cube: Cube) -> None:
    assert set(cube.dimensions) <= set(charge_table_columns())
    assert {*PARTITIONS, "BillingCurrency", "ChargeCategory"} <= set(cube.dimensions)
    assert len(set(cube.dimensions)) == len(cube.dimensions)


def test_no_cube_is_shadowed_by_a_smaller_one_that_holds_all_of_it() -> None:
    for number, cube in enumerate(CUBES):
        assert not any(smaller.holds(cube.columns) for smaller in CUBES[:number])


@pytest.mark.parametrize(
    ("query", "cube"),
    [
        (Query("EffectiveCost", by=["ServiceName"], grain="month"), "services"),
        (Query("EffectiveCost", by=["SubAccountName"], grain="day"), "accounts"),
        (Query("BilledCost", by=["x_Team"], where={"x_Environment": "prod"}), "teams"),
        (Query("BilledCost", by=["ServiceName", "SubAccountId"], grain="week"), "account_services"),
        (Query("BilledCost", by=["RegionId", "x_Team", "x_CostCenter"], grain="quarter"), "monthly"),
        (Query("BilledCost", by=["RegionId", "x_Team", "x_CostCenter"], grain="week"), "daily"),
        (
            Query("ListCost", by=["RegionId", "x_Team"], start="2026-08-01", end="2026-10-01"),  # type: ignore[arg-type]
            "monthly",
        ),
        (Query("ListCost", by=["RegionId", "x_Team"], start="2026-08-02"), "daily"),  # type: ignore[arg-type]
        (Query("ListCost", by=["RegionId", "x_Team"], end="2026-08-31"), "daily"),  # type: ignore[arg-type]
        (Query("EffectiveCost", by=["ResourceId"]), "charges"),
        (Query("ResourceCount", by=["ServiceName"]), "charges"),
        (Query("EffectiveCost", by=["tag:team"]), "charges"),
        (Query("EffectiveCost", by=["ServiceName"], where={"SkuId": "1"}), "charges"),
    ],
)
def test_a_question_is_asked_of_the_smallest_table_that_holds_it(query: Query, cube: str) -> None:
    assert next((c.name for c in cubes_of(query)), "charges") == cube
    assert f'FROM "{cube}"' in sql(query)


def test_months_added_up_in_portions_are_the_same(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> dict[str, list[tuple[object, ...]]]:
        with duckdb.connect(str(old.current()), read_only=True) as connection:
            return {
                cube.name: connection.execute(f"SELECT * FROM {cube.name} ORDER BY ALL").fetchall()
                for cube in CUBES
            }

    before = rows()
    assert {len(found) for found in before.values()} == {2}
    monkeypatch.setattr(warehouse, "CHARGES_AT_ONCE", 1)
    rebuild(old)
    assert rows() == before
    holds(old, OLD)


@pytest.mark.parametrize("cube", CUBES, ids=lambda cube: cube.name)
@pytest.mark.parametrize(
    "change", ["ListCost = coalesce(ListCost, 0) + 0.000000000000000001", "x_Rows = x_Rows + 1"]
)
def test_a_cube_that_differs_from_the_lake_is_found(old: Home, cube: Cube, change: str) -> None:
    assert all(check.agrees for check in verify(old))
    with duckdb.connect(str(old.current())) as connection:
        connection.execute(f"UPDATE {cube.name} SET {change} WHERE BillingPeriod = '2026-09'")
    wrong = [check for check in verify(old) if not check.agrees]
    assert [check.billing_period for check in wrong] == ["2026-09"]
    figures = wrong[0].figures
    assert [place for place in figures if figures[place] != figures["lake"]] == [cube.name]
