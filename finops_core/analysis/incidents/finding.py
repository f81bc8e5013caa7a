"""The incidents of a store as of a day: exactly what would have been said on its evening."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.detection import Evidence, Finding, Settings, findings
from finops_core.analysis.incidents.causes import Cause, causes
from finops_core.analysis.incidents.completeness import judged
from finops_core.analysis.incidents.contributing import Parts, account_names, parts
from finops_core.analysis.incidents.cuts import Book
from finops_core.analysis.incidents.explaining import likely, near, sentence
from finops_core.analysis.incidents.incident import Incident, KnownEvent, conditions_of, key_of
from finops_core.analysis.incidents.series_names import Series, prefix
from finops_core.analysis.incidents.severities import Severities, severities
from finops_core.analysis.incidents.watching import watched
from finops_core.model.ledger import Ledger
from finops_core.store.deployments import Deployment
from finops_core.store.deployments import deployments as told
from finops_core.store.state import State

_DEFAULT = Settings()
_CENT = Decimal("0.01")
_ANNOUNCED = 0.5
"""An incident is announced if this share of it lies in what was announced."""


def find(
    ledger: Ledger,
    as_of: date | None = None,
    settings: Settings = _DEFAULT,
    known: Sequence[KnownEvent] = (),
    deployments: Sequence[Deployment] | None = None,
) -> list[Incident]:
    """The incidents that were known on the evening of a day, by default the newest; the newest first.

    `known` is left out. `deployments` are those of the home's state unless given. Raises InputRefused for bounds of
    severity that are malformed. Another call with other settings takes less than a second.
    """
    seen = watched(ledger)
    if not seen.books:
        return []
    bounds = severities(ledger.home)
    outs = told(State(ledger.home)) if deployments is None else deployments
    found = []
    for book, days, reported in _reported(seen.books, seen.evidence, as_of, settings):
        for cause in causes(book, reported, settings.least_money):
            incident = _incident(ledger, book, days, cause, bounds, outs)
            if incident is not None and not _announced(ledger, incident, known, seen.books):
                found.append(incident)
    return sorted(found, key=lambda i: (i.first_seen, abs(i.impact), i.key), reverse=True)


def series_of(ledger: Ledger, incident: Incident) -> polars.DataFrame:
    """The days of an incident's series: date, cost, expected, low, high (floats; null while too little was known)."""
    name = Series(incident.currency, incident.dimensions, incident.members).id
    days = watched(ledger).evidence.days
    return days.filter(polars.col("series_id") == name).select("date", "cost", "expected", "low", "high")


def _reported(
    books: Sequence[Book], evidence: Evidence, as_of: date | None, settings: Settings
) -> list[tuple[Book, polars.DataFrame, list[Finding]]]:
    """By currency: what was known by a day, and what the detector said of it."""
    days = evidence.days if as_of is None else evidence.days.filter(polars.col("date") <= as_of)
    if days.is_empty():
        return []
    result = []
    for book in books:
        own = days.filter(polars.col("series_id").str.starts_with(prefix(book.currency)))
        if own.is_empty():
            continue
        if as_of is not None and as_of < book.last:
            result.append((book.until(as_of), own, findings(Evidence(own), settings)))
        else:
            result.append((book, own, findings(Evidence(own), judged(settings, book.last, book.shares))))
    return result


