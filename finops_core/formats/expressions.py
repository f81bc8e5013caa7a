"""Turns a format's expressions into SQL for one file: which column is where, of which type, read with its place."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources

from finops_core.formats.format import Format, Header, SourceColumn
from finops_core.formats.records import MONEY, RECORD_MACROS, records_sql

_NUMBER = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)? ?(Z|UTC|[-+][0-9]{2}(:?[0-9]{2})?)?)?"
_US = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
_EU = r"[0-9]{1,2}(\.[0-9]{1,2}\.|/[0-9]{1,2}/)[0-9]{4}"
_BLANKS = " \u00a0\u202f"
_COMMA_WHOLE = rf"[0-9]+|[1-9][0-9]{{0,2}}(\.[0-9]{{3}})+|[1-9][0-9]{{0,2}}([{_BLANKS}][0-9]{{3}})+"
_COMMA = rf"[-+]?(({_COMMA_WHOLE})(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]+)?"
"""A number as `1.234,56`: thousands may be marked, but then all of them, and `0.123` is none."""
_OFFSET = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})[^ +-]* ?([-+])([0-9]{2}):?([0-9]{2})?"
)

_EXACT = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(.*\)")
"""DuckDB's types of exact numbers: a cost of another type, such as a date or true, is none."""

PLACE_MARK = "\x1f"
"""Separates the fields of an error that SQL raises: mark, kind, row, column, value (`ingest.stage` reads it)."""

UNREAD_TAGS = "x_Unread"
"""The key under which tags are kept that are written in no known way."""

