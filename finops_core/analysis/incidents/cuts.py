"""The series that are watched: daily cost of use, as a hierarchy of cuts of each currency."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy
import polars
from numpy.typing import NDArray

from finops_core.analysis.incidents import completeness
from finops_core.analysis.incidents.completeness import SOURCE, Loads
from finops_core.analysis.incidents.incident import METRIC, WATCHED
from finops_core.analysis.incidents.series_names import Series
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.model.span import span
from finops_core.store.restating import usual_shares

LIST = "ListCost"
LEAF = ("x_Team", "ServiceName", "SubAccountId", "RegionId")
"""What the smallest cells are told apart by."""
CUTS: tuple[tuple[str, ...], ...] = (
    (),
    ("x_Team",),
    ("ServiceName",),
    ("x_Team", "ServiceName"),
    ("SubAccountId", "ServiceName"),
    ("RegionId", "ServiceName"),
)
"""The cuts, widest first."""
PARENTS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("x_Team",): (),
    ("ServiceName",): (),
    ("x_Team", "ServiceName"): ("x_Team",),
    ("SubAccountId", "ServiceName"): ("ServiceName",),
    ("RegionId", "ServiceName"): ("ServiceName",),
}
_LEAST, _LEAST_SHARE = 1.0, 1e-4
"""A member has a series of its own from the first day on which it costs so much, or this share of the costliest day of all
so far. Before, it is watched in its parents. What comes later changes nothing in that."""

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Group:
    """The members of a cut with their numbers, and the number of each cell's member."""

    members: dict[tuple[str | None, ...], int]
    codes: NDArray[numpy.int64]

    @cached_property
    def names(self) -> list[tuple[str | None, ...]]:
        """Number → member."""
        return list(self.members)

    def sums(self, values: Floats) -> Floats:
        """Values of cells, summed by member."""
        found: Floats = numpy.bincount(self.codes, values, len(self.members)).astype(numpy.float64)
        return found


@dataclass(frozen=True)
class Book:
    """The cells of a currency: a row a cell, a column a day, without gaps."""

    currency: str
    first: date
    cells: polars.DataFrame
    """LEAF, a row a cell."""
    costs: Floats
    lists: Floats
    """As `costs`, at list prices; the cost itself where those are unknown."""
    shares: Mapping[int, float] = field(default_factory=dict)
    """Age of the newest days → share of their final cost that is usually there by now."""
    profiles: dict[int, Floats] = field(default_factory=dict, compare=False)
    """Column → what cells cost on weekdays before it, once it was asked for (`finops_core.analysis.incidents.usual`)."""

    @property
    def last(self) -> date:
        return self.first + timedelta(self.costs.shape[1] - 1)

    def place(self, day: date) -> int:
        """The column of a day."""
        return (day - self.first).days

    def day(self, place: int) -> date:
        return self.first + timedelta(place)

    def until(self, day: date) -> "Book":
        """What was known on the evening of a day."""
        end = max(0, self.place(day) + 1)
        return Book(self.currency, self.first, self.cells, self.costs[:, :end], self.lists[:, :end])

    @cached_property
    def _groups(self) -> dict[tuple[str, ...], Group]:
        return {}

    def group(self, cut: tuple[str, ...]) -> Group:
        """The members of a cut, and by cell the number of the member that it belongs to."""
        if cut not in self._groups:
            keys = list(self.cells.select(cut).iter_rows()) if cut else [()] * self.cells.height
            numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
            codes = numpy.array([numbers[key] for key in keys], dtype=numpy.int64)
            self._groups[cut] = Group(numbers, codes)
        return self._groups[cut]

    def of_cut(self, cut: tuple[str, ...]) -> Floats:
        """Cost by member of a cut and day."""
        own = self.group(cut)
        found = numpy.zeros((len(own.members), self.costs.shape[1]))
        numpy.add.at(found, own.codes, self.costs)
        return found

    def mask(self, series: Series) -> NDArray[numpy.bool_]:
        """The cells of a series."""
        own = self.group(series.dimensions)
        found: NDArray[numpy.bool_] = own.codes == own.members.get(series.members, -1)
        return found

    def series(self) -> Iterator[tuple[Series, int, Floats]]:
        """Every series: its name, its first day's column, and its costs from there on."""
        if not self.costs.size:
            return
        total = numpy.maximum.accumulate(numpy.abs(self.costs.sum(axis=0)))
        floor = numpy.maximum(_LEAST, _LEAST_SHARE * total)
        for cut in CUTS:
            costs = self.of_cut(cut)
            large = numpy.abs(costs) >= floor
            for members, number in self.group(cut).members.items():
                if large[number].any():
                    start = int(large[number].argmax())
                    yield Series(self.currency, cut, members), start, costs[number, start:]


