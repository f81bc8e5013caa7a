"""All that a page needs. A view in under thirty lines:

from ui import kit

page = kit.page("Spend by region", group="RegionId")
page.answer()
page.figures()
page.chart()
page.table()
"""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars
import streamlit as st

from finops_core.analysis.breakdown import Breakdown, total
from finops_core.analysis.headline import headline
from finops_core.model import code, words
from finops_core.model.drill import into
from finops_core.model.metrics import METRICS
from finops_core.model.periods import Period, add_months, compared, month_start, previous
from finops_core.model.query import Query
from finops_core.model.span import Span
from finops_core.model.view import OVER_TIME, TABLES, View
from finops_core.quality import reconciliation
from finops_core.vocabulary.dimensions import dimension
from ui import (
    address,
    answers,
    bar,
    below,
    charts,
    drilling,
    figures,
    frame,
    shared_costs,
    states,
    tables,
    theme,
    triage,
)
from ui.figures import Figure
from ui.moves import Moves

__all__ = ["Figure", "Page", "page"]


def page(
    title: str,
    group: str | Sequence[str] = (),
    period: str = "6-months",
    grain: str = "month",
    parts: bar.Parts = bar.EVERYTHING,
    chart: str = "bars",
) -> "Page":
    """Begins a page: its title, the filter bar, and the view of the URL. Without data or rows it says so and stops."""
    frame.insist()
    by = (group,) if isinstance(group, str) else tuple(group)
    usual = View(Query("EffectiveCost", by=by, grain=grain), period=period, chart=chart)
    if answers.ledger().is_empty():
        states.no_data()
        st.stop()
    span = answers.spanned()
    view = address.view(usual)
    if view.currency is not None and view.currency not in span.currencies:
        st.warning(f"There are no charges in {view.currency}", icon=":material/link_off:")
        view = view.but(currency=None)
    view = shared_costs.settled(view, parts.shared)
    found = Page(title, view, usual, span, view.currency or span.currencies[0], st.container(gap=None))
    bar.draw(view, usual, span, found.currency, parts)
    if found.totals(found.days).is_empty():
        found.title_line("")
        states.no_rows(view, usual)
        st.stop()
    return found


def heading(title: str, answer: Callable[[], str]) -> None:
    """Begins a page without a filter bar. Without data it says so and stops."""
    frame.insist()
    if answers.ledger().is_empty():
        states.no_data()
        st.stop()
    _title_line(title, answer())


def bare_heading(title: str, answer: str) -> None:
    """Begins a page that has something to offer before the first load."""
    frame.insist()
    st.html(f'<div class="farthing-head"><h1>{html.escape(title)}</h1></div>')
    st.markdown(answer)


def _title_line(title: str, answer: str, why: str = "") -> None:
    badges = "".join(_badges())
    st.html(f'<div class="farthing-head"><h1>{html.escape(title)}</h1>{badges}</div>')
    if answer:
        link = f' <a href="{html.escape(why)}" target="_self">Why did it change?</a>' if why else ""
        st.html(f'<p class="farthing-answer">{html.escape(answer)}{link}</p>')


