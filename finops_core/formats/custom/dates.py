"""The forms in which a vendor may write dates: `iso`, `us`, `eu`, or a pattern such as YYYY-MM or %d %b %Y."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from finops_core.formats.expressions import utc_month

NAMED = ("iso", "us", "eu")
"""ISO 8601; M/D/YYYY; D.M.YYYY or D/M/YYYY. The last two take ISO dates as well."""

_DIRECTIVE = re.compile(r"%-?([A-Za-z%])")
_SHAPES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "f": "[0-9]{1,6}",
    "p": "[AaPp][Mm]",
    "b": "[A-Za-z]{3}",
    "B": "[A-Za-z]{3,9}",
}
_TWO_DIGITS = frozenset("mdHIMS")
_TOKEN = re.compile(r"Y+|M+|D+")
_TOKENS = {"YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d"}
_US = re.compile(r"([0-9]{1,2})/[0-9]{1,2}/([0-9]{4})")
EU = re.compile(r"[0-9]{1,2}(?:\.([0-9]{1,2})\.|/([0-9]{1,2})/)([0-9]{4})")


@dataclass(frozen=True)
class Pattern:
    """A form of dates: as strptime knows it, and the shape that a text must have before it is asked."""

    strptime: str
    shape: str


@cache
def pattern(text: str) -> Pattern:
    """Reads `%d %b %Y` or `YYYY-MM`. Raises ValueError with what is wrong with it."""
    directives = (text if "%" in text else _directives(text)).replace("%-", "%")
    used = _DIRECTIVE.findall(directives)
    unknown = next((d for d in used if d not in _SHAPES and d not in _TWO_DIGITS and d != "%"), None)
    if unknown or directives.count("%") != len(used) + used.count("%"):
        raise ValueError(
            f"{directives!r} holds %{unknown or ''}: known are %Y %y %m %b %B %d %H %I %M %S %f %p"
        )
    if not {"Y", "y"} & set(used) or not {"m", "b", "B"} & set(used):
        raise ValueError(f"{directives!r} lacks the year or the month")
    return Pattern(directives, _shape(directives))


def _directives(tokens: str) -> str:
    """`YYYY-MM-DD` as strptime writes it."""
    unknown = [t for t in _TOKEN.findall(tokens.upper()) if t not in _TOKENS]
    if unknown or re.search("[A-Z]", _TOKEN.sub("", tokens.upper())):
        raise ValueError(f"{tokens!r} is neither iso, us or eu nor a form such as YYYY-MM-DD or %d %b %Y")
    return _TOKEN.sub(lambda m: _TOKENS[m.group()], tokens.upper())


def _shape(strptime: str) -> str:
    """Regular expression of the texts that a pattern fits; digits that touch the next directive's must be complete."""
    shape, end = "", 0
    found = list(_DIRECTIVE.finditer(strptime))
    edges = Counter(edge for m in found for edge in m.span() if m.group(1) not in "%pbB")
    for match in found:
        shape += re.escape(strptime[end : match.start()])
        letter, end = match.group(1), match.end()
        if letter in _TWO_DIGITS:
            touching = edges[match.start()] > 1 or edges[match.end()] > 1
            shape += "[0-9]{2}" if touching else "[0-9]{1,2}"
        else:
            shape += _SHAPES.get(letter, "%")
    return shape + re.escape(strptime[end:])


def has_day(form: str) -> bool:
    """Whether dates of this form are days; else they are months."""
    return form in NAMED or "%d" in pattern(form).strptime


def month_of(text: str, form: str) -> str:
    """YYYY-MM of a raw text, without DuckDB: for the independent total. The mapping itself refuses what is no date."""
    text = text.strip()
    if form == "us" and (found := _US.fullmatch(text)):
        return f"{found.group(2)}-{int(found.group(1)):02}"
    if form == "eu" and (found := EU.fullmatch(text)):
        return f"{found.group(3)}-{int(found.group(1) or found.group(2)):02}"
    if form in NAMED:
        return utc_month(text)
    try:
        return datetime.strptime(text, pattern(form).strptime).isoformat()[:7]
    except ValueError:
        return ""
