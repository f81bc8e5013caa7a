"""Budgets: how they stand in a month, month by month, and what made the difference."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, partial

import polars
import streamlit as st

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.budgets import Account, BudgetStatus, account
from finops_core.analysis.budgets.costs import member_named
from finops_core.analysis.budgets.files import finance_feed, variance_xlsx
from finops_core.analysis.budgets.headline import Sums, headline, of_currency, sums
from finops_core.analysis.budgets.months import by_month, months_to_choose
from finops_core.analysis.budgets.status import running_month
from finops_core.analysis.budgets.variance import CARRIED, PARTS, PLANNED, PREVIOUS, REST, Variance, variance
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store.budgets import BUDGET, KIND, METRICS, BudgetLine, budgets, versions
from finops_core.store.journal_accounts import accounts
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, budget_charts, charts, figures, kit, tables
from ui.charts import Step
from ui.figures import Figure
from ui.moves import CAUSES
from ui.plain import plain

BY = ("x_Team", "ServiceName", "x_CostCenter", "x_Product", "SubAccountName")
"""What a variance is told by."""
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PARAGRAPHS = 6
_PLAN = {
    CARRIED: ("Carried over", "How far the month before was off its own plan already"),
    PLANNED: ("Planned change", "What the plan changed from the month before, with the sign turned round"),
    REST: ("Days to come", "Of a running month: charges of days not complete, less the plan for them"),
}


def lines() -> list[BudgetLine]:
    """All amounts in force."""
    return _lines(answers.state().version(KIND))


@st.cache_data(show_spinner=False, max_entries=4)
def _lines(version: int) -> list[BudgetLine]:
    return budgets(answers.state())


@st.cache_data(show_spinner="Holding the budgets against the charges", max_entries=100)
def _account(month: date, version: str, ledger: str, kept: int) -> Account:
    return account(answers.ledger(), lines(), month, version)


@st.cache_data(show_spinner="Telling what made the difference", max_entries=100)
def _variance(month: date, against: str, by: str, metric: str, ledger: str, kept: int) -> Variance:
    return variance(answers.ledger(), lines(), month, against, by, metric)


@st.cache_data(show_spinner=False, max_entries=100)
def _by_month(
    version: str, currency: str, metric: str, ledger: str, kept: int
) -> list[tuple[date, Decimal | None, Decimal | None]]:
    return by_month(answers.ledger(), lines(), version, currency, metric)


def spent(month: str, by: str, owner: str | None, currency: str) -> BudgetStatus | None:
    """How the one budget of an owner stands in a month; None where there is none, or several."""
    if owner is None or not lines():
        return None
    day = date.fromisoformat(f"{month}-01")
    found = _account(day, BUDGET, answers.ledger().version, answers.state().version(KIND))
    member = None if owner == MISSING else owner
    own = [s for s in found.statuses if s.currency == currency and member_named(s.line, by) == (member,)]
    return own[0] if len(own) == 1 else None


def paced(currency: str, metric: str) -> Figure | None:
    """What is spent of all budgets of the running month, and whether that is on pace; None where there are none."""
    if not lines():
        return None
    month = running_month(answers.spanned())
    found = sums(
        _account(month, BUDGET, answers.ledger().version, answers.state().version(KIND)), currency, metric
    )
    if not found.budget or found.share is None:
        return None
    pace = f"pace {words.percent(found.pace)}" if found.pace is not None else ""
    return Figure(
        f"Of the budget, {month:%B}",
        words.percent(found.share),
        "Spent of all budgets of the month; 100 % pace is what budgets usually have spent by then",
        note=f"{words.amount(found.actual)} of {words.money(found.budget, currency)}, {pace}".rstrip(", "),
    )


def begin(title: str) -> "BudgetPage":
    """Begins the page: its title, its answer, and what the URL asks for. Without data it says so and stops."""
    found: list[BudgetPage] = []

    def answer() -> str:
        found.append(_asked())
        return headline(found[0].account, found[0].currency, found[0].metric)

    kit.heading(title, answer)
    return found[0]


def _asked() -> "BudgetPage":
    """What the URL asks for; what it cannot mean is said, and left out."""
    known, span = lines(), answers.spanned()
    months = [f"{m:%Y-%m}" for m in months_to_choose(known, span.first, span.complete_until)]
    running = f"{running_month(span):%Y-%m}"
    plans = versions(known) or [BUDGET]
    month = address.given("month", months, running)
    version = address.given("version", plans, plans[0])
    against = address.given("against", [*plans, PREVIOUS], version)
    by = address.given("by", list(BY), BY[0])
    metrics = [m for m in METRICS if any(line.metric == m for line in known)] or [METRICS[0]]
    metric = address.given("metric", metrics, metrics[0])
    budgeted = {line.currency for line in known}
    currencies = sorted(span.currencies, key=lambda c: (c not in budgeted, span.currencies.index(c)))
    currency = address.given("currency", currencies, currencies[0])
    kept = (answers.ledger().version, answers.state().version(KIND))
    found = _account(date.fromisoformat(f"{month}-01"), version, *kept)
    return BudgetPage(found, currency, metric, against, by, (months, plans, metrics, currencies), kept)


_choice = partial(address.choice, "budgets")


@dataclass
class BudgetPage:
    """The budgets of a month in a version, one currency, one cost."""

    account: Account
    currency: str
    metric: str
    against: str
    by: str
    options: tuple[list[str], list[str], list[str], list[str]]
    kept: tuple[str, int]

    @cached_property
    def sums(self) -> Sums:
        return sums(self.account, self.currency, self.metric)

    def bar(self) -> None:
        """Month, version and currency; each is in the URL."""
        months, plans, metrics, currencies = self.options
        with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
            _choice("Month", "month", months, f"{self.account.month:%Y-%m}", 140)
            _choice("Version", "version", plans, self.account.version, 160, str.capitalize)
            if len(currencies) > 1:
                _choice("Currency", "currency", currencies, self.currency, 110)
            if len(metrics) > 1:
                _choice("Cost", "metric", metrics, self.metric, 170)

    def figures(self) -> None:
        """Budget, spent, forecast, pace, and what no budget counts."""
        found, own = self.sums, of_currency(self.account, self.currency, self.metric)
        usual = own[0].in_words() if own else "Without a budget there is no pace"
        ahead = found.forecast if found.forecast is not None else None
        against = words.change(ahead, found.budget) + " to the budget" if ahead is not None else ""
        figures.show(
            [
                Figure(f"Budget, {self.currency}", words.amount(found.budget) if own else "none", f"The sum of {len(own)} budgets"),
                Figure("Spent", words.amount(found.actual), "Charges of the month that a budget counts, each once",
                       note=f"{words.percent(found.share)} of the budget" if found.share is not None else ""),
                Figure("Forecast", words.amount(ahead) if ahead is not None else "not known", "What the month will come to", note=against),
                Figure("Pace", words.percent(found.pace) if found.pace is not None else "none",
                       f"Spent ÷ what budgets usually have spent by then; 100 % is on pace. Of the largest: {usual}"),
                Figure("Without a budget", words.amount(found.unbudgeted), "Cost of the month that no budget counts",
                       note=f"of {words.money(found.total, self.currency)} in all"),
            ]
        )  # fmt: skip

    def charts(self) -> None:
        """Each budget, and all of them by month."""
        own = of_currency(self.account, self.currency, self.metric)
        left, right = st.columns(2, gap="large")
        with left:
            st.header(
                "By budget",
                help="Pale: the budget; in it what is spent; the tick is the forecast",
                anchor=False,
            )
            if own:
                charts.show(budget_charts.by_budget(own, self.currency), "budgets-chart", "Budgets against what is spent and forecast; the table below has the figures")  # fmt: skip
            else:
                st.info("There are no budgets for this month in this currency: import a sheet or type them below.", icon=":material/savings:")  # fmt: skip
        with right:
            st.header("By month", help="Bars: the whole cost; the line: all budgets together", anchor=False)
            rows = _by_month(self.account.version, self.currency, self.metric, *self.kept)
            running = running_month(answers.spanned())
            charts.show(budget_charts.by_month(rows, self.currency, running), "months-chart", "Cost and budgets month by month")  # fmt: skip

    def table(self) -> None:
        """All budgets of the month, and what closes the account: rows sum to the whole cost."""
        for overlap in self.account.overlaps:
            st.warning(
                f"Two budgets count the same cost: {plain(overlap.in_words())}", icon=":material/join:"
            )
        if self.account.more_overlaps:
            st.caption("There are too many pairs of budgets that may count the same cost to name them all.")
        mine = self.account.table().filter(polars.col("BillingCurrency") == self.currency)
        columns: list[tables.Column] = [
            ("name", tables.text, "Budget"), ("owner", tables.text, "Owner"), ("budget", tables.money, "Budget amount"),
            ("actual", tables.money, "Spent"), ("share", _share, "Share"), ("forecast", tables.money, "Forecast"),
            ("pace", _share, "Pace"), ("state", tables.text, "State"),
        ]  # fmt: skip
        total = {
            "name": "Total", "owner": "", "state": "", "budget": mine["budget"].sum(), "actual": mine["actual"].sum(),
            "share": self.sums.share, "forecast": self.sums.forecast, "pace": self.sums.pace,
        }  # fmt: skip
        tables.show(mine, columns, total, "budgets-table")
        tables.downloads(self.account.table, f"budgets-{self.account.month:%Y-%m}")

    def variance(self) -> None:
        """Budget to actual by what made the difference, in words, as a table, and as files."""
        st.header("Why it differs", anchor=False)
        plans = self.options[1]
        with st.container(horizontal=True, vertical_alignment="bottom", key="variance-choice"):
            _choice("Against", "against", [*plans, PREVIOUS], self.against, 180, lambda n: "Month before" if n == PREVIOUS else n.capitalize())  # fmt: skip
            _choice("By", "by", BY, self.by, 180, lambda name: dimension(name).label)
        try:
            found = _variance(self.account.month, self.against, self.by, self.metric, *self.kept)
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        mine = found.table.filter(polars.col("BillingCurrency") == self.currency)
        if mine.is_empty():
            st.info(
                "There is nothing planned and nothing charged in this month.", icon=":material/event_busy:"
            )
            return
        _waterfall(found, self.currency)
        _told(found, mine, self.currency)
        _parts(found, mine)
        self._files(found)

    def _files(self, found: Variance) -> None:
        name = f"farthing-variance-{found.month:%Y-%m}"
        tables.downloads(lambda: found.table, f"variance-{found.month:%Y-%m}")

        def feed() -> bytes:
            from finops_core.model.export import to_csv

            by_center = _variance(found.month, self.against, "x_CostCenter", self.metric, *self.kept)
            return to_csv(finance_feed(by_center, accounts(answers.ledger().home.rules)))

        with st.container(horizontal=True, gap="small", key="variance-files"):
            st.download_button("Workbook with formulas", partial(variance_xlsx, found), f"{name}-formulas.xlsx", _SHEET, icon=":material/table:", on_click="ignore", help="To the cent; a check column must read 0")  # fmt: skip
            st.download_button("Finance feed", feed, f"{name}-feed.csv", "text/csv", icon=":material/account_balance:", on_click="ignore", help="Cost centre, account, period, currency, budget, actual, variance, its parts, text")  # fmt: skip


def _share(value: Decimal | None) -> str:
    return "" if value is None else words.percent(value)


def _labels() -> dict[str, tuple[str, str]]:
    return {**CAUSES, **_PLAN}


def _waterfall(found: Variance, currency: str) -> None:
    sums_of = found.totals(currency)
    against = "Month before" if found.against == PREVIOUS else found.against.capitalize()
    steps = [Step(_labels()[part][0], sums_of[part]) for part in PARTS if abs(sums_of[part]) >= words.DUST]
    whole = [
        Step(against, sums_of["budget"], total=True),
        *steps,
        Step("Actual", sums_of["actual"], total=True),
    ]
    charts.show(charts.waterfall(whole, currency), "variance-waterfall", f"From {against} to actual by cause; the table below has the figures")  # fmt: skip


def _told(found: Variance, mine: polars.DataFrame, currency: str) -> None:
    share = found.explained.get(currency, Decimal(1))
    told = f"Drivers against {words.period(found.before)}; they explain {words.percent(share)} of what moved since."
    if found.is_running:
        told += f" The month runs: days before {words.day(found.through)} are complete; all charges together have usually reached {words.percent(found.usual.get(currency))} of a month by then."  # fmt: skip
    if found.left_out:
        told += f" Budgets of another cost are left out: {', '.join(found.left_out)}."
    st.caption(plain(told))
    rows = mine.head(_PARAGRAPHS).select(found.by, "text").iter_rows()
    st.markdown("\n".join(f"- **{plain(member if member is not None else '(none)')}** {plain(text)}" for member, text in rows))  # fmt: skip


def _parts(found: Variance, mine: polars.DataFrame) -> None:
    labels = _labels()
    seen = [part for part in PARTS if (mine[part].abs() >= words.DUST).any()]
    columns: list[tables.Column] = [
        ("Member", tables.text, dimension(found.by).label), ("budget", tables.money, "Plan"), ("actual", tables.money, "Actual"),
        ("variance", tables.signed, "Variance"), *((part, _part, labels[part][0]) for part in seen),
    ]  # fmt: skip
    named = mine.with_columns(polars.col(found.by).fill_null("(none)").alias("Member"))
    names = ("budget", "actual", "variance", *seen)
    tables.show(named, columns, {"Member": "Total", **{n: mine[n].sum() for n in names}}, "variance-table")
    with st.expander("What the parts mean", icon=":material/help:"):
        for part in seen:
            st.markdown(f"**{labels[part][0]}**: {labels[part][1]}.")


def _part(value: Decimal | None) -> str:
    return "" if value is None or abs(value) < words.DUST else words.signed(value)
