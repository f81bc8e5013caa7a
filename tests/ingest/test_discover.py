"""Which files count: manifests decide; without one the newest complete run; a bill downloaded twice counts once."""

import json
import os
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core.errors import InputRefused
from finops_core.store.batches import Batch
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State
from tests.exports import (
    csv_text,
    cur_row,
    focus_row,
    write_cur,
    write_data_export,
    write_focus,
    write_legacy_report,
)

OCTOBER = {
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
}


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home outside of the directory that is loaded."""
    return Home(tmp_path_factory.mktemp("home"))


def billed(batches: list[Batch]) -> dict[str, str]:
    """BilledCost by billing period; each must reconcile."""
    assert all(b.reconciled for b in batches), [b.warnings for b in batches]
    return {b.billing_period: b.totals["USD"]["BilledCost"] for b in batches}


def warned(batches: list[Batch], words: str) -> bool:
    return any(words in w for b in batches for w in b.warnings)


def aged(path: Path, minute: int) -> Path:
    """Makes a file look written at this minute."""
    os.utime(path, (1_790_000_000 + 60 * minute,) * 2)
    return path


def focus(*costs: str, start: int = 0) -> bytes:
    """Charges of September, each of a resource of its own."""
    rows = [focus_row(BilledCost=c, EffectiveCost=c, ResourceId=f"r{i}") for i, c in enumerate(costs, start)]
    return csv_text(rows, focus_row()).encode()


# --- manifests -----------------------------------------------------------------------------------------------------


def test_the_root_manifest_of_a_legacy_report_decides(home: Home, tmp_path: Path) -> None:
    old, new = [[cur_row(cost="1")], [cur_row(cost="2")]], [[cur_row(cost="10")], [cur_row(cost="20")]]
    write_legacy_report(tmp_path, "20260901-20261001", "new", new)
    write_legacy_report(tmp_path, "20260901-20261001", "old", old, current=False)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "30"}
    assert batches[0].files == [f"cur/report/20260901-20261001/new/report-0000{i}.csv.gz" for i in (1, 2)]
    assert warned(batches, "earlier or unfinished runs were left aside")


def test_a_directory_may_be_named_at_any_depth(home: Home, tmp_path: Path) -> None:
    write_legacy_report(tmp_path, "20260901-20261001", "new", [[cur_row(cost="10")], [cur_row(cost="20")]])
    period = tmp_path / "cur" / "report" / "20260901-20261001"
    assert billed(load(home, [period])) == {"2026-09": "30"}
    assert [b.action for b in load(home, [period / "new"])] == ["unchanged"]
    assert [b.action for b in load(home, [tmp_path])] == ["unchanged"]


def test_a_file_that_the_manifest_names_must_be_there(home: Home, tmp_path: Path) -> None:
    write_legacy_report(tmp_path, "20260901-20261001", "new", [[cur_row()], [cur_row()]])
    (tmp_path / "cur/report/20260901-20261001/new/report-00002.csv.gz").unlink()
    with pytest.raises(InputRefused, match=r"report-00002\.csv\.gz', which is not there"):
        load(home, [tmp_path])


def test_without_the_root_manifest_the_newest_complete_assembly_counts(home: Home, tmp_path: Path) -> None:
    base = tmp_path / "cur" / "report" / "20260901-20261001"
    for minute, (assembly, cost) in enumerate((("first", "1"), ("second", "2"), ("third", "3"))):
        write_legacy_report(tmp_path, base.name, assembly, [[cur_row(cost=cost)]] * 2, current=False)
        for file in (base / assembly).iterdir():
            aged(file, minute)
    (base / "third" / "report-00002.csv.gz").unlink()
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "4"}
    assert warned(batches, "no current manifest, so the newest complete run counts: second")


@pytest.mark.parametrize("current", [True, False])
def test_executions_of_a_data_export(home: Home, tmp_path: Path, current: bool) -> None:
    """The later execution counts by its moment, whatever the order of its id or the time of its files."""
    runs = (
        ("2026-10-02T09:00:00.000Z-0aaa", "2.5", current),
        ("2026-09-30T09:00:00.000Z-fbbb", "1", False),
    )
    for execution, cost, is_current in runs:
        write_data_export(tmp_path, "2026-09", execution, "e-00001.csv", focus(cost), is_current)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "2.5"}
    assert warned(batches, "no current manifest") != current


def azure_run(root: Path, run: str, costs: list[str], type: str = "FocusCost", **info: object) -> Path:
    folder = root / "daily" / "20260901-20260930" / run / f"guid-{run}"
    folder.mkdir(parents=True)
    blobs = []
    for part, cost in enumerate(costs):
        name = f"part_{part}_0001.csv"
        (folder / name).write_bytes(focus(cost, start=part))
        blobs.append({"blobName": str((folder / name).relative_to(root)), "dataRowCount": 1})
    config = {"exportName": "daily", "type": type, "resourceId": "/subscriptions/1/exports/daily"}
    manifest = {"blobCount": len(blobs), "blobs": blobs, "exportConfig": config, "runInfo": info}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_newest_run_of_an_azure_export_counts(home: Home, tmp_path: Path) -> None:
    azure_run(tmp_path, "202610030600", ["4", "0.5"], submittedTime="2026-10-03T06:00:01Z")
    azure_run(tmp_path, "202609200600", ["1", "2"], submittedTime="2026-09-20T06:00:01Z")
    assert billed(load(home, [tmp_path])) == {"2026-09": "4.5"}


def test_an_old_azure_manifest_without_configuration_decides_as_well(home: Home, tmp_path: Path) -> None:
    for run, costs in (("202610030600", ["4", "0.5"]), ("202609200600", ["1", "2"])):
        folder = azure_run(tmp_path, run, costs)
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").unlink()
        (folder / "_manifest.json").write_text(json.dumps({"blobs": manifest["blobs"]}))
    assert billed(load(home, [tmp_path])) == {"2026-09": "4.5"}


def test_rows_are_counted_against_the_manifest(home: Home, tmp_path: Path) -> None:
    folder = azure_run(tmp_path, "202610030600", ["4"])
    (folder / "part_0_0001.csv").write_bytes(focus("4", "5"))
    with pytest.raises(InputRefused, match="2 rows where the manifest says 1"):
        load(home, [tmp_path])


@pytest.mark.parametrize(
    "manifest",
    [
        '{"blobs": [1, null, "x"]}',
        '{"dataFiles": [null], "executionId": 1}',
        '{"reportKeys": [{}], "assemblyId": []}',
    ],
)
def test_a_manifest_of_nonsense_is_refused(home: Home, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "x-Manifest.json").write_text(manifest)
    write_focus(tmp_path / "focus.csv", [focus_row()])
    with pytest.raises(InputRefused, match="which is not there"):
        load(home, [tmp_path])


def test_two_exports_of_one_payer_are_not_added_up(home: Home, tmp_path: Path) -> None:
    write_legacy_report(tmp_path, "20260901-20261001", "a", [[cur_row(day=1)]])
    other = tmp_path / "cur" / "hourly" / "20260901-20261001"
    write_cur(other / "b" / "hourly-00001.csv.gz", [cur_row(day=2)])
    keys = ["cur/hourly/20260901-20261001/b/hourly-00001.csv.gz"]
    (other / "hourly-Manifest.json").write_text(
        json.dumps({"assemblyId": "b", "reportName": "hourly", "reportKeys": keys})
    )
    with pytest.raises(InputRefused, match="would get 2026-09 twice: from two exports"):
        load(home, [tmp_path])


# --- without a manifest --------------------------------------------------------------------------------------------


def test_runs_of_folders_without_manifests(home: Home, tmp_path: Path) -> None:
    """The time in the folders' names counts, not that of the files; and an incomplete run does not."""
    base = tmp_path / "export" / "data" / "BILLING_PERIOD=2026-09"
    runs = {
        "20260920T000000Z-b": ("1", "1"),
        "20261003T000000Z-a": ("2", "3"),
        "20261004T000000Z-a": ("", "9"),
    }
    for minute, (run, costs) in enumerate(reversed(runs.items())):
        for chunk, cost in enumerate(costs, start=1):
            if cost:
                (base / run).mkdir(parents=True, exist_ok=True)
                aged(_write(base / run / f"e-{chunk:05}.csv", focus(cost, start=chunk)), minute)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "5"}
    assert warned(batches, "no manifest, so the newest complete run '20261003T000000Z-a' of 3 was taken")


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_newest_run_of_fewer_files_is_doubted(home: Home, tmp_path: Path) -> None:
    base = tmp_path / "20260901-20261001"
    _write(base / "20260920T000000Z" / "r-00001.csv", focus("1"))
    _write(base / "20260920T000000Z" / "r-00002.csv", focus("2", start=1))
    _write(base / "20261003T000000Z" / "r-00001.csv", focus("3"))
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "3"} and warned(batches, "it has 1 files, the run before it 2")


