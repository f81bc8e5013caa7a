"""What is left of what a customer, a tier or a product pays: revenue beside cost."""

from datetime import date

import polars
import streamlit as st

from finops_core.analysis.units import margins
from finops_core.errors import FarthingError
from finops_core.model.periods import add_months
from ui import answers, tables
from ui.plain import plain
from ui.units import UnitPage, Version, known, percent


@st.cache_data(show_spinner=False, max_entries=50)
def _margins(at: Version, metric: str, revenue: str, by: str, month: date, cost: str, allocated: bool) -> polars.DataFrame:  # fmt: skip
    told = known(at)
    return margins(answers.ledger(), told[metric], told[revenue], by, month, add_months(month, 1), cost, allocated)  # fmt: skip


def draw(page: UnitPage) -> None:
    """Revenue beside cost, where both are known by the same column."""
    if page.metric is None or not page.by:
        return
    whose = {line.member for line in page.mine}
    earned = [m for m in known(page.at).values() if m.is_revenue and whose & set(m.members.get(page.by, ()))]
    if not earned:
        return
    try:
        found = _margins(
            page.at, page.metric.name, earned[0].name, page.by, page.month, page.cost, page.allocated
        )
    except FarthingError as error:
        st.warning(plain(str(error)), icon=":material/help:")
        return
    mine = found.filter(polars.col("BillingCurrency") == page.currency)
    if mine.is_empty():
        return
    st.header(
        f"Margin by {page.by.replace('_', ' ')}",
        anchor=False,
        help="Revenue less cost. Where charges do not know who it was for, cost is shared by units, day by day",
    )
    columns: list[tables.Column] = [
        ("Member", tables.text, page.label()), ("revenue", tables.money, f"Revenue, {page.currency}"), ("cost", tables.money, "Cost"),
        ("margin", tables.signed, "Margin"), ("margin_share", percent, "Of revenue"),
    ]  # fmt: skip
    named = mine.with_columns(polars.col("member").fill_null("(none)").alias("Member"))
    sums = {name: mine[name].sum() for name in ("revenue", "cost", "margin")}
    share = round(sums["margin"] / sums["revenue"], 6) if sums["revenue"] else None
    tables.show(named, columns, {"Member": "Total", **sums, "margin_share": share}, "units-margins")
    tables.downloads(lambda: found, "margins")
