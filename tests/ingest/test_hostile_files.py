"""Hostile files: cut off, damaged, of another kind, in odd encodings and dialects. Read exactly right, or refused."""

import csv
import gzip
import io
import os
from pathlib import Path

import pyarrow
import pytest

from finops_core.ingest import files
from finops_core.ingest import read as reading
from finops_core.store.load import LoadOptions, load
from tests.exports import CUR_HEADER, FOCUS_HEADER, focus_row, write_legacy_report
from tests.ingest.hostile import (
    CUR,
    CUR_ROWS,
    FOCUS,
    ROWS,
    Fortress,
    focus_csv,
    fortress,
    parquet,
    parquet_of,
    zipped,
)

__all__ = ["fortress"]

TEXT = FOCUS.encode()
LINES = FOCUS.splitlines(keepends=True)
HEADER, BODY = LINES[0], "".join(LINES[1:])
GZ = gzip.compress(TEXT, mtime=0)
ZIP = zipped({"a.csv": TEXT})
PARQUET = parquet()
MANY = parquet_of(pyarrow.table({name: [r[name] for r in ROWS * 2000] for name in FOCUS_HEADER}))


def flipped(data: bytes, start: int, step: int = 37) -> bytes:
    """Bytes before the footer with every bit turned, one in `step`."""
    damaged = bytearray(data)
    for position in range(start, min(len(data), 6000), step):
        damaged[position] ^= 0xFF
    return bytes(damaged)


def replaced(old: str, new: str, text: str = FOCUS) -> bytes:
    assert old in text
    return text.replace(old, new, 1).encode()


def delimited(delimiter: str) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, FOCUS_HEADER, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(ROWS)
    return out.getvalue().encode()