def test_chunks_that_are_missing_in_every_run_are_refused(home: Home, tmp_path: Path) -> None:
    for chunk in (1, 3):
        _write(tmp_path / "20260901-20261001" / "assembly" / f"r-{chunk:05}.csv", focus("1", start=chunk))
    with pytest.raises(InputRefused, match=r"r-00002\.csv is missing, and there is no manifest"):
        load(home, [tmp_path])


def test_the_folder_of_a_period_may_be_named_itself(home: Home, tmp_path: Path) -> None:
    base = tmp_path / "BILLING_PERIOD=2026-09"
    _write(base / "20260920T000000Z-b" / "e-00001.csv", focus("1"))
    _write(base / "20261003T000000Z-a" / "e-00001.csv", focus("2"))
    assert billed(load(home, [base])) == {"2026-09": "2"}


def test_two_files_that_a_manifest_names_are_not_one(home: Home, tmp_path: Path) -> None:
    folder = azure_run(tmp_path, "202610030600", ["4"])
    manifest = json.loads((folder / "manifest.json").read_text())
    other = {"blobName": "elsewhere/part_0_0001.csv", "dataRowCount": 1}
    manifest |= {"blobCount": 2, "blobs": [*manifest["blobs"], other]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputRefused, match=r"'elsewhere/part_0_0001\.csv', which is not there"):
        load(home, [tmp_path])


