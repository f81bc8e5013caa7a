"""What cells usually cost on a weekday: the measure by which causes are told apart. It reads the four weeks before."""

from dataclasses import dataclass

import numpy

from finops_core.analysis.incidents.cuts import Book, Floats

WEEKS = 4
_REMEMBERED = 48
"""How many columns' profiles are remembered: with many cells each is a few megabytes."""


@dataclass(frozen=True)
class Change:
    """What cells cost on some days, and what they usually do on such days before a first one. A row a cell, summed."""

    actual: Floats
    usual: Floats

    @property
    def moved(self) -> Floats:
        return self.actual - self.usual


def change(book: Book, start: int, end: int, before: int | None = None) -> Change:
    """The change of all cells in the days from column `start` to `end`, included; usual is what was before column
    `before`, by default before the start. A cell without a past usually costs nothing."""
    known = start if before is None else before
    if known not in book.profiles:
        if len(book.profiles) >= _REMEMBERED:
            del book.profiles[min(book.profiles)]  # days are gone through in their order
        book.profiles[known] = profile(book.costs, known)
    usual = book.profiles[known]
    days = numpy.arange(start, end + 1)
    return Change(book.costs[:, start : end + 1].sum(axis=1), usual[:, days % 7].sum(axis=1))


def profile(costs: Floats, before: int) -> Floats:
    """The median cost by cell and weekday (column % 7) of the weeks before a column."""
    found = numpy.zeros((costs.shape[0], 7))
    first = max(0, before - 7 * WEEKS)
    if first == before:
        return found
    window = costs[:, first:before]
    if before - first == 7 * WEEKS:
        found[:, (numpy.arange(7) + first) % 7] = numpy.median(window.reshape(-1, WEEKS, 7), axis=1)
        return found
    for weekday in range(7):
        own = window[:, (weekday - first) % 7 :: 7]
        found[:, weekday] = numpy.median(own if own.shape[1] else window, axis=1)
    return found


def noise(costs: Floats, before: int) -> float:
    """How far a day of one series usually is from that of a week before, as a standard deviation of one day."""
    window = costs[max(0, before - 7 * WEEKS) : before]
    if len(window) < 8:
        return 0.0
    differences = window[7:] - window[:-7]
    return float(1.4826 * numpy.median(numpy.abs(differences)) / numpy.sqrt(2))


def change_of(costs: Floats, start: int, end: int, before: int | None = None) -> Change:
    """As `change`, of some cells alone: a row each of `costs`, which may be what they would have cost at list prices."""
    usual = profile(costs, start if before is None else before)
    days = numpy.arange(start, end + 1)
    return Change(costs[:, start : end + 1].sum(axis=1), usual[:, days % 7].sum(axis=1))
