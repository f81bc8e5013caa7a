"""Computes what pages would otherwise compute for their first reader, and keeps it in the home; also what is forecast today."""

from finops_core.analysis.forecasts import accuracy, book_of
from finops_core.analysis.forecasts.book import METRICS
from finops_core.analysis.incidents.watching import watched
from finops_core.model.ledger import Ledger
from finops_core.store.home import Home
from finops_core.store.state import State


def warm(home: Home) -> None:
    """Looks at every series, and makes the forecasts' books, of the newest version of a home. Nothing for an empty one."""
    ledger = Ledger(home)
    if ledger.is_empty():
        return
    watched(ledger)
    for metric in METRICS:
        accuracy.remember(ledger, State(home), book_of(ledger, metric), "farthing")
