"""The incidents of a store as of a day: exactly what would have been said on its evening."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy
import polars

from finops_core.analysis.detection import Evidence, Finding, Settings, findings, kinds
from finops_core.analysis.incidents import watching
from finops_core.analysis.incidents.causes import Cause, causes
from finops_core.analysis.incidents.completeness import judged
from finops_core.analysis.incidents.contributing import Parts, account_names, moved, parts
from finops_core.analysis.incidents.cuts import Book, Floats
from finops_core.analysis.incidents.explaining import likely, near, sentence
from finops_core.analysis.incidents.incident import METRIC, Incident, KnownEvent, key_of
from finops_core.analysis.incidents.series_names import Series, prefix
from finops_core.analysis.incidents.severities import Severities, severities
from finops_core.analysis.incidents.watching import watched
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.store.deployments import Deployment
from finops_core.store.deployments import deployments as told
from finops_core.store.state import State

_DEFAULT = Settings()
_CENT = Decimal("0.01")
_OTHER = 1.5
"""The detector's expectation is heard within this factor of what was usual before."""
_BARS = 2.5
"""What it takes to be raised at sensitivity 0, in what it takes at 0.5, as the detector has it."""
_REMEMBERED = 2000
_LEAST_OF_A_DAY, _SETTLED = 0.001, 28
"""An incident costs at least this share of what everything cost on a usual day of so many before it."""
_ANNOUNCED = 0.5
"""An incident is announced if this share of it lies in what was announced."""


def find(
    ledger: Ledger,
    as_of: date | None = None,
    settings: Settings = _DEFAULT,
    known: Sequence[KnownEvent] = (),
    deployments: Sequence[Deployment] | None = None,
    explained: bool = True,
) -> list[Incident]:
    """The incidents that were known on the evening of a day, by default the newest; the newest first.

    `known` is left out. `deployments` are those of the home's state unless given. Not `explained` is faster: incidents
    come without contributors, deployments and sentence, their actual cost rounded to cents. Raises InputRefused for bounds of
    severity that are malformed. Another call with other settings takes less than a second.
    """
    seen = watched(ledger)
    if not seen.books:
        return []
    bounds = severities(ledger.home)
    outs = _deployments(ledger) if explained and deployments is None else deployments or ()
    found = []
    for book, days, reported in _reported(seen.books, seen.evidence, as_of, settings):
        for cause in causes(book, reported, settings.least_money):
            incident = _brief(book, days, cause, bounds) if _is_heard(cause, settings) else None
            if incident is None or _announced(ledger, incident, known, book.first):
                continue
            found.append(_explained(ledger, incident, book.first, bounds, outs) if explained else incident)
    return sorted(found, key=lambda i: (i.first_seen, abs(i.impact), i.key), reverse=True)


def explain(
    ledger: Ledger, incidents: Sequence[Incident], deployments: Sequence[Deployment] | None = None
) -> list[Incident]:
    """Incidents that were found without an explanation, with one: for those that a reader looks at."""
    first = {book.currency: book.first for book in watched(ledger).books}
    bounds = severities(ledger.home)
    outs = _deployments(ledger) if deployments is None else deployments
    return [_explained(ledger, incident, first[incident.currency], bounds, outs) for incident in incidents]


def series_of(ledger: Ledger, incident: Incident) -> polars.DataFrame:
    """The days of an incident's series: date, cost, expected, low, high (floats; null while too little was known).

    Of its own days it is what they would have cost without it, as they are added up in `Incident.expected`.
    """
    name = incident.member_series.id
    days = watched(ledger).evidence.days.filter(polars.col("series_id") == name)
    if incident.without:
        asked = Query(METRIC, grain="day", where=incident.conditions())
        costs = ledger.query(asked).select(
            polars.col(PERIOD).alias("date"), polars.col(METRIC).cast(polars.Float64).alias("own")
        )
        days = days.join(costs, on="date", how="left").with_columns(
            polars.col("own").fill_null(0).alias("cost")
        )
    own = polars.col("date").is_between(incident.start, incident.end)
    weekday = polars.col("date").dt.weekday() - 1
    usual = weekday.replace_strict(dict(enumerate(incident.usual)), return_dtype=polars.Float64)
    half = float(incident.spread)
    return days.select(
        "date",
        "cost",
        *[
            polars.when(own).then(usual + width).otherwise(polars.col(column)).alias(column)
            for column, width in (("expected", 0.0), ("low", -half), ("high", half))
        ],
    )


