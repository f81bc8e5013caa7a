"""Findings of many series become causes: one a thing that happened, at the cut that explains it best.

It goes day by day, and what is decided on a day reads no later one: so a cause keeps its key, its cut and its first day,
whatever comes after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy

from finops_core.analysis.detection import Finding
from finops_core.analysis.incidents import usual
from finops_core.analysis.incidents.candidates import Candidate, Due, Mask, candidate_of, without
from finops_core.analysis.incidents.course import Course, began, course
from finops_core.analysis.incidents.cuts import CUTS, Book
from finops_core.analysis.incidents.expected import is_migration, is_monthly, is_rate, is_recovery
from finops_core.analysis.incidents.series_names import Series

_EXPLAINS = 0.85
"""A cut explains a cause that has this share of its impact."""
_MOVED = 0.6
"""And whose own sum moved by this share of it: money that only went from one place in it to another moves no sum."""
_DRIFTS = 0.15
"""What moved by less than this share of how far the rest did, of what is usual, only drifts: seasons and growth."""
_NEAR = 0.1
"""Cuts whose usual cost differs by less than this share are as good as one another."""
_OWN = 0.5
"""A finding is of a cause that is known already unless this share of its money lies outside."""
_SAYS = 0.7
"""And it tells how long that cause lasts if this share lies in its cells."""
_SETTLES = 7
"""Days for which a new cause may still be found to be narrower than it looked."""
_AGAIN = (3, 7, 14, 28)
"""What is excused is looked at again after so many days, if it goes on."""
_PAUSE = 7
"""Days of quiet after which the same cells are the same cause still."""
_MANY, _ALIKE = 3, 2.0
"""So many causes on one day, whose relative changes are within this factor of their median (and no more than as much again
as usual), are one."""


@dataclass
class Cause:
    """One thing that happened. `findings` are those of its cells, the one that raised it first."""

    first: Series
    """That at which it was first reported: its key is made of it."""
    series: Series
    """That which explains it best."""
    seen: int
    """The column of the day on which it was first seen."""
    direction: str
    cells: Mask
    course: Course
    relative: float
    """What moved when it was first seen, of what is usual."""
    findings: list[Finding] = field(default_factory=list)
    owner: str = ""
    """The team that its cost belongs to."""
    rate: bool = False
    """Whether it is what is paid for use that changed, not the use."""
    broad: bool = False
    """Whether it is many cells that moved alike: one that moved otherwise is then another cause."""
    without: tuple[Series, ...] = ()
    """Where other causes went on already: that is not part of it."""

    @property
    def start(self) -> int:
        return self.course.start

    def end(self, seen: int) -> int:
        """The last column known on the evening of another."""
        return self.course.end(seen)


@dataclass
class _Waiting:
    """A candidate of a day, the causes that it may be of, and what of it they leave."""

    candidate: Candidate
    near: list[Cause]
    rest: Candidate = field(init=False)

    def __post_init__(self) -> None:
        self.rest = without(self.candidate, [cause.cells for cause in self.near])

    def says_something(self, least: float) -> bool:
        """Whether nothing explains any of it, or what is left is money."""
        return self.rest is self.candidate or self.rest.money >= max(_OWN * self.candidate.money, least)


def causes(book: Book, found: Sequence[Finding], least: float) -> list[Cause]:
    """The causes behind findings of a book's series, in the order in which they were seen."""
    known: list[Cause] = []
    due: dict[int, list[Due]] = {}
    for finding in sorted(found, key=lambda f: (f.first_seen, f.start, f.series_id)):
        due.setdefault(book.place(finding.first_seen), []).append(Due(finding))
    before, last = 0, book.costs.shape[1] - 1
    while due:
        column = min(due)
        _narrow(book, known, before, column - 1)
        before = column - 1
        for again in _on_a_day(book, known, due.pop(column), column, least):
            for later in _AGAIN[again.times - 1 : again.times]:
                day = book.place(again.finding.first_seen) + later
                if column < day <= last:
                    due.setdefault(day, []).append(again)
    _narrow(book, known, before, last)
    return known


