"""Regular expressions in rules: RE2, as the store uses, and none whose repetitions are nested.

RE2 answers in linear time whatever the pattern, but rules are also read by tools that do not.
"""

import re
from typing import Any

import duckdb

_LONGEST = 1000


def pattern(text: str) -> str:
    """The pattern itself. Raises ValueError for what is none, and for a repetition within an unbounded repetition."""
    if len(text) > _LONGEST:
        raise ValueError(f"a pattern has at most {_LONGEST} characters, not {len(text)}")
    if _is_nested(text):
        raise ValueError(
            f"{text!r} repeats a repetition: such a pattern can take for ever, write it with one"
        )
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [text]).fetchall()
    except duckdb.Error as error:
        words = str(error).split(": ", 1)[-1].splitlines()[0]
        raise ValueError(f"{text!r} is no regular expression (RE2): {words}") from error
    return text


def _is_nested(text: str) -> bool:
    parser = re._parser  # type: ignore[attr-defined]  # the only way to look into a pattern
    try:
        parsed = parser.parse(text)
    except (re.error, RecursionError, OverflowError):
        return False  # RE2 has its own opinion
    repeats = {parser.MAX_REPEAT, parser.MIN_REPEAT}
    unbounded = parser.MAXREPEAT

    def nested(part: Any, inside: bool) -> bool:
        if isinstance(part, tuple) and len(part) == 2 and part[0] in repeats:
            _, most, body = part[1]
            several = most == unbounded or most > 1
            return (inside and several) or nested(body, inside or most == unbounded)
        if isinstance(part, (tuple, list)) or type(part) is parser.SubPattern:
            return any(nested(item, inside) for item in part)
        return False

    return nested(parsed, False)
