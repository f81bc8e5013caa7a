"""What machine learning costs by its own units: tokens by model, hours of accelerators."""

from datetime import date
from decimal import Decimal

import polars
import streamlit as st

from finops_core.analysis.units import accelerators, idle_share, is_used_hours, tokens
from finops_core.model import words
from finops_core.model.periods import add_months
from ui import answers, tables
from ui.units import UnitPage, known


@st.cache_data(show_spinner=False, max_entries=50)
def _tokens(month: date, version: str) -> polars.DataFrame:
    return tokens(answers.ledger(), month, add_months(month, 1))


@st.cache_data(show_spinner=False, max_entries=50)
def _accelerators(month: date, version: str) -> polars.DataFrame:
    return accelerators(answers.ledger(), month, add_months(month, 1))


def draw(page: UnitPage) -> None:
    """Of the page's month, in its currency; nothing where no charge is of that kind."""
    span = answers.spanned()
    month = page.month if page.metric is not None else span.usual_month
    code = page.currency or span.currencies[0]
    version = answers.ledger().version
    mine = polars.col("BillingCurrency") == code
    made, cards = _tokens(month, version).filter(mine), _accelerators(month, version).filter(mine)
    if made.is_empty() and cards.is_empty():
        return
    st.header(
        "Machine learning", anchor=False, help="From the charges alone: what was metered, and what it cost"
    )
    left, right = st.columns(2, gap="large")
    with left:
        _of_tokens(made, month, code)
    with right:
        _of_cards(cards, code, _used(page, month))


def _of_tokens(made: polars.DataFrame, month: date, code: str) -> None:
    if made.is_empty():
        return
    columns: list[tables.Column] = [
        ("model", tables.text, "Model"), ("kind", tables.text, "Tokens"), ("cost_per_million", _price, f"{code} for 1M"),
        ("millions", _millions, "Millions"), ("cost", tables.money, "Cost"),
    ]  # fmt: skip
    named = made.with_columns((polars.col("tokens").cast(polars.Float64) / 1e6).alias("millions"))
    total = {"model": "Total", "kind": "", "cost": made["cost"].sum(), "millions": named["millions"].sum()}
    tables.show(named, columns, total, "units-tokens", half=True)
    st.caption(f"Tokens by model, {month:%B %Y}")


def _of_cards(cards: polars.DataFrame, code: str, used: Decimal | None) -> None:
    if cards.is_empty():
        return
    columns: list[tables.Column] = [
        ("x_UsageType", tables.text, "Machine or card"), ("gpus", tables.count, "GPUs"), ("cost_per_hour", _price, f"{code} an hour"),
        ("hours", _hours, "Hours"), ("cost", tables.money, "Cost"),
    ]  # fmt: skip
    total = {"x_UsageType": "Total", "cost": cards["cost"].sum(), "hours": cards["hours"].sum()}
    tables.show(cards, columns, total, "units-accelerators", half=True)
    idle = idle_share(cards, used) if used is not None else None
    st.caption(
        f"{words.percent(idle)} of the GPU hours that were paid for were idle"
        if idle is not None
        else "How much of it was idle is known once a metric of used hours, such as gpu_hours_used, is uploaded"
    )


def _used(page: UnitPage, month: date) -> Decimal | None:
    """The hours in which GPUs worked in a month, as a metric tells them."""
    told = [m.table for name, m in known(page.at).items() if is_used_hours(name)] if not page.refused else []
    inside = [t.filter((t["date"] >= month) & (t["date"] < add_months(month, 1))) for t in told]
    return (
        sum((Decimal(t["quantity"].sum()) for t in inside), Decimal(0))
        if any(len(t) for t in inside)
        else None
    )


def _price(value: Decimal | None) -> str:
    return "" if value is None else words.amount(value)


def _millions(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.1f}"


def _hours(value: Decimal | None) -> str:
    return "not known" if value is None else f"{value:,.0f}"
