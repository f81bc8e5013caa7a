"""Shared pools: the table of how and why each is split, and who got which share of one over time."""

from decimal import Decimal
from typing import TYPE_CHECKING

import polars
import streamlit as st

from finops_core.allocation.owners import SHARED
from finops_core.analysis.flow import COST, NOBODY, OWNER, Flow, PoolLine, pool_lines, pool_series
from finops_core.analysis.pool_fallbacks import Fallback, fallbacks
from finops_core.model import words
from finops_core.model.engine import PERIOD
from finops_core.model.query import Query
from ui import address, answers, charts, tables
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

_NAMED = 4


@st.cache_data(show_spinner=False, max_entries=100, hash_funcs={Query: repr})
def _lines(query: Query, version: tuple[str, int]) -> list[PoolLine]:
    return pool_lines(answers.ledger(), query)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _series(query: Query, pool: str, version: tuple[str, int]) -> polars.DataFrame:
    return pool_series(answers.ledger(), query, pool)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _fallbacks(query: Query, pool: str, version: tuple[str, int]) -> list[Fallback]:
    return fallbacks(answers.ledger(), query, pool)


def show(page: "Page", query: Query, found: Flow, version: tuple[str, int]) -> None:
    """The pools of a view: `query` is its question without dimensions, `found` its flow."""
    st.header(
        "Shared pools",
        help="Cost of many, split over those who share it. Without facts for a day the fallback splits, and this is said",
        anchor=False,
    )
    lines = _lines(query, version)
    if not lines:
        st.caption("The rules in force have no pools: shared cost stays with whoever it is billed to.")
        return
    rows = [_row(line, found, page.currency) for line in lines]
    whole = found.of_kind(SHARED) + sum(found.left_in_pools().values(), Decimal(0))
    with st.container(key="pools"):
        st.table(
            [
                *rows,
                {
                    **dict.fromkeys(rows[0], ""),
                    "Pool": "All pools",
                    f"Cost, {page.currency}": words.amount(whole),
                },
            ],
            hide_index=True,
            border="horizontal",
            alt="How and why each pool is split, who approved it, what it cost and who got which share",
        )
    if found.is_split:
        costs = {line.pool: found.consumers(line.pool)[COST].sum() or Decimal(0) for line in lines}
        _chart(page, query, found.owner, costs, version)


def _row(line: PoolLine, found: Flow, currency: str) -> dict[str, str]:
    """A pool as a line of the table; what people wrote is shown as it is written."""
    consumers = found.consumers(line.pool)
    approved = f". Approved by {line.approved_by}" if line.approved_by else ". Approved by nobody yet"
    shown = {
        "Pool": f"{line.pool} {line.since}".strip(),
        f"Cost, {currency}": words.amount(consumers[COST].sum() or Decimal(0)),
        "Split": line.method
        + (f" ({line.driver})" if line.driver and line.driver not in line.method else ""),
        "Without data": line.fallback,
        "Why, and who approved it": (line.why or "No reason is given") + approved,
        "Shares": _shares(consumers) if found.is_split else "not split with this filter",
        "Which charges": line.cost_that,
    }
    return {name: plain(text.replace(" %", "\u00a0%")) for name, text in shown.items()}


def _shares(consumers: polars.DataFrame) -> str:
    """The largest consumers with their shares, and how many more there are."""
    total = consumers[COST].sum()
    if not total:
        return "nothing in this view"
    named = [
        f"{owner if owner is not None else NOBODY} {words.percent(cost / total)}"
        for owner, cost in consumers.select(OWNER, COST).head(_NAMED).iter_rows()
    ]
    more = len(consumers) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _chart(
    page: "Page", query: Query, owner: str, costs: dict[str, Decimal], version: tuple[str, int]
) -> None:
    """Who got which share of the pool of the URL, over time."""
    asked, pools = st.query_params.get(address.POOL), list(costs)
    pool = asked if asked in pools else max(pools, key=lambda name: costs[name])
    if asked not in (None, pool):
        st.warning(f"There is no pool {plain(str(asked))} here", icon=":material/link_off:")
    grain = page.query.grain if page.query.grain != "none" else "day"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Pool",
            pools,
            key=address.seeded("allocation-pool", pool),
            on_change=address.changes(
                "allocation-pool", lambda name: st.query_params.update({address.POOL: name})
            ),
            width=300,
            disabled=address.is_presenting(),
        )
    series = _series(query.but(grain=grain), pool, version)
    if series.is_empty():
        st.caption(f"The pool {plain(pool)} costs nothing in this view.")
        return
    for one in _fallbacks(query, pool, version):
        st.markdown(f":material/info: {plain(one.in_words())}")
    ranking = answers.ranking((owner,))
    drawn = charts.over_time(series, grain, page.currency, page.span.complete_until, ranking, "share")
    charts.show(
        drawn, "pool-shares", f"Shares of the pool {pool} by {grain}; the table below has the figures"
    )
    with st.expander("Shares by period", icon=":material/table:"):
        wide = _wide(series, grain)
        columns: list[tables.Column] = [
            ("Member", tables.text, "Consumer"),
            ("Total", tables.money, f"Total, {page.currency}"),
        ]
        columns += [(n, tables.money, n) for n in wide.columns[1:-1]]
        total = {"Member": "Total", **{n: wide[n].sum() for n in wide.columns[1:]}}
        tables.show(wide, columns, total, "pool-table", of=f"{pool}{grain}")


def _wide(series: polars.DataFrame, grain: str) -> polars.DataFrame:
    """Members down, periods across, and their total."""
    named = series.with_columns(
        polars.Series("bucket", [words.bucket(start, grain) for start in series[PERIOD]])
    )
    wide = named.pivot("bucket", index="Member", values=COST, aggregate_function="sum")
    whole = named.group_by("Member").agg(polars.col(COST).sum().alias("Total"))
    return wide.join(whole, on="Member").sort(["Total", "Member"], descending=[True, False])
