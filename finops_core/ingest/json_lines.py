"""Whether a file is JSON lines at all: one object a line, no key twice, no bottomless nesting. Looked at before it is read."""

import json
from pathlib import Path

import duckdb

from finops_core.errors import InputRefused, disk_is_full
from finops_core.formats.expressions import quoted
from finops_core.ingest.files import NESTED, Examined, refuse

MAX_NESTED = 500
"""Objects and arrays that may open in a line's text before its depth is looked at: real rows nest five deep."""


def check_lines(table: Examined, plain: Path, longest: int, connection: duckdb.DuckDBPyConnection) -> None:
    """Raises InputRefused at the first line that is damaged, is no object, or names a key twice."""
    opened = "length(line) - length(replace(replace(line, '{', ''), '[', ''))"
    try:
        found = connection.execute(
            f"""SELECT count(*) FILTER (json_type(json) <> 'OBJECT'),
                       count(*) FILTER (len(json_keys(json)) > len(list_distinct(json_keys(json)))),
                       count(*) FILTER ({opened} > {MAX_NESTED})
                FROM (SELECT json, CAST(json AS VARCHAR) AS line FROM read_json_objects({quoted(str(plain))},
                      format='newline_delimited', compression='none', maximum_object_size={longest}))"""
        ).fetchall()[0]
    except duckdb.Error as error:
        if disk_is_full(error):
            raise
        words = str(error).splitlines()[0].rsplit(": ", 1)[-1].strip(" .")[:160]
        raise _first_refusal(table, plain) or refuse(
            table, f"no JSON: {words}", "Download it again"
        ) from error
    refusal = _first_refusal(table, plain) if any(found) else None
    if refusal is not None:
        raise refusal


def _first_refusal(table: Examined, plain: Path) -> InputRefused | None:
    """What is wrong with the first line that is wrong. DuckDB's own count of lines is not reliable."""
    with plain.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                if line.strip() and not isinstance(json.loads(line, object_pairs_hook=_object), dict):
                    return refuse(table, "no JSON object", "Each line must be one JSON object", number)
            except RecursionError:
                return refuse(table, NESTED, "This is no export", number)
            except json.JSONDecodeError as error:
                advice = "The line is cut off or damaged: download the file again"
                return refuse(table, f"no JSON: {error.msg}", advice, number)
            except _TwiceError as error:
                words = f"the key {str(error)!r} stands twice in one object"
                return refuse(table, words, "Which one counts cannot be known: export it again", number)
    return None


class _TwiceError(Exception):
    """A key stands twice: one reader would take its first value, another the last."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found