def _deployments(ledger: Ledger) -> list[Deployment]:
    """Those that were told of; a home without a state is not given one for the asking."""
    if not ledger.home.state.exists() and not os.environ.get("FARTHING_STATE"):
        return []
    return told(State(ledger.home))


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
            book, said = book.until(as_of), findings(Evidence(own), settings)
        else:
            said = findings(Evidence(own), judged(settings, book.last, book.shares))
        result.append((book, own, _worth_a_look(book, said)))
    return result


def _worth_a_look(book: Book, said: Sequence[Finding]) -> list[Finding]:
    """Findings of money, by the measure of the whole: what is news to a small company is none to a large one."""
    totals = numpy.abs(book.costs.sum(axis=0))
    bars: dict[date, float] = {}
    for day in {finding.first_seen for finding in said}:
        past = totals[max(0, book.place(day) - _SETTLED) : max(1, book.place(day))]
        bars[day] = _LEAST_OF_A_DAY * float(numpy.median(past))
    return [finding for finding in said if abs(finding.impact) >= bars[finding.first_seen]]


def _is_heard(cause: Cause, settings: Settings) -> bool:
    """Whether one of a cause's findings is as sure as triage wants it of this series. The detector asks that of each series
    by itself; here of a cause that other series raised too."""
    factor = settings.by_series.get(cause.series.id, 1.0)
    bar = factor * _BARS ** (1 - 2 * settings.sensitivity)
    return factor <= 1 or any(finding.score >= bar for finding in cause.findings)


def _brief(book: Book, days: polars.DataFrame, cause: Cause, bounds: Severities) -> Incident | None:
    """An incident without its explanation; None where its own days do not bear it out."""
    series, last = cause.series, book.place(book.last)
    own = [f for f in cause.findings if f.series_id == series.id] or cause.findings
    end = cause.end(last)
    usual = cause.course.usual * _level(book, cause, own[0])
    columns = range(cause.start, end + 1)
    there = {column: book.shares.get(last - column, 1.0) for column in columns}
    expected = _money(float(sum(usual[column % 7] * there[column] for column in columns)))
    actual = _money(float(book.costs[cause.cells, cause.start : end + 1].sum()))
    if (actual > expected) != (cause.direction == "up"):
        return None
    first = book.first.weekday()
    brief = Incident(
        key=key_of(cause.first.currency, cause.first.dimensions, cause.first.members, book.day(cause.start)),
        cut=series.cut,
        dimensions=series.dimensions,
        members=series.members,
        currency=series.currency,
        start=book.day(cause.start),
        end=book.day(end),
        first_seen=book.day(cause.seen),
        ongoing=cause.course.closed is None,
        direction=cause.direction,
        kind=_kind(book, cause, own, usual, end),
        expected=expected,
        actual=actual,
        impact=actual - expected,
        per_day=_CENT,
        severity="",
        score=round(max(f.score for f in cause.findings), 6),
        owner=cause.owner,
        spread=_spread(days, series, book.day(cause.start), book.day(cause.seen)),
        rate=cause.rate,
        without=cause.without,
        usual=tuple(float(usual[(weekday - first) % 7]) for weekday in range(7)),
    )
    return _weighed(brief, bounds)


