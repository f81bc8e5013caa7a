"""Regular expressions in rules: RE2, as the store uses, and none whose repetitions are nested.

RE2 answers in linear time whatever the pattern, but rules are also read by tools that do not.
"""

import re

import duckdb

_LONGEST = 1000
_PART = re.compile(
    r"(?P<quoted>\\Q.*?(?:\\E|$))"
    r"|(?P<set>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])"
    r"|(?P<flags>\(\?[a-zA-Z-]+\))"
    r"|(?P<open>\((?:\?(?:P?<\w+>|[a-zA-Z-]*:))?)"
    r"|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{(?P<least>\d+)(?P<to>,(?P<most>\d*))?\})[?+]?)"
    r"|\\[pP]\{\^?\w+\}|\\x\{[0-9a-fA-F]+\}|\\.|.",
    re.DOTALL,
)
"""What a pattern of RE2 is made of."""


def pattern(text: str, applied: bool = False) -> str:
    """The pattern itself. Raises ValueError for what is none; and, where it was not `applied` before, for an empty one and for a
    repetition within an unbounded repetition."""
    if not text and not applied:
        raise ValueError("is empty: a pattern says what is looked for")
    if len(text) > _LONGEST:
        raise ValueError(f"a pattern has at most {_LONGEST} characters, not {len(text)}")
    if not applied and _is_nested(text):
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
    """Whether a group that repeats something is itself repeated without end. Groups are balanced, or RE2 refuses them."""
    repeats = [False]  # of each group that is open: whether something in it is repeated
    group: bool | None = None  # of the group that has just been closed
    for part in _PART.finditer(text):
        if part["open"]:
            repeats.append(False)
        if part["repeat"]:
            endless = part["repeat"][0] in "*+" or (part["to"] is not None and not part["most"])
            if endless and group:
                return True
            several = endless or int(part["most"] or part["least"] or 1) > 1
            repeats[-1] |= several
        group = None
        if part["close"]:
            group = repeats.pop() if len(repeats) > 1 else False
            repeats[-1] |= group
    return False
