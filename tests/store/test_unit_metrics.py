"""Files of units: read in the shapes that they come in, refused by row and column, kept whole or not at all."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.unit_metrics import add, listed, names, observations, remove
from finops_core.store.unit_tables import Observed, read


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def rows(found: Observed) -> list[tuple[object, ...]]:
    return [
        (r["date"], r["metric"], json.loads(r["scope"]), r["quantity"].normalize())
        for r in found.frame.iter_rows(named=True)
    ]


LONG = "date,metric,product,quantity\n2026-10-01,orders,shop,41250\n2026-10-02,orders,shop,-3.5\n"
WIDE = (
    "\ufeffDay;Product;Customer Id;orders;tokens\n2026-10-01;shop;0012;41250;\n2026-10-02;shop;0012;-3.5;7\n"
)
RECORDS = {
    "data": [
        {"date": "2026-10-01", "metric": "orders", "product": "shop", "quantity": 41250},
        {"date": "2026-10-02", "metric": "orders", "product": "shop", "quantity": -3.5},
    ]
}
SAMPLES = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "orders", "product": "shop"},
                # Midnight at the end of 1 and 2 October; NaN is a day without units.
                "values": [[1790899200, "41250"], [1790985600, "-3.5"], [1791072000, "NaN"]],
            }
        ],
    },
}
SAME = [
    (date(2026, 10, 1), "orders", {"product": "shop"}, Decimal(41250)),
    (date(2026, 10, 2), "orders", {"product": "shop"}, Decimal("-3.5")),
]


def test_one_table_in_four_shapes_is_the_same_units(tmp_path: Path) -> None:
    told = [
        read(written(tmp_path, "long.csv", LONG)),
        read(written(tmp_path, "records.json", json.dumps(RECORDS))),
        read(written(tmp_path, "lines.json", "\n".join(json.dumps(r) for r in RECORDS["data"]))),
        read(written(tmp_path, "samples.json", json.dumps(SAMPLES))),
    ]
    parquet = tmp_path / "long.parquet"
    polars.read_csv(tmp_path / "long.csv").write_parquet(parquet)
    for found in (*told, read(parquet)):
        assert rows(found) == SAME
        assert any("1 quantities are negative (-3.5" in note for note in found.notes)


def test_a_wide_table_has_a_metric_a_column_and_no_units_where_a_cell_is_empty(tmp_path: Path) -> None:
    found = read(written(tmp_path, "wide.csv", WIDE))
    scope = {"Product": "shop", "Customer Id": "0012"}
    assert rows(found) == [
        (date(2026, 10, 1), "orders", scope, Decimal(41250)),
        (date(2026, 10, 2), "orders", scope, Decimal("-3.5")),
        (date(2026, 10, 2), "tokens", scope, Decimal(7)),
    ]
    assert "1 cells hold no quantity: days without units, not days with none" in found.notes


def test_months_and_hours_are_told_apart_from_days(tmp_path: Path) -> None:
    months = read(written(tmp_path, "months.csv", "month,orders\n2026-09,5\n2026-10,7\n"))
    firsts = read(written(tmp_path, "firsts.csv", "date,orders\n2026-09-01,5\n2026-10-01,7\n"))
    hours = read(
        written(tmp_path, "hours.csv", "time,orders\n2026-10-01T01:00:00Z,5\n2026-10-01T02:00:00Z,7\n")
    )
    assert months.frame["monthly"].to_list() == firsts.frame["monthly"].to_list() == [True, True]
    assert rows(hours) == [(date(2026, 10, 1), "orders", {}, Decimal(12))]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("date,orders\n2026-10-01,5\n2026-10-01,6\n", "row 3, column 'date'", "it would count twice"),
        ("date,orders\n2026-10-01,5\n2026-10-02,many\n2026-10-03,5\n", "row 3, column 'orders'", "is no number"),
        ("date,metric,quantity\n2026-10-01,orders,\"1,234\"\n", "row 2, column 'quantity'", "no thousands mark"),
        ("date,metric,quantity\n01/10/2026,orders,5\n", "row 2, column 'date'", "write 2026-03-01"),
        ("date,orders\n2026-10-01,1e30\n", "row 2, column 'orders'", "too large"),
        ("date,metric,quantity\n2026-10-01,,5\n", "row 2, column 'metric'", "names no metric"),
        ("date,team\n2026-10-01,web\n", "units.csv", "no column of quantities"),
        ("team,orders\nweb,5\n", "units.csv", "no column of days"),
        ("date,orders\n", "units.csv", "holds no row"),
        ("[1, 2]", "units.csv", "no list of records"),
        ('[{"date": "2026-10-01", "orders": {"a": 1}}]', "row 1, column 'orders'", "more than one value"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_its_place(
    tmp_path: Path, text: str, where: str, words: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        read(written(tmp_path, "units.csv", text))
    assert where in str(refused.value) and words in str(refused.value)


def test_a_file_that_counts_a_day_again_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    add(home, written(tmp_path, "a.csv", LONG))
    with pytest.raises(InputRefused, match=r"orders of 2026-10-01 is also in a\.csv"):
        add(home, written(tmp_path, "b.csv", LONG))
    with pytest.raises(InputRefused, match="by day in one place and by month in another"):
        add(home, written(tmp_path, "c.csv", "month,metric,product,quantity\n2026-09,orders,shop,5\n"))
    assert names(home) == ["a.csv"]
    assert rows(observations(home)) == SAME
    assert add(home, tmp_path / "a.csv").replaced


def test_a_file_spoilt_by_hand_is_named_and_can_be_removed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    add(home, written(tmp_path, "a.csv", LONG))
    (home.path / "units" / "a.csv").write_text("nonsense")
    assert isinstance(listed(home)["a.csv"], InputRefused)
    with pytest.raises(UsageError, match=r"no file 'b.csv' of units; known are a\.csv"):
        remove(home, "b.csv")
    remove(home, "a.csv")
    assert names(home) == [] and observations(home).frame.is_empty()
