"""Rows keep the numbers that a spreadsheet gives them, however large the file."""

from pathlib import Path

import pytest

from finops_core.ingest.files import ExportFile, examine
from finops_core.ingest.read import read
from finops_core.ingest.stage import connect


@pytest.mark.parametrize(("suffix", "first"), [("csv", 2), ("json", 1)])
def test_rows_are_numbered_as_in_the_file(tmp_path: Path, suffix: str, first: int) -> None:
    line = "{0},x\n" if suffix == "csv" else '{{"number": {0}, "text": "x"}}\n'
    path = tmp_path / f"many.{suffix}"
    body = "".join(line.format(i) for i in range(first, 400_000))
    path.write_text(("number,text\n" if suffix == "csv" else "") + body)
    (table,) = examine(ExportFile(path, path.name))
    connection = connect(tmp_path)
    connection.execute("SET threads=2")
    raw = read(table, tmp_path, connection)
    number = next(c for c in raw.header.columns if c.name == "number")
    wrong = connection.sql(
        f"SELECT count(*), count(*) FILTER (CAST({number.sql} AS BIGINT) <> x_Row) FROM {raw.relation}"
    )
    assert wrong.fetchall() == [(400_000 - first, 0)]
