"""The savings page's parts: what is open, realised month by month, what was found, and the backlog."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property, partial

import polars
import streamlit as st

from finops_core.analysis.savings import Opportunity, Realised, find, planned, realised
from finops_core.analysis.savings.proposing import proposals, sheet
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store.savings import (
    AVOIDANCE,
    DONE,
    KIND,
    REDUCTION,
    REJECTED,
    VERIFIED,
    SavingsItem,
    add,
    items,
)
from finops_core.store.unit_metrics import stamps
from ui import address, answers, charts, figures, kit, savings_charts, tables
from ui.figures import Figure
from ui.plain import plain
from ui.viewer import ask_name, signed

SAID = "savings-said"
SHOWN = ("open", "done", "rejected", "all")
_TOP = 10


@st.cache_resource(
    show_spinner="Looking for what could be saved, once for this version of the data", max_entries=4
)
def _opportunities(version: str) -> list[Opportunity]:
    return find(answers.ledger())


@st.cache_resource(show_spinner="Measuring what was saved", max_entries=20)
def _realised(version: str, kept: int, units: tuple[tuple[str, int, int], ...]) -> list[Realised]:
    return realised(answers.ledger(), items(answers.state()))


def measured() -> list[Realised]:
    """What the items that are done have saved, month by month."""
    return _realised(answers.ledger().version, answers.state().version(KIND), stamps(answers.ledger().home))


def begin(title: str) -> "Savings":
    """Begins the page: its title, its answer, and what the URL asks for. Without data it says so and stops."""
    found: list[Savings] = []

    def answer() -> str:
        span = answers.spanned()
        code = st.query_params.get("currency", span.currencies[0])
        if code not in span.currencies:
            st.warning(f"There are no charges in {plain(code)}", icon=":material/link_off:")
            code = span.currencies[0]
        found.append(Savings(code, items(answers.state()), measured()))
        return found[0].answer()

    kit.heading(title, answer)
    return found[0]


@dataclass
class Savings:
    """The backlog, and what was found and realised, in one currency."""

    currency: str
    items: list[SavingsItem]
    everything: list[Realised] = field(repr=False)

    @cached_property
    def mine(self) -> list[SavingsItem]:
        return [i for i in self.items if i.currency == self.currency]

    @cached_property
    def realised(self) -> list[Realised]:
        return [r for r in self.everything if r.currency == self.currency]

    @cached_property
    def opportunities(self) -> list[Opportunity]:
        return [o for o in _opportunities(answers.ledger().version) if o.currency == self.currency]

    @property
    def last_month(self) -> date:
        """The last whole month."""
        return answers.spanned().usual_month

    def answer(self) -> str:
        """`9,421 USD were saved in October 2026, net; 31 ideas are worth about 28,000 a month.`"""
        ideas = [i for i in self.mine if i.state not in (DONE, VERIFIED, REJECTED)]
        worth = sum((i.expected_monthly * i.confidence for i in ideas), Decimal(0))
        told = [r for r in self.realised if r.month == self.last_month]
        saved = sum((r.net for r in told), Decimal(0))
        first = (
            f"{words.money(saved, self.currency)} were saved in {self.last_month:%B %Y}, net, by what was done before"
            if told
            else f"Nothing that is done was measured in {self.last_month:%B %Y} yet"
        )
        many = f"{len(ideas)} more items are" if len(ideas) != 1 else "1 more item is"
        return (
            f"{first}; {many} worth about {words.money(worth, self.currency)} a month."
            if ideas
            else f"{first}."
        )

    def figures(self) -> None:
        """Realised, planned, verified, and what is in the backlog; reduction and avoidance apart."""
        month = self.last_month
        now = [r for r in self.realised if r.month == month]
        kinds = {
            kind: sum((r.net for r in now if r.kind == kind), Decimal(0)) for kind in (REDUCTION, AVOIDANCE)
        }
        plan = planned(self.mine, month).get(self.currency, Decimal(0))
        net = sum(kinds.values(), Decimal(0))
        everything = sum((r.net for r in self.realised), Decimal(0))
        signed = sum((r.net for r in self.realised if r.verified), Decimal(0))
        ideas = [i for i in self.mine if i.state not in (DONE, VERIFIED, REJECTED)]
        figures.show(
            [
                Figure(f"Realised, {month:%B}", words.amount(net), "Baseline × days × volume − cost since, less what doing it costs",
                       line=self._line(), note=f"{words.percent(net / plan)} of {words.amount(plan)} planned" if plan else "nothing was planned"),
                Figure("Of it reduction", words.amount(kinds[REDUCTION]), "The bill became smaller", note=f"avoidance {words.amount(kinds[AVOIDANCE])}"),
                Figure(f"Since the beginning, {self.currency}", words.amount(everything), "Net, of all items and months",
                       note=f"gross {words.amount(sum((r.gross for r in self.realised), Decimal(0)))}"),
                Figure("Signed by finance", words.percent(signed / everything) if everything > 0 else "nothing yet", "The part of net savings that somebody verified who did not do it"),
                Figure("In the backlog, a month", words.amount(sum((i.expected_monthly for i in ideas), Decimal(0))), f"Expected of {len(ideas)} items that are not done",
                       note=f"{words.amount(sum((o.saving for o in self.opportunities), Decimal(0)))} found in the bill now"),
            ]
        )  # fmt: skip

    def _line(self) -> list[Decimal]:
        months = sorted({r.month for r in self.realised if r.month <= self.last_month})
        return [sum((r.net for r in self.realised if r.month == month), Decimal(0)) for month in months]

    def charts(self) -> None:
        """What was realised month by month, and what to do first."""
        currencies = answers.spanned().currencies
        if len(currencies) > 1:
            st.segmented_control(
                "Currency", list(currencies), key=address.seeded("savings-currency", self.currency), required=True, label_visibility="collapsed",
                on_change=address.changes("savings-currency", partial(st.query_params.__setitem__, "currency")),
            )  # fmt: skip
        left, right = st.columns(2, gap="large")
        with left:
            st.header(
                "Realised by month",
                anchor=False,
                help="Net, by item; the running month to its last complete day",
            )
            if self.realised:
                charts.show(savings_charts.realised(self.realised, self.currency), "savings-realised", "Net savings by month and item")  # fmt: skip
            else:
                st.info("Items show here once they are done and have a baseline.", icon=":material/savings:")
        with right:
            st.header(
                "What to do first",
                anchor=False,
                help="Expected money a month, as likely as it is, ÷ effort (S 1, M 3, L 8)",
            )
            ranked = [i for i in self.mine if i.state not in (DONE, VERIFIED, REJECTED)]
            ranked = sorted(ranked, key=lambda i: i.worth, reverse=True)[:_TOP]
            if ranked:
                charts.show(savings_charts.first(ranked, self.currency), "savings-first", "The items that are worth most for their effort; the backlog below has the figures")  # fmt: skip
            else:
                st.info("The backlog has no open items in this currency.", icon=":material/checklist:")

    def found(self) -> None:
        """What the bill alone shows, and a button that puts it into the backlog."""
        known = {i.opportunity for i in self.items}
        fresh = [o for o in self.opportunities if o.key not in known]
        with st.expander(f"Found in the bill: {len(self.opportunities)}, not yet in the backlog: {len(fresh)}", icon=":material/search:", expanded=bool(fresh), key="savings-found"):  # fmt: skip
            if not self.opportunities:
                st.info(
                    "The last 30 days show nothing of what Farthing looks for.", icon=":material/task_alt:"
                )
                return
            frame = polars.DataFrame(
                [{"title": o.title, "team": o.team or "(nobody)", "saving": o.saving, "cost": o.cost, "effort": o.effort, "risk": o.risk,
                  "state": "in the backlog" if o.key in known else "new", "why": o.sentence} for o in self.opportunities],
                {"title": polars.String, "team": polars.String, "saving": polars.Decimal(38, 18), "cost": polars.Decimal(38, 18),
                 **dict.fromkeys(("effort", "risk", "state", "why"), polars.String)},
            )  # fmt: skip
            columns: list[tables.Column] = [
                ("title", tables.text, "What"), ("team", tables.text, "Team"), ("saving", tables.money, f"Could save a month, {self.currency}"),
                ("cost", tables.money, "Costs now"), ("effort", tables.text, "Effort"), ("risk", tables.text, "Risk"), ("state", tables.text, "State"),
                ("why", tables.text, "Why"),
            ]  # fmt: skip
            total = {"title": "Total", "saving": frame["saving"].sum(), "cost": frame["cost"].sum()}
            chosen = tables.show(frame, columns, total, "savings-opportunities", selectable=True)
            if chosen is not None:
                _closely(self.opportunities[chosen])
            if fresh:
                with st.container(horizontal=True, vertical_alignment="bottom"):
                    ask_name("savings-found")
                    st.button(
                        f"Put {words.counted(len(fresh), 'new idea')} into the backlog",
                        icon=":material/playlist_add:",
                        on_click=_take_in,
                        args=(fresh,),
                    )

    def backlog(self) -> None:
        """The items of a state, the most worth first."""
        st.header("Backlog", anchor=False)
        shown = st.query_params.get("show", SHOWN[0])
        shown = shown if shown in SHOWN else SHOWN[0]
        st.segmented_control(
            "Items", SHOWN, key=address.seeded("savings-show", shown), format_func=str.capitalize, required=True, label_visibility="collapsed",
            on_change=address.changes("savings-show", partial(st.query_params.__setitem__, "show")),
        )  # fmt: skip
        rows = [i for i in self.mine if _is_shown(i, shown)]
        if not rows:
            st.info("There are no such items.", icon=":material/checklist:")
            return
        rows = sorted(rows, key=lambda i: i.worth, reverse=True)
        saved = {i.key: sum((r.net for r in self.realised if r.key == i.key), Decimal(0)) for i in rows}
        measured_keys = {r.key for r in self.realised}
        frame = polars.DataFrame(
            [{"key": i.key, "title": i.title, "state": i.state, "owner": i.owner, "expected": i.expected_monthly, "confidence": i.confidence,
              "effort": i.effort, "net": saved[i.key] if i.key in measured_keys else None} for i in rows],
            {**dict.fromkeys(("key", "title", "state", "owner"), polars.String), "expected": polars.Decimal(38, 18),
             "confidence": polars.Decimal(38, 18), "effort": polars.String, "net": polars.Decimal(38, 18)},
        )  # fmt: skip
        columns: list[tables.Column] = [
            ("key", tables.text, "Item"), ("title", tables.text, "What"), ("state", tables.text, "State"), ("owner", tables.text, "Owner"),
            ("expected", tables.money, "Expected a month"), ("confidence", words.percent, "Confidence"), ("effort", tables.text, "Effort"),
            ("net", tables.money, f"Realised, net, {self.currency}"),
        ]  # fmt: skip
        total = {"key": "Total", "expected": frame["expected"].sum(), "net": frame["net"].sum() if any(k in measured_keys for k in saved) else None}  # fmt: skip
        chosen = tables.show(frame, columns, total, "savings-backlog", selectable=True, of=shown)
        if chosen is not None and st.query_params.get("item") != rows[chosen].key:
            st.query_params["item"] = rows[chosen].key
            st.rerun()

    def files(self) -> None:
        """The backlog and what was realised, as files."""
        tables.downloads(lambda: sheet(self.items), "savings-backlog")


def _is_shown(item: SavingsItem, shown: str) -> bool:
    state = item.state
    return {
        "open": state not in (DONE, VERIFIED, REJECTED), "done": state in (DONE, VERIFIED), "rejected": state == REJECTED, "all": True,
    }[shown]  # fmt: skip


def _closely(one: Opportunity) -> None:
    st.markdown(plain(one.sentence))
    for caveat in one.caveats:
        st.caption(plain(caveat))
    if one.resources:
        frame = polars.DataFrame(
            one.resources, {"ResourceId": polars.String, "cost": polars.Decimal(38, 18)}, orient="row"
        )
        tables.show(frame, [("ResourceId", tables.text, "Costliest resources"), ("cost", tables.money, one.currency)], None, "savings-resources")  # fmt: skip


def _take_in(fresh: list[Opportunity]) -> None:
    try:
        added = add(answers.state(), proposals(fresh), signed("savings-found"))
        st.session_state[SAID] = ("done", f"{len(added)} ideas are in the backlog")
    except FarthingError as error:
        st.session_state[SAID] = ("error", str(error))
