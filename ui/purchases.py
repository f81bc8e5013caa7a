"""Commitments to buy: what is recommended, and for one of them the cost at every level of commitment."""

import polars
import streamlit as st

from finops_core.analysis.purchases import Recommendation, plans, recommend, total_savings, tranches
from finops_core.analysis.purchases.plans import Plan
from finops_core.model.query import Query
from ui import answers, charts, purchase_plans, tables, theme
from ui.charts import _NEW, Spec, _axis, _ink, _text  # the same frame as every chart
from ui.kit import Page

_MONTH = 365 / 12


@st.cache_resource(
    show_spinner="Looking at what could be covered, over simulated futures",
    max_entries=20,
    hash_funcs={Query: repr},
)
def _found(query: Query, scenario: str, version: str) -> list[Recommendation]:
    return recommend(answers.ledger(), scenario, where=query.where)


def section(page: Page) -> None:
    """What to buy, on request: it looks at a year of days."""
    st.header(
        "What to buy",
        anchor=False,
        help="Of use that nothing covers, by day, over simulated futures: least cost among levels whose risk of low use is borne",
    )
    given = st.query_params.get("suppose", "")
    known = plans(answers.ledger().home).scenarios
    scenario = given if given in known else ""
    options = ["", *known]
    st.selectbox(
        "Suppose",
        options,
        index=options.index(scenario),
        format_func=lambda s: s.capitalize() or "Choose a future to see recommendations",
        key="suppose",
        on_change=lambda: st.query_params.update(suppose=st.session_state["suppose"]),
        width=360,
    )
    if not scenario:
        purchase_plans.standing()
        return
    found = [
        r
        for r in _found(page.query.but(start=None, end=None), scenario, answers.ledger().version)
        if r.currency == page.currency
    ]
    if not found:
        st.markdown(
            "Nothing: no use on demand is steady enough, or known for eight weeks, under the plans on offer."
        )
        return
    saved = total_savings(found)[page.currency]
    st.markdown(
        f"**{len(found)} purchases would save {saved:,.0f} {page.currency} a month**, at discounts of `rules/plans.yaml` or the typical ones"
        f" shipped. Use is known by the {' and the '.join(sorted({r.grain for r in found}))}; commitments in force are taken to be renewed."
    )
    table = _table(found)
    columns: list[tables.Column] = [
        ("Of", tables.text, "Service and region"),
        ("Plan", tables.text, "Plan"),
        ("Hourly", _thousandths, "An hour"),
        ("Saves", _whole, "Saves a month"),
        ("Low", _whole, "p10"),
        ("High", _whole, "p90"),
        ("Used", tables.share, "Used"),
        ("Covered", tables.share, "Covered"),
        ("Risk", tables.share, "Risk"),
    ]
    row = tables.show(table, columns, None, "purchases", selectable=True, of=scenario)
    tables.downloads(lambda: table, "purchases")
    one = found[row or 0]
    st.subheader(f"{one.service} {one.region or ''}: {one.plan.in_words()}", anchor=False)
    charts.show(_curve(one), "purchase-curve", "Expected cost a month at every level of commitment")
    st.caption(
        "Line: mean cost of a month, use beyond the commitment at on-demand prices. Band: p10 to p90, eight futures of ten."
        " Recommended: the least mean cost among levels whose risk of being less than nine tenths used is borne."
    )
    others = ", ".join(f"{name} {words_of(value)}" for name, value in one.scenarios.items())
    parts = "; ".join(
        f"{day:%b %Y} {amount / 24:,.4f} an hour"
        for day, amount in tranches(one, answers.spanned().complete_until)
    )
    st.markdown(
        f"- It is a loss if {one.wrong_if}.\n- Savings a month of the same purchase under other futures: {others} {one.currency}.\n"
        f"- In parts, so that not all of it ends at once: {parts} {one.currency}.\n"
        f"- Break-even: {f'{one.break_even_months:.1f} months' if one.break_even_months else 'at once, for nothing is paid in advance'};"
        f" signed by the {one.approver}."
    )
    purchase_plans.offer(found, scenario)
    purchase_plans.standing()


def words_of(value: float) -> str:
    """A float of money, as figures show it."""
    return f"{value:+,.0f}"


def _table(found: list[Recommendation]) -> polars.DataFrame:
    return polars.DataFrame(
        [
            (
                f"{r.service} · {r.region or 'no region'}",
                _plan(r.plan),
                r.choice.commitment / 24,
                r.monthly_savings,
                r.choice.savings_low * _MONTH,
                r.choice.savings_high * _MONTH,
                r.choice.utilisation,
                r.choice.coverage,
                r.choice.risk,
                r.approver,
            )
            for r in found
        ],
        schema=["Of", "Plan", "Hourly", "Saves", "Low", "High", "Used", "Covered", "Risk", "Approver"],
        orient="row",
    )


def _plan(plan: Plan) -> str:
    """A plan in few words: the table has much to show beside it."""
    years, rest = divmod(plan.term_months, 12)
    return plan.in_words().replace(
        f"{plan.term_months} months", f"{plan.term_months} mo" if rest else f"{years} y"
    )


def _thousandths(value: float) -> str:
    return f"{value:,.3f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _curve(one: Recommendation) -> Spec:
    found = one.curve
    rows = [
        {
            "level": level * (1 - one.plan.discount) / 24,
            "mean": mean * _MONTH,
            "low": low * _MONTH,
            "high": high * _MONTH,
            "Commitment": f"{level * (1 - one.plan.discount) / 24:,.4f} {one.currency} an hour",
            "Cost": f"{mean * _MONTH:,.0f} ({low * _MONTH:,.0f} to {high * _MONTH:,.0f}) {one.currency} a month",
            "Label": f"{level * (1 - one.plan.discount) / 24:,.4f} an hour: {mean * _MONTH:,.0f} {one.currency} a month",
        }
        for level, mean, low, high in zip(found.levels, found.mean, found.low, found.high, strict=True)
    ]
    chosen = [{"level": one.choice.commitment / 24, "What": "recommended"}, {"level": 0.0, "What": "today"}]
    x: Spec = {
        "field": "level",
        "type": "quantitative",
        "axis": {"title": f"commitment, {one.currency} an hour", "grid": False},
    }
    y: Spec = {
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": _axis(f"{one.currency} a month", "~s", 5),
    }
    hue = theme.line_colour()
    return {
        **_NEW,
        "height": 240,
        "layer": [
            {
                "data": {"values": rows},
                "layer": [
                    {"mark": {"type": "area", "color": hue, "opacity": 0.18}, "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}}},
                    {
                        "mark": {"type": "line", "color": hue, "strokeWidth": 2.2, "point": {"size": 14}},
                        "encoding": {"x": x, "y": {"field": "mean", **y}, "description": _text("Label"), "tooltip": [_text("Commitment"), _text("Cost")]},
                    },
                ],
            },
            {
                "data": {"values": chosen},
                "layer": [
                    {"mark": {"type": "rule", "color": _ink(), "strokeDash": [3, 3]}, "encoding": {"x": x}},
                    {"mark": {"type": "text", "align": "left", "dx": 5, "color": _ink()}, "encoding": {"x": x, "y": {"value": 10}, "text": _text("What")}},
                ],
            },
        ],
    }  # fmt: skip
