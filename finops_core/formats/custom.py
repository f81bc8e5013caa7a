"""Any CSV, such as a SaaS vendor's bill, through a mapping: some twenty lines of YAML in HOME/mappings.

A mapping names the vendor, says by which column names its files are known, where cost, currency and dates stand, and
which source column becomes which FOCUS column (docs/how-to/any-csv.md). It becomes a `Format` like any other, and so
keeps the same promises: costs exact, dates by a stated form, every row accounted for, anything unreadable refused with
its place.

Column names are compared in lower case and without blanks around them (`Format.spell`). A name may hold brackets or
quotes, which `[name]` cannot: expressions read columns by an escaped alias, and `Format.synonyms` says what it stands for.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from finops_core.errors import InputRefused, Place
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.formats.expressions import number_of_comma, quoted, utc_month
from finops_core.formats.format import Format, Header, SourceTotal

HOW_TO = "docs/how-to/any-csv.md shows a mapping"


def spell(name: str) -> str:
    """Lower case, without blanks around it."""
    return name.strip().lower()


# --- dates ---------------------------------------------------------------------------------------------------------

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
_NAMED = ("iso", "us", "eu")
_US = re.compile(r"([0-9]{1,2})/[0-9]{1,2}/([0-9]{4})")
_EU = re.compile(r"[0-9]{1,2}(?:\.([0-9]{1,2})\.|/([0-9]{1,2})/)([0-9]{4})")


@dataclass(frozen=True)
class Pattern:
    """A form of dates: as strptime knows it, and the shape that a text must have before it is asked."""

    strptime: str
    shape: str

    @property
    def has_day(self) -> bool:
        return "%d" in self.strptime


@cache
def pattern(text: str) -> Pattern:
    """Reads `%d %b %Y` or `YYYY-MM`. Raises ValueError with what is wrong with it."""
    if "%" not in text:
        unknown = next((t for t in _TOKEN.findall(text.upper()) if t not in _TOKENS), None)
        rest = _TOKEN.sub("", text.upper())
        if unknown or re.search("[A-Z]", rest):
            raise ValueError(f"{text!r} is neither iso, us or eu nor a form such as YYYY-MM-DD or %d %b %Y")
        text = _TOKEN.sub(lambda m: _TOKENS[m.group()], text.upper())
    text = text.replace("%-", "%")
    used = _DIRECTIVE.findall(text)
    unknown = next((d for d in used if d not in _SHAPES and d not in _TWO_DIGITS and d != "%"), None)
    if unknown or text.count("%") != len(used) + used.count("%"):
        raise ValueError(f"{text!r} holds %{unknown or ''}: known are %Y %y %m %b %B %d %H %I %M %S %f %p")
    if not {"Y", "y"} & set(used) or not {"m", "b", "B"} & set(used):
        raise ValueError(f"{text!r} lacks the year or the month")
    return Pattern(text, _shape(text))


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


# --- the mapping ---------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if "\x00" in text or "\x1f" in text:
        raise ValueError("holds control characters")
    return text


def _column_name(text: str) -> str:
    if "|" in text:
        raise ValueError("a column whose name holds | cannot be mapped: rename it in the file")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]*", text):
        raise ValueError("may only hold small letters, digits, - and _")
    return text


def _date_form(text: str) -> str:
    if text not in _NAMED:
        pattern(text)
    return text


Text = Annotated[str, AfterValidator(_text)]
ColumnName = Annotated[Text, AfterValidator(_column_name)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _from_column(data: Any) -> Any:
    return {"column": data} if isinstance(data, str) else data


class Cell(_Model):
    """Where a value comes from: a source column, perhaps translated by `map`, or a constant `value`."""

    column: ColumnName | None = None
    value: Text | None = None
    map: dict[Text, Text] = {}
    default: Text | None = None
    """For empty cells and, where there is a map, for values that it lacks."""

    _short = model_validator(mode="before")(_from_column)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("needs either a column or a `value`")
        if self.value is not None and (self.map or self.default):
            raise ValueError("a constant has neither `map` nor `default`")
        if len({spell(key) for key in self.map}) < len(self.map):
            raise ValueError("`map` names a value twice: case and blanks do not count")
        return self

    def constants(self) -> tuple[str, ...]:
        """All values that the mapping itself states."""
        return tuple(v for v in (self.value, *self.map.values(), self.default) if v is not None)

    def currency(self, text: str) -> str:
        """The currency of a raw text, for the independent total."""
        if self.value is not None:
            return self.value.upper()
        mapped = {spell(key): value for key, value in self.map.items()}.get(spell(text))
        fallback = self.default if self.default and (self.map or not text.strip()) else text
        return (mapped or fallback).strip().upper()


class Day(_Model):
    """A column of dates and their form."""

    column: ColumnName
    format: Annotated[Text, AfterValidator(_date_form)] = "iso"

    _short = model_validator(mode="before")(_from_column)

    @property
    def has_day(self) -> bool:
        return self.format in _NAMED or pattern(self.format).has_day

    def month(self, text: str) -> str:
        """YYYY-MM of a raw text, for the independent total; the mapping itself refuses what is no date."""
        text = text.strip()
        if self.format == "us" and (found := _US.fullmatch(text)):
            return f"{found.group(2)}-{int(found.group(1)):02}"
        if self.format == "eu" and (found := _EU.fullmatch(text)):
            return f"{found.group(3)}-{int(found.group(1) or found.group(2)):02}"
        if self.format in _NAMED:
            return utc_month(text)
        try:
            return datetime.strptime(text, pattern(self.format).strptime).isoformat()[:7]
        except ValueError:
            return ""


class LastDay(Day):
    """The end of a charge; `inclusive` where the last day (or month) still belongs to it."""

    inclusive: bool = False


_SET_ELSEWHERE = {
    "BilledCost": "cost",
    "EffectiveCost": "effective_cost",
    "BillingCurrency": "currency",
    "ChargePeriodStart": "date",
    "ChargePeriodEnd": "date_end",
    "BillingPeriodStart": "billing_period",
    "BillingPeriodEnd": "billing_period",
    "ChargeCategory": "category",
    "ProviderName": "provider",
    "Tags": "tags",
}


class Mapping(_Model):
    """One vendor's CSV, as the YAML says it."""

    name: Annotated[Text, AfterValidator(_slug)]
    provider: Text
    match: Annotated[list[ColumnName], Field(min_length=1)]
    """Column names that must all be in a file's header for the mapping to take it."""
    cost: ColumnName
    effective_cost: ColumnName | None = None
    currency: Cell
    date: Day
    date_end: LastDay | None = None
    billing_period: Day | None = None
    """Where the bill's month is not the month of `date`."""
    category: Cell = Cell(value="Usage")
    columns: dict[Text, Cell] = {}
    """FOCUS column → where it comes from."""
    tags: dict[Text, ColumnName] = {}
    """Tag key → source column; in YAML also a list of columns that name their keys."""
    decimal: Literal[".", ","] = "."

    @model_validator(mode="before")
    @classmethod
    def _listed_tags(cls, data: Any) -> Any:
        tags = data.get("tags") if isinstance(data, dict) else None
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            return {**data, "tags": {tag: tag for tag in tags}}
        return data

    @model_validator(mode="after")
    def _fits_focus(self) -> Self:
        _check_constants("category", "ChargeCategory", self.category)
        for name, cell in self.columns.items():
            if name in _SET_ELSEWHERE:
                raise ValueError(f"columns: {name} is set by `{_SET_ELSEWHERE[name]}`")
            if name not in FOCUS_COLUMNS:
                near = difflib.get_close_matches(name, FOCUS_COLUMNS, 1, 0.5)
                raise ValueError(f"columns: {name} is no FOCUS column" + (f"; {near[0]}?" if near else ""))
            if FOCUS_COLUMNS[name].type == "JSON":
                raise ValueError(f"columns: {name} holds JSON and cannot be mapped")
            _check_constants(f"columns.{name}", name, cell)
        return self

    def source_columns(self) -> tuple[str, ...]:
        """All source columns that the mapping reads, each once."""
        days = [day.column for day in (self.date, self.date_end, self.billing_period) if day]
        cells = [c.column for c in (self.currency, self.category, *self.columns.values()) if c.column]
        costs = [self.cost, *([self.effective_cost] if self.effective_cost else [])]
        return tuple({spell(c): c for c in reversed([*costs, *days, *cells, *self.tags.values()])}.values())[
            ::-1
        ]


