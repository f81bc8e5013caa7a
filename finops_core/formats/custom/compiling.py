"""Mapping → format: the same table of FOCUS column = expression that a format in a file of its own declares.

Column names are compared by `mapping.spell`. A name may hold brackets or quotes, which `[name]` cannot: expressions read
columns by an escaped alias, and `Format.synonyms` says what it stands for.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from finops_core.errors import InputRefused
from finops_core.focus.charges import MONEY
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.formats.custom import dates
from finops_core.formats.custom.mapping import Cell, Day, Mapping, allowed, spell
from finops_core.formats.expressions import number_of_comma, quoted
from finops_core.formats.format import Format, Header, SourceTotal

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


def mapping_format(mapping: Mapping) -> Format:
    """The format that a mapping describes, `custom:NAME`."""
    read = mapping.source_columns()
    return Format(
        name=f"custom:{mapping.name}",
        title=f"{mapping.provider} (mapping {mapping.name})",
        provider=mapping.provider,
        description=f"CSV of {mapping.provider}, read by the mapping {mapping.name!r}.",
        recognise=_recognise(mapping),
        spell=spell,
        required=read,
        synonyms={_alias(name): (name,) for name in read},
        definitions=_unambiguous(mapping),
        total=lambda header, role: _total(mapping),
        columns=_columns(mapping),
        warn=((f"rows for which {_NO_COST}", f"x_Quality = {quoted(_NO_COST)}"),),
        days_before=93,
        days_after=93,
    )


def _recognise(mapping: Mapping) -> Callable[[Header], str | None]:
    def recognise(header: Header) -> str | None:
        return "mapping" if header.kind == "csv" and not missing_columns(mapping, header) else None

    return recognise


def missing_columns(mapping: Mapping, header: Header) -> list[str]:
    """The columns of `match` that a file lacks: where there are none, the mapping takes it."""
    there = {spell(name) for name in header.names}
    return [name for name in mapping.match if spell(name) not in there]


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


def _total(mapping: Mapping) -> SourceTotal:
    return SourceTotal(
        cost=_alias(mapping.cost),
        effective=_alias(mapping.effective_cost) if mapping.effective_cost else None,
        period=_alias(mapping.bill.column),
        period_of=mapping.bill.month,
        currency=_alias(mapping.currency.column or ""),
        currency_of=mapping.currency.currency,
        amount_of=number_of_comma if mapping.decimal == "," else None,
    )


# --- the table of columns ------------------------------------------------------------------------------------------


def _columns(mapping: Mapping) -> dict[str, str]:
    """FOCUS column → expression."""
    category = _cell(mapping, mapping.category, "ChargeCategory")
    defaults = _defaults(mapping, category)
    return {
        **_costs(mapping),
        **_periods(mapping),
        "BillingCurrency": _currency(mapping.currency),
        "ChargeCategory": category,
        "ProviderName": literal(mapping.provider),
        "x_ChargeType": _read(mapping.category.column) if mapping.category.column else "NULL",
        **defaults,
        **{name: _mapped(mapping, name, category, defaults.get(name)) for name in mapping.columns},
        **({"Tags": _tags(mapping)} if mapping.tags else {}),
    }


def _costs(mapping: Mapping) -> dict[str, str]:
    cost = f"coalesce({_number(mapping, mapping.cost, 'money')}, 0)"
    effective = mapping.effective_cost and f"coalesce({_number(mapping, mapping.effective_cost, 'money')}, 0)"
    return {
        "BilledCost": cost,
        "EffectiveCost": effective or cost,
        "ContractedCost": cost,
        "x_SourceCost": cost,
        "x_Quality": f"CASE WHEN {_read(mapping.cost)} IS NULL THEN {quoted(_NO_COST)} END",
    }


def _periods(mapping: Mapping) -> dict[str, str]:
    start, month = _day(mapping.date), f"date_trunc('month', {_day(mapping.bill)})"
    return {
        "BillingPeriodStart": month,
        "BillingPeriodEnd": f"{month} + INTERVAL 1 MONTH",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": _end(mapping, start),
    }


def _end(mapping: Mapping, start: str) -> str:
    """The exclusive end: as the file states it, else a day, or a month where dates are months."""
    end = mapping.date_end
    after = f"{start} + INTERVAL 1 {mapping.date.unit}"
    if end is None:
        return after
    stated = _day(end) + (f" + INTERVAL 1 {end.unit}" if end.inclusive else "")
    return f"coalesce({stated}, {after})"


def _defaults(mapping: Mapping, category: str) -> dict[str, str]:
    """What a column is where the mapping, or the file's cell, leaves it open."""
    parties = (
        "BillingAccountId",
        "InvoiceIssuerName",
        "PublisherName",
        "HostProviderName",
        "ServiceProviderName",
        "ServiceName",
    )
    return {
        **dict.fromkeys(parties, literal(mapping.provider)),
        "ServiceCategory": "'Other'",
        "ChargeFrequency": f"CASE {category} WHEN 'Usage' THEN 'Usage-Based' WHEN 'Purchase' THEN 'Recurring'"
        " ELSE 'One-Time' END",
    }