def test_files_of_aws_are_chunks_whatever_ids_are_in_their_names(home: Home, tmp_path: Path) -> None:
    base = tmp_path / "data" / "BILLING_PERIOD=2026-09"
    for part, letter in enumerate("abc"):
        name = f"{letter}0000000-1111-2222-3333-444444444444.csv"
        _write(base / name, focus("1", start=part))
    assert billed(load(home, [tmp_path])) == {"2026-09": "3"}


def test_exports_of_azure_side_by_side_are_no_runs_of_each_other(home: Home, tmp_path: Path) -> None:
    base = tmp_path / "20260901-20260930"
    _write(base / "costs-eu" / "202610030600" / "part_0_0001.csv", focus("1"))
    _write(base / "costs-us" / "202610030600" / "part_0_0001.csv", focus("2", start=5))
    assert billed(load(home, [tmp_path])) == {"2026-09": "3"}


def test_azure_exports_that_add_a_file_a_run(home: Home, tmp_path: Path) -> None:
    """The month to date, every day anew, under a new id: only the newest counts."""
    base = tmp_path / "daily" / "20260901-20260930"
    ids = ("f0000000-1111-2222-3333-444444444444", "a0000000-1111-2222-3333-444444444444")
    aged(_write(base / f"daily_{ids[0]}.csv", focus("1", "2")), 1)
    aged(_write(base / f"daily_{ids[1]}.csv", focus("1", "2.5", "4")), 2)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "7.5"}
    assert warned(batches, f"newest complete run '{ids[1]}' of 2") and batches[0].rows_in == 3


# --- files side by side --------------------------------------------------------------------------------------------


