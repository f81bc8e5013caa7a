"""Findings of many series become causes: one a thing that happened, at the cut that explains it best.

It goes day by day, and what is decided on a day reads no later one: so a cause keeps its key, its cut and its first day,
whatever comes after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

import numpy
from numpy.typing import NDArray

from finops_core.analysis.detection import Finding
from finops_core.analysis.incidents import usual
from finops_core.analysis.incidents.cuts import CUTS, Book, Floats
from finops_core.analysis.incidents.expected import is_discount, is_migration, is_monthly, is_recovery
from finops_core.analysis.incidents.series_names import Series

_EXPLAINS = 0.85
"""A cut explains a cause that has this share of its impact."""
_MOVED = 0.6
"""And whose own sum moved by this share of it: money that only went from one place in it to another moves no sum."""
_NEAR = 0.1
"""Cuts whose usual cost differs by less than this share are as good as one another."""
_OWN = 0.5
"""A finding is of a cause that is known already unless this share of its money lies outside."""
_SAYS = 0.7
"""And it tells how long that cause lasts if this share lies in its cells."""
_PAUSE = 7
"""Days of quiet after which the same cells are the same cause still."""

Mask = NDArray[numpy.bool_]


@dataclass
class Cause:
    """One thing that happened. `findings` are those of its cells, the one that raised it first."""

    series: Series
    start: int
    seen: int
    direction: str
    cells: Mask
    findings: list[Finding] = field(default_factory=list)
    owner: str = ""
    """The team that its cost belongs to."""

    def end(self, book: Book, seen: int) -> int:
        """The last column known on the evening of another."""
        return min(seen, max(book.place(f.end) for f in self.findings))


@dataclass(frozen=True)
class _Candidate:
    """A finding with what is not explained by causes that are known."""

    finding: Finding
    start: int
    cells: Mask
    moved: Floats
    """By cell, in the finding's direction; 0 outside `cells`."""
    everywhere: Floats
    """The same, of all cells."""
    usual: Floats

    @property
    def money(self) -> float:
        """What moved in its direction, in all."""
        return float(self.moved.sum())

    @property
    def rank(self) -> tuple[float, float, str]:
        """Its money, for so much as it is unusual: of narrow and wide cuts of one cause the narrow one weighs more, of
        many narrow ones that move alike the wide one."""
        base = abs(float(self.usual[self.cells].sum()))
        weight = self.money * (self.money / (base + self.money)) ** 2 if self.money > 0 else 0.0
        return weight, self.finding.score, self.finding.series_id


def causes(book: Book, found: Sequence[Finding], least: float) -> list[Cause]:
    """The causes behind findings of a book's series, in the order in which they were seen."""
    known: list[Cause] = []
    ordered = sorted(found, key=lambda f: (f.first_seen, f.start, f.series_id))
    for seen, group in groupby(ordered, key=lambda f: f.first_seen):
        _on_a_day(book, known, list(group), seen, least)
    return known


def _on_a_day(book: Book, known: list[Cause], group: list[Finding], seen: date, least: float) -> None:
    """Adds what is new on a day to the causes that are known."""
    column = book.place(seen)
    waiting = [_candidate(book, finding, column) for finding in group]
    excused: list[Mask] = []
    while waiting:
        own = []
        for candidate in waiting:
            near = [cause for cause in known if _goes_on(book, cause, candidate, column)]
            rest = _without(candidate, [*(cause.cells for cause in near), *excused])
            if rest is candidate or rest.money >= max(_OWN * candidate.money, least):
                own.append((rest, candidate))
            elif near:
                _attach(near, candidate)
        best = max(own, key=lambda pair: pair[0].rank, default=None)
        if best is None or best[0].money <= 0:
            return
        waiting = [candidate for _, candidate in own if candidate is not best[1]]
        cause = _cause(book, best[0], column)
        if _is_expected(book, known, cause, column):
            excused.append(cause.cells)
        else:
            known.append(cause)


