"""Drivers: tables of usage read exactly, refused by cell, kept in a home whole or not at all."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from finops_core.allocation.drivers import DriverSpec, fingerprint, measured, weights
from finops_core.allocation.drivers.spread import spread
from finops_core.cli import app
from finops_core.cli.session import the_user
from finops_core.errors import InputRefused, UsageError
from finops_core.store import metric_files
from finops_core.store.audit import entries
from finops_core.store.home import Home
from finops_core.store.state import State

SCANNED = "date,team,tb_scanned\n2026-03-01,web,1.5\n2026-03-01,ml,2\n2026-03-01,web,0.25\n2026-03-02,ml,0\n"
MARCH = date(2026, 3, 1)
Weights = list[tuple[date, str | None, Decimal]]


def spec(**fields: object) -> DriverSpec:
    return DriverSpec.model_validate(
        {"kind": "table", "file": "scanned.csv", "quantity": "tb_scanned"} | fields
    )


def write(directory: Path, text: str, name: str = "scanned.csv") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, "utf-8")
    return directory


def read(directory: Path, text: str, **fields: object) -> Weights:
    return weights(spec(**fields), write(directory, text)).rows()


def test_rows_of_a_day_and_a_consumer_add_up(tmp_path: Path) -> None:
    found = weights(spec(), write(tmp_path, SCANNED))
    assert found.schema == {
        "day": polars.Date,
        "consumer": polars.String,
        "weight": polars.Decimal(38, 18),
    }
    assert found.rows() == [
        (MARCH, "ml", Decimal(2)),
        (MARCH, "web", Decimal("1.75")),
        (date(2026, 3, 2), "ml", Decimal(0)),
    ]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("\ufeff" + SCANNED.replace(",", ";"), {}),
        (SCANNED.replace("\n", "\r\n") + "\r\n", {}),
        (SCANNED.replace("tb_scanned", " TB_Scanned "), {}),
        (SCANNED.replace("1.5", "15e-1").replace("0.25", " 0.25 "), {}),
        (SCANNED.replace("2026-03-01,web", "2026-03-02T01:00:00+02:00,web"), {}),
        ("day,who,q,team\n2026-03-01,w,1.75,x\n2026-03-01,ml,2,x\n2026-03-02,ml,0,x\n",
         {"day": "day", "consumer": "who", "quantity": "q", "consumers": {"w": "web", "m*": "ml"}}),
        (SCANNED.replace("\n", ",A\n").replace("scanned,A", "scanned,cluster") + "2026-03-01,web,9,B\n",
         {"where": {"Cluster": ["A", "C"]}}),
    ],
    ids=["semicolons", "CRLF", "spelling", "exponents", "moments", "names", "filter"],
)  # fmt: skip
def test_other_spellings_say_the_same(tmp_path: Path, text: str, fields: dict[str, object]) -> None:
    assert read(tmp_path / "a", text, **fields) == read(tmp_path / "b", SCANNED)


def test_parquet_says_the_same_with_its_own_types(tmp_path: Path) -> None:
    rows = {"date": [MARCH, MARCH], "team": ["web", "ml"], "tb_scanned": [0.1, 1e-7]}
    polars.DataFrame(rows).write_parquet(tmp_path / "scanned.parquet")
    assert weights(spec(file="scanned.parquet"), tmp_path).rows() == [
        (MARCH, "ml", Decimal("0.0000001")),
        (MARCH, "web", Decimal("0.1")),
    ]


def test_what_has_no_consumer_weighs_for_nobody_and_is_listed(tmp_path: Path) -> None:
    text = "date,team,tb_scanned\n2026-03-01,web-1,1\n2026-03-01,shop,2\n2026-03-01,,4\n2026-03-01,guest,8\n"
    driver = spec(consumers={"web*": "front", "we*": "other", "x": "shop"})
    found = measured(driver, write(tmp_path, text))
    assert found.weights.rows() == [
        (MARCH, "front", Decimal(1)),
        (MARCH, "shop", Decimal(2)),
        (MARCH, None, Decimal(12)),
    ]
    assert found.unmapped == ("(none)", "guest")
    assert measured(driver, tmp_path, teams=["guest"]).unmapped == ("(none)",)
    assert measured(spec(), tmp_path).unmapped == ("(none)",)


def test_months_count_evenly_on_their_days_and_exactly_in_sum(tmp_path: Path) -> None:
    found = weights(
        spec(months=True), write(tmp_path, "date,team,tb_scanned\n2026-02,web,1\n2026-03-01,web,62\n")
    )
    assert found.height == 28 + 31
    february = found.filter(polars.col("day") < MARCH)
    assert february["weight"].sum() == Decimal(1)
    assert set(february["weight"]) == {Decimal("0.035714285714285714"), Decimal("0.035714285714285715")}
    assert set(found.filter(polars.col("day") >= MARCH)["weight"]) == {Decimal(2)}


@pytest.mark.parametrize(
    ("cells", "place", "words"),
    [
        ("2026-03-01,web,-0.1", "row 3, column 'tb_scanned'", "negative"),
        ("2026-03-01,web,NaN", "row 3, column 'tb_scanned'", "no number"),
        ("2026-03-01,web,inf", "row 3, column 'tb_scanned'", "no number"),
        ("2026-03-01,web,", "row 3, column 'tb_scanned'", "holds no quantity"),
        ("2026-03-01,web,much", "row 3, column 'tb_scanned'", "no number"),
        ('2026-03-01,web,"1,5"', "row 3, column 'tb_scanned'", "decimal point"),
        ("2026-03-01,web,1e20", "row 3, column 'tb_scanned'", "too large"),
        ("2026-03-01,web,99999999999999999999", "column 'tb_scanned'", "too large"),
        ("01.03.2026,web,1", "row 3, column 'date'", "write 2026-03-01"),
        ("2026-02-29,web,1", "row 3, column 'date'", "no date"),
        (",web,1", "row 3, column 'date'", "holds no date"),
        ("2026-03-01,web", "row 3", "header has 3 columns"),
    ],
)
def test_a_bad_cell_is_refused_by_row_and_column(tmp_path: Path, cells: str, place: str, words: str) -> None:
    with pytest.raises(InputRefused) as error:
        read(tmp_path, f"date,team,tb_scanned\n2026-03-01,ml,1\n{cells}\n")
    assert str(error.value).startswith(f"scanned.csv, {place}: ")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        (SCANNED, {"quantity": "tb_scaned"}, "no column 'tb_scaned'. Is it 'tb_scanned'?"),
        (SCANNED, {"where": {"cluster": "x"}}, "no column 'cluster'"),
        (SCANNED, {"where": {"team": "nobody"}}, "no row has team=nobody"),
        ("date,team,tb_scanned\n", {}, "holds no row"),
        ("date,team,team,tb_scanned\n2026-03-01,a,b,1\n", {}, "'team' stands twice"),
        (SCANNED, {"file": "other.csv"}, "no such file. Add it: farthing drivers add other.csv"),
        (SCANNED, {"file": "other*.csv"}, "no file of this name"),
        ('[{"date":"2026-03-01"}]', {}, "a JSON array"),
    ],
)
def test_a_file_that_lacks_something_is_refused(
    tmp_path: Path, text: str, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(InputRefused, match=words.replace("?", r"\?").replace("(", r"\(")):
        read(tmp_path, text, **fields)


def test_several_files_make_one_driver_unless_they_share_a_day(tmp_path: Path) -> None:
    write(tmp_path, "date,team,tb_scanned\n2026-03-01,web,1\n", "scanned-1.csv")
    write(tmp_path, "date,team,tb_scanned\n2026-03-02,web,2\n", "scanned-2.csv")
    several = spec(file="scanned-*.csv")
    assert [weight for *_, weight in weights(several, tmp_path).rows()] == [1, 2]
    before = fingerprint(several, tmp_path)
    write(tmp_path, "date,team,tb_scanned\n2026-03-01,web,3\n", "scanned-2.csv")
    assert fingerprint(several, tmp_path) != before
    with pytest.raises(InputRefused, match=r"scanned-2.csv: the day 2026-03-01 is also in scanned-1.csv"):
        weights(several, tmp_path)


class Pool(BaseModel):
    driver: DriverSpec


def test_a_driver_is_a_field_of_a_pool() -> None:
    pool = Pool.model_validate({"driver": {"kind": "kubernetes", "file": "k.json", "cpu_to_memory": "8"}})
    assert pool.driver.model_dump()["cpu_to_memory"] == Decimal(8)
    assert Pool.model_validate(pool.model_dump()) == pool
    assert Pool.model_validate(pool.model_dump(mode="json")) == pool


@pytest.mark.parametrize(
    ("driver", "where", "words"),
    [
        ({"kind": "tabel", "file": "a.csv"}, ("driver",), "known are kubernetes, table"),
        ({"file": "a.csv"}, ("driver",), "needs a `kind`"),
        ({"kind": "table", "file": "a.csv"}, ("driver", "quantity"), "required"),
        ({"kind": "table", "file": "../a.csv", "quantity": "q"}, ("driver", "file"), "no name of a file"),
        ({"kind": "table", "file": "a.csv", "quantity": "q", "wher": {}}, ("driver", "wher"), "Extra"),
        ({"kind": "kubernetes", "file": "a", "by": "pod"}, ("driver", "by"), "label:KEY"),
    ],
)
def test_a_malformed_driver_is_refused_by_its_field(
    driver: dict[str, object], where: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as error:
        Pool.model_validate({"driver": driver})
    (found,) = error.value.errors()
    assert found["loc"] == where
    assert words in found["msg"]


USED = st.lists(
    st.tuples(
        st.dates(MARCH, date(2026, 3, 4)),
        st.sampled_from(["web", "ml", ""]),
        st.decimals(0, 10**6, places=18),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(rows=USED)
def test_every_quantity_counts_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[date, str, Decimal]]
) -> None:
    text = "".join(f"{day},{team},{quantity:f}\n" for day, team, quantity in rows)
    found = read(tmp_path_factory.mktemp("metrics"), f"date,team,tb_scanned\n{text}")
    expected: dict[tuple[date, str | None], Fraction] = {}
    for day, team, quantity in rows:
        key = day, team or None
        expected[key] = expected.get(key, Fraction(0)) + Fraction(quantity)
    assert {(day, team): Fraction(weight) for day, team, weight in found} == expected
    assert found == sorted(found, key=lambda row: (row[0], row[1] is None, row[1] or ""))


@settings(max_examples=150, deadline=None)
@given(
    amount=st.decimals(-(10**19), 10**19, places=18),
    parts=st.lists(st.decimals(0, 10**12, places=18), min_size=1, max_size=9).filter(any),
)
def test_a_spread_sums_exactly_and_is_proportional_to_the_last_digit(
    amount: Decimal, parts: list[Decimal]
) -> None:
    found = spread(amount, parts)
    assert sum(map(Fraction, found)) == Fraction(amount)
    whole = sum(map(Fraction, parts))
    for part, weight in zip(found, parts, strict=True):
        assert abs(Fraction(part) - Fraction(amount) * Fraction(weight) / whole) < Fraction(1, 10**18)
        assert weight or part == 0


def test_a_file_is_kept_whole_or_not_at_all(home: Home, tmp_path: Path) -> None:
    source = write(tmp_path, SCANNED) / "scanned.csv"
    name, found, replaced = metric_files.add(home, source)
    assert (name, replaced, found.first, found.last, found.days) == (
        "scanned.csv",
        False,
        MARCH,
        date(2026, 3, 2),
        2,
    )
    assert (found.names, found.totals) == ({"team": ("ml", "web")}, {"tb_scanned": Decimal("3.75")})
    source.write_text(SCANNED + "2026-03-03,web,-1\n")
    with pytest.raises(InputRefused, match=r"scanned.csv, row 6, column 'tb_scanned': -1 is negative"):
        metric_files.add(home, source)
    assert (home.metrics / "scanned.csv").read_text() == SCANNED
    source.write_text(SCANNED + "2026-03-03,web,7\n")
    assert metric_files.add(home, source)[2]
    assert [f.name for f in home.metrics.iterdir()] == ["scanned.csv"]
    assert weights(spec(), home.metrics)["weight"].sum() == Decimal("10.75")
    with pytest.raises(UsageError, match="known are scanned"):
        metric_files.remove(home, "scaned.csv")
    metric_files.remove(home, "scanned.csv")
    assert metric_files.listed(home) == {}


def test_drivers_on_the_command_line(home: Home, tmp_path: Path) -> None:
    source = write(tmp_path, SCANNED) / "scanned.csv"

    def farthing(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["--home", str(home.path), "drivers", *map(str, words)])

    added = farthing("add", source, "--name", "tb.csv")
    assert (added.exit_code, added.stdout) == (0, "")
    assert added.stderr == (
        "tb.csv: added: table, 2 days from 2026-03-01 to 2026-03-02; team: ml, web; tb_scanned: 3.75 in all\n"
    )
    listed = farthing("list", "--format", "csv").stdout.splitlines()
    assert listed[1] == "tb.csv,table,2026-03-01,2026-03-02,2,tb_scanned,"
    assert farthing("add", source, "--name", "tb.csv", "--who", "ada").exit_code == 0
    assert isinstance(farthing("add", tmp_path / "none.csv").exception, InputRefused)
    assert isinstance(farthing("add", source, "--name", "../tb.csv").exception, UsageError)
    assert farthing("remove", "tb.csv").exit_code == 0
    assert list(home.metrics.iterdir()) == []
    assert [(entry.action, entry.subject, entry.who) for entry in entries(State(home), limit=9)] == [
        ("usage file removed", "usage file tb.csv", the_user()),
        ("usage file replaced", "usage file tb.csv", "ada"),
        ("usage file added", "usage file tb.csv", the_user()),
    ]