MACROS = f"""
CREATE OR REPLACE MACRO stop_at(kind, row_number, name, found) AS
    error(concat_ws(chr(31), 'farthing', kind, row_number, name, left(found, 80)));
CREATE OR REPLACE MACRO money_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_NUMBER}')
         THEN coalesce(TRY_CAST(trim(t) AS {MONEY}), stop_at('range', row_number, name, t))
         ELSE stop_at('number', row_number, name, t) END;
CREATE OR REPLACE MACRO money_form(t, row_number, name) AS
    CASE WHEN t IS NULL OR regexp_full_match(trim(t), '{_NUMBER}') THEN NULL
         ELSE stop_at('number', row_number, name, t) END;
CREATE OR REPLACE MACRO money_double(d, row_number, name) AS
    CASE WHEN d IS NULL THEN NULL
         WHEN isfinite(d) THEN coalesce(TRY_CAST(CAST(d AS VARCHAR) AS {MONEY}), stop_at('range', row_number, name, CAST(d AS VARCHAR)))
         ELSE stop_at('number', row_number, name, CAST(d AS VARCHAR)) END;
CREATE OR REPLACE MACRO float_text(d) AS
    CASE WHEN NOT isfinite(d) THEN CAST(d AS VARCHAR)
         WHEN CAST(printf('%.6g', d) AS FLOAT) = d THEN printf('%.6g', d)
         WHEN CAST(printf('%.7g', d) AS FLOAT) = d THEN printf('%.7g', d)
         WHEN CAST(printf('%.8g', d) AS FLOAT) = d THEN printf('%.8g', d) ELSE printf('%.9g', d) END;
CREATE OR REPLACE MACRO money_float(d, row_number, name) AS money_text(float_text(d), row_number, name);
CREATE OR REPLACE MACRO money_exact(x, row_number, name) AS
    CASE WHEN x IS NULL THEN NULL
         ELSE coalesce(TRY_CAST(x AS {MONEY}), stop_at('range', row_number, name, CAST(x AS VARCHAR))) END;
CREATE OR REPLACE MACRO has_lost_digits(t) AS
    (length(t) > 19 OR contains(t, 'e') OR contains(t, 'E')) AND regexp_full_match(trim(t), '{_NUMBER}')
    AND length(regexp_extract(t, '[.]([0-9]*?)0*([eE]| *$)', 1))
        - coalesce(TRY_CAST(nullif(regexp_extract(t, '[eE]([-+]?[0-9]+)', 1), '') AS BIGINT), 0) > 18
    AND regexp_matches(regexp_extract(t, '^[^eE]*'), '[1-9]');
CREATE OR REPLACE MACRO price_text(t) AS
    CASE WHEN regexp_full_match(trim(t), '{_NUMBER}') THEN TRY_CAST(trim(t) AS {MONEY}) END;
CREATE OR REPLACE MACRO computed_money(d) AS
    CASE WHEN isfinite(d) THEN TRY_CAST(CAST(round(d, 12) AS VARCHAR) AS {MONEY}) END;
CREATE OR REPLACE MACRO quantity_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_NUMBER}') THEN coalesce(TRY_CAST(trim(t) AS DOUBLE), stop_at('range', row_number, name, t))
         ELSE stop_at('number', row_number, name, t) END;
CREATE OR REPLACE MACRO instant_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_ISO}')
         THEN coalesce(TRY_CAST(regexp_replace(trim(t), '([T ][0-9][0-9]:[0-9][0-9])(Z|UTC|[-+]|$)', '\\1:00\\2') AS TIMESTAMPTZ) AT TIME ZONE 'UTC',
                       stop_at('date', row_number, name, t))
         ELSE stop_at('date', row_number, name, t) END;
CREATE OR REPLACE MACRO us_date_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_US}')
         THEN coalesce(TRY_STRPTIME(trim(t), '%-m/%-d/%Y'), stop_at('date', row_number, name, t))
         ELSE instant_text(t, row_number, name) END;
CREATE OR REPLACE MACRO eu_date_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_EU}')
         THEN coalesce(TRY_STRPTIME(replace(trim(t), '/', '.'), '%-d.%-m.%Y'), stop_at('date', row_number, name, t))
         ELSE instant_text(t, row_number, name) END;
CREATE OR REPLACE MACRO pattern_date_text(t, pattern, shape, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), shape)
         THEN coalesce(TRY_STRPTIME(trim(t), pattern), stop_at('pattern', row_number, name, t))
         ELSE stop_at('pattern', row_number, name, t) END;
CREATE OR REPLACE MACRO unread_tags(t) AS '{{"{UNREAD_TAGS}":' || to_json(t) || '}}';
CREATE OR REPLACE MACRO tag_pairs(t) AS
    list_transform(CAST(json_extract(t, '$[*]') AS VARCHAR[]), lambda tag:
        to_json(coalesce(tag ->> '$.key', tag ->> '$.Key', tag ->> '$.name', tag ->> '$.Name')) || ':'
        || coalesce(CAST(coalesce(tag -> '$.value', tag -> '$.Value') AS VARCHAR), 'null'));
CREATE OR REPLACE MACRO tags_array(t) AS
    CASE WHEN list_count(tag_pairs(t)) = len(tag_pairs(t)) THEN '{{' || array_to_string(tag_pairs(t), ',') || '}}' END;
CREATE OR REPLACE MACRO tags_text(t) AS
    CASE WHEN t IS NULL OR trim(t) IN ('', '{{}}', '[]', 'null') THEN NULL
         WHEN json_valid(t) THEN CASE json_type(t) WHEN 'OBJECT' THEN t
              WHEN 'ARRAY' THEN coalesce(tags_array(t), unread_tags(t)) ELSE unread_tags(t) END
         WHEN json_valid('{{' || t || '}}') THEN '{{' || t || '}}'
         ELSE unread_tags(t) END;
CREATE OR REPLACE MACRO comma_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '{_COMMA}')
         THEN replace(regexp_replace(trim(t), '[.{_BLANKS}]', '', 'g'), ',', '.')
         ELSE stop_at('comma', row_number, name, t) END;
CREATE OR REPLACE MACRO month_text(t, row_number, name) AS
    CASE WHEN t IS NULL OR trim(t) = '' THEN NULL
         WHEN regexp_full_match(trim(t), '[0-9]{{4}}-?(0[1-9]|1[0-2])([.]0)?')
         THEN strptime(left(replace(trim(t), '-', ''), 6), '%Y%m')
         ELSE stop_at('month', row_number, name, t) END;
{RECORD_MACROS}"""


