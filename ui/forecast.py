"""The forecast of a page's question: figures, chart, table, and what was assumed."""

from datetime import date
from decimal import Decimal
from functools import cached_property

import polars
import streamlit as st

from finops_core.analysis import forecasts
from finops_core.analysis.breakdown import labels
from finops_core.analysis.forecasts import accuracy
from finops_core.analysis.forecasts.supposing import with_scenario
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.metrics import METRICS
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.store import scenarios as kept
from finops_core.vocabulary.dimensions import dimension
from ui import answers, charts, figures, forecast_charts, tables
from ui.figures import Figure
from ui.kit import Page
from ui.plain import plain

_AHEAD = (3, 6, 12)
_PAST = 12
_NONE = "No scenario"


def book(metric: str) -> forecasts.Book:
    """The forecast that all others are sums of: made once a version of the store."""
    return forecasts.book_of(answers.ledger(), metric)


@st.cache_data(show_spinner=False, max_entries=300, hash_funcs={Query: repr})
def _asked(query: Query, months: int, version: str) -> tuple[polars.DataFrame, polars.DataFrame]:
    found = forecasts.forecast_of(answers.ledger(), query, months)
    return found.table, found.tested


@st.cache_data(show_spinner=False, max_entries=100, hash_funcs={Query: repr})
def _supposed(query: Query, months: int, version: str, name: str, kept_at: int) -> polars.DataFrame:
    supposed = kept.scenario(answers.state(), name)
    return with_scenario(answers.ledger(), book(query.metrics[0]), query, months, supposed)


