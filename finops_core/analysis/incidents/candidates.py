"""What may be a cause: a finding as it is on a day, without what other causes explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from finops_core.analysis.detection import Finding
from finops_core.analysis.incidents import usual
from finops_core.analysis.incidents.course import course
from finops_core.analysis.incidents.cuts import Book, Floats
from finops_core.analysis.incidents.series_names import Series

Mask = NDArray[numpy.bool_]
"""Which cells of a book."""


@dataclass(frozen=True)
class Due:
    """A finding, and how often it was excused."""

    finding: Finding
    times: int = 0


@dataclass(frozen=True)
class Candidate:
    """A finding with what is not explained by causes that are known."""

    due: Due
    start: int
    cells: Mask
    moved: Floats
    """By cell, in the finding's direction; 0 outside `cells`."""
    everywhere: Floats
    """The same, of all cells."""
    usual: Floats

    @property
    def finding(self) -> Finding:
        return self.due.finding

    @property
    def sign(self) -> float:
        return 1.0 if self.finding.direction == "up" else -1.0

    @property
    def relative(self) -> float:
        """What moved, of what is usual in its cells."""
        base = abs(float(self.usual[self.cells].sum()))
        return self.money / base if base else numpy.inf

    @property
    def money(self) -> float:
        """What moved in its direction, in all."""
        return float(self.moved.sum())

    @property
    def rank(self) -> tuple[float, float, str]:
        """Its money, for so much as it is unusual: of narrow and wide cuts of one cause the narrow one weighs more, of
        many narrow ones that move alike the wide one."""
        base = abs(float(self.usual[self.cells].sum()))
        unusual = self.money / (base + self.money) if self.money > 0 else 0.0
        weight = self.money * unusual**2
        return weight, self.finding.score, self.finding.series_id


def candidate_of(book: Book, due: Due, seen: int) -> Candidate | None:
    """A finding as it is on a day. One that was excused before, and is over, is none any more."""
    finding = due.finding
    cells = book.mask(Series.read(finding.series_id))
    start = book.place(finding.start)
    sign = 1.0 if finding.direction == "up" else -1.0
    if due.times:
        costs = book.costs[cells].sum(axis=0)
        first_seen = book.place(finding.first_seen)
        if course(costs, start, first_seen, sign, book.first.weekday()).end(seen) < seen - 1:
            return None
    found = usual.change(book, start, seen)
    moved = sign * found.moved
    return Candidate(due, start, cells, numpy.where(cells, moved, 0.0), moved, found.usual)


def without(candidate: Candidate, explained: Sequence[Mask]) -> Candidate:
    """A candidate without cells that are explained already; itself where it has none of them."""
    if not explained:
        return candidate
    own = numpy.flatnonzero(candidate.cells)
    told = numpy.zeros(len(own), dtype=bool)
    for mask in explained:
        told |= mask[own]
    if not told.any():
        return candidate
    cells = candidate.cells.copy()
    cells[own[told]] = False
    return replace(candidate, cells=cells, moved=numpy.where(cells, candidate.moved, 0.0))