def _on_a_day(book: Book, known: list[Cause], group: Sequence[Due], seen: int, least: float) -> list[Due]:
    """Adds what is new on a day to the causes that are known. Returns what is excused, and to be looked at again."""
    candidates = [c for due in group if (c := candidate_of(book, due, seen)) is not None]
    first = min((c.start for c in candidates), default=seen)
    live = [cause for cause in known if cause.end(seen) + _PAUSE + 1 >= first]
    waiting = [_Waiting(c, [cause for cause in live if _goes_on(cause, c, seen)]) for c in candidates]
    again: list[Due] = []
    new: list[tuple[Candidate, Cause]] = []
    while waiting:
        own = []
        for one in waiting:
            if one.says_something(least):
                own.append(one)
            elif one.near:
                _attach(one.near, one.candidate)
        best = max(own, key=lambda one: one.rest.rank, default=None)
        if best is None or best.rest.money <= 0:
            break
        waiting = [one for one in own if one is not best]
        cause = _cause(book, best.rest, seen, [*live, *(c for _, c in new)])
        if _is_expected(book, known, cause, seen):
            again.append(replace(best.candidate.due, times=best.candidate.due.times + 1))
            for one in waiting:
                one.rest = without(one.rest, [cause.cells])
        else:
            new.append((best.rest, cause))
            for one in waiting:
                if _goes_on(cause, one.candidate, seen):
                    one.near.append(cause)
                    one.rest = without(one.rest, [cause.cells])
    for direction in ("up", "down"):
        found = _joined(book, known, [pair for pair in new if pair[1].direction == direction], seen)
        _part(book, known, found, seen)
        known += found
    return again


def _part(book: Book, known: Sequence[Cause], found: Sequence[Cause], seen: int) -> None:
    """Takes what turns out to be a cause of its own out of one of many cells that goes on."""
    for wide in (cause for cause in known if cause.broad):
        inner = [c for c in found if wide.end(seen) >= c.start and _is_within(c.cells, wide.cells)]
        if inner:
            wide.without += tuple(cause.series for cause in inner)
            wide.cells = wide.cells & ~numpy.logical_or.reduce([cause.cells for cause in inner])
            sign = 1.0 if wide.direction == "up" else -1.0
            costs = book.costs[wide.cells].sum(axis=0)
            wide.course = course(costs, wide.start, wide.seen, sign, book.first.weekday())


def _joined(book: Book, known: Sequence[Cause], new: list[tuple[Candidate, Cause]], seen: int) -> list[Cause]:
    """The causes that are new on a day, those that moved alike as one, where there are several of them. Where such a one goes
    on already they are part of it: a season reaches its height."""
    apart = [cause for _, cause in new]
    middle = float(numpy.median([cause.relative for cause in apart])) if new else 0.0
    alike = [pair for pair in new if middle / _ALIKE <= pair[1].relative <= min(1.0, middle * _ALIKE)]
    if len(alike) < _MANY:
        return apart
    one, whole = _one_of(book, [candidate for candidate, _ in alike], seen, known)
    rest = [pair[1] for pair in new if pair not in alike]
    near = [c for c in known if c.direction == one.direction and one.start <= c.end(seen) + _PAUSE]
    wide = next(
        (c for c in near if c.broad and float(whole.moved[c.cells].sum()) >= _SAYS * whole.money), None
    )
    if wide is not None:
        wide.relative = max(wide.relative, middle)
        return rest
    if float(whole.everywhere[one.cells].sum()) < _MOVED * whole.money:
        return apart
    one.relative = middle
    one.findings = [candidate.finding for candidate, _ in alike]
    return [one, *rest]


def _one_of(
    book: Book, alike: Sequence[Candidate], seen: int, known: Sequence[Cause]
) -> tuple[Cause, Candidate]:
    """The one cause of several candidates, and they as one."""
    first = max(alike, key=lambda candidate: candidate.rank)
    start = int(numpy.median([candidate.start for candidate in alike]))
    cells = numpy.logical_or.reduce([candidate.cells for candidate in alike])
    found = usual.change(book, start, seen)
    moved = first.sign * found.moved
    whole = Candidate(first.due, start, cells, numpy.where(cells, moved, 0.0), moved, found.usual)
    return _cause(book, whole, seen, known, broad=True), whole


def _goes_on(cause: Cause, candidate: Candidate, seen: int) -> bool:
    """Whether a cause goes on, or has just ended, when a candidate of its kind begins."""
    same = cause.direction == candidate.finding.direction
    alike = not cause.broad or candidate.relative <= cause.relative * _ALIKE
    return same and alike and candidate.start <= cause.end(seen) + _PAUSE + 1


def _attach(near: Sequence[Cause], candidate: Candidate) -> None:
    """Gives a finding to the cause with most of its money. One of which much lies elsewhere says nothing of its days."""
    own = numpy.flatnonzero(candidate.cells)
    moved = candidate.moved[own]
    inside = [float(moved[cause.cells[own]].sum()) for cause in near]
    most = int(numpy.argmax(inside))
    if inside[most] >= _SAYS * candidate.money:
        near[most].findings.append(candidate.finding)


