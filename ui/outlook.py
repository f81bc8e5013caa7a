"""What the morning page says of the days to come and of what is open: filled in last, so that nothing waits for it."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from ui import anomalies, budgets, figures
from ui.figures import Figure
from ui.forecast import Forecasting
from ui.kit import Page
from ui.plain import plain

_MOST = 3


def place() -> Any:
    """Where it stands on the page."""
    return st.container(key="outlook")


def fill(page: Page, where: Any) -> None:
    """The running month's forecast for the page's filters, and the anomalies that go on, each with its link."""
    with where:
        try:
            going = [t for t in anomalies.open_now() if t.incident.ongoing]
            forecasting = Forecasting(page)
            forecast = forecasting.outlook()
            budget = budgets.paced(page.currency, forecasting.query.metrics[0])
        except FarthingError as error:
            st.caption(plain(str(error)))
            return
        mine = [t for t in going if t.incident.currency == page.currency]
        shown = [
            *forecast,
            *([budget] if budget is not None else []),
            Figure(
                "Anomalies going on",
                f"{len(going):,}",
                "Of all teams and currencies, neither contained nor closed",
                note=f"{words.signed(sum(t.incident.impact for t in mine))} {page.currency} so far"
                if mine
                else "",
            ),
        ]
        figures.show(shown)
        links = [
            f"[{plain(t.incident.called(anomalies.accounts()))} {words.signed(t.incident.impact)} {t.incident.currency}]"
            f"(/anomalies?{urlencode({'incident': t.incident.key})})"
            for t in going[:_MOST]
        ]
        if links:
            st.markdown(f"{' · '.join(links)} · [all anomalies](/anomalies)")
