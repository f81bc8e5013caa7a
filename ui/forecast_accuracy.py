"""How good forecasts were: those that were kept, and those that would have been made."""

import polars
import streamlit as st

from finops_core.analysis.forecasts import accuracy
from finops_core.model import words
from finops_core.model.engine import CURRENCY
from finops_core.store import forecasts as kept_forecasts
from ui import answers, tables
from ui.forecast import Forecasting


def show(forecasting: Forecasting) -> None:
    """What was said one and three months ahead against what came."""
    st.header(
        "How good forecasts were",
        anchor=False,
        help="WAPE: the sum of differences over the sum of what came",
    )
    stored = accuracy.told(
        answers.ledger(), answers.state(), forecasting.query.metrics[0], forecasting.book.start
    )
    stored = stored.filter(polars.col(CURRENCY) == forecasting.page.currency)
    if len(stored):
        st.caption("Forecasts as they were kept, of all teams")
        _judged(stored, "forecast-kept")
    st.caption(
        "As forecasts of these filters would have been made, each from the days before it alone: usage of 30 days"
    )
    _judged(forecasting.rates(), "forecast-tested")
    st.caption(
        "Forecasts are kept on each day that one is made, and judged when their months are over; so far of"
        f" {_kept_days(forecasting.query.metrics[0])}."
    )


def _judged(rates: polars.DataFrame, key: str) -> None:
    if rates.is_empty():
        st.markdown("The past is too short for that yet.")
        return
    columns: list[tables.Column] = [
        ("ahead", lambda n: words.counted(n, "month"), "Ahead"),
        ("months", tables.count, "Compared"),
        *((name, tables.share, name if name.isupper() else name.capitalize()) for name in rates.columns if name in ("MAPE", "WAPE", "bias", "coverage")),
    ]  # fmt: skip
    tables.show(rates, columns, None, key)


def _kept_days(metric: str) -> str:
    days = len({said.made for said in kept_forecasts.said(answers.state(), metric)})
    return words.counted(days, "day")