def _narrow(book: Book, known: Sequence[Cause], before: int, until: int) -> None:
    """Places young causes at a smaller cut, if the days after column `before`, up to `until`, show one that explains them:
    a first day says little."""
    for seen in range(before + 1, until + 1):
        for cause in known:
            if (
                not cause.broad
                and not cause.without
                and 0 < seen - cause.seen <= _SETTLES
                and cause.end(seen) == seen
            ):
                _place_at_smaller(book, cause, seen)


def _place_at_smaller(book: Book, cause: Cause, seen: int) -> None:
    found = usual.change(book, cause.start, seen)
    due = Due(cause.findings[0])
    sign = 1.0 if cause.direction == "up" else -1.0
    moved = sign * found.moved
    own = numpy.where(cause.cells, moved, 0.0)
    candidate = Candidate(due, cause.start, cause.cells, own, moved, found.usual)
    series = _explaining(book, candidate)
    cells = cause.cells if series is None else book.mask(series)
    size = numpy.abs(found.usual)
    if series is None or size[cells].sum() >= size[cause.cells].sum():
        return
    costs = book.costs[cells].sum(axis=0)
    cause.series, cause.cells = series, cells
    cause.course = course(costs, cause.start, cause.seen, sign, book.first.weekday())
    cause.owner = _owner(book, series, candidate)


def _cause(book: Book, candidate: Candidate, seen: int, known: Sequence[Cause], broad: bool = False) -> Cause:
    series = _explaining(book, candidate) or Series.read(candidate.finding.series_id)
    cells = book.mask(series)
    apart = [
        c for c in known if not c.broad and c.end(seen) >= candidate.start and _is_within(c.cells, cells)
    ]
    if apart:
        cells = cells & ~numpy.logical_or.reduce([cause.cells for cause in apart])
    costs = book.costs[cells].sum(axis=0)
    start = candidate.start if broad else began(costs, candidate.start, seen, candidate.sign)
    return Cause(
        series,
        series,
        seen,
        candidate.finding.direction,
        cells,
        course(costs, start, seen, candidate.sign, book.first.weekday()),
        candidate.relative,
        [candidate.finding],
        _owner(book, series, candidate),
        is_rate(book, cells, start, seen),
        broad,
        tuple(dict.fromkeys(cause.series for cause in apart)),
    )


def _is_within(cells: Mask, others: Mask) -> bool:
    """Whether cells are a part of others, and not all of them."""
    return bool(not (cells & ~others).any() and (others & ~cells).any())


def _owner(book: Book, series: Series, candidate: Candidate) -> str:
    """The team of the cut; else the one that most of the money is of, where there is one."""
    if not series.dimensions:
        return ""
    if "x_Team" in series.dimensions:
        return series.narrowed(("x_Team",)).members[0] or ""
    teams = book.group(("x_Team",))
    shares = teams.sums(candidate.moved)
    most = int(numpy.argmax(shares))
    return (list(teams.members)[most][0] or "") if shares[most] >= _OWN * candidate.money else ""


def _explaining(book: Book, candidate: Candidate) -> Series | None:
    """The smallest series that has most of what moved, and moved itself; of equals the more specific one, with a team.

    Less than most is enough where the rest only drifts: moved by far less of what is usual there.
    """
    moved = candidate.moved
    money, base = float(moved.sum()), float(numpy.abs(candidate.usual[candidate.cells]).sum())
    if money <= 0:
        return None
    choices: list[tuple[float, tuple[str, ...], tuple[str | None, ...]]] = []
    sizes = numpy.abs(candidate.usual)
    touched = numpy.flatnonzero(candidate.cells)
    for cut in CUTS:
        group = book.group(cut)
        codes, place = numpy.unique(group.codes[touched], return_inverse=True)
        inside = numpy.bincount(place, moved[touched], len(codes))
        own = numpy.bincount(place, sizes[touched], len(codes))
        for n in numpy.flatnonzero(inside >= _MOVED * money):
            member = group.codes == codes[n]
            if float(candidate.everywhere[member].sum()) < _MOVED * money:
                continue
            drifts = (money - inside[n]) * own[n] <= _DRIFTS * inside[n] * (base - own[n])
            if inside[n] >= _EXPLAINS * money or drifts:
                choices.append((float(sizes[member].sum()), cut, group.names[codes[n]]))
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
        if other.start < cause.start
        and other.direction != cause.direction
        and cause.start <= other.end(seen) + 7 * (usual.WEEKS + 1)
    ]
    return (
        is_recovery(book, cause.cells, cause.start, seen, earlier)
        or is_migration(book, cause.cells, cause.start, seen)
        or is_monthly(book, cause.cells, cause.start, seen)
        or (cause.direction == "down" and cause.rate)
    )
