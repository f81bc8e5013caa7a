"""The first rows of a table, as text, for people to look at."""

import csv
import io
import itertools

from finops_core.ingest.files import Examined, decompressed


def sample_rows(table: Examined, most: int) -> list[dict[str, str]]:
    """At most so many of the first rows of delimited text: column → cell. Raises InputRefused like a load."""
    block = next(decompressed(table), b"")
    whole = block.decode("utf-8", "ignore").removeprefix("\ufeff")
    lines = whole[: whole.rfind("\n") + 1] or whole
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=table.delimiter)
    names = next(reader, [])
    rows = itertools.islice((row for row in reader if len(row) == len(names)), most)
    return [dict(zip(names, row, strict=True)) for row in rows]
