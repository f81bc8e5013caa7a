"""Writes the YAML of a mapping to start from; what a person must look at is marked CHECK."""

import re
from collections.abc import Sequence

import yaml

from finops_core.formats.custom.guessing import (
    CURRENCY,
    Guess,
    are_currencies,
    date_form,
    guess,
    have_decimal_comma,
    is_plain_number,
)
from finops_core.formats.format import Header

_MATCHED = 8
"""Columns that `match` names, if the file has as many."""


def suggest(header: Header, sample: Sequence[dict[str, str]]) -> str:
    """The YAML of a mapping to start from, guessed from a CSV's header and first rows (column → text)."""
    found = guess(header, sample)
    lines = [
        *_head(found),
        *_cost(found),
        *_currency(found),
        *_dates(found),
        "category: {value: Usage}  # or a column: {column: Type, map: {Subscription: Purchase, VAT: Tax}}",
        *_columns(found),
    ]
    return "\n".join(lines) + "\n"


def _head(found: Guess) -> list[str]:
    others = [n for n in found.names if n not in found.used]
    match = found.used + others[: max(0, _MATCHED - len(found.used))]
    return [
        "# A guess from the file's header and first rows: read each line, then load the file with a dry run.",
        "name: vendor  # CHECK: a short name; the format is then called custom:vendor",
        "provider: Vendor  # CHECK: the vendor's name as reports shall show it",
        "match:  # all of these must be in a file's header: enough of them that no other vendor's files fit",
        *(f"  - {yaml_text(n)}" for n in match),
    ]


def _cost(found: Guess) -> list[str]:
    if found.cost is None:
        return ['cost: ""  # CHECK: no column looks like a cost; name it here']
    values = found.values[found.cost]
    line = f"cost: {yaml_text(found.cost)}  # CHECK: "
    if have_decimal_comma(values):
        return [
            line + "what is billed, before tax if tax has lines of its own",
            'decimal: ","  # CHECK: 1.234,56 is read as one thousand two hundred and thirty-four',
        ]
    odd = next((v for v in values if not is_plain_number(v)), None)
    if odd is not None:
        return [line + f"values such as {yaml_text(odd)} cannot be read: no thousands mark, no currency sign"]
    return [line + "what is billed, before tax if tax has lines of its own"]


def _currency(found: Guess) -> list[str]:
    if found.currency:
        name = yaml_text(found.currency)
        odd = next((v for v in found.values[found.currency] if not are_currencies([v])), None)
        if odd is None:
            return [f"currency: {name}"]
        return [f"currency: {{column: {name}, map: {{{yaml_text(odd)}: USD}}}}  # CHECK: every value's code"]
    named = CURRENCY.search(" ".join([found.cost or "", *found.names]))
    return [
        f"currency: {{value: {named.group() if named else 'USD'}}}  # CHECK: the file has no column for it"
    ]


def _dates(found: Guess) -> list[str]:
    lines = _day(found, "date", found.date)
    if found.end:
        lines += [
            *_day(found, "date_end", found.end),
            "  inclusive: true  # CHECK: whether the last day still belongs to the charge; else leave this out",
        ]
    if found.bill:
        form, _ = date_form(found.values[found.bill]) or ("iso", False)
        lines += [
            "# Only if the bill's month is not the month of `date`:",
            f"# billing_period: {{column: {yaml_text(found.bill)}, format: {yaml_text(form)}}}",
        ]
    return lines


def _day(found: Guess, field: str, column: str | None) -> list[str]:
    if column is None:
        return [f"{field}:", '  column: ""  # CHECK: no column looks like a date; name it here']
    form, sure = date_form(found.values[column]) or ("iso", False)
    note = "  # CHECK: iso, us (M/D/YYYY), eu (D.M.YYYY or D/M/YYYY), or a form such as YYYY-MM"
    return [
        f"{field}:",
        f"  column: {yaml_text(column)}",
        f"  format: {yaml_text(form)}{'' if sure else note}",
    ]


def _columns(found: Guess) -> list[str]:
    lines = []
    if found.columns:
        lines.append("columns:  # FOCUS column: source column")
        lines += [f"  {focus}: {yaml_text(n)}" for focus, n in found.columns.items()]
    if found.tags:
        lines += ["tags:", *(f"  - {yaml_text(n)}" for n in found.tags)]
    if found.rest:
        names = ", ".join(yaml_text(n) for n in found.rest)
        lines.append(f"# Kept with each row, but not mapped: {names}")
    return lines


def yaml_text(text: str) -> str:
    """A text as YAML, quoted where it must be; never more than one line."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _./()-]*", text) and text == text.strip():
        return text
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 30)).strip()