def quoted(text: str) -> str:
    """SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def utc_month(text: str) -> str:
    """YYYY-MM in UTC of what `instant_text` reads; for the independent total, which must not ask DuckDB."""
    text = text.strip()
    found = _OFFSET.fullmatch(text)
    if found is None:
        return text[:7]
    day, minute, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
    try:
        local = datetime.fromisoformat(f"{day}T{minute}")
        return (local - ahead if sign == "+" else local + ahead).isoformat()[:7]
    except (ValueError, OverflowError):
        return text[:7]


def number_of_comma(text: str) -> str:
    """What `comma_text` makes of a number, without DuckDB: for the independent total."""
    text = text.strip()
    found = re.fullmatch(_COMMA, text)
    return re.sub(f"[.{_BLANKS}]", "", text).replace(",", ".") if found else "unreadable"


@cache
def mapping_rows(table: str) -> tuple[dict[str, str], ...]:
    """The rows of formats/mappings/TABLE.csv."""
    text = resources.files("finops_core.formats").joinpath("mappings", f"{table}.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


READ = re.compile(
    r"\b(money|price|quantity|instant|us_date|month|json|tags|object)\(\[([^\[\]]+)\]\)|\[([A-Za-z_x][^\[\]']*)\]"
    r"|\brecords\(\[([^\[\]]+)\]((?:, [\w:]+)+)\)"
)
DEFINITION = re.compile(r"\$([a-z][a-z_]*)\b")
_LOOKUP = re.compile(r"\blookup\((\w+), ")


@dataclass
class Compiler:
    """Compiles expressions of one format against one file's header. `used` collects the source columns read."""

    format: Format
    header: Header
    role: str = ""
    row: str = "x_Row"
    used: set[str] = field(default_factory=set)
    money: set[SourceColumn] = field(default_factory=set)
    """Source columns read as costs or prices."""
    tables: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_name: dict[str, SourceColumn] = {}
        self._twins: dict[SourceColumn, SourceColumn] = {}
        for column in self.header.columns:
            first = self._by_name.setdefault(self.format.spell(column.name), column)
            if first is not column:
                self._twins[first] = column
        self._definitions = dict(self.format.definitions(self.header))
        self._ready: set[str] = set()

    def find(self, name: str) -> SourceColumn | None:
        """The file's column for a canonical name or one of its synonyms."""
        for candidate in (name, *self.format.synonyms.get(name, ())):
            found = self._by_name.get(self.format.spell(candidate))
            if found is not None:
                return found
        return None

    def twin(self, column: SourceColumn) -> SourceColumn | None:
        """Another column of the file whose name is spelled like this one's: which of the two counts cannot be known."""
        return self._twins.get(column)

    def sql(self, expression: str) -> str:
        """The expression as SQL over the raw relation."""
        for _ in range(8):
            expanded = DEFINITION.sub(self._define, expression)
            if expanded == expression:
                break
            expression = expanded
        expression = expression.replace("\0", "$")
        # In one pass: a name that is read may itself hold brackets.
        return self._lookups(READ.sub(self._read_match, expression))

    def prepared(self, relation: str) -> str:
        """The raw relation with the definitions of `Format.once` as columns; later expressions read those."""
        for name in self.format.once:
            relation = f"(SELECT *, {self.sql(f'${name}')} AS {identifier(f'${name}')} FROM {relation})"
            self._ready.add(name)
        return relation

    def extra(self) -> str:
        """All columns that no expression has read, as one JSON object without nulls."""
        kept = {self.format.spell(name) for name in self.format.keep}
        rest = [
            c for c in self.header.columns if c.name not in self.used or self.format.spell(c.name) in kept
        ]
        return self._object((c.name, c) for c in rest)

    def _define(self, match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "role":
            return quoted(self.role)
        if name in self._ready:
            return identifier(f"${name}").replace("$", "\0")
        return f"({self._definitions[name]})"

    def _read_match(self, match: re.Match[str]) -> str:
        reader, name, bare, listed, fields = match.groups()
        if listed is None:
            return self._read(reader or "text", name or bare)
        return self._records(listed, tuple(fields.removeprefix(", ").split(", ")))

    def _records(self, name: str, fields: tuple[str, ...]) -> str:
        column = self.find(name)
        if column is None:
            return records_sql(SourceColumn(name, "NULL", "NULL"), "NULL", fields, self.row)
        self.used.add(column.name)
        text = self._text(column) if column.type == "VARCHAR" else ""
        return records_sql(column, text, fields, self.row)

    def _read(self, reader: str, name: str) -> str:
        if reader == "object":
            return self._prefixed(name.removesuffix("*"))
        column = self.find(name)
        if column is None and reader in ("json", "tags"):
            column = self._whole(name)
        if column is None:
            return {
                "text": "CAST(NULL AS VARCHAR)",
                "json": "CAST(NULL AS VARCHAR)",
                "tags": "CAST(NULL AS VARCHAR)",
                "quantity": "CAST(NULL AS DOUBLE)",
            }.get(
                reader,
                "CAST(NULL AS TIMESTAMP)"
                if reader in ("instant", "us_date", "month")
                else f"CAST(NULL AS {MONEY})",
            )
        self.used.add(column.name)
        if reader in ("money", "price"):
            self.money.add(column)
        return getattr(self, f"_{reader}")(column)  # type: ignore[no-any-return]

    def _text(self, column: SourceColumn) -> str:
        if column.type in ("VARCHAR", "JSON"):
            # Only text files spell null in words; parquet has nulls of its own.
            if not self.format.nulls or self.header.kind == "parquet":
                return f"nullif({column.sql}, '')"
            spellings = ", ".join(
                quoted(s) for n in self.format.nulls for s in (n, n.lower(), n.capitalize())
            )
            return f"CASE WHEN {column.sql} NOT IN ('', {spellings}) THEN {column.sql} END"
        if _nested(column.type):
            return self._json(column)
        return f"CAST({column.sql} AS VARCHAR)"

    def _place(self, column: SourceColumn) -> str:
        return f"{self.row}, {quoted(column.name)}"

    def _money(self, column: SourceColumn) -> str:
        if column.exact:
            return f"money_json({self._text(column)}, {column.exact}, {self._place(column)})"
        if column.type in ("VARCHAR", "JSON"):
            return f"money_text({self._text(column)}, {self._place(column)})"
        if column.type == "FLOAT":  # DuckDB's own text of one is not always the shortest
            return f"money_float({column.sql}, {self._place(column)})"
        if column.type == "DOUBLE":
            return f"money_double({column.sql}, {self._place(column)})"
        if not _EXACT.fullmatch(column.type):
            return f"money_text(CAST({column.sql} AS VARCHAR) || ' ({column.type})', {self._place(column)})"
        return f"money_exact({column.sql}, {self._place(column)})"

    def _price(self, column: SourceColumn) -> str:
        price = f"price_text({self._text(column)})"
        return f"coalesce({column.exact}, {price})" if column.exact else price

    def _quantity(self, column: SourceColumn) -> str:
        if column.type in ("VARCHAR", "JSON"):
            return f"quantity_text({self._text(column)}, {self._place(column)})"
        return f"CAST({column.sql} AS DOUBLE)"

    def _instant(self, column: SourceColumn) -> str:
        if column.type == "TIMESTAMP WITH TIME ZONE":
            return f"({column.sql} AT TIME ZONE 'UTC')"
        if column.type.startswith(("TIMESTAMP", "DATE")):
            return f"CAST({column.sql} AS TIMESTAMP)"
        return f"instant_text({self._text(column)}, {self._place(column)})"

    def _month(self, column: SourceColumn) -> str:
        return f"month_text({self._text(column)}, {self._place(column)})"

    def _us_date(self, column: SourceColumn) -> str:
        if column.type.startswith(("TIMESTAMP", "DATE")):
            return self._instant(column)
        return f"us_date_text({self._text(column)}, {self._place(column)})"

    def _json(self, column: SourceColumn) -> str:
        if column.type in ("VARCHAR", "JSON"):
            return self._text(column) if column.type == "VARCHAR" else column.sql
        return f"CAST(to_json({column.sql}) AS VARCHAR)"

    def _tags(self, column: SourceColumn) -> str:
        return f"tags_text({self._json(column)})"

    def _whole(self, name: str) -> SourceColumn | None:
        """A nested value that the header lists by its members (`Tags.team`), put together again."""
        prefix = f"{name}.".lower()
        members = [c for c in self.header.columns if c.name.lower().startswith(prefix)]
        if not members:
            return None
        self.used.update(c.name for c in members)
        return SourceColumn(name, "JSON", self._object((c.name[len(prefix) :], c) for c in members))

    def _prefixed(self, prefix: str) -> str:
        members = [c for c in self.header.columns if c.name.lower().startswith(prefix.lower())]
        self.used.update(c.name for c in members)
        return self._object((c.name[len(prefix) :], c) for c in members)

    def _object(self, members: Iterator[tuple[str, SourceColumn]]) -> str:
        pairs = [
            f"{quoted(_json_key(key))} || CAST(to_json({self._text(c) if c.type == 'VARCHAR' else c.sql}) AS VARCHAR)"
            for key, c in members
        ]
        if not pairs:
            return "CAST(NULL AS VARCHAR)"
        return f"nullif('{{' || concat_ws(',', {', '.join(pairs)}) || '}}', '{{}}')"

    def _lookups(self, expression: str) -> str:
        while match := _LOOKUP.search(expression):
            end = _closing(expression, match.end())
            key, column = expression[match.end() : end].rsplit(", ", 1)
            self.tables.add(match.group(1))
            found = f"getvariable({quoted(f'{match.group(1)}_{column}')})[lower({key})]"
            expression = expression[: match.start()] + found + expression[end + 1 :]
        return expression


def _json_key(key: str) -> str:
    import json

    return json.dumps(key, ensure_ascii=False) + ":"


def _nested(type_name: str) -> bool:
    return type_name.startswith(("MAP", "STRUCT")) or type_name.endswith("[]")


def _closing(text: str, start: int) -> int:
    depth = 1
    in_string = False
    for position in range(start, len(text)):
        character = text[position]
        if character == "'":
            in_string = not in_string
        elif not in_string:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                return position
    raise ValueError(f"unclosed call in {text!r}")
