"""Cached answers: the same Query on the same version of the ledger is asked once, for all readers."""

from collections.abc import Mapping
from typing import Any

import polars
import streamlit as st

from finops_core.analysis.breakdown import Breakdown, breakdown
from finops_core.analysis.breakdown import ranking as ranked
from finops_core.analysis.conversion import Conversion
from finops_core.analysis.conversion import converted as convert
from finops_core.analysis.events import Event, Onset
from finops_core.analysis.events import events as all_events
from finops_core.analysis.events import onsets as onsets_of
from finops_core.analysis.movers import Movers, movers
from finops_core.analysis.pivot import Pivot, pivot
from finops_core.analysis.weekdays import weekdays as by_weekday
from finops_core.formats.format import Format
from finops_core.model.engine import uses_cube
from finops_core.model.ledger import Ledger
from finops_core.model.origin import Origin
from finops_core.model.origin import origin as origin_of
from finops_core.model.periods import Period
from finops_core.model.query import Query
from finops_core.model.span import Span, span
from finops_core.quality import freshness
from finops_core.quality.freshness import SourcePeriod
from finops_core.quality.reconciliation import Reconciliation, reconcile
from finops_core.store.audit import entries, head
from finops_core.store.batches import Batch, in_force
from finops_core.store.deployments import KIND as DEPLOYMENTS
from finops_core.store.deployments import deployments
from finops_core.store.load import known_formats
from finops_core.store.rates import KIND as RATES
from finops_core.store.rates import Rate
from finops_core.store.rates import rates as rates_of
from finops_core.store.rulesets import SUBJECT as RULES
from finops_core.store.saved_views import SavedView
from finops_core.store.saved_views import saved_views as kept_views
from finops_core.store.state import State
from finops_core.vocabulary.dimensions import dimension

_ENTRIES = 2000
_HASHES = {Query: repr, Period: str}


@st.cache_resource(show_spinner=False)
def ledger() -> Ledger:
    """The ledger of the home, one for all readers."""
    return Ledger.open()


def ask(query: Query) -> polars.DataFrame:
    """The answer of a Query."""
    return _ask(query, ledger().version)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _ask(query: Query, version: str) -> polars.DataFrame:
    return ledger().query(query)


def broken_down(query: Query, compared: Period | None, top: int) -> Breakdown:
    """The members of a Query; see `finops_core.analysis.breakdown`."""
    return _broken_down(query, compared, top, ledger().version)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _broken_down(query: Query, compared: Period | None, top: int, version: str) -> Breakdown:
    return breakdown(ledger(), query, compared, top)


def moved(query: Query, compared: Period) -> Movers:
    """What changed a Query's cost since another period; see `finops_core.analysis.movers`."""
    asked = query.but(metrics=query.metrics[:1], grain="none", order=None, limit=None)
    return _moved(asked, compared, ledger().version)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _moved(query: Query, compared: Period, version: str) -> Movers:
    return movers(ledger(), query, compared)


def pivoted(query: Query) -> Pivot:
    """The members of a Query by period; see `finops_core.analysis.pivot`."""
    return _pivoted(query, ledger().version)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _pivoted(query: Query, version: str) -> Pivot:
    return pivot(ledger(), query)


def weekdays(query: Query) -> polars.DataFrame:
    """The days of a Query by week and weekday; see `finops_core.analysis.weekdays`."""
    return _weekdays(query, ledger().version)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _weekdays(query: Query, version: str) -> polars.DataFrame:
    return by_weekday(ledger(), query)


def charges(query: Query, limit: int) -> polars.DataFrame:
    """The largest charges behind a Query; see `finops_core.model.charged`."""
    return _charges(query.but(by=(), grain="none", order=None, limit=None), limit, ledger().version)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs=_HASHES)
def _charges(query: Query, limit: int, version: str) -> polars.DataFrame:
    return ledger().charges(query, limit)


def origin(charge: Mapping[str, Any], column: str) -> Origin | None:
    """Where a charge's cost comes from; see `finops_core.model.origin`."""
    return origin_of(charge, column, batches(), formats())


def spanned() -> Span:
    """The days and currencies that there are."""
    return _spanned(ledger().version)


@st.cache_data(show_spinner=False, max_entries=8)
def _spanned(version: str) -> Span:
    return span(ledger())


def ranking(by: tuple[str, ...]) -> list[str]:
    """The labels of all members of dimensions, the costliest first, over everything loaded: what their colour follows."""
    return _ranking(by, ledger().version)


@st.cache_data(show_spinner=False, max_entries=200)
def _ranking(by: tuple[str, ...], version: str) -> list[str]:
    query = Query("EffectiveCost", by=by)
    return ranked(ledger(), query) if by and uses_cube(query) else []


def members(name: str, query: Query, limit: int = 500) -> polars.DataFrame:
    """The members of a dimension within a query's days and filters, the costliest first."""
    dimension(name)
    return ask(query.but(by=(name,), grain="none", order=f"-{query.metrics[0]}", limit=limit))


def batches() -> list[Batch]:
    """Every load ever made, oldest first."""
    return _batches(ledger().version)


@st.cache_data(show_spinner=False, max_entries=8)
def _batches(version: str) -> list[Batch]:
    return ledger().batches()


@st.cache_resource(show_spinner=False)
def state() -> State:
    """What people typed."""
    return State(ledger().home)


def events() -> tuple[Event, ...]:
    """What happened beside the bills: deployments, and changes of the allocation rules."""
    return _events(state().version(DEPLOYMENTS), head(state()).id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _events(version: int, logged: int) -> tuple[Event, ...]:
    return tuple(all_events(deployments(state()), entries(state(), subject=RULES)))


def onsets(query: Query) -> dict[tuple[object, ...], Onset]:
    """When each member of a Query began to move; see `finops_core.analysis.events`."""
    asked = query.but(metrics=query.metrics[:1], grain="none", order=None, limit=None)
    return _onsets(asked, ledger().version, state().version(DEPLOYMENTS))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _onsets(query: Query, version: str, told: int) -> dict[tuple[object, ...], Onset]:
    return onsets_of(ledger(), query, events())


def saved_views() -> list[SavedView]:
    """The views that readers have kept, by name."""
    return kept_views(state())


def rates() -> list[Rate]:
    """The exchange rates in force."""
    return _rates(state().version(RATES))


@st.cache_data(show_spinner=False, max_entries=8)
def _rates(version: int) -> list[Rate]:
    return rates_of(state())


def converted(query: Query, to: str) -> Conversion:
    """A Query's cost in a display currency, in all; see `finops_core.analysis.conversion`."""
    asked = query.but(metrics=query.metrics[:1], by=(), grain="none", order=None, limit=None)
    return _converted(asked, to, ledger().version, state().version(RATES))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES, hash_funcs=_HASHES)
def _converted(query: Query, to: str, version: str, rates_version: int) -> Conversion:
    return convert(ledger(), query, rates(), to)


def reconciled() -> list[Reconciliation]:
    """Every source and month against its own total and the typed invoices."""
    return reconcile(batches(), state().invoices())


def source_periods() -> list[SourcePeriod]:
    """What is in force of every source and month, with its freshness."""
    current = in_force(batches())
    return freshness.source_periods(current.values())


def formats() -> tuple[Format, ...]:
    """The formats that are known here, the home's mappings first."""
    return known_formats(ledger().home)
