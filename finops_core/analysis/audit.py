"""How right allocation is: a cost-weighted random sample of charges to be confirmed by hand, and the accuracy that it tells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars

from finops_core.allocation.owners import UNALLOCATED
from finops_core.allocation.spreadsheets import rows_of
from finops_core.errors import InputRefused, Place, UsageError
from finops_core.focus.charges import OWNER_COLUMNS
from finops_core.formats.expressions import identifier
from finops_core.model import engine
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query, conditions
from finops_core.store import audit
from finops_core.store.state import State

TARGET = Fraction(98, 100)
"""The accuracy that allocation must exceed."""
CURRENCY, COST, KIND = "BillingCurrency", "EffectiveCost", "x_AllocationKind"
CORRECT, COMMENT = "correct", "comment"
COLUMNS = (
    *(CURRENCY, COST, "Day", "SubAccountId", "SubAccountName", "ServiceName", "ResourceId"),
    *(*OWNER_COLUMNS, KIND, "x_AllocationRule", "x_Source", "x_File", "x_Row", CORRECT, COMMENT),
)
"""The columns of a sample; the last two are empty, to be filled in."""
ACTION = "allocation audited"
_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def sample(ledger: Ledger, query: Query, size: int, seed: int) -> polars.DataFrame:
    """A random sample of a query's allocated charges: COLUMNS, costliest first, no charge twice, at most `size` of them.

    Charges are drawn one after the other, each with the chance of its |EffectiveCost| among those that are left of its
    currency (Efraimidis and Spirakis), so that the part of the sample that is right estimates the part of the money that
    is. Currencies share the size by the number of their charges, at least one each. The same seed draws the same charges
    of the same store. Charges that nobody owns are not drawn: they claim nothing, and the unallocated share counts them.
    """
    if size < 1:
        raise UsageError(f"a sample has at least one charge, not {size}")
    places = _places(query)
    identity = ", ".join(("x_Source", "x_File", "x_Row", "x_Derived", COST, str(int(seed))))
    # -ln(u) / weight, u uniform in (0, 1]: the smallest are drawn.
    key = f"-ln((hash({identity}) + 1::DOUBLE) / 18446744073709551616) / abs({COST})::DOUBLE"
    with ledger.connection() as connection:
        connection.execute("CREATE OR REPLACE TEMP VIEW placed AS SELECT *, rowid AS x_Place FROM charges")
        counts = connection.execute(f"SELECT {CURRENCY}, count(*) FROM ({places}) GROUP BY 1").fetchall()
        connection.execute("CREATE OR REPLACE TEMP TABLE drawn (x_Place BIGINT)")
        for currency, number in sizes(dict(counts), size).items():
            connection.execute(
                f"INSERT INTO drawn SELECT x_Place FROM ({places}) WHERE {CURRENCY} IS NOT DISTINCT FROM $1"
                f" ORDER BY {key}, x_Place LIMIT $2",
                [currency, number],
            )
        shown = {"Day": "ChargePeriodStart::DATE", CORRECT: "NULL::VARCHAR", COMMENT: "NULL::VARCHAR"}
        columns = ", ".join(f"{shown.get(name, name)} AS {identifier(name)}" for name in COLUMNS)
        found = connection.sql(
            f"SELECT {columns} FROM placed WHERE x_Place IN (SELECT x_Place FROM drawn)"
            f" ORDER BY {CURRENCY}, abs({COST}) DESC, x_Source, x_File, x_Row, x_Place"
        ).to_arrow_table()
        return polars.DataFrame(polars.from_arrow(found))


def _places(query: Query) -> str:
    """SQL of the charges that may be drawn."""
    import ibis

    where = (*conditions(query.where), Condition(KIND, "!=", (UNALLOCATED,)), Condition(COST, "!=", ("0",)))
    table = ibis.table({**engine.charges().schema(), "x_Place": "int64"}, name="placed")
    rows = engine.filtered(table, query.but(where=where))
    names = (CURRENCY, COST, "x_Source", "x_File", "x_Row", "x_Derived", "x_Place")
    rows = rows.filter(rows[COST].notnull())
    return str(ibis.to_sql(rows.select(*names), dialect="duckdb"))


def sizes(charges: Mapping[Any, int], size: int) -> dict[Any, int]:
    """How many charges are drawn of each currency: in proportion to their numbers (largest remainder), one at least, none
    more often than it is there. Where there are more currencies than charges to draw, those of most charges get one."""
    order = sorted(charges, key=lambda name: (-charges[name], str(name)))[:size]
    total = sum(charges[name] for name in order)
    size = min(size, total)
    found = {name: max(1, size * charges[name] // total) for name in order}
    by_rest = sorted(order, key=lambda name: -(size * charges[name] % total))
    while sum(found.values()) < size:
        for name in by_rest:
            if sum(found.values()) < size and found[name] < charges[name]:
                found[name] += 1
    while sum(found.values()) > size:
        found[max(order, key=lambda name: found[name])] -= 1
    return {name: found[name] for name in sorted(found, key=str)}


@dataclass(frozen=True)
class Accuracy:
    """What a confirmed sample says."""

    confirmed: int
    """Charges that were answered with yes or no."""
    correct: int
    unanswered: int

    @property
    def accuracy(self) -> Fraction | None:
        """The part of the confirmed charges that is right; None where none is confirmed."""
        return Fraction(self.correct, self.confirmed) if self.confirmed else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the accuracy."""
        return wilson(self.correct, self.confirmed)

    @property
    def meets_target(self) -> bool:
        """Whether the accuracy is more than 98 %."""
        return self.accuracy is not None and self.accuracy > TARGET

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "confirmed": self.confirmed,
            "correct": self.correct,
            "unanswered": self.unanswered,
            "accuracy": None if self.accuracy is None else f"{float(self.accuracy):.6f}",
            "wilson_95_low": f"{low:.6f}",
            "wilson_95_high": f"{high:.6f}",
            "target": f"{float(TARGET):.2f}",
            "meets_target": self.meets_target,
        }

    def as_text(self) -> str:
        if self.accuracy is None:
            return "No charge is confirmed yet: fill in yes or no in the column `correct`"
        low, high = self.interval
        verdict = "more than" if self.meets_target else "not more than"
        rest = f"; {self.unanswered} not answered" if self.unanswered else ""
        return (
            f"{self.correct} of {self.confirmed} right: {percent(self.accuracy)}, with 95 % certainty between"
            f" {percent(low)} and {percent(high)}; {verdict} the target of {float(TARGET) * 100:.0f} %{rest}"
        )