def test_the_newer_of_two_downloads_counts_month_by_month(home: Home, tmp_path: Path) -> None:
    """The older download still counts for the month that the newer one does not hold."""
    august = {k: v.replace("-10-", "-08-").replace("-11-", "-09-") for k, v in OCTOBER.items()}
    older = [focus_row(BilledCost="7", EffectiveCost="7", **august), focus_row(ResourceId="a")]
    newer = [focus_row(BilledCost="1.25", EffectiveCost="1.25", ResourceId="a"), focus_row(ResourceId="b")]
    aged(write_focus(tmp_path / "bill (1).csv", newer), 0)
    aged(write_focus(tmp_path / "bill.csv", older), 5)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-08": "7", "2026-09": "2.25"}
    assert warned(batches, "2026-09: bill (1).csv is a newer download of bill.csv (1 charges are in both)")
    assert [b.rows_in for b in batches] == [1, 2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("focus_20260910.csv", "focus_20261002.csv"),
        ("2026-09-10/focus.csv", "2026-10-02/focus.csv"),
        ("a/focus.csv", "b/focus.csv"),
        ("focus - Copy.csv", "focus (2).csv"),
    ],
)
def test_what_tells_the_newer_download(home: Home, tmp_path: Path, first: str, second: str) -> None:
    aged(_write(tmp_path / first, focus("1", "2", "3")), 1)
    aged(_write(tmp_path / second, focus("1", "2", "3.5")), 2)
    assert billed(load(home, [tmp_path])) == {"2026-09": "6.5"}


def test_a_download_in_chunks_is_replaced_whole(home: Home, tmp_path: Path) -> None:
    _write(tmp_path / "20260910" / "r-00001.csv", focus("1", "1"))
    _write(tmp_path / "20260910" / "r-00002.csv", focus("1", "1", start=2))
    _write(tmp_path / "20261002" / "r-00001.csv", focus("2", "2", "2"))
    _write(tmp_path / "20261002" / "r-00002.csv", focus("2", "2", "2", start=3))
    assert billed(load(home, [tmp_path])) == {"2026-09": "12"}


def test_a_whole_report_downloaded_twice_counts_once(home: Home, tmp_path: Path) -> None:
    one, two = tmp_path / "2026-09-20", tmp_path / "2026-10-03"
    write_legacy_report(one, "20260901-20261001", "a", [[cur_row(cost="1", ResourceId="r1")]])
    chunks = [[cur_row(cost="1.5", ResourceId="r1")], [cur_row(cost="2", ResourceId="r2")]]
    write_legacy_report(two, "20260901-20261001", "b", chunks)
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "3.5"} and warned(batches, "is a newer download of")


def test_reports_named_one_by_one_count_once_as_well(home: Home, tmp_path: Path) -> None:
    """Their manifests lie at the same path below each directory."""
    roots = [tmp_path / "2026-09-20", tmp_path / "2026-10-03"]
    for root, cost in zip(roots, ("1", "1.5"), strict=True):
        write_legacy_report(root, "20260901-20261001", root.name, [[cur_row(cost=cost, ResourceId="r1")]])
    assert billed(load(home, reversed(roots))) == {"2026-09": "1.5"}


def test_the_same_charges_under_unlike_names_are_refused(home: Home, tmp_path: Path) -> None:
    files = [_write(tmp_path / n, focus("1", "2", "3")) for n in ("september.csv", "everything.csv")]
    with pytest.raises(
        InputRefused, match=r"3 charges of 2026-09 that .* holds as well: they would be counted tw"
    ):
        load(home, files)
    assert billed(load(home, files, LoadOptions(allow_overlap=True))) == {"2026-09": "12"}


def test_which_of_two_versions_is_newer_must_be_known(home: Home, tmp_path: Path) -> None:
    files = [_write(tmp_path / folder / "focus.csv", focus(c)) for folder, c in (("a", "1"), ("b", "2"))]
    for file in files:
        aged(file, 1)
    with pytest.raises(InputRefused, match="cannot be told which is newer"):
        load(home, files)
    shutil.copy(files[0], files[1])
    aged(files[1], 1)
    assert billed(load(home, files)) == {"2026-09": "1"}


