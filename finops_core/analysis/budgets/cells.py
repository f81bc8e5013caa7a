"""Cells of a budget sheet: amounts and months, read only where they have one meaning; else the reader is asked for the form."""

import re
from calendar import month_abbr, month_name
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from finops_core.errors import UsageError
from finops_core.focus.currencies import CURRENCIES

POINT, COMMA = "point", "comma"
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY"}
"""Signs that stand for one currency; $ and ¥ stand for several and say nothing."""
_SIGNS = "".join(SYMBOLS) + "$¥"
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_DASH = re.compile(r"[-–—−]+")
_ADVICE = "State the form with --decimal point or --decimal comma"


@dataclass(frozen=True)
class Forms:
    """How a file writes what could be read in two ways; None: only what has one meaning is read."""

    decimal: str | None = None
    """`point` or `comma`."""
    dates: str | None = None
    """`dmy` or `mdy`."""
    fiscal_start: int = 1
    """The month that a fiscal year begins with; FY26 is the one that ends in 2026."""
    year: int | None = None
    """The year of months that are written without one."""

    def __post_init__(self) -> None:
        if self.decimal not in (None, POINT, COMMA):
            raise UsageError(f"a decimal is a point or a comma, not {self.decimal!r}")
        if self.dates not in (None, DAY_FIRST, MONTH_FIRST):
            raise UsageError(f"dates are dmy or mdy, not {self.dates!r}")
        if not 1 <= self.fiscal_start <= 12:
            raise UsageError(f"a fiscal year begins with a month from 1 to 12, not {self.fiscal_start}")


@dataclass(frozen=True)
class Amount:
    """A number, and the currency that stands beside it in its cell; "" for none, or for a sign of several currencies."""

    value: Decimal
    currency: str = ""