def _incident(
    ledger: Ledger,
    book: Book,
    days: polars.DataFrame,
    cause: Cause,
    bounds: Severities,
    deployments: Sequence[Deployment],
) -> Incident | None:
    start = book.day(cause.start)
    series = cause.series
    own = [f for f in cause.findings if f.series_id == series.id] or cause.findings
    end = min(book.last, max(f.end for f in own))
    found = days.filter((polars.col("series_id") == series.id) & polars.col("date").is_between(start, end))
    if found.is_empty():
        return None
    ongoing = any(f.ongoing for f in own)
    expected, spread = _expected(found, own)
    split = _parts(ledger, ledger.version, series, start, end, book.first)
    teams = split.of("x_Team")
    owner = _owner(series, split, teams)
    brought = near(deployments, owner, start)
    actual = _money(sum(found["cost"].to_list()))
    length = (end - start).days + 1
    impact = actual - expected
    if (impact > 0) != (cause.direction == "up"):
        return None
    per_day = (impact / length).quantize(_CENT)
    largest = max(own, key=lambda f: abs(f.impact))
    daily = (expected / length, spread, actual / length)
    return Incident(
        key=key_of(series.currency, series.dimensions, series.members, start),
        cut=series.cut,
        dimensions=series.dimensions,
        members=series.members,
        currency=series.currency,
        start=start,
        end=end,
        first_seen=book.day(cause.seen),
        ongoing=ongoing,
        direction=cause.direction,
        kind=largest.kind,
        expected=expected,
        actual=actual,
        impact=impact,
        per_day=per_day,
        severity=bounds.of(impact, owner, series.currency),
        score=round(max(f.score for f in cause.findings), 6),
        owner=owner,
        contributors=split.contributors(),
        deployments=tuple(d.in_words() for d in brought),
        sentence=sentence(
            daily,
            series.currency,
            " × ".join(m or "(none)" for m in series.members) or "all usage",
            start,
            None if ongoing else end,
            split,
            likely(brought, start),
            _accounts(ledger),
        ),
        spread=spread,
    )


def _expected(found: polars.DataFrame, own: Sequence[Finding]) -> tuple[Decimal, Decimal]:
    """What the days were expected to cost in all, and half the band's width a day."""
    known = found.filter(polars.col("expected").is_not_null())
    spread = (known["high"] - known["low"]).mean() if not known.is_empty() else 0.0
    return _money(float(found["expected"].fill_null(0.0).sum())), _money(float(spread or 0.0) / 2)  # type: ignore[arg-type]


def _owner(series: Series, split: Parts, teams: polars.DataFrame) -> str:
    """The team of the cut; else the one that most of it lies in."""
    if "x_Team" in series.dimensions:
        return dict(zip(series.dimensions, series.members, strict=True))["x_Team"] or ""
    top = next(teams.iter_rows(), None)
    return str(top[0]) if top is not None and top[0] and split.share(top[1]) >= 0.5 else ""


_names: dict[str, tuple[str, dict[str, str]]] = {}
"""Home → version and its accounts' names."""
_kept: dict[tuple[object, ...], Parts] = {}


def _parts(ledger: Ledger, version: str, series: Series, start: date, end: date, first: date) -> Parts:
    key = (str(ledger.home.path), version, series, start, end)
    if key not in _kept:
        if len(_kept) > 2000:
            _kept.clear()
        where = conditions_of(series.currency, series.dimensions, series.members)
        _kept[key] = parts(ledger, where, start, end, first)
    return _kept[key]


def _accounts(ledger: Ledger) -> dict[str, str]:
    home, version = str(ledger.home.path), ledger.version
    if _names.get(home, ("", {}))[0] != version:
        _names[home] = (version, account_names(ledger))
    return _names[home][1]


def _announced(
    ledger: Ledger, incident: Incident, known: Sequence[KnownEvent], books: Sequence[Book]
) -> bool:
    """Whether most of an incident lies in days and usage that were announced."""
    first = min(book.first for book in books)
    for event in known:
        start, end = max(event.start, incident.start), min(event.end, incident.end)
        if start > end:
            continue
        whole = parts(ledger, incident.conditions(), incident.start, incident.end, first).impact
        where = (*incident.conditions(), *event.conditions)
        if whole and parts(ledger, where, incident.start, end, first).impact / whole >= _ANNOUNCED:
            return True
    return False


def _money(value: float) -> Decimal:
    return Decimal(str(value)).quantize(_CENT)