def _allowed(column: str) -> tuple[str, ...]:
    return tuple(value for value in FOCUS_COLUMNS[column].allowed_values if value != "null")


def _check_constants(where: str, column: str, cell: Cell) -> None:
    allowed = _allowed(column)
    for constant in cell.constants():
        if allowed and constant not in allowed:
            raise ValueError(f"{where}: {constant!r} is none of {', '.join(allowed)}")
        if FOCUS_COLUMNS[column].type == "Decimal" and not _is_decimal(constant):
            raise ValueError(f"{where}: {constant!r} is not a number")


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and text.isascii() and "_" not in text
    except InvalidOperation:
        return False


# --- from YAML -----------------------------------------------------------------------------------------------------


class _Loader(yaml.BaseLoader):
    """Every scalar is text, so NO stays Norway; a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key, count in Counter(keys).items() if count > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice!r} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


_WORDS = {
    "extra_forbidden": "is no field of a mapping",
    "missing": "is missing",
    "string_type": "must be text",
    "dict_type": "must be a mapping of names",
    "list_type": "must be a list",
    "model_type": "must be a mapping of fields",
    "too_short": "must not be empty",
}


def parse_mapping(text: str, file: str) -> Mapping:
    """The mapping in a YAML text. Raises InputRefused with the file and the field."""
    try:
        found = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputRefused(f"no YAML: {error.problem}", Place(file, row), HOW_TO) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputRefused(f"no YAML: {error}", Place(file), HOW_TO) from error
    if not isinstance(found, dict):
        raise InputRefused("must be a mapping of fields", Place(file), HOW_TO)
    try:
        return Mapping.model_validate(found)
    except ValidationError as error:
        said = [_said(e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise InputRefused("; ".join(dict.fromkeys(said)), Place(file), HOW_TO) from error


def _said(location: tuple[int | str, ...], kind: str, message: str) -> str:
    field = ".".join(str(part) for part in location if part != "[key]")
    words = _WORDS.get(kind) or message.removeprefix("Value error, ")
    return f"{field}: {words}" if field else words


def load_mappings(directory: Path) -> tuple[Format, ...]:
    """The formats of all mappings of a directory, one a YAML file. Raises InputRefused with file and field."""
    files = sorted(f for f in directory.glob("*") if f.suffix.lower() in (".yaml", ".yml") and f.is_file())
    by_name: dict[str, Path] = {}
    found = []
    for file in files:
        try:
            mapping = parse_mapping(file.read_text("utf-8-sig"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise InputRefused(f"cannot be read: {error}", Place(str(file))) from error
        if mapping.name in by_name:
            raise InputRefused(
                f"name: {mapping.name!r} is also the name of {by_name[mapping.name]}", Place(str(file))
            )
        by_name[mapping.name] = file
        found.append(mapping_format(mapping))
    return tuple(found)


# --- to a format ---------------------------------------------------------------------------------------------------

_NO_COST = "the export states no cost: counted as 0"
_NOT_FOR_TAX = (
    "PricingQuantity",
    "PricingUnit",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "SkuId",
    "SkuPriceId",
)
_ONLY_USAGE = ("ConsumedQuantity", "ConsumedUnit")


def literal(text: str) -> str:
    """SQL text that no part of the expression language is found in."""
    parts = [f"chr({ord(p)})" if p in "$[]()" else quoted(p) for p in re.split(r"([$\[\]()])", text) if p]
    return f"({' || '.join(parts)})" if parts else "''"


def mapping_format(mapping: Mapping) -> Format:
    """The format that a mapping describes, `custom:NAME`."""
    wanted = {spell(name) for name in mapping.match}
    read = mapping.source_columns()

    def recognise(header: Header) -> str | None:
        return (
            "mapping" if header.kind == "csv" and wanted <= {spell(name) for name in header.names} else None
        )

    def total(header: Header, role: str) -> SourceTotal:
        period = mapping.billing_period or mapping.date
        return SourceTotal(
            cost=_alias(mapping.cost),
            effective=_alias(mapping.effective_cost) if mapping.effective_cost else None,
            period=_alias(period.column),
            period_of=period.month,
            currency=_alias(mapping.currency.column or ""),
            currency_of=mapping.currency.currency,
            amount_of=number_of_comma if mapping.decimal == "," else None,
        )

    return Format(
        name=f"custom:{mapping.name}",
        title=f"{mapping.provider} (mapping {mapping.name})",
        provider=mapping.provider,
        description=f"CSV of {mapping.provider}, read by the mapping {mapping.name!r}.",
        recognise=recognise,
        spell=spell,
        required=read,
        synonyms={_alias(name): (name,) for name in read},
        definitions=_unambiguous(mapping),
        total=total,
        columns=_columns(mapping),
        warn=(("rows for which the export states no cost: counted as 0", f"x_Quality = {quoted(_NO_COST)}"),),
        days_before=93,
        days_after=93,
    )


def _alias(column: str) -> str:
    """A name of the column that an expression can hold."""
    return f"mapped:{quote(spell(column), safe=' ')}"


def _unambiguous(mapping: Mapping) -> Callable[[Header], dict[str, str]]:
    """Definitions of none; refuses a file in which a column that is read has a twin."""

    def check(header: Header) -> dict[str, str]:
        counts = Counter(spell(name) for name in header.names)
        twin = next((name for name in mapping.source_columns() if counts[spell(name)] > 1), None)
        if twin is not None:
            names = " and ".join(repr(name) for name in header.names if spell(name) == spell(twin))
            raise InputRefused(
                f"{mapping.provider} (mapping {mapping.name}): the columns {names} differ only in case or blanks",
                None,
                "Rename one of them in the file",
            )
        return {}

    return check


def _read(column: str) -> str:
    return f"nullif(trim([{_alias(column)}]), '')"


def _columns(mapping: Mapping) -> dict[str, str]:
    """FOCUS column → expression."""
    provider = literal(mapping.provider)
    cost = _number(mapping, mapping.cost, "money")
    effective = _number(mapping, mapping.effective_cost, "money") if mapping.effective_cost else cost
    category = _cell(mapping, mapping.category, "ChargeCategory")
    start = _day(mapping.date)
    month = f"date_trunc('month', {_day(mapping.billing_period or mapping.date)})"
    defaults = {
        "ChargeFrequency": f"CASE {category} WHEN 'Usage' THEN 'Usage-Based' WHEN 'Purchase' THEN 'Recurring'"
        " ELSE 'One-Time' END",
        "BillingAccountId": provider,
        "InvoiceIssuerName": provider,
        "PublisherName": provider,
        "HostProviderName": provider,
        "ServiceProviderName": provider,
        "ServiceName": provider,
        "ServiceCategory": "'Other'",
    }
    columns = {
        "BilledCost": f"coalesce({cost}, 0)",
        "EffectiveCost": f"coalesce({effective}, 0)",
        "ContractedCost": f"coalesce({cost}, 0)",
        "x_SourceCost": f"coalesce({cost}, 0)",
        "x_Quality": f"CASE WHEN {_read(mapping.cost)} IS NULL THEN {quoted(_NO_COST)} END",
        "BillingCurrency": _currency(mapping.currency),
        "BillingPeriodStart": month,
        "BillingPeriodEnd": f"{month} + INTERVAL 1 MONTH",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": _end(mapping, start),
        "ChargeCategory": category,
        "ProviderName": provider,
        "x_ChargeType": _read(mapping.category.column) if mapping.category.column else "NULL",
        **defaults,
    }
    for name, cell in mapping.columns.items():
        found = _cell(mapping, cell, name)
        if name in _NOT_FOR_TAX:
            found = f"CASE WHEN {category} <> 'Tax' THEN {found} END"
        if name in _ONLY_USAGE:
            found = f"CASE WHEN {category} = 'Usage' THEN {found} END"
        columns[name] = f"coalesce({found}, {defaults[name]})" if name in defaults else found
    if mapping.tags:
        pairs = [
            f"{literal(json.dumps(key, ensure_ascii=False) + ':')} || CAST(to_json({_read(column)}) AS VARCHAR)"
            for key, column in mapping.tags.items()
        ]
        columns["Tags"] = f"nullif('{{' || concat_ws(',', {', '.join(pairs)}) || '}}', '{{}}')"
    return columns


def _number(mapping: Mapping, column: str, reader: Literal["money", "quantity"]) -> str:
    if mapping.decimal == ".":
        return f"{reader}([{_alias(column)}])"
    place = f"x_Row, {literal(column)}"
    return f"{reader}_text(comma_text([{_alias(column)}], {place}), {place})"


def _day(day: Day) -> str:
    read, place = f"[{_alias(day.column)}]", f"x_Row, {literal(day.column)}"
    if day.format == "eu":
        return f"eu_date_text({read}, {place})"
    if day.format in _NAMED:
        return f"{'instant' if day.format == 'iso' else 'us_date'}({read})"
    form = pattern(day.format)
    return f"pattern_date_text({read}, {literal(form.strptime)}, {literal(form.shape)}, {place})"


def _end(mapping: Mapping, start: str) -> str:
    """The exclusive end: as the file states it, else a day, or a month where dates are months."""
    end = mapping.date_end
    after = f"{start} + INTERVAL 1 {'DAY' if mapping.date.has_day else 'MONTH'}"
    if end is None:
        return after
    stated = _day(end) + (f" + INTERVAL 1 {'DAY' if end.has_day else 'MONTH'}" if end.inclusive else "")
    return f"coalesce({stated}, {after})"


def _cell(mapping: Mapping, cell: Cell, focus: str) -> str:
    kind = FOCUS_COLUMNS[focus].type
    if cell.value is not None:
        return f"CAST({quoted(cell.value)} AS DECIMAL(38,18))" if kind == "Decimal" else literal(cell.value)
    assert cell.column is not None
    if kind == "Decimal" and not cell.map:
        read = _number(mapping, cell.column, "quantity" if focus.endswith("Quantity") else "money")
        return f"coalesce({read}, CAST({quoted(cell.default)} AS DECIMAL(38,18)))" if cell.default else read
    # A closed list maps its own values to themselves, so that `usage` is read as Usage.
    translated = {spell(v): v for v in _allowed(focus)} | {spell(key): v for key, v in cell.map.items()}
    return _translated(
        cell, translated, f"stop_at('unmapped', x_Row, {literal(cell.column)}, {_read(cell.column)})"
    )


def _currency(cell: Cell) -> str:
    if cell.column is None:
        return literal(cell.currency(""))
    return f"upper({_translated(cell, cell.map, _read(cell.column))})"


def _translated(cell: Cell, values: dict[str, str], unknown: str) -> str:
    """The cell's value by a table of values; `unknown` is what another value becomes."""
    assert cell.column is not None
    read = _read(cell.column)
    empty = literal(cell.default) if cell.default else "NULL"
    if not values:
        return f"coalesce({read}, {empty})"
    cases = " ".join(f"WHEN {literal(spell(key))} THEN {literal(value)}" for key, value in values.items())
    rest = literal(cell.default) if cell.default and cell.map else unknown
    return f"CASE WHEN {read} IS NULL THEN {empty} ELSE CASE lower({read}) {cases} ELSE {rest} END END"


