"""SQL for columns that hold a list of records (credits, labels): parquet lists of structs, JSON, or Python literals as text.

Whatever the encoding, the result is a list of structs with the fields asked for: texts, and DECIMAL(38,18) for money.
"""

import re
from collections.abc import Iterator

from finops_core.formats.format import SourceColumn

MONEY = "DECIMAL(38,18)"

RECORD_MACROS = r"""
CREATE OR REPLACE MACRO money_json(t, exact, row_number, name) AS
    CASE WHEN exact IS NULL THEN money_text(t, row_number, name)
         ELSE coalesce(money_form(t, row_number, name), exact) END;
CREATE OR REPLACE MACRO literal_as_json(t) AS
    regexp_replace(regexp_replace(regexp_replace(replace(t, '''', '"'),
        '": None\b', '": null', 'g'), '": True\b', '": true', 'g'), '": False\b', '": false', 'g');
CREATE OR REPLACE MACRO array_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) IN ('', '[]', 'null') THEN NULL
         WHEN NOT regexp_matches(t, '^\s*\[\s*[]{]') THEN stop_at('list', row_number, name, t)
         WHEN json_valid(t) THEN t
         WHEN position('"' IN t) = 0 AND position('\' IN t) = 0 AND json_valid(literal_as_json(t))
         THEN literal_as_json(t)
         ELSE coalesce(python_array(t), stop_at('list', row_number, name, t)) END;
CREATE OR REPLACE MACRO no_records(x, row_number, name) AS
    CASE WHEN x IS NULL OR regexp_full_match(CAST(x AS VARCHAR), '\[(NULL(, NULL)*)?\]') THEN NULL
         ELSE stop_at('list', row_number, name, CAST(x AS VARCHAR)) END;
CREATE OR REPLACE MACRO pairs_object(pairs) AS
    CASE WHEN len(pairs) > 0 THEN '{' || array_to_string(list_transform(
        list_filter(pairs, lambda p, i: list_position(list_transform(pairs, lambda q: q.k), p.k) = i),
        lambda p: CAST(to_json(p.k) AS VARCHAR) || ':' || p.v), ',') || '}' END;
"""
"""`array_text` turns a cell into a JSON array. Where a Python literal has no double quote and no backslash, every single
quote delimits a text, so that it can be rewritten in place; anything else goes through Python, slowly.
`pairs_object` makes a JSON object of (k, v as JSON), of which the first of a key counts."""


def records_sql(column: SourceColumn, text: str, fields: tuple[str, ...], row: str) -> str:
    """The list of records in `column`, whose text is `text`; a field named `money:NAME` is read as money.

    NULL where the list is empty or missing. A cell that is no list stops the load with its place.
    """
    names = [field.removeprefix("money:") for field in fields]
    target = ", ".join(
        f"{name} {MONEY if field.startswith('money:') else 'VARCHAR'}"
        for name, field in zip(names, fields, strict=True)
    )
    if column.type.startswith("STRUCT(") and column.type.endswith("[]"):
        source, exact = column.sql, column.exact
        known = dict(_fields_of(column.type))
    elif column.type == "VARCHAR":
        source, exact = _from_text(text, column, fields, row)
        known = dict.fromkeys(names, "VARCHAR")
    else:
        place = f"{row}, '{column.name}'"
        return f"CAST(no_records({column.sql}, {place}) AS STRUCT({target})[])"
    values = []
    for field, name in zip(fields, names, strict=True):
        if name not in known:
            values.append(f"{name} := NULL")
        elif field.startswith("money:"):
            values.append(f"{name} := {_money(column, name, known[name], exact, row)}")
        else:
            values.append(f'{name} := CAST(r."{name}" AS VARCHAR)')
    made = f"list_transform({source}, lambda r, i: struct_pack({', '.join(values)}))"
    return f"CAST(CASE WHEN len({source}) > 0 THEN {made} END AS STRUCT({target})[])"


def _from_text(text: str, column: SourceColumn, fields: tuple[str, ...], row: str) -> tuple[str, str]:
    array = f"array_text({text}, {row}, '{column.name}')"
    shape = ", ".join(f'"{field.removeprefix("money:")}":"VARCHAR"' for field in fields)
    money = ", ".join(f'"{f.removeprefix("money:")}":"{MONEY}"' for f in fields if f.startswith("money:"))
    exact = f"json_transform({array}, '[{{{money}}}]')" if money else ""
    return f"json_transform({array}, '[{{{shape}}}]')", exact


def _money(column: SourceColumn, name: str, kind: str, exact: str, row: str) -> str:
    place = f"{row}, '{column.name}.{name}'"
    value = f'r."{name}"'
    if kind in ("DOUBLE", "FLOAT"):
        return f"money_{kind.lower()}({value}, {place})"
    if kind == "VARCHAR" and exact:
        return f'money_json({value}, list_extract({exact}, i)."{name}", {place})'
    if kind == "VARCHAR":
        return f"money_text({value}, {place})"
    return f"money_exact({value}, {place})"


def _fields_of(kind: str) -> Iterator[tuple[str, str]]:
    """Name and type of each field of a type such as `STRUCT("key" VARCHAR, amount DECIMAL(38,9))[]`."""
    inner = kind.removeprefix("STRUCT(").removesuffix("[]").removesuffix(")")
    for part in re.split(r", (?![^()]*\))", inner):
        found = re.fullmatch(r'(?:"((?:[^"]|"")*)"|(\w+)) (.*)', part, re.DOTALL)
        if found:
            yield found.group(1) or found.group(2), found.group(3)
