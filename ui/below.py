"""What stands below a chart: the members that it shows, members by period, or the charges that they are made of."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars
import streamlit as st

from finops_core.model import words
from finops_core.model.export import cell
from finops_core.model.metrics import METRICS
from finops_core.vocabulary.dimensions import DIMENSIONS, dimension
from ui import answers, drilling, tables, whose
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

_MOST_CHARGES = 200
_ALWAYS = (
    "ServiceName",
    "SubAccountName",
    "ChargeCategory",
    "ChargeDescription",
)


def _labels(page: "Page") -> str:
    return " · ".join(dimension(d).label for d in page.query.by) or "Total"


def members(page: "Page", key: str) -> None:
    """The members with their cost, change and share."""
    found = page.breakdown
    columns: list[tables.Column] = [
        ("Member", tables.text, _labels(page)),
        ("after", tables.known, f"{METRICS[page.view.metric].label} {page.currency}"),
    ]
    if found.before is not None:
        columns += [("before", tables.known, "Before"), ("change", tables.signed, "Change")]
    columns.append(("share", tables.share, "Share"))
    total = {
        "Member": "Total",
        "after": found.after,
        "before": found.before,
        "share": 1.0 if found.after else None,
    }
    total["change"] = found.change
    rows = found.table
    chosen = tables.show(rows, columns, total, key, selectable=bool(page.query.by), of=str(page.query))
    if chosen is not None and rows["Kind"][chosen] == "member":
        drilling.actions(page, rows.row(chosen, named=True))


def pivot(page: "Page", key: str) -> None:
    """The members down, the periods across, totals on both edges."""
    found = answers.pivoted(page.query)
    periods: list[tables.Column] = [
        (p, tables.money, words.bucket(date.fromisoformat(p), page.query.grain)) for p in found.periods
    ]
    columns: list[tables.Column] = [
        ("Member", tables.text, _labels(page)),
        ("Total", tables.money, f"Total {page.currency}"),
        *periods,
    ]
    total = {"Member": "Total", "Total": sum(filter(None, found.totals.values()), Decimal(0)), **found.totals}
    tables.show(found.table, columns, total, key)


def charges(page: "Page", key: str) -> None:
    """The charges that the view adds up, the largest first; and of a chosen one, where its cost comes from."""
    billed = page.query.but(allocated=False)
    found = answers.charges(billed, _MOST_CHARGES)
    counts = answers.ask(billed.but(metrics=("ChargeCount",), by=(), grain="none"))["ChargeCount"]
    count = counts[0] if len(counts) else 0
    if page.query.allocated:
        st.caption(
            "Charges stand where they are billed: a share of a pool is no charge of its own. Why a charge is shared, it says itself."
        )
    metric = page.view.metric
    columns: list[tables.Column] = [
        ("ChargePeriodStart", tables.text, DIMENSIONS["ChargePeriodStart"].label),
        (metric, tables.money, f"{METRICS[metric].label} {page.currency}"),
        ("Owner", tables.text, DIMENSIONS[whose.owner_column()].label),
        *((name, tables.text, DIMENSIONS[name].label) for name in _ALWAYS),
        ("ResourceId", tables.text, DIMENSIONS["ResourceId"].label),
        ("PricingQuantity", tables.quantity, "Quantity"),
        ("PricingUnit", tables.text, "Unit"),
        ("x_Source", tables.text, "Source"),
        ("x_File", tables.text, "File"),
        ("x_Row", tables.count, "Row"),
    ]
    if count > len(found):
        st.caption(f"The {len(found)} largest of {count:,} charges. Filter to see others.")
    chosen = tables.show(
        found.with_columns(whose.owners()), columns, None, key, selectable=True, of=str(page.query)
    )
    if chosen is None:
        st.caption(
            "Choose a charge, by the box on its left, to see whose it is, why, and where its cost comes from."
        )
        return
    whose.charge(found.row(chosen, named=True))
    _origin(found.row(chosen, named=True), metric)


def _origin(charge: dict[str, Any], metric: str) -> None:
    """One charge: its line of the export, its load, the rule behind its cost, and all that is known of it."""
    found = answers.origin(charge, metric)
    with st.container(border=True, key="origin"):
        amount = f"{cell(charge[metric])} {charge['BillingCurrency']}"
        st.markdown(f"**Where {plain(amount)} comes from**")
        if found is None:
            st.markdown("The load or the format of this charge is not known here.")
        else:
            versions = f"version {found.batch.lake_version} of the store, loaded {found.batch.loaded_at}"
            st.markdown(
                f"Row **{found.row:,}** of `{found.file}`, read as {plain(found.format)}; {plain(versions)}."
            )
            if found.derived:
                st.markdown(f"The source has no such row: derived, as {plain(found.derived)}.")
            st.caption(f"What the format says {metric} is, in terms of the columns of the file")
            st.code(f"{metric} = {found.expression}", language="sql", wrap_lines=True)
        known = {name: cell(value) for name, value in charge.items() if value is not None}
        st.dataframe(
            {"Column": list(known), "Value": [str(v) for v in known.values()]}, hide_index=True, height=240
        )


TABLES: dict[str, Callable[["Page", str], None]] = {"members": members, "pivot": pivot, "charges": charges}
"""By the view's `table`."""


def answer(page: "Page") -> Callable[[], polars.DataFrame]:
    """What a download holds: the whole answer of the view's Query, or the charges that are listed."""
    if page.view.table == "charges":
        return lambda: answers.charges(page.query.but(allocated=False), _MOST_CHARGES)
    return lambda: answers.ask(page.query)