# --- a mapping to start from ---------------------------------------------------------------------------------------

_SAMPLE = 200
_POINT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SIGNS = re.compile(r"[\s$€£¥'()]|[A-Z]{3}(?![A-Za-z])|(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+ ?(Z|UTC|[-+][0-9:]+)?)?")
_CURRENCY = re.compile(
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
_COST_NAMES = (
    r"\b(billed|net|final) (cost|amount|charges?)\b",
    r"\bcost\b",
    r"\b(amount|charges?|spend)\b",
    r"\b(total|price|fee)\b",
)
_NO_COST_NAMES = (
    r"\b(unit|rate|per|quantity|qty|units|hours|list|discount|credits?|tax|vat|percent|id|number|budget)\b"
)
_DATE_NAMES = (
    r"\busage\b.*\b(start|date|day|month)\b",
    r"\bstart\b",
    r"\b(date|day)\b",
    r"\b(month|period|time)\b",
)
_OTHER_DATES = r"\b(end|to|due|paid|payment|created|updated|invoice|bill|billing|issued|renewal)\b"
_COLUMN_NAMES = (
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
    ("ConsumedUnit", (r"\b(unit|uom|unit of measure)$",)),
)
_TAG_NAMES = r"\b(tags?|labels?|team|environment|env|owner|department|cost cent(er|re)|squad)\b"


def suggest(header: Header, sample: list[dict[str, str]]) -> str:
    """The YAML of a mapping to start from: columns guessed by name and by the sample's values, with what to check."""
    return _Guess(header, sample[:_SAMPLE]).text()


class _Guess:
    """Picks columns one after another; a column that has been picked is not free any more."""

    def __init__(self, header: Header, sample: list[dict[str, str]]) -> None:
        names = [n for n in header.names if n.strip() and not set("|\x00\x1f") & set(n)]
        self.names = list({spell(n): n for n in reversed(names)}.values())[::-1]
        self.values = {n: [v for row in sample if (v := (row.get(n) or "").strip())] for n in self.names}
        self.free = list(self.names)

    def pick(
        self, likely: tuple[str, ...], unlikely: str = r"^\b$", fits: Callable[[str], bool] = bool
    ) -> str | None:
        """The first free column by the order of the likely names, whose values fit; unlikely names only if none else."""
        named = [n for like in likely for n in self.free if re.search(like, _words(n)) and fits(n)]
        for name in [n for n in named if not re.search(unlikely, _words(n))] or named:
            self.free.remove(name)
            return name
        return None

    def text(self) -> str:
        cost = self.pick(_COST_NAMES, _NO_COST_NAMES, self._is_cost)
        cost = cost or self.pick(
            ("",), _NO_COST_NAMES, lambda name: self._is_cost(name) and self._has_fractions(name)
        )
        date = self.pick(_DATE_NAMES, _OTHER_DATES, self._is_date) or self.pick(
            ("",), _OTHER_DATES, self._is_date
        )
        end = self.pick((r"\bend\b", r"\bto\b"), fits=self._is_date) if date else None
        bill = (
            self.pick((r"\b(invoice|bill(ing)?) (date|month|period)\b",), fits=self._is_date)
            if date
            else None
        )
        money = self.pick((r"\bcurrency\b",)) or self.pick(("",), fits=self._is_currency)
        columns = {
            focus: found
            for focus, like in _COLUMN_NAMES
            if (found := self.pick(like, fits=self._fits(focus)))
        }
        tags = [n for n in self.free if re.search(_TAG_NAMES, _words(n))]
        rest = [n for n in self.free if n not in tags]
        used = [n for n in (cost, date, money, *columns.values()) if n]
        match = used + [n for n in self.names if n not in used][: max(0, 8 - len(used))]
        lines = [
            "# A guess from the file's header and first rows: read each line, then load the file with a dry run.",
            "name: vendor  # CHECK: a short name; the format is then called custom:vendor",
            "provider: Vendor  # CHECK: the vendor's name as reports shall show it",
            "match:  # all of these must be in a file's header: enough of them that no other vendor's files fit",
            *(f"  - {_yaml(n)}" for n in match),
            self._cost_line(cost),
        ]
        if cost and self._has_comma(cost):
            lines.append(
                'decimal: ","  # CHECK: 1.234,56 is read as one thousand two hundred and thirty-four'
            )
        lines += [self._currency_line(money, cost), *self._day_lines("date", date)]
        if end:
            lines += [
                *self._day_lines("date_end", end),
                "  inclusive: true  # CHECK: whether the last day still belongs to the charge; else leave this out",
            ]
        if bill:
            form = (_date_form_of(self.values[bill]) or ("iso", False))[0]
            lines += [
                "# Only if the bill's month is not the month of `date`:",
                f"# billing_period: {{column: {_yaml(bill)}, format: {_yaml(form)}}}",
            ]
        lines.append(
            "category: {value: Usage}  # or a column: {column: Type, map: {Subscription: Purchase, VAT: Tax}}"
        )
        if columns:
            lines += [
                "columns:  # FOCUS column: source column",
                *(f"  {focus}: {_yaml(n)}" for focus, n in columns.items()),
            ]
        if tags:
            lines += ["tags:", *(f"  - {_yaml(n)}" for n in tags)]
        if rest:
            lines.append(f"# Kept with each row, but not mapped: {', '.join(_yaml(n) for n in rest)}")
        return "\n".join(lines) + "\n"

    def _is_cost(self, name: str) -> bool:
        values = self.values[name]
        return all(_POINT.fullmatch(_SIGNS.sub("", v).replace(",", "")) for v in values) and not (
            values and all(_is_plain_date(v) for v in values)
        )

    def _has_fractions(self, name: str) -> bool:
        return any(re.search(r"[.,][0-9]{1,2}(?![0-9])", v) for v in self.values[name])

    def _is_date(self, name: str) -> bool:
        return not self.values[name] or _date_form_of(self.values[name]) is not None

    def _is_currency(self, name: str) -> bool:
        return bool(self.values[name]) and all(_CURRENCY.fullmatch(v.upper()) for v in self.values[name])

    def _fits(self, focus: str) -> Callable[[str], bool]:
        return self._is_cost if focus == "ConsumedQuantity" else lambda name: True

    def _has_comma(self, cost: str) -> bool:
        values = self.values[cost]
        commas = [v for v in values if number_of_comma(v) != "unreadable"]
        return len(commas) == len(values) and not all(_POINT.fullmatch(v) for v in values)

    def _cost_line(self, cost: str | None) -> str:
        if cost is None:
            return 'cost: ""  # CHECK: no column looks like a cost; name it here'
        odd = next((v for v in self.values[cost] if not _POINT.fullmatch(v)), None)
        if odd is not None and not self._has_comma(cost):
            note = f"CHECK: values such as {_yaml(odd)} cannot be read: no thousands mark, no currency sign"
        else:
            note = "CHECK: what is billed, before tax if tax has lines of its own"
        return f"cost: {_yaml(cost)}  # {note}"

    def _currency_line(self, column: str | None, cost: str | None) -> str:
        if column:
            return f"currency: {_yaml(column)}"
        named = _CURRENCY.search(" ".join([cost or "", *self.names]))
        return f"currency: {{value: {named.group() if named else 'USD'}}}  # CHECK: the file has no column for it"

    def _day_lines(self, field: str, column: str | None) -> list[str]:
        if column is None:
            return [f"{field}:", '  column: ""  # CHECK: no column looks like a date; name it here']
        form, sure = _date_form_of(self.values[column]) or ("iso", False)
        note = (
            ""
            if sure
            else "  # CHECK: iso, us (M/D/YYYY), eu (D.M.YYYY or D/M/YYYY), or a form such as YYYY-MM"
        )
        return [f"{field}:", f"  column: {_yaml(column)}", f"  format: {_yaml(form)}{note}"]


def _words(name: str) -> str:
    """A column name as lower-case words: `usageStart_date` → `usage start date`."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()))


def _yaml(text: str) -> str:
    """A text as YAML, quoted where it must be; never more than one line."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _./()-]*", text) and text == text.strip():
        return text
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 30)).strip()


def _is_plain_date(text: str) -> bool:
    return re.fullmatch(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])([0-3][0-9])?", text) is not None


def _date_form_of(values: list[str]) -> tuple[str, bool] | None:
    """The form that all values have, and whether it is the only one; None where they are no dates."""
    if not values:
        return None
    if all(_ISO.fullmatch(v) for v in values):
        return "iso", True
    for form in _FORMS:
        if (form not in ("YYYYMM", "YYYYMMDD") or all(map(_is_plain_date, values))) and all(
            re.fullmatch(pattern(form).shape, v) and Day(column="date", format=form).month(v) for v in values
        ):
            return form, "/" not in form or form in ("MM/YYYY", "YYYY/MM/DD")
    if not all(_EU.fullmatch(v) for v in values):
        return None
    if "." in values[0]:
        return "eu", True
    first, second = (max(int(v.split("/")[i]) for v in values) for i in (0, 1))
    if first > 12 and second > 12:
        return None
    return ("eu" if first > 12 else "us"), max(first, second) > 12
