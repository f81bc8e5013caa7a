"""The first rows of a csv as they stand: for a person to look at, and for a mapping to be guessed from."""

import codecs
import csv
import itertools
from collections.abc import Iterator

from finops_core.ingest.files import Examined, decompressed

ROWS = 200


def sample_rows(table: Examined, limit: int = ROWS) -> list[dict[str, str]]:
    """The first rows, each a column's name → its text; none of a table that is no csv.

    Rows that are longer or shorter than the header are shown as far as they go: this is no check.
    """
    if table.header.kind != "csv":
        return []
    reader = csv.reader(_lines(table), delimiter=table.delimiter)
    next(reader, None)
    rows = (dict(zip(table.header.names, row, strict=False)) for row in reader if row)
    return list(itertools.islice(rows, limit))


def _lines(table: Examined) -> Iterator[str]:
    """The lines of a table, read no further than they are asked for."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    left = ""
    for block in decompressed(table):
        *lines, left = (left + decoder.decode(block)).split("\n")
        yield from (line + "\n" for line in lines)
    if left:
        yield left
