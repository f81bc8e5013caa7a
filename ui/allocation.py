"""Allocation: how much has an owner and by what, the flow to owners, showback, and what nobody owns with rules that would catch it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import polars
import streamlit as st

from finops_core.allocation import editing
from finops_core.allocation.owners import DIRECT, RULE, SHARED, UNALLOCATED
from finops_core.allocation.ruleset import FILE
from finops_core.analysis.flow import COST, HOW, NOBODY, OWNER, SOURCE, Flow, flow
from finops_core.analysis.showback import DIRECT_COST, SHARED_COST, TOTAL, showback
from finops_core.analysis.suggestions import Suggestion, Suggestions, suggestions
from finops_core.errors import FarthingError
from finops_core.focus.charges import COSTS
from finops_core.model import words
from finops_core.model.metrics import METRICS
from finops_core.model.query import Query
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts, figures, flow_chart, pools, rule_changes, tables, theme, usage_files
from ui.figures import Figure
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

TARGET, STRETCH = Decimal("0.05"), Decimal("0.03")
"""The unallocated share that is to be undercut, and the one to strive for."""
SLOT = "suggestion"
"""Where the draft of a suggested rule is kept."""
_SOURCES = ("ProviderName", "SubAccountName", "ServiceCategory")
_KINDS = {
    DIRECT: ("By its own tag", "Cost of charges whose own tag names the owner, known spellings made one"),
    RULE: (
        "By rules",
        "Cost of charges whose owner a rule found: by account, name, resource group or directory",
    ),
    SHARED: (
        "Shared by pools",
        "Shares of pools such as a cluster, support or tax; what of a pool nobody takes has no owner",
    ),
}
_MOST = 6
"""How many suggested rules stand on the page itself; the others can be opened."""
_ASKED = 50
"""How many are looked for."""


def _version() -> tuple[str, int]:
    applied = rule_changes.versions()
    return answers.ledger().version, applied[0].number if applied else 0


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _flow(query: Query, source: str, version: tuple[str, int]) -> Flow:
    return flow(answers.ledger(), query, source)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _showback(query: Query, version: tuple[str, int]) -> polars.DataFrame:
    return showback(answers.ledger(), query)


@st.cache_data(
    show_spinner="Looking for rules that would catch it …", max_entries=50, hash_funcs={Query: repr}
)
def _suggested(query: Query, version: tuple[str, int]) -> Suggestions:
    return suggestions(answers.ledger(), query, _ASKED)


class Allocation:
    """Allocation of a page's view, in its currency, by one of the four costs."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        metric = page.view.metric if page.view.metric in COSTS else "EffectiveCost"
        asked = page.query.by[0] if page.query.by else ""
        self.source = asked if asked in _SOURCES else _SOURCES[0]
        self.query = page.query.but(
            metrics=(metric,), by=(), grain="none", order=None, limit=None, allocated=False
        )

    @cached_property
    def found(self) -> Flow:
        return _flow(self.query, self.source, _version())

    @cached_property
    def shown(self) -> polars.DataFrame:
        """The flow's largest members."""
        return self.found.top()

    @property
    def _owners(self) -> str:
        return dimension(self.found.owner).label

    def answer(self) -> None:
        """Title, and in a sentence how much has no owner, and by what the rest found its own."""
        rule_changes.said()
        if not self.found.allocable:
            self.page.title_line("Nothing in this view needs an owner.")
            return
        shares = {kind: words.percent(self.found.share(kind)) for kind in (*_KINDS, UNALLOCATED)}
        self.page.title_line(
            f"{words.period(self.page.days)}: {shares[UNALLOCATED]} of allocable cost has no owner; {shares[DIRECT]} named by"
            f" its own tag, {shares[RULE]} by rules, {shares[SHARED]} shared by pools."
        )

    def figures(self) -> None:
        """The unallocated share with its target, and what found an owner by tag, rule and pool."""
        found, currency = self.found, self.page.currency
        share = found.share(UNALLOCATED)
        reached = (
            "nothing to allocate"
            if share is None
            else "stretch reached"
            if share < STRETCH
            else "target reached"
            if share < TARGET
            else "above the target"
        )
        goal = f"target < {TARGET:.0%}, stretch {STRETCH:.0%}: {reached}".replace("%", "\u00a0%")
        metric = METRICS[self.query.metrics[0]].label.lower()
        shown = [
            Figure(
                "No owner",
                "–" if share is None else words.percent(share),
                f"Share of allocable {metric} that nobody owns: of all charges but taxes and credits, unless a pool shares them",
                note=f"{words.money(found.of_kind(UNALLOCATED), currency)} · {goal}",
            )
        ]
        for kind, (label, help) in _KINDS.items():
            part = found.share(kind)
            value = "–" if part is None else words.percent(part)
            shown.append(Figure(label, value, help, note=words.money(found.of_kind(kind), currency)))
        shown.append(
            Figure(
                "Allocable",
                words.amount(found.allocable),
                "What needs an owner: all charges but taxes and credits, unless a pool shares them",
                note=f"{words.money(found.total, currency)} with taxes and credits",
            )
        )
        figures.show(shown)
        if not found.is_split:
            st.caption(
                "With this filter pools are shown where they are billed: parts of pools are known by provider, account, service and owner."
            )

    def choice(self) -> None:
        """What the flow begins with; it is in the URL."""
        st.segmented_control(
            "From",
            _SOURCES,
            key=address.seeded("allocation-from", self.source),
            format_func=lambda name: dimension(name).label,
            on_change=address.changes("allocation-from", lambda name: self.page.go(by=(name or _SOURCES[0],))),
            required=True,
            label_visibility="collapsed",
        )  # fmt: skip

    @cached_property
    def _drawn(self) -> charts.Spec:
        ranking = answers.ranking((self.found.owner,))
        owners = [name for name in self.shown[OWNER].unique(maintain_order=True) if name in ranking]
        return flow_chart.chart(self.shown, self.page.currency, theme.colours(owners, ranking))

    def chart(self) -> None:
        """The flow from sources by tags, rules and pools to owners."""
        what = f"Cost from {dimension(self.source).label} by tag, rule or pool to {self._owners}; the table Flow has the figures"
        charts.show(self._drawn, "flow", what)
        backwards = flow_chart.layout(self.shown).backwards
        if backwards:
            st.caption(
                f"{backwards} parts below zero, such as credits, have no ribbon; figures and table count them."
            )

    def table(self) -> None:
        """Showback by owner, the rows of the flow, and downloads of showback: the same as `farthing showback` gives."""
        asked = self.query.but(by=(self.found.owner,))
        found = _showback(asked, _version())
        named = found.with_columns(polars.col(self.found.owner).fill_null(NOBODY))
        back, rows = st.tabs(["Showback", "Flow"])
        with back:
            columns: list[tables.Column] = [
                (self.found.owner, tables.text, self._owners),
                (TOTAL, tables.money, f"Total, {self.page.currency}"),
                (DIRECT_COST, tables.money, "Direct"),
                (SHARED_COST, tables.money, "Shared by pools"),
            ]
            total = {
                self.found.owner: "Total",
                **{n: named[n].sum() for n in (TOTAL, DIRECT_COST, SHARED_COST)},
            }
            tables.show(named, columns, total, "showback")
            tables.downloads(
                lambda: found, "showback", lambda form: charts.picture(self._drawn, form, "Allocation")
            )
        with rows:
            parts: list[tables.Column] = [
                (SOURCE, tables.text, dimension(self.source).label),
                (HOW, tables.text, "Found its owner by"),
                (OWNER, tables.text, self._owners),
                (COST, tables.money, f"Cost, {self.page.currency}"),
            ]
            whole = {SOURCE: "Total", COST: self.shown[COST].sum()}
            tables.show(self.shown, parts, whole, "flow-table")

    def unallocated(self) -> None:
        """What nobody owns, its largest causes, and the rules that would catch them."""
        st.header(
            "Without an owner",
            help="Causes by size. A suggested rule says whose nine tenths or more of the allocated cost of the same account,"
            " resource group, cluster, name or service are; it changes nothing before it is previewed and applied",
            anchor=False,
        )
        for pool, left in self.found.left_in_pools().items():
            st.markdown(
                f"**{plain(words.money(left, self.page.currency))}** of the pool {plain(pool)} stays central: nobody takes it, as capacity"
                " that was idle or usage of nobody known."
            )
        found = _suggested(self.query.but(metrics=("EffectiveCost",)), _version())
        if not found.suggestions and found.rest.is_empty():
            st.caption("Every charge in this view has an owner.")
        for number, one in enumerate(found.suggestions[:_MOST]):
            self._suggestion(number, one)
        self._more(found.suggestions[_MOST:])
        rule_changes.consider(SLOT)
        self._rest(
            found.rest, "None of these" if len(found.suggestions) == _ASKED else "Nothing that is known"
        )

    def _more(self, others: Sequence[Suggestion]) -> None:
        """The suggestions of less money."""
        if not others:
            return
        recovered = sum((one.recovers.get(self.page.currency, Decimal(0)) for one in others), Decimal(0))
        title = (
            f"{words.counted(len(others), 'more rule')}: {words.money(recovered, self.page.currency)} in all"
        )
        with st.expander(plain(title), icon=":material/expand:", key="suggestions-more"):
            for number, one in enumerate(others, start=_MOST):
                self._suggestion(number, one)

    def _suggestion(self, number: int, one: Suggestion) -> None:
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"suggestion-{number}", border=True
        ):
            recovers = one.recovers.get(self.page.currency, Decimal(0))
            st.markdown(
                f"**{plain(words.money(recovers, self.page.currency))}** → **{plain(one.owner)}** · {plain(one.why)} ·"
                f" `{' and '.join(one.rule['when'])}`",
                width="stretch",
            )
            st.button(
                "Preview this rule",
                icon=":material/preview:",
                key=f"try-{number}",
                on_click=_try,
                args=(one,),
                disabled=address.is_presenting(),
            )

    def _rest(self, rest: polars.DataFrame, by: str) -> None:
        """What no suggestion catches."""
        if rest.is_empty():
            return
        st.markdown(f"{by} catches:")
        columns: list[tables.Column] = [
            ("SubAccountId", tables.text, "Account"),
            ("ServiceName", tables.text, "Service"),
            ("EffectiveCost", tables.money, f"Effective cost, {self.page.currency}"),
            ("charges", tables.count, "Charges"),
        ]
        tables.show(rest, columns, None, "unallocated-rest", 260 if len(rest) > 6 else None)

    def pools(self) -> None:
        """The shared pools: how and why each is split, who approved it, what it cost and who got which share."""
        pools.show(self.page, self.query, self.found, _version())
        usage_files.draw()


def _try(one: Suggestion) -> None:
    """Puts a suggested rule behind those in force, and previews it."""
    draft = rule_changes.begun(one.why)
    try:
        text = editing.with_rule(rule_changes.text_of(draft), one.rule)
    except FarthingError as error:
        rule_changes.say(str(error), "error")
        return
    rule_changes.keep(SLOT, replace(draft, files={**draft.files, FILE: text}))
    rule_changes.look(SLOT)
