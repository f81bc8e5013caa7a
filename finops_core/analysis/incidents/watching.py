"""What the detector says of every series of a store, computed once for each version of it, and from where it differs."""

import hashlib
import inspect
import pkgutil
import threading
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars

from finops_core.analysis import detection
from finops_core.analysis.detection import Evidence, evidence
from finops_core.analysis.incidents import cuts
from finops_core.analysis.incidents.cuts import Book
from finops_core.model.ledger import Ledger
from finops_core.store import derived

_NAME = "evidence"
_KEY = ["series_id", "date"]
_LEAST_DAYS = 14
"""Of fewer days nothing can be expected: each weekday has been there once at most."""
_NOTHING = polars.DataFrame(
    schema={"series_id": polars.String, "date": polars.Date}
    | dict.fromkeys(("cost", "expected", "low", "high", "score"), polars.Float64)
)


@dataclass(frozen=True)
class Watched:
    """A store as the detector sees it."""

    books: list[Book]
    evidence: Evidence


_lock = threading.Lock()
_latest: dict[str, tuple[str, Watched]] = {}
"""Home → version and what was seen: one version a home is remembered."""


def watched(ledger: Ledger) -> Watched:
    """The evidence of a store. Slow once a version; from the second time on it comes from memory, or from the home."""
    home, version = str(ledger.home.path), ledger.version
    with _lock:
        kept = _latest.get(home)
        if kept is not None and kept[0] == version:
            return kept[1]
        books = cuts.books(ledger)
        found = Watched(books, Evidence(_days(ledger, version, books)))
        _latest[home] = (version, found)
        return found


@cache
def form() -> str:
    """Changes with the code of the detector, and of the cuts: evidence that another one computed is none."""
    code = hashlib.sha256(inspect.getsource(cuts).encode())
    for module in sorted(found.name for found in pkgutil.iter_modules(detection.__path__)):
        code.update(pkgutil.get_data(detection.__name__, f"{module}.py") or b"")
    return code.hexdigest()[:8]


def forget() -> None:
    """Forgets what is in memory, as a new process would."""
    with _lock:
        _latest.clear()


def _days(ledger: Ledger, version: str, books: list[Book]) -> polars.DataFrame:
    kept = derived.read(ledger.home, _NAME, form(), version) if version else None
    if kept is not None:
        return kept
    found = computed(books, derived.newest(ledger.home, _NAME, form()) if version else None)
    if not found.is_empty():
        derived.keep(ledger.home, _NAME, form(), version, found)
    return found


def computed(books: list[Book], before: polars.DataFrame | None) -> polars.DataFrame:
    """The evidence by day; what an earlier version has of days before the first that differs is taken from there."""
    series, above = cuts.table(books), cuts.parents(books)
    if series["date"].n_unique() < _LEAST_DAYS:
        return _NOTHING
    since = None if before is None else _differs(series, before)
    if before is None or since is None:
        return evidence(series, parents=above).days
    new = evidence(series, since=since, parents=above).days
    old = before.filter(polars.col("date") < since)
    return _joined(old, new) if new.height else old


def _joined(old: polars.DataFrame, new: polars.DataFrame) -> polars.DataFrame:
    """Days and later ones, with a row for each series of the later ones and each day, as the detector gives it."""
    names = new.select("series_id").unique()
    days = old.select("date").unique()
    kept = names.join(days, how="cross").join(old, on=_KEY, how="left")
    scores = [name for name in old.columns if name.startswith("score")]
    kept = kept.select(old.columns).with_columns(polars.col(scores).fill_null(0))
    return polars.concat([kept, new.select(old.columns).cast(old.schema)]).sort(_KEY)


def _differs(series: polars.DataFrame, before: polars.DataFrame) -> date | None:
    """The first day of which another cost was known, or that of another series; None where nothing is as it was.

    Where all is as it was it is the day after the last.
    """
    if "cost" not in before.columns or not set(_KEY) <= set(before.columns):
        return None
    known = before.filter(polars.col("cost").is_not_null()).select(*_KEY, "cost")
    both = series.join(known, on=_KEY, how="full", suffix="_before", coalesce=True)
    same = (polars.col("cost") - polars.col("cost_before")).abs() <= 1e-9 * polars.col("cost").abs() + 1e-9
    first: date | None = both.filter(~same.fill_null(False))["date"].min()  # type: ignore[assignment]
    start: date | None = series["date"].min()  # type: ignore[assignment]
    if first is None:
        last: date | None = series["date"].max()  # type: ignore[assignment]
        return None if last is None else date.fromordinal(last.toordinal() + 1)
    return None if start is None or first <= start else first