def test_parts_of_a_bill_are_added_up(home: Home, tmp_path: Path) -> None:
    """Some charges may be alike in two parts; half of them are not."""
    _write(tmp_path / "eu.csv", focus("1", "2", "3"))
    _write(tmp_path / "us.csv", focus("4", "5", "6", start=2))
    _write(tmp_path / "r-00001.csv", focus("1", start=10))
    _write(tmp_path / "r-00002.csv", focus("1", start=10))
    assert billed(load(home, [tmp_path])) == {"2026-09": "23"}


def test_invoices_that_look_alike_are_not_copies(home: Home, tmp_path: Path) -> None:
    for name, invoice in (("bill.csv", "INV-1"), ("bill (1).csv", "INV-2")):
        rows = [focus_row() | {"InvoiceId": invoice}]
        _write(tmp_path / name, csv_text(rows, rows[0]).encode())
    assert billed(load(home, [tmp_path])) == {"2026-09": "2"}


# --- archives and strangers ----------------------------------------------------------------------------------------


def test_an_archive_of_several_files(home: Home, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bills.zip", "w") as archive:
        archive.writestr("r-00001.csv", focus("1"))
        archive.writestr("r-00002.csv", focus("2", start=1))
        archive.writestr("read me.txt", "hello")
        archive.writestr("__MACOSX/._r-00001.csv", b"\0\0")
        archive.writestr("october.csv", csv_text([focus_row(BilledCost="4", **OCTOBER)]))
    batches = load(home, [tmp_path / "bills.zip"])
    assert billed(batches) == {"2026-09": "3", "2026-10": "4"}
    assert batches[0].files[0] == "bills.zip:r-00001.csv"


def test_strangers_in_a_directory_are_left_aside_and_named(home: Home, tmp_path: Path) -> None:
    write_focus(tmp_path / "focus.csv", [focus_row()])
    _write(tmp_path / "budget.csv", b"team,amount\nsearch,5\n")
    _write(tmp_path / "notes.md", b"# notes")
    batches = load(home, [tmp_path])
    assert billed(batches) == {"2026-09": "1"}
    assert warned(batches, "1 files are no exports that are known and were left aside: budget.csv")
    with pytest.raises(InputRefused, match="no known export has these columns: team, amount"):
        load(home, [tmp_path / "focus.csv", tmp_path / "budget.csv"])
    (tmp_path / "focus.csv").unlink()
    with pytest.raises(InputRefused, match="no known export has these columns: team, amount"):
        load(home, [tmp_path])


def test_a_home_among_the_exports_is_no_export(tmp_path: Path) -> None:
    write_focus(tmp_path / "focus.csv", [focus_row(BilledCost="2")])
    home = Home(tmp_path)
    load(home, [tmp_path])
    State(home).keep("note", {"a": {"text": "typed"}}, "Ada")
    assert [b.action for b in load(home, [tmp_path])] == ["unchanged"]
    (batch,) = load(Home(tmp_path / "other" / "home"), [tmp_path])
    assert (batch.files, batch.totals["USD"]["BilledCost"]) == (["focus.csv"], "2")


def test_a_part_with_a_damaged_header_is_no_stranger(home: Home, tmp_path: Path) -> None:
    write_focus(tmp_path / "focus-1.csv", [focus_row()])
    text = csv_text([focus_row()])
    for name in ("ChargePeriodStart", "BilledCost", "ChargeCategory"):
        text = text.replace(name, f"{name}Lost", 1)
    _write(tmp_path / "focus-2.csv", text.encode())
    with pytest.raises(InputRefused, match=r"focus-2\.csv, row 1: has most columns of focus-1\.csv"):
        load(home, [tmp_path])


def test_nothing_at_all(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputRefused, match="no export was found"):
        load(home, [tmp_path / "empty"])
    with pytest.raises(InputRefused, match="there is no such file"):
        load(home, [tmp_path / "nowhere"])


def test_costs_of_a_sum_of_parts_are_exact(home: Home, tmp_path: Path) -> None:
    for part in range(3):
        _write(tmp_path / f"r-{part:05}.csv", focus("0.000000000000000001", start=part))
    assert billed(load(home, [tmp_path])) == {
        "2026-09": str(Decimal("0.000000000000000003").normalize().__format__("f"))
    }
