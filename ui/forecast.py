"""The forecast page's parts: figures, chart, table, what was assumed, scenarios, and accuracy."""

from datetime import date
from decimal import Decimal
from functools import cached_property, partial

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
from finops_core.store import forecasts as kept_forecasts
from finops_core.store import scenarios as kept
from finops_core.store.scenarios import KINDS, Adjustment, Scenario
from finops_core.vocabulary.dimensions import dimension
from ui import answers, charts, figures, forecast_charts, tables
from ui.figures import Figure
from ui.kit import Page
from ui.plain import plain
from ui.viewer import viewer

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
        rates = self._rates().filter(polars.col("ahead") == 1)
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
                st.markdown("What is not usage, next month:")
                columns: list[tables.Column] = [
                    ("ServiceName", tables.text, "Service"),
                    ("ChargeCategory", tables.text, "Charge category"),
                    ("Team", tables.text, "Team"),
                    ("mean", tables.money, "Expected"),
                    ("why", tables.text, "Because"),
                ]
                tables.show(items.sort("mean", descending=True), columns, None, "forecast-items")

    def _rates(self) -> polars.DataFrame:
        query = self.query.but(by=())
        tested = _asked(query, self.months + 1, answers.ledger().version)[1]
        return accuracy.rates(tested)

    def accuracy(self) -> None:
        """What was said one and three months ahead against what came."""
        st.header(
            "How good forecasts were",
            anchor=False,
            help="WAPE: the sum of differences over the sum of what came",
        )
        stored = accuracy.told(answers.ledger(), answers.state(), self.query.metrics[0], self.book.start)
        stored = stored.filter(polars.col(CURRENCY) == self.page.currency)
        if len(stored):
            st.caption("Forecasts as they were kept, of all teams")
            self._judged(stored, "forecast-kept")
        st.caption(
            "As forecasts of these filters would have been made, each from the days before it alone: usage of 30 days"
        )
        self._judged(self._rates(), "forecast-tested")
        st.caption(
            "Forecasts are kept on each day that one is made, and judged when their months are over; so far of"
            f" {_kept_days(self.query.metrics[0])}."
        )

    @staticmethod
    def _judged(rates: polars.DataFrame, key: str) -> None:
        if rates.is_empty():
            st.markdown("The past is too short for that yet.")
            return
        columns: list[tables.Column] = [
            ("ahead", lambda n: f"{n} month{'s' if n > 1 else ''}", "Ahead"),
            ("months", tables.count, "Compared"),
            *((name, tables.share, name if name.isupper() else name.capitalize()) for name in rates.columns if name in ("MAPE", "WAPE", "bias", "coverage")),
        ]  # fmt: skip
        tables.show(rates, columns, None, key)

    def scenarios(self) -> None:
        """Supposing otherwise: adjustments with dates, kept by name."""
        with st.expander("Scenarios", icon=":material/alt_route:", expanded=self.scenario is not None):
            st.markdown(
                "A scenario is a set of dated adjustments. Choose one above to see the forecast under it; the link keeps it."
            )
            current = kept.scenario(answers.state(), self.scenario) if self.scenario else None
            if current is not None:
                for adjustment in current.adjustments:
                    st.markdown(f"- {plain(_in_words(adjustment))}")
                st.download_button(
                    "YAML",
                    kept.to_yaml(current),
                    f"scenario-{current.name}.yaml",
                    icon=":material/download:",
                    on_click="ignore",
                )
                st.button("Remove this scenario", on_click=partial(_removed, current.name), type="tertiary")
            with st.form("forecast-adjust", border=False):
                left, middle, right = st.columns(3)
                left.text_input("Scenario", value=self.scenario or "", key="adjust-name")
                left.selectbox(
                    "What happens",
                    list(KINDS),
                    key="adjust-kind",
                    format_func=lambda k: f"{k.capitalize()}: {KINDS[k]}",
                )
                middle.date_input("From", value=self.book.months[1], key="adjust-start")
                middle.date_input("Through", value=None, key="adjust-end", help="Empty: for good")
                right.text_input("Percent", key="adjust-percent")
                right.text_input(f"Amount a month, {self.page.currency}", key="adjust-amount")
                left.text_input(
                    "Of what",
                    key="adjust-where",
                    placeholder="x_Team=search",
                    help="Conditions as in the bar's filters, separated by semicolons",
                )
                right.text_input(
                    "To whom",
                    key="adjust-to",
                    placeholder="x_Team=platform",
                    help="For migrations and launches",
                )
                st.form_submit_button(
                    "Add adjustment", type="primary", on_click=partial(_adjusted, self.page.currency)
                )
            st.file_uploader(
                "A scenario as YAML", type=["yaml", "yml"], key="scenario-file", on_change=_uploaded
            )
        if said := st.session_state.pop("scenario-said", None):
            kind, text = said
            (st.success if kind == "good" else st.error)(plain(text))


