"""What a rule read of one charge: columns and tags with their values, the row of a directory, the entry of a map.

A value writes its SQL against a scope (`finops_core.allocation.values.Scope`). Here that scope is one charge: it answers with the
charge's own values, and remembers what it was asked for, so that kinds of value that do not exist yet explain themselves too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from finops_core.allocation.rules import Rule
from finops_core.allocation.ruleset import FIRST_DAY, KEY, LAST_DAY, SINCE, UNTIL, RuleSet
from finops_core.allocation.values.inherit import Value as Inherited
from finops_core.focus.charges import TAG_PREFIXES
from finops_core.formats.expressions import identifier, quoted
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, TAG, filterable, tag_key


@dataclass(frozen=True)
class Input:
    """Something that a rule read."""

    name: str
    """A column, `tag:KEY` as the charge has it, `directory NAME` or `map`."""
    value: str | None
    """What stood there; for a directory or a map, what it has for the key."""
    key: str | None = None
    """What was looked for in a directory or a map."""
    row: Mapping[str, str] = field(default_factory=dict)
    """The directory's row that was hit, with its days; empty where there is none, and for other inputs."""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"name": self.name, "value": self.value}
        if self.key is not None:
            found |= {"key": self.key, "row": dict(self.row)}
        return found

    def as_text(self) -> str:
        if self.key is None:
            return f"{self.name} = {_shown(self.value)}"
        told = {self.key, self.value}
        row = "; ".join(f"{name}: {value}" for name, value in self.row.items() if value not in told)
        return f"{self.name} has {_shown(self.value)} for {self.key}{f' ({row})' if row else ''}"


@dataclass
class Answers:
    """What a connection to the store answers; the same question is asked once, as many charges have the same tags."""

    connection: duckdb.DuckDBPyConnection
    known: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def row(self, statement: str) -> tuple[Any, ...]:
        """The only row of a SELECT."""
        if statement not in self.known:
            (self.known[statement],) = self.connection.execute(statement).fetchall()
        return self.known[statement]


def inputs(
    rules: RuleSet, rule: Rule, column: str, charge: Mapping[str, Any], answers: Answers
) -> list[Input]:
    """What a rule read of a charge (columns of the store, the owner columns among them) for an owner column: for its
    condition, then for the value. The answers are of the store that the charge is in."""
    value, when = rule.set[column], rule.when
    asked = dict.fromkeys(name for node in when for name in node.dimensions)
    found = [one for name in asked for one in _of_dimension(name, charge)]
    if isinstance(value, Inherited):  # it looks at other charges, by what this one has in these columns
        found += [one for name in value.inherit for one in _of_dimension(name, charge)]
        found.append(_group(value, column, charge, answers))
    else:
        scope = _OneCharge(rules, charge, answers)
        value.sql(scope)
        found += scope.found
    return list({(one.name, one.key): one for one in found}.values())


def _group(value: Inherited, column: str, charge: Mapping[str, Any], answers: Answers) -> Input:
    """How many charges of the group agree."""
    names = list(dict.fromkeys(("x_Source", "BillingPeriod", *value.inherit)))
    where = " AND ".join(f"{identifier(name)} = {quoted(charge[name])}" for name in names)
    agreed, whole = answers.row(
        f"SELECT count(*) FILTER ({identifier(column)} = {quoted(charge[column])}), count(*) FROM charges WHERE {where}"
    )
    words = f"{agreed:,} of its {whole:,} charges have {charge[column]}"
    return Input(f"the group in {charge['x_Source']}, {charge['BillingPeriod']}", words)


@dataclass
class _OneCharge:
    """A scope of one charge, and what was read of it."""

    rules: RuleSet
    charge: Mapping[str, Any]
    answers: Answers
    found: list[Input] = field(default_factory=list)

    def column(self, name: str) -> str:
        read = _of_dimension(name, self.charge)
        self.found += read
        return _literal(read[0].value)

    def tagged(self, value: Any) -> str:
        pairs = tags(self.charge["Tags"])
        wanted = [prefix + key.strip().lower() for key in value.tag for prefix in TAG_PREFIXES]
        self.found += [
            Input(TAG + key, pairs[key]) for w in wanted for key in pairs if key.strip().lower() == w
        ]
        known: dict[str, str] = {}
        for key, text in pairs.items():
            if text.strip():
                plain = key.strip().lower()
                known[plain] = min(text.strip(), known.get(plain, text.strip()))
        keys, values = (", ".join(map(quoted, texts)) for texts in (known, known.values()))
        sql = value.of_pairs(f"MAP([{keys}]::VARCHAR[], [{values}]::VARCHAR[])")
        return self.looked_up(value.known, KEY, sql) if value.known is not None else str(sql)

    def looked_up(self, directory: str, field: str, key: str) -> str:
        wanted, day = self._text(key), day_of(self.charge)
        rows = self.rules.directories[directory].iter_rows(named=True)
        row: dict[str, Any] = next(
            (row for row in rows if row[KEY] == wanted and row[SINCE] <= day < row[UNTIL]), {}
        )
        value = row.get(field)
        self.found.append(Input(f"directory {directory}", value, wanted or "(none)", _written(row)))
        return _literal(value)

    def mapped(self, mapping: Mapping[str, str], key: str) -> str:
        wanted = self._text(key)
        value = mapping.get(wanted) if wanted is not None else None
        self.found.append(Input("map", value, wanted or "(none)"))
        return _literal(value)

    def _text(self, sql: str) -> str | None:
        found: str | None = self.answers.row(f"SELECT {sql}")[0]
        return found


def tags(text: str | None) -> dict[str, str]:
    """The tags of a charge by key as exported; none where Tags is no JSON object."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {
        str(key): value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, value in pairs
        if value is not None
    }


def day_of(charge: Mapping[str, Any]) -> date:
    """The day (UTC) that a charge is on."""
    found: date = charge["ChargePeriodStart"].date()
    return found


def _of_dimension(name: str, charge: Mapping[str, Any]) -> list[Input]:
    if name.startswith(TAG):
        pairs = tags(charge["Tags"])
        hits = [Input(TAG + key, pairs[key]) for p in TAG_PREFIXES if (key := p + tag_key(name)) in pairs]
        return hits[:1] or [Input(name, None)]
    if name in DAY_DIMENSIONS:
        return [Input("ChargePeriodStart", day_of(charge).isoformat())]
    columns = filterable(name).columns
    values = [(name if len(columns) == 1 else column, charge[column]) for column in columns]
    return [Input(told, None if value is None else str(value)) for told, value in values]


def _written(row: Mapping[str, Any]) -> dict[str, str]:
    """A directory's row with what is filled in, as somebody wrote it."""
    found = {n: v for n, v in row.items() if v is not None and n not in (KEY, SINCE, UNTIL)}
    for name, day, always in (("from", SINCE, FIRST_DAY), ("to", UNTIL, LAST_DAY)):
        if row and row[day] != always:
            found[name] = row[day].isoformat()
    return found


def _literal(value: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if value is None else quoted(value)


def _shown(value: str | None) -> str:
    return "nothing" if value is None else repr(value)
