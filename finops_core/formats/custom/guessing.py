"""Which column of an unknown CSV is what: guessed by the columns' names, and held against the first rows' values."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from finops_core.formats.custom.dates import EU, month_of, pattern
from finops_core.formats.custom.mapping import spell
from finops_core.formats.expressions import number_of_comma
from finops_core.formats.format import Header

SAMPLE = 200
"""Rows that are looked at."""

_POINT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SIGNS = re.compile(r"[\s$€£¥'()]|[A-Z]{3}(?![A-Za-z])|(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+ ?(Z|UTC|[-+][0-9:]+)?)?")
CURRENCY = re.compile(
    r"\b(AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|PHP|PLN|RON|SEK|SGD|THB|TRY"
    r"|TWD|USD|ZAR)\b"
)
_FORMS = (
    "YYYY-MM",
    "MM/YYYY",
    "YYYYMMDD",
    "YYYYMM",
    "YYYY/MM/DD",
    "D MMM YYYY",
    "D-MMM-YYYY",
    "D-MMM-YY",
    "D MMMM YYYY",
    "MMM D, YYYY",
    "MMMM D, YYYY",
    "MMM YYYY",
    "MMMM YYYY",
    "MMM-YY",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
)
_UNAMBIGUOUS = ("MM/YYYY", "YYYY/MM/DD")
"""Of the forms with slashes, those in which no day can be taken for a month."""

# Regular expressions over a column's name in lower-case words, the likeliest first.
_COST = (
    r"\b(billed|net|final) (cost|amount|charges?)\b",
    r"\bcost\b",
    r"\b(amount|charges?|spend|in currency)\b",
    r"\b(total|price|fee)\b",
)
_NO_COST = (
    r"\b(unit|rate|per|quantity|qty|units|hours|list|discount|credits?|tax|vat|percent|id|number|budget)\b"
)
_DATE = (
    r"\busage\b.*\b(start|date|day|month)\b",
    r"\bstart\b",
    r"\b(date|day)\b",
    r"\b(month|period|time)\b",
)
_OTHER_DATE = r"\b(end|to|due|paid|payment|created|updated|invoice|bill|billing|issued|renewal)\b"
_END = (r"\bend\b", r"\bto\b")
_BILL = (r"\b(invoice|bill(ing)?) (date|month|period)\b",)
_CURRENCY_NAME = (r"\bcurrency\b",)
_COLUMNS = (
    ("ServiceName", (r"\b(service|product)( name)?$", r"\b(service|product|plan|category|item)\b")),
    (
        "SubAccountId",
        (r"\b(sub ?account|workspace|project|organi[sz]ation|org|tenant|account|subscription|site)\b",),
    ),
    ("ChargeDescription", (r"\b(description|details?|memo)\b", r"\bline item\b")),
    ("SkuId", (r"\b(sku|part number)\b",)),
    ("InvoiceId", (r"\binvoice( id| number| no)?$",)),
    ("RegionId", (r"\b(region|location)\b",)),
    ("ResourceId", (r"\b(resource|host|cluster|instance)\b",)),
    ("ConsumedQuantity", (r"\b(quantity|qty|units|usage( amount)?|consumed|hours)$",)),
    ("ConsumedUnit", (r"\b(unit|uom|unit of measure|unit type)$",)),
)
_TAG = r"\b(tags?|labels?|team|environment|env|owner|department|cost cent(er|re)|squad)\b"


@dataclass(frozen=True)
class Guess:
    """A role for each column; None where no column looks like it."""

    names: list[str]
    """All columns that a mapping can name, each once."""
    values: dict[str, list[str]]
    """Column → the values of the first rows that are not empty."""
    cost: str | None
    date: str | None
    end: str | None
    bill: str | None
    currency: str | None
    columns: dict[str, str]
    """FOCUS column → column."""
    tags: list[str]
    rest: list[str]

    @property
    def used(self) -> list[str]:
        """The columns without which the file would be another vendor's."""
        return [n for n in (self.cost, self.date, self.currency, *self.columns.values()) if n]