def _in_words(a: Adjustment) -> str:
    when = f"from {words.day(a.start)}" + (f" through {words.day(a.end)}" if a.end else "")
    what = (
        f"{a.percent:f} %"
        if a.percent is not None
        else f"{a.amount:f} {a.currency} a month"
        if a.amount is not None
        else ""
    )
    of = f" of {', '.join(a.where)}" if a.where else ""
    to = f" to {', '.join(f'{k} {v}' for k, v in a.to.items())}" if a.to else ""
    return " ".join(f"{a.kind.capitalize()} {what}{of}{to} {when}".split())


def _say(kind: str, text: str) -> None:
    st.session_state["scenario-said"] = (kind, text)


@st.cache_resource(
    show_spinner=False, max_entries=8, hash_funcs={forecasts.Book: lambda b: (b.metric, b.start)}
)
def _remember(found: forecasts.Book, version: str) -> bool:
    """Keeps what is said today, once a day, to be held against what comes; a home that cannot be written goes without."""
    try:
        return accuracy.remember(answers.ledger(), answers.state(), found, "farthing")
    except FarthingError:
        return False


def _kept_days(metric: str) -> str:
    days = len({said.made for said in kept_forecasts.said(answers.state(), metric)})
    return f"{days} day{'' if days == 1 else 's'}"


def _adjusted(currency: str) -> None:
    typed = {
        name: str(st.session_state[f"adjust-{name}"] or "").strip()
        for name in ("name", "percent", "amount", "where", "to")
    }
    record = {
        "kind": st.session_state["adjust-kind"],
        "start": st.session_state["adjust-start"],
        "end": st.session_state["adjust-end"],
        "where": tuple(part.strip() for part in typed["where"].split(";") if part.strip()),
        "percent": typed["percent"] or None,
        "amount": typed["amount"] or None,
        "currency": currency if typed["amount"] else None,
        "to": dict(part.split("=", 1) for part in typed["to"].split(";") if "=" in part),
    }
    try:
        added = kept.adjustment(record)
        Query("EffectiveCost", where=added.where)  # conditions that cannot be read are said here
        before = {s.name: s for s in kept.scenarios(answers.state())}.get(typed["name"])
        found = Scenario(
            typed["name"],
            (*(before.adjustments if before else ()), added),
            before.description if before else "",
        )
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        _say("bad", str(error))
        return
    st.query_params["scenario"] = typed["name"]
    _say("good", f"Kept in {typed['name']}")


def _uploaded() -> None:
    file = st.session_state["scenario-file"]
    if file is None:
        return
    try:
        found = kept.from_yaml(file.getvalue().decode("utf-8", "replace"), file.name)
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        _say("bad", str(error))
        return
    st.query_params["scenario"] = found.name
    _say("good", f"Kept: {found.name}")


def _removed(name: str) -> None:
    kept.remove(answers.state(), name, viewer())
    st.query_params.pop("scenario", None)