def amount(cell: Any, forms: Forms, semicolons: bool = False) -> Amount | None:
    """The amount of a cell; None where it is blank. A dash alone is 0, parentheses and a minus behind are negative.

    `1,234.56` and `1,234` have thousands marks; `1.234` and `1.234,56` are read only where the form is stated, as is
    `1,234` in a file that semicolons divide. Raises UsageError for everything else.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, (bool, date, datetime)):
        raise UsageError(f"{cell} is no amount")
    if isinstance(cell, int):
        return Amount(Decimal(cell))
    if isinstance(cell, float):
        return Amount(_finite(Decimal(repr(cell)), repr(cell)))
    return _typed(str(cell), forms, semicolons)


def _finite(value: Decimal, text: str) -> Decimal:
    if not value.is_finite():
        raise UsageError(f"{text!r} is no amount")
    return value


def _typed(cell: str, forms: Forms, semicolons: bool) -> Amount:
    text, currency = _without_currency(_BLANKS.sub(" ", cell).strip(), cell)
    if _DASH.fullmatch(text):
        return Amount(Decimal(0), currency)
    negative = False
    if match := re.fullmatch(r"\((.*)\)", text):
        text, negative = match[1].strip(), True
    elif match := re.fullmatch(r"[-−–] ?(.*)|(.*) ?[-−–]", text):
        text, negative = (match[1] or match[2]).strip(), True
    elif text.startswith("+"):
        text = text[1:].strip()
    inner, other = _without_currency(text, cell)
    if currency and other and currency != other:
        raise UsageError(f"{cell!r} names two currencies")
    value = _digits(inner.replace(" ", "\u00a0"), cell, forms, semicolons)
    return Amount(-value if negative else value, currency or other)


def _without_currency(text: str, cell: str) -> tuple[str, str]:
    """The text without a code or sign of currency at either end, and the code that it is."""
    match = re.fullmatch(
        rf"([A-Z]{{3}}|[A-Z]{{0,3}}[{_SIGNS}]) ?(.*)|(.*?) ?([A-Z]{{3}}|[{_SIGNS}])", text, re.S
    )
    if match is None:
        return text, ""
    mark, rest = (match[1], match[2]) if match[1] is not None else (match[4], match[3])
    if len(mark) == 3 and mark.isalpha():
        if mark not in CURRENCIES:
            raise UsageError(f"{cell!r} is no amount: {mark} is no currency")
        return rest.strip(), mark
    return rest.strip(), SYMBOLS.get(mark[-1], "") if len(mark) == 1 else ""


def _digits(text: str, cell: str, forms: Forms, semicolons: bool) -> Decimal:
    plain = text.replace("\u00a0", "")
    if "\u00a0" in text or "'" in text or "’" in text:
        grouped = re.fullmatch(r"\d{1,3}([\u00a0'’]\d{3})+([.,]\d+)?", text)
        if grouped is None:
            raise UsageError(f"{cell!r} is no amount")
        plain = re.sub(r"[\u00a0'’]", "", text)
    if re.fullmatch(r"\d+", plain):
        return Decimal(plain)
    if forms.decimal == COMMA:
        if re.fullmatch(r"(\d+|\d{1,3}(\.\d{3})+)(,\d+)?|,\d+", plain):
            return Decimal(plain.replace(".", "").replace(",", "."))
        raise UsageError(f"{cell!r} is no amount with a decimal comma")
    if re.fullmatch(r"(\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+", plain):
        lone = re.fullmatch(r"\d{1,3}\.\d{3}", plain) or (
            semicolons and re.fullmatch(r"\d{1,3}(,\d{3})", plain)
        )
        if lone and forms.decimal is None:
            raise UsageError(f"{cell!r} can be read in two ways: as thousands, or as a fraction. {_ADVICE}")
        return Decimal(plain.replace(",", ""))
    if forms.decimal is None and re.fullmatch(r"[\d.,]+", plain) and not plain.endswith((",", ".")):
        raise UsageError(f"{cell!r} can be read in two ways. {_ADVICE}")
    raise UsageError(f"{cell!r} is no amount")


_MONTHS = {name.casefold(): n for names in (month_name, month_abbr) for n, name in enumerate(names) if n}
_MONTHS |= {"sept": 9}
_WORD = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WORD_YEAR = re.compile(rf"({_WORD})\.?[ \-/'’,]*(?:20)?(\d\d)|(20\d\d|\d\d)[ \-/]*({_WORD})\.?", re.I)
_FISCAL = re.compile(rf"FY ?'?(?:20)?(\d\d)[ \-/:]*(?:(?:M|P|Period )0?(\d{{1,2}})|({_WORD})\.?)", re.I)
_FISCAL_BEHIND = re.compile(rf"(?:(?:M|P)0?(\d{{1,2}})|({_WORD})\.?)[ \-/:]*FY ?'?(?:20)?(\d\d)", re.I)


def month(cell: Any, forms: Forms) -> date | None:
    """The first day of the month that a cell names; None where it names none.

    `Jan 26`, `January 2026`, `2026-01`, `2026-01-31`, `01/2026`, `202601`, `FY26 M01`, a date of a workbook. Raises UsageError
    for what could be two months (`01/02/26`), or has no year, unless the form is stated.
    """
    if isinstance(cell, (datetime, date)):
        return date(cell.year, cell.month, 1)
    if not isinstance(cell, (str, int)) or isinstance(cell, bool):
        return None
    text = _BLANKS.sub(" ", str(cell)).strip()
    if match := re.fullmatch(r"(20\d\d)[-/.]?(0[1-9]|1[0-2])(?:[-/.](\d\d)(?:[T ].*)?)?", text):
        if match[3] is not None:
            return _day(int(match[1]), int(match[2]), int(match[3]), text)
        return date(int(match[1]), int(match[2]), 1)
    if match := re.fullmatch(r"(0?[1-9]|1[0-2])[-/.](20\d\d)", text):
        return date(int(match[2]), int(match[1]), 1)
    if match := _WORD_YEAR.fullmatch(text):
        word, year = (match[1], match[2]) if match[1] else (match[4], match[3][-2:])
        return date(2000 + int(year), _MONTHS[word.casefold()], 1)
    if match := _FISCAL.fullmatch(text):
        return _of_fiscal_year(int(match[1]), match[2], match[3], text, forms)
    if match := _FISCAL_BEHIND.fullmatch(text):
        return _of_fiscal_year(int(match[3]), match[1], match[2], text, forms)
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](20\d\d|\d\d)", text):
        return _numbers(int(match[1]), int(match[2]), int(match[3]) % 100 + 2000, text, forms)
    if text.casefold().rstrip(".") in _MONTHS:
        if forms.year is None:
            raise UsageError(f"{text!r} has no year. State it with --year 2026")
        return date(forms.year, _MONTHS[text.casefold().rstrip(".")], 1)
    return None


def _of_fiscal_year(year: int, number: str | None, word: str | None, text: str, forms: Forms) -> date:
    place = int(number) if number else (_MONTHS[(word or "").casefold()] - forms.fiscal_start) % 12 + 1
    if not 1 <= place <= 12:
        raise UsageError(f"{text!r} is no month of a fiscal year: it has 12")
    first = (2000 + year - (forms.fiscal_start > 1)) * 12 + forms.fiscal_start - 1
    found, month_of = divmod(first + place - 1, 12)
    return date(found, month_of + 1, 1)


def _numbers(one: int, two: int, year: int, text: str, forms: Forms) -> date:
    if forms.dates is not None:
        day, found = (one, two) if forms.dates == DAY_FIRST else (two, one)
        return _day(year, found, day, text)
    if one == two or two > 12 >= one:
        return _day(year, one, two, text)
    if one > 12 >= two:
        return _day(year, two, one, text)
    raise UsageError(f"{text!r} can be two days. State the form with --dates dmy or --dates mdy")


def _day(year: int, found: int, day: int, text: str) -> date:
    try:
        return date(year, found, day).replace(day=1)
    except ValueError:
        raise UsageError(f"{text!r} is no day") from None