BROKEN: dict[str, tuple[bytes, str]] = {
    "cut.csv.gz": (GZ[:-30], "cut off or damaged"),
    "without-its-end.csv.gz": (GZ[:-4], "cut off or damaged"),
    "fake.csv.gz": (b"\x1f\x8b" + b"\x07fake" * 20, "cut off or damaged"),
    "wrong-sum.csv.gz": (GZ[:-8] + bytes(4) + GZ[-4:], "cut off or damaged"),
    "garbage-behind.csv.gz": (GZ + b"garbage", "cut off or damaged"),
    "twice.csv.gz": (gzip.compress(GZ), "a gzip file inside an archive"),
    "csv.parquet": (TEXT, "named .parquet, but it is none"),
    "cut.parquet": (PARQUET[:-20], "cut off or damaged"),
    "half.parquet": (PARQUET[: len(PARQUET) // 2], "cut off or damaged"),
    "fake.parquet": (b"PAR1" + b"fake" * 40 + b"PAR1", "cut off or damaged"),
    "four-bytes.parquet": (b"PAR1", "cut off or damaged"),
    "damaged-pages.parquet": (flipped(MANY, 200), "damaged"),
    "cut.zip": (ZIP[:-30], "cut off or damaged"),
    "damaged.zip": (flipped(ZIP, 60, 400), "cut off or damaged"),
    "empty.zip": (zipped({}), "the zip archive is empty"),
    "nested.zip": (zipped({"a.zip": ZIP}), "a zip archive inside an archive"),
    "gz-inside.zip": (zipped({"a.csv.gz": GZ}), "a gzip file inside an archive"),
    "good-and-bad.zip": (zipped({"a.csv": TEXT, "b.csv": b"hello\n"}), "no table"),
    "twins.zip": (zipped({"a.csv": TEXT, "b.csv": TEXT}), "they would be counted twice"),
    "sheet.xlsx": (zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), "an Excel workbook"),
    "letter.docx": (zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "an office document"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(300), "an old Excel or Word document"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(300), "a PNG picture"),
    "photo.csv": (b"\xff\xd8\xff\xe0" + bytes(300), "a JPEG picture"),
    "invoice.csv": (b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "a PDF document"),
    "denied.csv": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a web page or XML"),
    "page.csv": (b"<!DOCTYPE html><html>Sign in, please</html>", "a web page or XML"),
    "empty.csv": (b"", "the file is empty"),
    "only-a-mark.csv": (b"\xef\xbb\xbf", "the file is empty"),
    "blank.csv": (b"\n\r\n  \n", "the file is empty"),
    "words.csv": (b"hello\nworld\n", "no table"),
    "blank-line-first.csv": (b"\n" + TEXT, "no table"),
    "mac.csv": (TEXT.replace(b"\n", b"\r"), "a carriage return alone"),
    "colons.csv": (TEXT.replace(b",", b":"), "no table"),
    "wide.csv": (b"x," * 20_000 + b"x\n", "20,001 columns"),
    "utf16-without-mark.csv": (FOCUS.encode("utf-16-le"), "NUL bytes"),
    "utf16-be-without-mark.csv": (FOCUS.encode("utf-16-be"), "NUL bytes"),
    "utf16-odd.csv": (FOCUS.encode("utf-16")[:-1], "not readable as utf-16"),
    "utf32.csv": (FOCUS.encode("utf-32"), "UTF-32"),
    "twin-columns.csv": (replaced("ServiceName", "BilledCost"), "'BilledCost' stands twice"),
    "twin-columns.parquet": (
        parquet_of(pyarrow.Table.from_arrays(
            [pyarrow.array([r[n] for r in ROWS]) for n in (*FOCUS_HEADER, "BilledCost")],
            names=[*FOCUS_HEADER, "BilledCost"])),
        "'BilledCost' stands twice",
    ),
    "twin-spellings.csv": (replaced("ServiceName", "billed_cost"), "'BilledCost' and 'billed_cost' mean the same"),
    "twin-currencies.csv": (replaced("ServiceName", "billing currency"), "mean the same"),
    "twin-spellings-of-aws.csv": (replaced("lineItem/Operation", "line_item_unblended_cost", CUR), "mean the same"),
    "other.csv": (b"a,b\n1,2\n", "no known export has these columns: a, b"),
}  # fmt: skip

MISSHAPEN: dict[str, tuple[bytes, int, str]] = {
    "short.csv": ((HEADER + LINES[1] + "2.5,2.5,2\n" + LINES[3]).encode(), 3, "3 cells where the header has 24"),
    "long.csv": ((HEADER + LINES[1] + LINES[2][:-1] + ",x\n").encode(), 3, "25 cells where the header has 24"),
    "all-long.csv": ((HEADER + BODY.replace("\n", ",\n")).encode(), 2, "25 cells where the header has 24"),
    "lost.csv": (replaced("Currency,BillingPeriodStart", "CurrencyBillingPeriodStart"), 2, "24 cells where the header has 23"),
    "lost-of-aws.csv": (
        replaced("UsageType,lineItem/Operation", "UsageTypelineItem/Operation", CUR), 2, "34 cells where the header has 33"),
    "half-a-line.csv": (TEXT[:-70], 4, "18 cells where the header has 24"),
    "half-a-tag.csv": (TEXT[:-10], 4, "a quote is never closed"),
    "open-quote.csv": (focus_csv(ResourceId="a").replace(b",a,", b',"a,'), 3, "20 cells where the header has 24"),
    "words-below.csv": (TEXT + b"\nTotal: 6.75\n", 6, "1 cell where the header has 24"),
    "blanks.csv": ((HEADER + LINES[1] + "   \n" + LINES[2]).encode(), 3, "1 cell where the header has 24"),
    "header-again.csv": (TEXT + TEXT, 5, "'BilledCost' is not a number"),
    "header-again.csv.gz": (GZ + GZ, 5, "'BilledCost' is not a number"),
    "total-below.csv": (TEXT + b"Total,6.75" + b"," * 22 + b"\n", 5, "'Total' is not a number"),
    "sum-below.csv": (TEXT + b"6.75" + b"," * 23 + b"\n", 5, "EffectiveCost is missing"),
    "commas.csv": (TEXT + b"," * 23 + b"\n", 5, "BilledCost is missing"),
    "nul.csv": ((HEADER + LINES[1] * 9000).encode() + LINES[2].encode().replace(b"Compute", b"Comp\0te"), 9002, "a NUL byte"),
    "latin.csv": (replaced("Compute", "Rechenstärke").decode().encode("latin-1"), 2, "not UTF-8"),
    "latin-below.csv": ((HEADER + LINES[1] * 9000).encode() + b"\xe4" + LINES[2].encode(), 9002, "not UTF-8"),
    "surrogate.csv": (TEXT.replace(b"Compute", b"\xed\xa0\x80", 1), 2, "not UTF-8"),
    "swallowed.csv": (
        (HEADER + LINES[1].replace(",Compute,", ',"Compute,') + LINES[2] + LINES[3].replace(",Compute,", ',Compute",')).encode()
        .replace(b'"{""team"": ""search""}"', b"").replace(b'"Amazon Web Services, Inc."', b"AWS"),
        2, "a quote opens here and closes only in a later row"),
}  # fmt: skip

RIGHT: dict[str, bytes] = {
    "good.csv": TEXT,
    "good.csv.gz": GZ,
    "gzip.csv": GZ,
    "text.csv.gz": TEXT,
    "parquet.csv": PARQUET,
    "good.zip": ZIP,
    "leaves.zip": zipped({"../../etc/a.csv": TEXT}),
    "zeros-behind.csv.gz": GZ + bytes(512),
    "two-members.csv.gz": gzip.compress(HEADER.encode()) + gzip.compress(BODY.encode()),
    "windows.csv": TEXT.replace(b"\n", b"\r\n"),
    "mixed-ends.csv": (HEADER + LINES[1].replace("\n", "\r\n") + LINES[2] + LINES[3]).encode(),
    "mark.csv": b"\xef\xbb\xbf" + TEXT,
    "utf16.csv": FOCUS.encode("utf-16"),
    "utf16-be.csv": b"\xfe\xff" + FOCUS.encode("utf-16-be"),
    "semicolons.csv": delimited(";"),
    "tabs.csv": delimited("\t"),
    "pipes.csv": delimited("|"),
    "blank-line.csv": (HEADER + LINES[1] + "\n" + LINES[2] + LINES[3] + "\n\n").encode(),
    "blank-names.csv": replaced("RegionId", "").replace(b"ResourceId", b""),
    "trailing-commas.csv": TEXT.replace(b"\n", b",\n"),
    "small-names.csv": HEADER.lower().encode() + BODY.encode(),
    "snakes.csv": replaced("BilledCost", "billed_cost"),
    "lines-in-cells.csv": focus_csv(ResourceId='one\ntwo\r\n"three", four'),
    "quote-in-a-cell.csv": replaced("Compute,", 'Com"pute,'),
    "quotes-in-a-cell.csv": replaced("Compute,", '"Com"pute",'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused(fortress: Fortress, name: str) -> None:
    data, words = BROKEN[name]
    refusal = fortress.refused(fortress.file(name, data))
    assert words in str(refusal) and refusal.place is not None and refusal.place.file.startswith(name)
    assert refusal.advice or "empty" in refusal.what


@pytest.mark.parametrize("name", MISSHAPEN)
def test_a_misshapen_row_is_refused_with_its_place(fortress: Fortress, name: str) -> None:
    data, row, words = MISSHAPEN[name]
    refusal = fortress.refused(fortress.file(name, data))
    assert words in refusal.what and refusal.place is not None
    assert (refusal.place.file, refusal.place.row) == (name, row)


@pytest.mark.parametrize("name", RIGHT)
def test_an_odd_file_is_read_right(fortress: Fortress, name: str) -> None:
    billed, _ = fortress.read(fortress.file(name, RIGHT[name]))
    assert billed == {"USD": "6.75"}


def test_a_last_line_without_its_end_is_read_and_said(fortress: Fortress) -> None:
    billed, warnings = fortress.read(fortress.file("last.csv", TEXT[:-1]))
    assert billed == {"USD": "6.75"} and any("the last line has no line end" in w for w in warnings)
    assert not any("no line end" in w for w in fortress.read(fortress.file("whole.csv", TEXT))[1])


def test_a_lost_comma_is_named(fortress: Fortress) -> None:
    names = "lineItem/UsageType,lineItem/Operation"
    refusal = fortress.refused(fortress.file("lost.csv", replaced(names, names.replace(",", ""), CUR)))
    assert "perhaps in 'lineItem/UsageTypelineItem/Operation'" in refusal.advice


@pytest.mark.parametrize("data", [HEADER.encode(), HEADER.strip().encode(), gzip.compress(HEADER.encode())])
def test_a_header_alone_changes_nothing(fortress: Fortress, data: bytes) -> None:
    with fortress.unchanged():
        assert (
            load(fortress.home, [fortress.file("header.csv", data)], LoadOptions(source="focus-other")) == []
        )


def test_a_bomb_is_not_unpacked_to_its_end(fortress: Fortress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BOMB_SIZE", 4 << 20)
    blanks = gzip.compress(TEXT + b"\n" * (8 << 20))
    assert "no export compresses like this" in fortress.refused(fortress.file("bomb.csv.gz", blanks)).what
    bomb = zipped({"a.csv": TEXT + b"\n" * (8 << 20)})
    assert "no export compresses like this" in fortress.refused(fortress.file("bomb.zip", bomb)).what


def test_a_line_without_end_is_not_read_to_its_end(
    fortress: Fortress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 2 << 20)
    long = fortress.file("long.csv", HEADER.encode() + b"y" * (3 << 20))
    assert fortress.refused(long).place.row == 2
    first = fortress.file("first.csv", b"x," * (1 << 20))
    assert "first line is longer" in fortress.refused(first).what


def test_paths_that_are_no_files(fortress: Fortress, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "loop"):
        assert fortress.refused(path).what == "this is no file and no directory"
    assert fortress.refused(tmp_path / "nothing").what == "there is no such file or directory"


def test_names_with_quotes_and_line_ends(fortress: Fortress) -> None:
    for name in ('it\'s "here"; DROP.csv', "two\nlines.csv", "späße.csv", "%41 b.csv", "a?b*[c].csv"):
        assert fortress.read(fortress.file(name, TEXT))[0] == {"USD": "6.75"}
    odd = os.fsencode(fortress.directory / "x") + b"\xe4.csv"
    Path(os.fsdecode(odd)).write_bytes(TEXT)
    assert fortress.refused(Path(os.fsdecode(odd))).what == "the file's name is not UTF-8"


def test_links_in_circles_are_walked_once(fortress: Fortress, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "good.csv").write_bytes(TEXT)
    (tmp_path / "sub" / "again.csv").symlink_to("good.csv")
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "other").symlink_to("sub")
    assert fortress.read(tmp_path)[0] == {"USD": "6.75"}
    assert fortress.read(tmp_path, tmp_path / "sub" / "good.csv")[0] == {"USD": "6.75"}


@pytest.mark.parametrize("bad", [TEXT[:-70], GZ[:-9], TEXT, b'{"BilledCost": 1\n', b"\x89PNG\r\n\x1a\n"])
def test_one_bad_file_in_a_directory_refuses_all(fortress: Fortress, tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "good.csv").write_bytes(TEXT)
    (tmp_path / "part.json").write_bytes(bad)
    fortress.refused(tmp_path)


def test_what_may_not_be_read(fortress: Fortress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "secret.csv").write_bytes(TEXT)
    opened = Path.open

    def no_permission(self: Path, *arguments: object, **options: object) -> object:
        if self.name == "secret.csv":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", no_permission)
    assert "cannot be read: Permission denied" in str(fortress.refused(tmp_path))
    scan = os.scandir

    def no_listing(path: object) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "scandir", no_listing)
    refusal = fortress.refused(tmp_path)
    assert refusal.what == "cannot be read: Permission denied" and "sub" in str(refusal.place)


MANIFESTS = ["", "{", "[1]", '{"reportKeys": ["gone.csv.gz"], "assemblyId": "a"}', '{"reportKeys": [null], "assemblyId": 1}',
             '{"blobs": [{"blobName": null}], "exportConfig": {}, "runInfo": null}', '{"blobs": [3], "exportConfig": {}}',
             "[" * 100_000]  # fmt: skip


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_damaged_manifest(fortress: Fortress, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "good.csv").write_bytes(TEXT)
    (tmp_path / "manifest.json").write_text(manifest)
    assert "manifest.json" in str(fortress.refused(tmp_path))


def test_an_empty_chunk_of_a_report_is_no_loss(fortress: Fortress, tmp_path: Path) -> None:
    write_legacy_report(tmp_path, "20260901-20261001", "one", [[dict(r) for r in CUR_ROWS], []])
    assert fortress.read(tmp_path)[0] == {"USD": "6.75"}
    assert len(CUR_HEADER) == 34 and focus_row()["BilledCost"] == "1"