def _kind(book: Book, cause: Cause, own: Sequence[Finding], usual: Floats, end: int) -> str:
    """What it looks like over all its days."""
    columns = numpy.arange(cause.start, end + 1)
    expected = usual[columns % 7]
    sign = 1 if cause.direction == "up" else -1
    excess = sign * (book.costs[cause.cells][:, columns].sum(axis=0) - expected)
    weekends = all(book.day(day).weekday() >= 5 for day in cause.course.days if day <= end)
    leak = weekends and any(finding.kind == "weekend leak" for finding in own)
    return kinds.kind(sign, excess, float(expected.sum()), leak)


def _level(book: Book, cause: Cause, finding: Finding) -> float:
    """What the detector expected of the days, against what was usual before: it knows growth and seasons."""
    if finding.series_id != cause.series.id or cause.without:
        return 1.0
    days = range(book.place(finding.start), book.place(finding.end) + 1)
    usual = float(sum(cause.course.usual[column % 7] for column in days))
    return min(_OTHER, max(1 / _OTHER, finding.expected / usual)) if usual > 0 < finding.expected else 1.0


def _spread(days: polars.DataFrame, series: Series, start: date, seen: date) -> Decimal:
    """Half the width of the band around what was expected of the first days, per day."""
    found = days.filter((polars.col("series_id") == series.id) & polars.col("date").is_between(start, seen))
    width = (found["high"] - found["low"]).drop_nulls()
    return _money(float(width.mean() or 0.0) / 2) if len(width) else Decimal(0)  # type: ignore[arg-type]


def _weighed(incident: Incident, bounds: Severities) -> Incident:
    """With what follows from its money."""
    impact = incident.actual - incident.expected
    days = (incident.end - incident.start).days + 1
    severity = bounds.of(impact, incident.owner, incident.currency)
    return replace(incident, impact=impact, per_day=(impact / days).quantize(_CENT), severity=severity)


def _explained(
    ledger: Ledger, incident: Incident, first: date, bounds: Severities, deployments: Sequence[Deployment]
) -> Incident:
    """With its exact cost, its contributors, what was brought out before, and the sentence of all that."""
    split = _parts(ledger, incident, first)
    brought = near(deployments, incident)
    exact = _weighed(replace(incident, actual=split.actual), bounds)
    return replace(
        exact,
        contributors=split.contributors(),
        deployments=tuple(d.in_words() for d in brought),
        sentence=sentence(exact, split, likely(brought, incident.start), _accounts(ledger)),
    )


_names: dict[str, tuple[str, dict[str, str]]] = {}
"""Home → version and its accounts' names."""
_kept: dict[tuple[object, ...], Parts] = {}


def forget() -> None:
    """Forgets what is in memory, as a new process would."""
    watching.forget()
    _names.clear()
    _kept.clear()


def _parts(ledger: Ledger, incident: Incident, first: date) -> Parts:
    key = (str(ledger.home.path), ledger.version, incident.conditions(), incident.start, incident.end)
    if key not in _kept:
        if len(_kept) > _REMEMBERED:
            _kept.clear()
        _kept[key] = parts(
            ledger, incident.member_series, incident.without, incident.start, incident.end, first
        )
    return _kept[key]


def _accounts(ledger: Ledger) -> dict[str, str]:
    home, version = str(ledger.home.path), ledger.version
    if _names.get(home, ("", {}))[0] != version:
        _names[home] = (version, account_names(ledger))
    return _names[home][1]


def _announced(ledger: Ledger, incident: Incident, known: Sequence[KnownEvent], first: date) -> bool:
    """Whether most of an incident lies in days and usage that were announced."""
    for event in known:
        start, end = max(event.start, incident.start), min(event.end, incident.end)
        if start > end:
            continue
        whole = _parts(ledger, incident, first).impact
        where = (*incident.conditions(), *event.conditions)
        inside = moved(ledger, where, (start, end), incident.start, first)
        if whole and inside / whole >= _ANNOUNCED:
            return True
    return False


def _money(value: float) -> Decimal:
    return Decimal(str(value)).quantize(_CENT)