def _mapped(mapping: Mapping, name: str, category: str, default: str | None) -> str:
    found = _cell(mapping, mapping.columns[name], name)
    if name in _NOT_FOR_TAX:
        found = f"CASE WHEN {category} <> 'Tax' THEN {found} END"
    if name in _ONLY_USAGE:
        found = f"CASE WHEN {category} = 'Usage' THEN {found} END"
    return f"coalesce({found}, {default})" if default else found


def _tags(mapping: Mapping) -> str:
    """One JSON object of the tag columns that are not empty."""
    pairs = [
        f"{literal(json.dumps(key, ensure_ascii=False) + ':')} || CAST(to_json({_read(column)}) AS VARCHAR)"
        for key, column in mapping.tags.items()
    ]
    return f"nullif('{{' || concat_ws(',', {', '.join(pairs)}) || '}}', '{{}}')"


# --- one value -----------------------------------------------------------------------------------------------------


def literal(text: str) -> str:
    """SQL text that no part of the expression language is found in."""
    parts = [f"chr({ord(p)})" if p in "$[]()" else quoted(p) for p in re.split(r"([$\[\]()])", text) if p]
    return f"({' || '.join(parts)})" if parts else "''"


def _alias(column: str) -> str:
    """A name of the column that an expression can hold."""
    return f"mapped:{quote(spell(column), safe=' ')}"


def _read(column: str) -> str:
    return f"nullif(trim([{_alias(column)}]), '')"


def _place(column: str) -> str:
    return f"x_Row, {literal(column)}"


def _number(mapping: Mapping, column: str, reader: Literal["money", "quantity"]) -> str:
    if mapping.decimal == ".":
        return f"{reader}([{_alias(column)}])"
    return f"{reader}_text(comma_text([{_alias(column)}], {_place(column)}), {_place(column)})"


def _day(day: Day) -> str:
    read = f"[{_alias(day.column)}]"
    if day.format in dates.NAMED:
        return {
            "iso": f"instant({read})",
            "us": f"us_date({read})",
            "eu": f"eu_date_text({read}, {_place(day.column)})",
        }[day.format]
    form = dates.pattern(day.format)
    return f"pattern_date_text({read}, {literal(form.strptime)}, {literal(form.shape)}, {_place(day.column)})"


def _cell(mapping: Mapping, cell: Cell, focus: str) -> str:
    """The value of a FOCUS column, of its type, as the mapping's cell says."""
    is_number = FOCUS_COLUMNS[focus].type == "Decimal"
    if cell.column is None:
        constant = cell.value or ""
        return f"CAST({quoted(constant)} AS {MONEY})" if is_number else literal(constant)
    if is_number and not cell.map:
        read = _number(mapping, cell.column, "quantity" if focus.endswith("Quantity") else "money")
        return f"coalesce({read}, CAST({quoted(cell.default)} AS {MONEY}))" if cell.default else read
    # A closed list maps its own values to themselves, so that `usage` is read as Usage.
    values = {spell(v): v for v in allowed(focus)} | {spell(key): v for key, v in cell.map.items()}
    unknown = f"stop_at('unmapped', {_place(cell.column)}, {_read(cell.column)})"
    return _translated(cell.column, cell, values, unknown)


def _currency(cell: Cell) -> str:
    if cell.column is None:
        return literal(cell.currency(""))
    return f"upper({_translated(cell.column, cell, cell.map, _read(cell.column))})"


def _translated(column: str, cell: Cell, values: dict[str, str], unknown: str) -> str:
    """The column's value by a table of values; `unknown` is what another value becomes."""
    read = _read(column)
    empty = literal(cell.default) if cell.default else "NULL"
    if not values:
        return f"coalesce({read}, {empty})"
    cases = " ".join(f"WHEN {literal(spell(key))} THEN {literal(value)}" for key, value in values.items())
    rest = literal(cell.default) if cell.default and cell.map else unknown
    return f"CASE WHEN {read} IS NULL THEN {empty} ELSE CASE lower({read}) {cases} ELSE {rest} END END"