def percent(share: float | Fraction) -> str:
    """A share in percent, to one decimal, which tells 98 % from more than that."""
    return f"{float(share) * 100:.1f} %"


def wilson(correct: int, confirmed: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion, p = correct / n, n = confirmed, z = 1.96 (the 97.5 % quantile):

        (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n)

    It lies within 0 and 1, holds p, and is all of both where nothing is confirmed.
    """
    if not confirmed:
        return 0.0, 1.0
    p, share = correct / confirmed, _Z * _Z / confirmed
    middle = (p + share / 2) / (1 + share)
    half = _Z * math.sqrt(p * (1 - p) / confirmed + share / (4 * confirmed)) / (1 + share)
    return (
        0.0 if correct == 0 else max(0.0, middle - half),
        1.0 if correct == confirmed else min(1.0, middle + half),
    )


def accuracy_of(file: Path) -> Accuracy:
    """What a confirmed sample in a file says, as `accuracy_in` reads it. Raises InputRefused."""
    try:
        return accuracy_in(file.read_bytes(), file.name)
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error


def accuracy_in(data: bytes, name: str) -> Accuracy:
    """Reads a sample back, CSV or XLSX, with its column `correct` filled in: yes, no, or empty.

    Raises InputRefused with row and column for any other answer, and for data that is no table with such a column.
    """
    (_, names), *rows = rows_of(data, name)
    header = [name.strip() for name in names]
    if CORRECT not in header:
        raise InputRefused(
            f"there is no column {CORRECT!r}", Place(name, row=1), "Fill in a sample as it was drawn"
        )
    place = header.index(CORRECT)
    answers: list[str] = []
    for number, cells in rows:
        answer = cells[place].strip().lower() if place < len(cells) else ""
        if answer not in ("yes", "no", ""):
            raise InputRefused(
                f"{cells[place]!r} is neither yes nor no",
                Place(name, number, CORRECT),
                "Leave it empty if unknown",
            )
        answers.append(answer)
    return Accuracy(len(answers) - answers.count(""), answers.count("yes"), answers.count(""))


def record(state: State, found: Accuracy, who: str, file: str = "") -> audit.Entry:
    """Keeps an accuracy in the audit log. Raises UsageError where nothing is confirmed, and without who."""
    if not found.confirmed:
        raise UsageError(found.as_text())
    details = {**found.as_json(), "file": file}
    return audit.append(state, ACTION, "allocation", who, found.as_text(), details)


def recorded(state: State) -> list[audit.Entry]:
    """The audits that were recorded, the newest first."""
    return audit.entries(state, action=ACTION)