def books(ledger: Ledger, until: date | None = None) -> list[Book]:
    """A book a currency, in the order of their names, up to a day (included), by default the newest. None for an empty store."""
    if not ledger.version:
        return []
    loads = _loads(ledger)
    days, keys, sources = _placed(ledger, None if until is None else until + timedelta(1))
    found = []
    for currency in sources[CURRENCY].unique().sort():
        own = keys.filter(polars.col(CURRENCY) == currency)
        mine = days.filter(polars.col("key").is_in(own["key"].implode()))
        found.append(_book(str(currency), mine, own, sources.filter(polars.col(CURRENCY) == currency), loads))
    return found


def _placed(ledger: Ledger, end: date | None) -> tuple[polars.DataFrame, polars.DataFrame, polars.DataFrame]:
    """Cost and list cost by cell (`key`) and day; the cells; and cost by currency, source and day.

    Read month by month: of a large store all days at once, with their decimals and names, are gigabytes.
    """
    names = (CURRENCY, *LEAF)
    keys = polars.DataFrame(schema=dict.fromkeys(names, polars.String))
    days, sources = [], []
    cost, listed = (polars.col(name).cast(polars.Float64) for name in (METRIC, LIST))
    for start, following in _months(ledger, end):
        asked = Query((METRIC, LIST), (*LEAF, SOURCE), "day", WATCHED, start, following)
        found = ledger.query(asked).with_columns(
            cost.fill_null(0.0).alias("cost"), listed.fill_null(cost).fill_null(0.0).alias("list")
        )
        sources.append(found.group_by(CURRENCY, SOURCE, PERIOD).agg(polars.col("cost").sum()))
        summed = found.group_by(*names, PERIOD).agg(polars.col("cost", "list").sum())
        seen = summed.select(names).unique()
        keys = polars.concat([keys, seen.join(keys, on=names, how="anti", nulls_equal=True)])
        placed = summed.join(keys.with_row_index("key"), on=names, nulls_equal=True)
        days.append(placed.select("key", PERIOD, "cost", "list"))
    return polars.concat(days), keys.with_row_index("key"), polars.concat(sources)


def _months(ledger: Ledger, end: date | None) -> Iterator[tuple[date, date]]:
    """The months of the store up to a day, each with the first day after it."""
    found = span(ledger)
    last = found.end if end is None else min(end, found.end)
    start = month_start(found.first)
    while start < last or start == month_start(found.first):
        following = add_months(start, 1)
        yield start, min(following, max(last, start + timedelta(1)))
        start = following


def _loads(ledger: Ledger) -> Loads:
    loaded: dict[str, date] = {}
    for batch in ledger.current_batches():
        day = date.fromisoformat(batch.loaded_at[:10])
        loaded[batch.source] = max(day, loaded.get(batch.source, day))
    return Loads(loaded, usual_shares(ledger.home, ledger.batches()))


def _book(
    currency: str, days: polars.DataFrame, keys: polars.DataFrame, sources: polars.DataFrame, loads: Loads
) -> Book:
    end = completeness.last_day(sources, loads)
    days = days.filter(polars.col(PERIOD) <= end)
    shares = completeness.shares_of(sources.filter(polars.col(PERIOD) <= end), loads)
    first: date = days[PERIOD].min()  # type: ignore[assignment]
    # A cell's place must not depend on later days: the order is that of names, and cells without cost do no harm.
    cells = keys.filter(polars.col("key").is_in(days["key"].unique().implode())).sort(LEAF, nulls_last=True)
    places = numpy.zeros(int(keys["key"].max() or 0) + 1, dtype=numpy.int64)  # type: ignore[arg-type]
    places[cells["key"].to_numpy()] = numpy.arange(cells.height)
    rows = places[days["key"].to_numpy()]
    columns = (days[PERIOD] - first).dt.total_days().to_numpy()
    grids = []
    for name in ("cost", "list"):
        grid = numpy.zeros((cells.height, (end - first).days + 1))
        grid[rows, columns] = days[name].to_numpy()
        grids.append(grid)
    return Book(currency, first, cells.select(LEAF), grids[0], grids[1], shares)


def table(found: list[Book]) -> polars.DataFrame:
    """All series as the detector takes them: series_id, date, cost."""
    names, days, costs = [], [], []
    for book in found:
        dates = polars.date_range(book.first, book.last, eager=True)
        for series, start, own in book.series():
            names.append(polars.repeat(series.id, len(own), dtype=polars.String, eager=True))
            days.append(dates[start:])
            costs.append(own)
    if not names:
        return polars.DataFrame(
            schema={"series_id": polars.String, "date": polars.Date, "cost": polars.Float64}
        )
    return polars.DataFrame(
        {"series_id": polars.concat(names), "date": polars.concat(days), "cost": numpy.concatenate(costs)}
    )


def parents(found: list[Book]) -> dict[str, str]:
    """Series → the series that it is a part of."""
    known = {series.id: series for book in found for series, _, _ in book.series()}
    result = {}
    for name, series in known.items():
        if series.dimensions in PARENTS:
            above = series.narrowed(PARENTS[series.dimensions])
            if above.id in known:
                result[name] = above.id
    return result