@dataclass
class Page:
    """A page that is being drawn. All figures are those of `query`, in one currency."""

    title: str
    view: View
    usual: View
    span: Span
    currency: str
    _head: Any = field(repr=False)

    @cached_property
    def query(self) -> Query:
        """What the page asks: the view with its days and currency."""
        return self.view.asked(self.span.first, self.span.end, self.currency)

    @cached_property
    def days(self) -> Period:
        return self.view.days(self.span.first, self.span.end)

    @cached_property
    def compared(self) -> Period | None:
        return compared(self.days, self.view.versus)

    def totals(self, days: Period) -> polars.DataFrame:
        """What the page's filters hold by its grain, of all members: its metric and, where that is a cost, what was billed."""
        metrics = (self.view.metric, *(("BilledCost",) if self.view.metric in bar.COSTS else ()))
        return answers.ask(self.query.but(metrics=metrics, by=(), start=days.start, end=days.end))

    @cached_property
    def breakdown(self) -> Breakdown:
        """The members of the view's dimensions, now and before."""
        return answers.broken_down(self.query, self.compared, self.view.top)

    def title_line(self, answer: str, why: str = "") -> None:
        """Title, badges, the answer in words, and a link to its reasons."""
        with self._head:
            _title_line(self.title, answer, why)

    def answer(self, why: bool = True) -> None:
        """The header line, with the view's answer in a sentence, and a link to what moved it; and the way that led here."""
        words = headline(self.breakdown, self.view, self.days, self.compared, self.currency, self.span)
        self.title_line(words, self.why(self.view) if why else "")
        drilling.trail(self)

    def why(self, view: View) -> str:
        """The link to what moved the cost of a view; none where it is compared with nothing, or is no cost."""
        told = self.compared is not None and view.metric in bar.COSTS
        return address.link("movers", view) if told else ""

    def figures(self, *more: Figure) -> None:
        """The view's total, what a day costs, the largest member, and further figures."""
        found, metric = self.breakdown, METRICS[self.view.metric]
        line = self._line(found.series)
        shown = [
            Figure(
                f"{metric.label}, {self.currency}",
                words.amount(found.after),
                metric.description,
                found.after,
                found.before,
                line,
                why=self.why(self.view),
            ),
            self._per_day(line),
        ]
        if self.query.by and len(found.table):
            first = found.table.row(0, named=True)
            shown.append(
                Figure(
                    f"Largest: {first['Member']}",
                    words.amount(first["after"]),
                    f"The largest of {found.members:,} by {' and '.join(dimension(d).label.lower() for d in self.query.by)}",
                    first["after"],
                    first["before"],
                    self._line(found.series.filter(polars.col("Member") == first["Member"])),
                    why=self.why(into(self.view, first)),
                )
            )
        figures.show([*shown, *more])

    @staticmethod
    def _line(series: polars.DataFrame) -> list[Decimal]:
        known = series.filter(polars.col("cost").is_not_null())
        return list(known.group_by("ChargePeriod").agg(polars.col("cost").sum()).sort("ChargePeriod")["cost"])

    def _per_day(self, line: Sequence[Decimal]) -> Figure:
        found = self.breakdown
        before = found.before / self.compared.days if found.before is not None and self.compared else None
        after = found.after / self.days.days if found.after is not None else None
        return Figure(
            "Per day",
            words.amount(after),
            f"Over the {self.days.days} days of {words.period(self.days)}",
            after,
            before,
            line,
            why=self.why(self.view),
        )

    def billed(self) -> Figure:
        """What was invoiced for the same charges."""
        now = self.totals(self.days)
        if "BilledCost" not in now.columns:
            now = answers.ask(self.query.but(metrics=("BilledCost",), by=()))
        after, before = total(now["BilledCost"]), None
        if self.compared is not None:
            past = self.totals(self.compared)
            before = total(past["BilledCost"]) if "BilledCost" in past.columns else None
        line = list(now["BilledCost"].drop_nulls())
        why = self.why(self.view.but(metrics=("BilledCost",)))
        told = METRICS["BilledCost"].description
        return Figure("Billed", words.amount(after), told, after, before, line, why=why)

    def last_month(self) -> Figure:
        """The last month that is complete, against the one before it."""
        end = month_start(self.span.complete_until)
        days = Period(add_months(end, -1), end)
        asked = self.query.but(by=(), grain="day", start=previous(days).start, end=end)
        daily = answers.ask(asked).select("ChargePeriod", self.view.metric)
        sides = [
            daily.filter((polars.col("ChargePeriod") >= p.start) & (polars.col("ChargePeriod") < p.end))
            for p in (days, previous(days))
        ]
        after, before = (total(side[self.view.metric]) if len(side) else None for side in sides)
        return Figure(
            words.period(days),
            words.amount(after),
            "The last complete month, same filters",
            after,
            before,
            list(sides[0][self.view.metric].drop_nulls()),
            why=self.why(self.view.but(start=days.start, end=days.end, versus="previous")),
        )

    def chart_choice(self) -> None:
        """Bars, lines, shares, a calendar of days, or ranked members; and how many members are named."""
        with st.container(horizontal=True, vertical_alignment="bottom", key="choice"):
            st.segmented_control(
                "Chart",
                OVER_TIME,
                key=address.seeded("chart-kind", self.view.chart),
                format_func=str.capitalize,
                on_change=address.changes("chart-kind", lambda kind: self.go(chart=kind or "bars")),
                required=True,
            )
            st.selectbox(
                "Members shown",
                sorted({3, 5, 8, 12, 20, self.view.top}),
                key=address.seeded("chart-top", self.view.top),
                on_change=address.changes("chart-top", lambda top: self.go(top=top)),
                help="The rest is one member, Other, whose cost is exact",
                width=130,
            )

    def go(self, **changes: Any) -> None:
        """Changes the view, and with it the URL."""
        address.go(self.view.but(**changes), self.usual)

    @cached_property
    def _drawn(self) -> charts.Spec:
        """The view's chart."""
        found, currency = self.breakdown, self.currency
        ranking = answers.ranking(self.query.by)
        if self.view.chart == "heat":
            return charts.heat(answers.weekdays(self.query), currency)
        if self.view.chart == "ranked":
            top = found.top()
            named = list(top.filter(top["Kind"] == "member")["Member"])
            return charts.ranked(top, "after", currency, theme.colours(named, ranking))
        return charts.over_time(
            found.series,
            self.query.grain,
            currency,
            self.span.complete_until,
            ranking,
            self.view.chart,
            triage.marks(self.query),
        )

    def chart(self, key: str = "chart") -> None:
        """The view over time, its members stacked, Other last; or as the view's `chart` says."""
        label = METRICS[self.view.metric].label
        what = {"heat": "by week and weekday", "ranked": "by member"}.get(
            self.view.chart, f"by {self.query.grain}"
        )
        words = f"{self.title}: {label} {what}; the table below has the figures"
        drilling.chart(self, self._drawn, key, words)
        unmarked = triage.too_many(self.query) if self.view.chart in charts.ALONG_TIME else ""
        if unmarked:
            st.caption(unmarked)

    def table_choice(self) -> None:
        """Members, members by period, or the charges themselves."""
        st.segmented_control(
            "Table",
            TABLES,
            key=address.seeded("table-kind", self.view.table),
            format_func={"members": "Members", "pivot": "By period", "charges": "Charges"}.get,
            on_change=address.changes("table-kind", lambda kind: self.go(table=kind or TABLES[0])),
            required=True,
            label_visibility="collapsed",
        )

    def table(self, key: str = "table") -> None:
        """The figures that the chart was drawn from, as the view's `table` says; and downloads of the whole answer."""
        below.TABLES[self.view.table](self, key)
        name = self.title.lower().replace(" ", "-")
        tables.downloads(below.answer(self), name, lambda form: charts.picture(self._drawn, form, self.title))

    def changes(self, key: str = "changes", most: int = 6) -> None:
        """The members whose cost changed most, as ranked bars."""
        found = self.breakdown
        if found.before is None or not self.query.by:
            return
        moved = found.table.filter((polars.col("Kind") == "member") & (polars.col("change") != 0))
        moved = moved.sort(polars.col("change").abs(), descending=True).head(most)
        if len(moved):
            assert self.compared is not None
            st.header(
                "What changed most",
                help=f"{words.period(self.days)} against {words.period(self.compared)}",
                anchor=False,
            )
            charts.show(
                charts.ranked(moved, "change", self.currency),
                key,
                "The largest changes; the table has the figures",
            )
            if not self.query.allocated:  # why it moved is known of charges, not of their parts
                Moves(self, answers.moved(self.query, self.compared)).sentences()

    def moves(self) -> Moves | None:
        """What the view's members changed by, and why. None, and said, where it is compared with nothing."""
        if self.compared is None:
            self.title_line("Compared with nothing, nothing changed: choose what to compare with.")
            return None
        found = answers.moved(self.query, self.compared)
        return Moves(self, found)

    def as_code(self) -> None:
        """The question as Python, as a command, and as SQL."""
        with st.expander("As code", icon=":material/code:"):
            st.code(code.as_python(self.query), language="python")
            st.code(code.as_command(self.query), language="bash", wrap_lines=True)
            st.code(code.as_sql(self.query), language="sql")


def _badges() -> list[str]:
    """Reconciliation and freshness of everything loaded, in words, each a link."""
    lines = answers.reconciled()
    kind = "good" if all(line.holds for line in lines) else "bad"
    found = [_badge(kind, "reconciliation", reconciliation.in_words(lines))]
    late = [p for p in answers.source_periods() if p.state == "late"]
    if late:
        found.append(_badge("bad", "sources", f"{words.counted(len(late), 'source is', 'sources are')} late"))
    newest = answers.spanned().complete_until - timedelta(1)
    found.append(_badge("plain", "sources", f"Complete through {words.day(newest)}"))
    return found


def _badge(kind: str, target: str, text: str) -> str:
    return (
        f'<a class="farthing-badge farthing-{kind}" href="/{target}" target="_self">{html.escape(text)}</a>'
    )