class Forecasting:
    """The forecast of a page's question, in its currency."""

    def __init__(self, page: Page) -> None:
        self.page = page
        metric = page.view.metric if page.view.metric in forecasts.METRICS else forecasts.METRICS[0]
        if metric != page.view.metric:
            st.info(
                f"{METRICS[page.view.metric].label} is not forecast: this is {METRICS[metric].label.lower()}.",
                icon=":material/info:",
            )
        self.query = page.query.but(
            metrics=(metric,), grain="none", start=None, end=None, order=None, limit=None
        )
        given = st.query_params.get("ahead", "")
        self.months = int(given) if given.isdecimal() and int(given) in _AHEAD else _AHEAD[0]
        known = [s.name for s in kept.scenarios(answers.state())]
        asked = st.query_params.get("scenario")
        self.scenario = asked if asked in known else None
        if asked and not self.scenario:
            st.warning(f"There is no scenario {plain(asked)}", icon=":material/link_off:")
        self.known = known
        with st.spinner("Forecasting every team and service, once for this version of the data"):
            self.book = book(metric)
            _remember(self.book, answers.ledger().version)

    @cached_property
    def total(self) -> polars.DataFrame:
        """All of it, by month: as `forecast_of`."""
        return self._table(self.query.but(by=()))

    @cached_property
    def members(self) -> polars.DataFrame:
        """By the page's dimensions, with Member."""
        found = self._table(self.query)
        return found.with_columns(labels(self.query.by).alias("Member"))

    def _table(self, query: Query) -> polars.DataFrame:
        version = answers.ledger().version
        if self.scenario is not None:
            at = answers.state().version("scenario")
            return _supposed(query, self.months + 1, version, self.scenario, at)
        return _asked(query, self.months + 1, version)[0]

    @cached_property
    def past(self) -> polars.DataFrame:
        """ChargePeriod and cost of the complete months before."""
        first = month_start(self.book.start)
        asked = self.query.but(by=(), grain="month", start=add_months(first, -_PAST), end=first)
        found = answers.ask(asked)
        return found.select(PERIOD, polars.col(self.query.metrics[0]).alias("cost"))

    def answer(self) -> None:
        """`November 2026 will cost 620,802 USD (616,178 to 627,074), 2.1 % more than October.`"""
        if self.total.is_empty():
            self.page.title_line("There is nothing to forecast from within these filters.")
            return
        row = self.total.row(0, named=True)
        band = f"{words.amount(row['p10'])} to {words.amount(row['p90'])}"
        sentence = f"{row[PERIOD]:%B %Y} will cost {words.money(row['mean'], self.page.currency)} ({band})"
        before = self._before(row[PERIOD])
        if before:
            sentence += f", {words.change(row['mean'], before)} against {add_months(row[PERIOD], -1):%B}"
        if self.scenario is not None:
            sentence += f", supposing {self.scenario}"
        self.page.title_line(f"{sentence}.")

    def _before(self, month: date) -> Decimal | None:
        found = self.past.filter(polars.col(PERIOD) == add_months(month, -1))
        return found["cost"][0] if len(found) else None

    def outlook(self) -> list[Figure]:
        """The running month and the next, as figures; none where there is nothing to forecast from."""
        if len(self.total) < 2:
            return []
        now, following = self.total.row(0, named=True), self.total.row(1, named=True)
        return [
            Figure(
                f"Forecast {row[PERIOD]:%B}, {self.page.currency}",
                words.amount(row["mean"]),
                "Four of five months end between the two figures below; more on the page Forecast",
                note=f"{words.amount(row['p10'])} to {words.amount(row['p90'])}",
            )
            for row in (now, following)
        ]

    def figures(self) -> None:
        """The running month, what of it is known, the next month, and how good forecasts were."""
        if self.total.is_empty():
            return
        now, following = self.total.row(0, named=True), self.total.row(1, named=True)
        line = [*self.past["cost"], *self.total["mean"]]
        shown = [
            Figure(
                f"{now[PERIOD]:%B %Y}, {self.page.currency}",
                words.amount(now["mean"]),
                "What complete days and booked fees cost, and the forecast of the rest",
                now["mean"],
                self._before(now[PERIOD]),
                line,
            ),
            Figure(
                "So far",
                words.amount(now["actual"]),
                f"Days through {words.day(forecasts.begins(self.book))}, and fees booked for the month",
                note=f"{words.amount(now['rest'])} more expected",
            ),
            Figure(
                f"{following[PERIOD]:%B %Y}",
                words.amount(following["mean"]),
                "Four of five months end between the two figures below",
                note=f"{words.amount(following['p10'])} to {words.amount(following['p90'])}",
            ),
        ]
        rates = self.rates().filter(polars.col("ahead") == 1)
        if len(rates):
            shown.append(
                Figure(
                    "Usually off by",
                    words.percent(Decimal(str(rates["WAPE"][0]))),
                    "WAPE one month ahead: the sum of differences over the sum of what came, of forecasts made from earlier days alone",
                    note=f"bias {words.percent(Decimal(str(rates['bias'][0])), sign=True)}",
                )
            )
        figures.show(shown)

    def choice(self) -> None:
        """How far ahead, and under which scenario: both in the link."""
        with st.container(horizontal=True, vertical_alignment="bottom", key="forecast-choice"):
            st.segmented_control(
                "Months ahead",
                _AHEAD,
                default=self.months,
                key="forecast-ahead",
                on_change=lambda: st.query_params.update(
                    ahead=str(st.session_state["forecast-ahead"] or _AHEAD[0])
                ),
                required=True,
            )
            if self.known:
                options = [_NONE, *self.known]
                st.selectbox(
                    "Scenario",
                    options,
                    index=options.index(self.scenario or _NONE),
                    key="forecast-scenario",
                    on_change=self._suppose,
                    width=260,
                )

        if self.scenario is not None:
            st.caption(plain(self.supposition()))

    def supposition(self) -> str:
        """What the scenario changes, month by month: `Spring: Dec 2026 +4,936, Jan 2027 +15,846 USD`."""
        usual = _asked(self.query.but(by=()), self.months + 1, answers.ledger().version)[0]
        before = dict(usual.select(PERIOD, "mean").iter_rows())
        changes = [
            (month, mean - before.get(month, Decimal(0)))
            for month, mean in self.total.select(PERIOD, "mean").iter_rows()
        ]
        told = ", ".join(f"{month:%b %Y} {words.signed(change)}" for month, change in changes if change)
        return (
            f"{self.scenario}: {told} {self.page.currency}"
            if told
            else f"{self.scenario} changes nothing of what is shown"
        )

    @staticmethod
    def _suppose() -> None:
        chosen = st.session_state["forecast-scenario"]
        if chosen == _NONE:
            st.query_params.pop("scenario", None)
        else:
            st.query_params["scenario"] = chosen

    def chart(self) -> None:
        """Months that are over, and those to come with their band."""
        ahead = list(self.total.select(PERIOD, "actual", "rest", "p10", "p90").iter_rows())
        past = [row for row in self.past.sort(PERIOD).iter_rows() if row[1] is not None]
        charts.show(
            forecast_charts.months(past, ahead, self.page.currency),
            "forecast",
            "Cost by month, past and forecast; the table below has the figures",
        )

    def table(self) -> None:
        """Members by month, with their total; each month's members sum to it exactly."""
        names = {month: f"{month:%b %Y}" for month in self.total[PERIOD].to_list()}
        wide = (
            self.members.with_columns(
                polars.col(PERIOD).replace_strict(names, return_dtype=polars.String).alias("m")
            )
            .pivot(on="m", index="Member", values="mean", aggregate_function="sum")
            .select("Member", *names.values())
            .with_columns(polars.col(*names.values()).fill_null(0))
            .sort(next(iter(names.values())), descending=True)
        )
        total = {"Member": "Total", **{names[m]: v for m, v in self.total.select(PERIOD, "mean").iter_rows()}}
        label = " and ".join(dimension(d).label for d in self.query.by) or "Total"
        columns: list[tables.Column] = [("Member", tables.text, label)]
        columns += [(name, tables.money, name) for name in names.values()]
        tables.show(wide, columns, total, "forecast-members")
        tables.downloads(lambda: self._table(self.query), "forecast")

    def assumptions(self) -> None:
        """How usage is forecast, and what is assumed of everything else, a sentence each."""
        with st.expander("How this is made", icon=":material/rule:"):
            counted = self.book.methods.group_by("method").len().sort("len", descending=True)
            ways = ", ".join(f"{name} ({n:,})" for name, n in counted.iter_rows())
            st.markdown(
                f"Usage is forecast by day for each of {len(self.book.leaves):,} pairs of team and service from days before"
                f" {words.day(self.book.start)}, each by the method that did best on its past: {plain(ways)}. What is asked"
                " here is the sum of such pairs, or its share in them over the last four weeks."
            )
            items = self.book.items.filter(
                (polars.col(CURRENCY) == self.page.currency) & (polars.col("month") == self.book.months[1])
            ).with_columns(labels(("x_Team",)).alias("Team"))
            if len(items):
                st.markdown("By rule, next month: what is not usage, or is booked on few days of a month")
                columns: list[tables.Column] = [
                    ("ServiceName", tables.text, "Service"),
                    ("ChargeCategory", tables.text, "Charge category"),
                    ("Team", tables.text, "Team"),
                    ("mean", tables.money, "Expected"),
                    ("why", tables.text, "Because"),
                ]
                tables.show(items.sort("mean", descending=True), columns, None, "forecast-items")

    def rates(self) -> polars.DataFrame:
        """How forecasts of this question would have been, as `accuracy.rates`."""
        query = self.query.but(by=())
        tested = _asked(query, self.months + 1, answers.ledger().version)[1]
        return accuracy.rates(tested)


@st.cache_resource(
    show_spinner=False, max_entries=8, hash_funcs={forecasts.Book: lambda b: (b.metric, b.start)}
)
def _remember(found: forecasts.Book, version: str) -> bool:
    """Keeps what is said today, once a day, to be held against what comes; a home that cannot be written goes without."""
    try:
        return accuracy.remember(answers.ledger(), answers.state(), found, "farthing")
    except FarthingError:
        return False