def guess(header: Header, sample: Sequence[dict[str, str]]) -> Guess:
    """Guesses from a header and the first rows, each a column's name → its text."""
    picker = _Picker.of(header, sample)
    cost = picker.pick(_COST, _NO_COST, are_amounts) or picker.pick(("",), _NO_COST, _have_cents)
    date = picker.pick(_DATE, _OTHER_DATE, are_dates) or picker.pick(("",), _OTHER_DATE, are_dates)
    end = picker.pick(_END, fits=are_dates) if date else None
    bill = picker.pick(_BILL, fits=are_dates) if date else None
    currency = (
        picker.pick(_CURRENCY_NAME, fits=are_currencies)
        or picker.pick(("",), fits=are_currencies)
        or picker.pick(_CURRENCY_NAME, fits=lambda values: not values or not are_amounts(values))
    )
    columns = {}
    for focus, likely in _COLUMNS:
        found = picker.pick(likely, fits=are_amounts if focus == "ConsumedQuantity" else _any)
        if found:
            columns[focus] = found
    tags = [n for n in picker.free if re.search(_TAG, words_of(n))]
    rest = [n for n in picker.free if n not in tags]
    return Guess(picker.names, picker.values, cost, date, end, bill, currency, columns, tags, rest)


Fits = Callable[[list[str]], bool]


def _any(values: list[str]) -> bool:
    return True


@dataclass
class _Picker:
    """Picks columns one after another; a column that has been picked is not free any more."""

    names: list[str]
    values: dict[str, list[str]]
    free: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, header: Header, sample: Sequence[dict[str, str]]) -> "_Picker":
        names = _distinct(n for n in header.names if n.strip() and not set("|\x00\x1f") & set(n))
        rows = sample[:SAMPLE]
        values = {n: [v for row in rows if (v := (row.get(n) or "").strip())] for n in names}
        return cls(names, values, list(names))

    def pick(self, likely: tuple[str, ...], unlikely: str = "(?!)", fits: Fits = _any) -> str | None:
        """The first free column by the order of the likely names, whose values fit; unlikely names only if none else."""
        fitting = [n for n in self.free if fits(self.values[n])]
        named = [n for like in likely for n in fitting if re.search(like, words_of(n))]
        for name in [n for n in named if not re.search(unlikely, words_of(n))] or named:
            self.free.remove(name)
            return name
        return None


def _distinct(names: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(spell(name), name)
    return list(found.values())


def words_of(name: str) -> str:
    """A column name as lower-case words: `usageStart_date` → `usage start date`."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()))


# --- what values look like -----------------------------------------------------------------------------------------


def is_plain_number(text: str) -> bool:
    """A number with a decimal point as a mapping reads it."""
    return _POINT.fullmatch(text) is not None


def are_amounts(values: list[str]) -> bool:
    """Numbers, perhaps with marks that a mapping cannot read; not dates written as numbers. True of no values."""
    numbers = all(is_plain_number(_SIGNS.sub("", v).replace(",", "")) for v in values)
    return numbers and not (values and all(_is_compact_date(v) for v in values))


def _have_cents(values: list[str]) -> bool:
    return are_amounts(values) and any(re.search(r"[.,][0-9]{1,2}(?![0-9])", v) for v in values)


def have_decimal_comma(values: list[str]) -> bool:
    """Numbers such as 1.234,56."""
    commas = all(number_of_comma(v) != "unreadable" for v in values)
    return commas and not all(is_plain_number(v) for v in values)


def are_currencies(values: list[str]) -> bool:
    """Currency codes, and not none."""
    return bool(values) and all(CURRENCY.fullmatch(v.upper()) for v in values)


def are_dates(values: list[str]) -> bool:
    """Dates, all of one form. True of no values."""
    return not values or date_form(values) is not None


def date_form(values: list[str]) -> tuple[str, bool] | None:
    """The form that all values have, and whether it is the only one; None where they are no dates."""
    if not values:
        return None
    if all(_ISO.fullmatch(v) for v in values):
        return "iso", True
    for form in _FORMS:
        if all(_has_form(v, form) for v in values):
            return form, "/" not in form or form in _UNAMBIGUOUS
    return _day_or_month_first(values) if all(EU.fullmatch(v) for v in values) else None


def _has_form(text: str, form: str) -> bool:
    if form in ("YYYYMM", "YYYYMMDD") and not _is_compact_date(text):
        return False
    return re.fullmatch(pattern(form).shape, text) is not None and bool(month_of(text, form))


def _day_or_month_first(values: list[str]) -> tuple[str, bool] | None:
    if "." in values[0]:
        return "eu", True
    first, second = (max(int(v.split("/")[i]) for v in values) for i in (0, 1))
    if first > 12 and second > 12:
        return None
    return ("eu" if first > 12 else "us"), max(first, second) > 12


def _is_compact_date(text: str) -> bool:
    return re.fullmatch(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])([0-3][0-9])?", text) is not None