def _candidate(book: Book, finding: Finding, seen: int) -> _Candidate:
    cells = book.mask(Series.read(finding.series_id))
    start = book.place(finding.start)
    found = usual.change(book, start, seen)
    sign = 1.0 if finding.direction == "up" else -1.0
    moved = sign * found.moved
    return _Candidate(finding, start, cells, numpy.where(cells, moved, 0.0), moved, found.usual)


def _goes_on(book: Book, cause: Cause, candidate: _Candidate, seen: int) -> bool:
    """Whether a cause goes on, or has just ended, when a candidate of its direction begins."""
    same = cause.direction == candidate.finding.direction
    return same and candidate.start <= cause.end(book, seen) + _PAUSE + 1


def _without(candidate: _Candidate, explained: Sequence[Mask]) -> _Candidate:
    """A candidate without cells that are explained already; itself where it has none of them."""
    if not explained:
        return candidate
    cells = candidate.cells & ~numpy.logical_or.reduce(list(explained))
    if (cells == candidate.cells).all():
        return candidate
    return replace(candidate, cells=cells, moved=numpy.where(cells, candidate.moved, 0.0))


def _attach(near: Sequence[Cause], candidate: _Candidate) -> None:
    """Gives a finding to the cause with most of its money. One of which much lies elsewhere says nothing of its days."""
    inside = [float(candidate.moved[cause.cells].sum()) for cause in near]
    most = int(numpy.argmax(inside))
    if inside[most] >= _SAYS * candidate.money:
        near[most].findings.append(candidate.finding)


def _cause(book: Book, candidate: _Candidate, seen: int) -> Cause:
    series = _explaining(book, candidate) or Series.read(candidate.finding.series_id)
    return Cause(
        series,
        candidate.start,
        seen,
        candidate.finding.direction,
        book.mask(series),
        [candidate.finding],
        _owner(book, series, candidate),
    )


def _owner(book: Book, series: Series, candidate: _Candidate) -> str:
    """The team of the cut; else the one that most of the money is of, where there is one."""
    if "x_Team" in series.dimensions:
        return series.narrowed(("x_Team",)).members[0] or ""
    members, codes = book.codes["x_Team",]
    shares = usual.by_member(codes, candidate.moved, len(members))
    most = int(numpy.argmax(shares))
    return (members[most][0] or "") if shares[most] >= _OWN * candidate.money else ""


def _explaining(book: Book, candidate: _Candidate) -> Series | None:
    """The smallest series that has most of what moved, and moved itself; of equals the more specific one, with a team."""
    moved = candidate.moved
    money = float(moved.sum())
    if money <= 0:
        return None
    choices: list[tuple[float, tuple[str, ...], tuple[str | None, ...]]] = []
    for cut in CUTS:
        members, codes = book.codes[cut]
        shares = usual.by_member(codes, moved, len(members)) / money
        whole = usual.by_member(codes, candidate.everywhere, len(members)) / money
        sizes = usual.by_member(codes, numpy.abs(candidate.usual), len(members))
        kept = (shares >= _EXPLAINS) & (whole >= _MOVED)
        choices += [(float(sizes[n]), cut, members[n]) for n in numpy.flatnonzero(kept)]
    if not choices:
        return None
    smallest = min(size for size, _, _ in choices)
    near = [c for c in choices if c[0] <= smallest * (1 + _NEAR) + _NEAR * money]
    _, cut, members_of = max(near, key=lambda c: (len(c[1]), "x_Team" in c[1] and c[2][0] is not None, -c[0]))
    return Series(book.currency, cut, members_of)


def _is_expected(book: Book, known: Sequence[Cause], cause: Cause, seen: int) -> bool:
    """Whether nothing happened that anybody need know: money that moved house, came back, comes every month, or is saved
    by a commitment."""
    earlier = [
        (other.cells, other.start)
        for other in known
        if other.direction != cause.direction
        and other.start < cause.start
        and cause.start <= other.end(book, seen) + 7 * (usual.WEEKS + 1)
    ]
    return (
        is_recovery(book, cause.cells, cause.start, seen, earlier)
        or is_migration(book, cause.cells, cause.start, seen)
        or is_monthly(book, cause.cells, cause.start, seen)
        or (cause.direction == "down" and is_discount(book, cause.cells, cause.start, seen))
    )
