"""The commitments page's parts: figures, rates by day, each commitment, when they end, who benefits, what is left to cover."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

import polars
import streamlit as st

from finops_core.analysis import commitments
from finops_core.analysis.breakdown import MISSING, labels
from finops_core.analysis.breakdown import total as summed
from finops_core.analysis.commitments.figures import expiring
from finops_core.model import words
from finops_core.model.query import Query
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts, commitment_charts, figures, tables
from ui.figures import Figure
from ui.kit import Page

_SIDES = (
    "Used and idle count where a commitment belongs: what its purchase or its idle part names, else the one place that uses it. Covered and"
    " eligible count where the use is; what a commitment is, such as its type, has its share of all eligible use"
)
_TARGETS = "Utilisation above 90 to 95 %, coverage 60 to 85 %"


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _of(query: Query, version: str) -> commitments.Commitments:
    return commitments.commitments(answers.ledger(), query.start, query.end, query.where)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _by_day(query: Query, version: str) -> polars.DataFrame:
    return commitments.by_day(answers.ledger(), query.start, query.end, query.where)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _benefit(query: Query, version: str) -> polars.DataFrame:
    return commitments.benefit(answers.ledger(), query.by, query.start, query.end, query.where)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _by_member(query: Query, cut: str, version: str) -> polars.DataFrame:
    by = commitments.cut(cut)
    return commitments.by_member(answers.ledger(), by, query.start, query.end, query.where)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _leftovers(query: Query, version: str) -> polars.DataFrame:
    by = ("ServiceName", "RegionId")
    return commitments.leftovers(answers.ledger(), by, query.start, query.end, query.where)


@st.cache_data(show_spinner=False, max_entries=50, hash_funcs={Query: repr})
def _by_hour(query: Query, version: str) -> polars.DataFrame:
    assert query.start is not None and query.end is not None
    end = min(query.end, answers.spanned().complete_until)
    return commitments.by_hour(
        answers.ledger(), query.start, max(end, query.start + timedelta(1)), query.where
    )


class Shown:
    """The commitments of a page's question, in its currency."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.query = page.query.but(metrics=("EffectiveCost",), grain="none", order=None, limit=None)
        found = _of(self.query, answers.ledger().version)
        self.items, self.totals = found.items, found.totals

    @cached_property
    def days(self) -> polars.DataFrame:
        return _by_day(self.query, answers.ledger().version)

    @cached_property
    def total(self) -> dict[str, Decimal] | None:
        return self.totals.row(0, named=True) if len(self.totals) else None

    @property
    def is_idle_known(self) -> bool:
        """Whether the bill parts what was paid for commitments into used and not used."""
        return self.total is not None and self.total["utilisation"] is not None

    def answer(self) -> None:
        """`8 commitments were 94 % used and covered 23 % of what they could; they saved 13,902 USD, and 2,048 USD of them was idle.`"""
        if self.total is None:
            self.page.title_line(
                "No reservation, savings plan or committed use has charges within these filters."
            )
            return
        total, code = self.total, self.page.currency
        told = [words.counted(len(self.items), "commitment")]
        they, them = ("they", "them") if len(self.items) > 1 else ("it", "it")
        if total["utilisation"] is not None:
            told.append(
                f"{'were' if len(self.items) > 1 else 'was'} {words.percent(total['utilisation'])} used and"
            )
        if total["savings"] is None and total["coverage"] is not None:
            self.page.title_line(
                f"{' '.join(told)} covered {_known(total['coverage'])} of what {they} could;"
                f" the bill does not say what {they} cost, so savings and idle money are not known."
            )
            return
        if total["savings"] is None:
            self.page.title_line(
                f"{' '.join(told)} left {words.money(total['unused'], code)} idle;"
                f" the bill has no on-demand price of what {they} covered, so coverage and savings are not known."
            )
            return
        sentence = (
            f"{' '.join(told)} covered {_known(total['coverage'])} of what {they} could;"
            f" {they} saved {words.money(summed(self.items['savings']), code)}"
        )
        idle = f", and {words.money(total['unused'], code)} of {them} was idle."
        sentence += idle if self.is_idle_known else "."
        if total["fees"]:
            sentence += f" {words.money(total['fees'], code)} of fees is counted that the bill links to no use: how much of it was idle is not known."
        self.page.title_line(sentence)

    def figures(self) -> None:
        """Utilisation, coverage, effective savings rate, savings, and idle money a day."""
        if self.total is None:
            st.info("Commitments show here once their charges are loaded.", icon=":material/info:")
            return
        total, days = self.total, self.page.days.days
        own = summed(self.items["savings"]) or Decimal(0)
        others = total["savings"] - own if total["savings"] is not None else Decimal(0)
        saved = (
            f"{words.amount(own)} by commitments, {words.amount(others)} by other discounts" if others else ""
        )
        idle = (
            Figure("Idle a day", words.amount(total["unused"] / days), f"Unused commitments over {days} days", note=f"{words.amount(total['unused'])} in all")
            if self.is_idle_known
            else Figure("Idle a day", "not known", "The bill does not say which part of the commitments was not used")
        )  # fmt: skip
        shown = [
            Figure("Utilisation", _known(total["utilisation"]), "Used / (used + idle), of effective cost", line=self._line("utilisation"), note="target 90 to 95 %"),
            Figure("Coverage", _known(total["coverage"]), "Covered / eligible use, at on-demand prices; eligible is standard and committed use of services that have commitments", line=self._line("coverage"), note="target 60 to 85 %"),
            Figure("Effective savings rate", _known(total["effective_savings_rate"]), "1 − what eligible use and idle commitments cost / the same at on-demand prices"),
            Figure(f"Saved, {self.page.currency}", tables.known(total["savings"]), "Eligible use at on-demand prices less what it cost, idle commitments included", note=saved),
            idle,
        ]  # fmt: skip
        figures.show(shown)

    def _line(self, rate: str) -> list[Decimal]:
        return [value for value in self.days[rate].to_list() if value is not None]

    def charts(self) -> None:
        """Rates by day, and coverage as a calendar."""
        if self.total is None:
            return
        charts.show(commitment_charts.rates(self.days), "commitment-rates", "Utilisation and coverage by day")
        hours = _by_hour(self.query, answers.ledger().version)
        hours = hours.filter(polars.col("BillingCurrency") == self.page.currency)
        if len(hours):
            st.header(
                "By hour and weekday",
                anchor=False,
                help="Of hours in UTC, over all weeks of the period: where a commitment idles, and where use stays uncovered",
            )
            for rate, place in zip(commitment_charts.RATES, st.columns(2, gap="large"), strict=True):
                with place:
                    charts.show(
                        commitment_charts.hours(hours, rate), f"hours-{rate}", f"{rate} by hour and weekday"
                    )
        with st.expander("By week and weekday", icon=":material/calendar_month:"):
            for rate in commitment_charts.RATES:
                charts.show(
                    commitment_charts.calendar(self.days, rate),
                    f"calendar-{rate}",
                    f"{rate} by week and weekday",
                )

    def table(self) -> None:
        """Each commitment, with the total of all."""
        if self.total is None:
            return
        columns: list[tables.Column] = [
            ("CommitmentDiscountId", _short, "Commitment"),
            ("type", _kind, "Type"),
            ("utilisation", _percent, "Utilisation"),
            ("used", tables.money, "Used"),
            ("unused", tables.money, "Idle"),
            *self._fees(),
            ("on_demand", tables.money, "Would have cost"),
            ("savings", tables.signed, "Saved"),
            ("expires", _when, "Ends"),
            ("expiry", tables.text, "Known as"),
        ]
        total = {
            "CommitmentDiscountId": "Total",
            "used": self.total["used"],
            "unused": self.total["unused"],
            "fees": self.total["fees"],
            "utilisation": self.total["utilisation"],
            "on_demand": self.total["covered"],
            "savings": summed(self.items["savings"]) if self.total["savings"] is not None else None,
        }
        tables.show(self.items, columns, total, "commitments")
        tables.downloads(lambda: self.items, "commitments")

    def _fees(self) -> list[tables.Column]:
        """The column of fees that are linked to no use, where a bill has any."""
        return [("fees", tables.money, "Fees")] if self.total is not None and self.total["fees"] else []

    def parted(self) -> None:
        """The rates by type, account, family, region, service or the page's own dimensions."""
        if self.total is None:
            return
        st.header("By type, account, family and region", anchor=False, help=_SIDES)
        names = list(dict.fromkeys((*commitments.USUAL, *self.query.by)))
        cuts = {name: commitments.cut(name) for name in names if name != "BillingCurrency"}
        chosen = address.given(address.CUT, list(cuts), commitments.USUAL[0])
        address.choice(
            "commitments", "By", address.CUT, list(cuts), chosen, 220, lambda name: cuts[name].label
        )
        found = _by_member(self.query, chosen, answers.ledger().version)
        found = found.with_columns(
            polars.col(commitments.MEMBER).fill_null(MISSING if cuts[chosen].belongs else "(not covered)")
        )
        columns: list[tables.Column] = [
            (commitments.MEMBER, _short, cuts[chosen].label),
            ("utilisation", _percent, "Utilisation"),
            ("used", tables.money, "Used"),
            ("unused", tables.money, "Idle"),
            *self._fees(),
            ("coverage", _percent, "Coverage"),
            ("covered", tables.known, "Covered, on demand"),
            ("eligible", tables.known, "Eligible, on demand"),
            ("effective_savings_rate", _percent, "Savings rate"),
            ("savings", tables.signed, "Saved"),
        ]
        tables.show(found, columns, {**self.total, commitments.MEMBER: "Total"}, "commitment-cuts")
        tables.downloads(lambda: found, f"commitments-by-{chosen}")

    def expiries(self) -> None:
        """When each ends, and what a day costs more from then on."""
        found = expiring(self.items, self.page.days.days) if self.total is not None else self.items
        if self.total is None or found.is_empty():
            return
        st.header(
            "When they end",
            anchor=False,
            help="Stated in rules/commitments.yaml; else a year after the first day that one was seen",
        )
        columns: list[tables.Column] = [
            ("CommitmentDiscountId", _short, "Commitment"),
            ("type", _kind, "Type"),
            ("expires", _when, "Ends"),
            ("expiry", tables.text, "Known as"),
            ("daily", tables.signed, f"More a day from then, {self.page.currency}"),
        ]
        tables.show(found, columns, None, "commitment-expiries")

    def benefit(self) -> None:
        """Whose use was covered, and what that saved."""
        if self.total is None or not self.query.by:
            return
        found = _benefit(self.query, answers.ledger().version).with_columns(
            labels(self.query.by).alias("Member")
        )
        label = " and ".join(dimension(d).label for d in self.query.by)
        st.header(f"Who has the benefit, by {label.lower()}", anchor=False)
        columns: list[tables.Column] = [
            ("Member", tables.text, label),
            ("used", tables.money, "Covered use cost"),
            ("on_demand", tables.money, "Would have cost"),
            ("savings", tables.signed, "Saved"),
        ]
        total = {
            "Member": "Total",
            **{name: summed(found[name]) for name in commitments.BENEFIT},
        }
        tables.show(found, columns, total, "commitment-benefit")

    def leftovers(self) -> None:
        """Eligible use that is not covered."""
        if self.total is None:
            return
        found = _leftovers(self.query, answers.ledger().version)
        if found.is_empty():
            return
        found = found.with_columns(labels(("ServiceName", "RegionId")).alias("Member"))
        st.header("On demand, and could be covered", anchor=False, help=_TARGETS)
        columns: list[tables.Column] = [
            ("Member", tables.text, "Service and region"),
            ("on_demand", tables.money, "On demand"),
        ]
        total = {"Member": "Total", "on_demand": summed(found["on_demand"])}
        tables.show(found, columns, total, "commitment-leftovers")


def _short(name: str | None) -> str:
    """The end of a long id, which tells them apart."""
    text = name or MISSING
    return text if len(text) <= 40 else f"…{text[-38:]}"


def _kind(name: str | None) -> str:
    """A type of commitment, with the field's own short word where it is long."""
    return (name or MISSING).replace("committed use discount", "CUD")


def _percent(value: Decimal | None) -> str:
    return "" if value is None else words.percent(value)


def _known(rate: Decimal | None) -> str:
    return "not known" if rate is None else words.percent(rate)


def _when(day: date | None) -> str:
    return "" if day is None else f"{day:%-d %b %Y}"
