"""Showback statements: whose, of which month, what is in them, their files, and closing the month."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, partial

import polars
import streamlit as st

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.budgets.status import HEADING_OVER, OVER
from finops_core.analysis.journal import Journal, journal
from finops_core.analysis.statement import (
    ADJUSTED,
    BUDGET,
    KIND,
    LINE,
    OWNERS,
    POOL_COST,
    PREVIOUS,
    SPENT,
    UNSHARED,
    Statements,
    statements,
)
from finops_core.errors import UsageError
from finops_core.model import words
from finops_core.model.export import FORMATS
from finops_core.store import budgets as plans
from finops_core.store import closes, rulesets
from finops_core.store.journal_accounts import accounts
from finops_core.vocabulary.dimensions import dimension
from ui import address, adjustments, answers, budgets, figures, kit, month_close, tables, whose
from ui.figures import Figure
from ui.plain import plain

_EVERYBODY = "Everybody"
_LABELS = {"direct": "Direct", "shared": "Shared", "adjustment": "Adjustments", "total": "Total"}
_HELP = {
    "direct": "What the owner caused itself, by tag or rule",
    "shared": "Shares of pools, such as a cluster or support",
    "adjustment": "What changed in closed months since they were closed",
    "total": "Effective cost with adjustments; a complete month is compared with the charges of the month before",
}
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def begin(title: str) -> "StatementPage":
    """Begins the page: its title, its answer, and what the URL asks for. Without data it says so and stops."""
    found: list[StatementPage] = []

    def answer() -> str:
        found.append(asked())
        return found[0].answer()

    kit.heading(title, answer)
    return found[0]


def asked() -> "StatementPage":
    """What the URL asks for: month, by, owner, currency. What it cannot mean is said, and left out."""
    given = {name: st.query_params.get(name) for name in ("month", "by", "owner", "currency")}
    version = _version()
    known = _months(*version[:2])
    month = given["month"] if given["month"] in known else known[0]
    by = given["by"] if given["by"] in OWNERS else OWNERS[0]
    for name, used in (("month", month), ("by", by)):
        if given[name] not in (None, used):
            st.warning(f"There is no {name} {plain(str(given[name]))} here", icon=":material/link_off:")
    whole = _statements(month, by, *version)
    found = whole
    if given["owner"] is not None:
        try:
            found = whole.of(given["owner"])
        except UsageError as error:
            st.warning(plain(str(error)), icon=":material/link_off:")
    owner = given["owner"] if found is not whole else None
    currencies = [c for c in answers.spanned().currencies if c in found.currencies()] or [""]
    currency = given["currency"] if given["currency"] in currencies else currencies[0]
    return StatementPage(whole, found, owner, currency, currencies, known)


@st.cache_data(show_spinner=False, max_entries=8)
def _months(version: str, closed: int) -> list[str]:
    """The billing periods with charges or a close, newest first."""
    loaded = {batch.billing_period for batch in answers.batches()}
    return sorted({*loaded, *closes.closes(answers.state())}, reverse=True)


def _version() -> tuple[str, int, int, int]:
    """What statements depend on beside the question."""
    state = answers.state()
    applied = rulesets.versions(state)
    budgeted = state.version(plans.KIND)
    return answers.ledger().version, state.version(closes.KIND), applied[0].number if applied else 0, budgeted


@st.cache_data(show_spinner=False, max_entries=100)
def _statements(month: str, by: str, version: str, closed: int, rules: int, budgeted: int) -> Statements:
    return statements(answers.ledger(), answers.state(), month, by)


@dataclass
class StatementPage:
    """The statements of a month, all or one owner's, in one currency."""

    whole: Statements
    found: Statements
    owner: str | None
    currency: str
    currencies: list[str]
    months: list[str]

    @cached_property
    def name(self) -> str:
        return f"{date.fromisoformat(f'{self.whole.month.period}-01'):%B %Y}"

    def answer(self) -> str:
        """The statement in a sentence."""
        total, before = self.found.amount("total", self.currency), self.found.before(self.currency)
        who = self.owner if self.owner is not None else f"All {dimension(self.whole.by).label.lower()}s"
        said = f"{who}: {words.money(total, self.currency)} in {self.name}"
        month = self.whole.month
        if not month.is_complete and month.through is not None:
            said += f" so far, through {words.day(month.through)}"
        if before is None:
            return f"{said}."
        if not month.is_complete:
            return f"{said}; the month before came to {words.money(before, self.currency)}."
        return f"{said}, {words.change(total, before)} to the month before."

    def bar(self) -> None:
        """Month, owner and currency; each is in the URL."""
        locked = address.is_presenting()
        with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
            _choice("Month", "month", self.months, self.whole.month.period, locked, 140)
            _choice("By", "by", list(OWNERS), self.whole.by, locked, 160, lambda n: dimension(n).label)
            owners = [_EVERYBODY, *self.whole.owners()]
            _choice(dimension(self.whole.by).label, "owner", owners, self.owner or _EVERYBODY, locked, 260)
            if len(self.currencies) > 1:
                _choice("Currency", "currency", self.currencies, self.currency, locked, 110)

    def status(self) -> None:
        """Closed or open, by whom, and the versions that the figures are of."""
        found = self.whole.month
        rules = (
            f"rules version {found.rules_version}" if found.rules_version is not None else "no applied rules"
        )
        versions = f"lake version {found.lake_version}, {rules}"
        if found.close is not None:
            close = found.close
            st.badge(
                f"Closed on {close.closed_at[:10]} by {plain(close.closed_by)}",
                icon=":material/lock:",
                color="green",
            )
            st.caption(
                plain(f"{close.reason} · {versions}{''.join(f' · although {d}' for d in close.doubts)}")
            )
            return
        through = (
            f", month to date through {words.day(found.through)}"
            if found.through and not found.is_complete
            else ""
        )
        st.badge(f"Open{through}", icon=":material/lock_open:", color="orange")
        st.caption(plain(f"Figures follow the ledger until the month is closed · {versions}"))

    def figures(self) -> None:
        """Direct, shared, adjustments, total."""
        shown = []
        for kind, label in _LABELS.items():
            value = self.found.amount(kind, self.currency)
            compared = kind == "total" and self.whole.month.is_complete
            before = self.found.before(self.currency) if compared else None
            shown.append(Figure(f"{label}, {self.currency}", words.amount(value), _HELP[kind], value, before))
        budget = self.found.budget(self.currency)
        if budget is not None:
            shown.append(self._budget(budget))
        figures.show(shown)

    def _budget(self, budget: Decimal) -> Figure:
        """The month's budgets of whose statement it is, and how far the cost they count is."""
        counted = self.found.spent(self.currency)
        found = budgets.spent(self.whole.month.period, self.whole.by, self.owner, self.currency)
        parts = [f"{words.amount(counted)} spent {UNSHARED}"] if counted is not None else []
        if found and found.share is not None:
            parts.append(words.percent(found.share))
            if found.state in (OVER, HEADING_OVER):  # the other states are shares, too
                parts.append(found.state)
        told = (
            f"Budgets that name the owner. They count its charges {UNSHARED}: also those that a pool then shares out"
            " among all, and no shares of pools; so they are not held against the total"
        )
        pace = f". {found.in_words().capitalize()}" if found else ""
        return Figure(
            f"Budget, {self.currency}", words.amount(budget), f"{told}{pace}", note=", ".join(parts)
        )

    def lines(self) -> None:
        """The lines of a statement; of everybody, the owners, of which a click opens one."""
        mine = self.found.table.filter(polars.col("BillingCurrency") == self.currency)
        if self.owner is None:
            self._owners(mine)
            return
        listed = mine.filter(polars.col(KIND) != "total").with_columns(
            polars.col(KIND).replace(_LABELS),
            (polars.col("EffectiveCost") - polars.col(PREVIOUS)).alias("Change"),
        )
        columns = [
            (LINE, tables.text, "Line"), (KIND, tables.text, "Kind"), ("EffectiveCost", tables.money, "Cost"),
            (PREVIOUS, tables.money, "Month before"), ("Change", tables.signed, "Change"), ("BilledCost", tables.money, "Billed"),
        ]  # fmt: skip
        last = mine.filter(polars.col(KIND) == "total").row(0, named=True)
        change = None if last[PREVIOUS] is None else last["EffectiveCost"] - last[PREVIOUS]
        of = f"{self.whole.month.period}{self.whole.by}{self.owner}{self.currency}"
        total = {**last, KIND: "", "Change": change}
        chosen = tables.show(listed, columns, total, "statement-lines", selectable=True, of=of)
        if chosen is None:
            st.caption("Choose a line, by the box on its left, to see why it is here.")
        else:
            self._why(listed[LINE][chosen], listed[KIND][chosen])

    def _why(self, line: str, kind: str) -> None:
        """Why a line is this owner's, as the rules in force and the charges loaded have it today."""
        if kind == _LABELS["adjustment"]:
            period, owner = line.removeprefix(ADJUSTED), self.owner or _EVERYBODY
            adjustments.why(self.whole.month, period, self.whole.by, owner, self.currency)
            return
        owner = None if self.owner == MISSING else self.owner
        pool = line if kind == _LABELS["shared"] else None
        service = line if pool is None and self.whole.lines == "ServiceName" else None
        whose.line(self.whole.by, owner, pool, self.whole.month.period, self.currency, service)

    def _owners(self, mine: polars.DataFrame) -> None:
        by = self.whole.by
        named = mine.with_columns(polars.col(by).fill_null("(none)"), polars.col(KIND).replace(_LABELS))
        wide = (
            named.group_by(by, maintain_order=True)
            .agg(
                *(
                    polars.col("EffectiveCost").filter(polars.col(KIND) == label).sum().alias(label)
                    for label in _LABELS.values()
                ),
                polars.col(PREVIOUS).filter(polars.col(KIND) == "Total").sum().alias(PREVIOUS),
                *(polars.col(n).filter(polars.col(KIND) == "Total").first() for n in (BUDGET, SPENT)),
            )
            .sort(polars.col("Total").abs(), descending=True)
        )
        columns = [
            (by, tables.text, dimension(by).label),
            *((n, tables.money, n) for n in _LABELS.values()),
            (PREVIOUS, tables.money, "Month before"),
        ]
        if wide[BUDGET].is_not_null().any():
            columns += [(BUDGET, tables.money, "Budget"), (SPENT, tables.money, "Spent, not shared out")]
        sums = {name: wide[name].sum() for name, write, _ in columns if write is tables.money}
        row = tables.show(
            wide,
            columns,
            {by: "All", **sums},
            "statement-owners",
            selectable=True,
            of=f"{self.whole.month.period}{by}{self.currency}",
        )
        if row is not None:
            st.query_params["owner"] = wide[by][row]
            st.rerun()

    def pools(self) -> None:
        """Each pool that the owner bears a share of, and which share."""
        mine = self.found.table.filter(
            (polars.col("BillingCurrency") == self.currency) & (polars.col(KIND) == "shared")
        )
        if mine.is_empty() or self.owner is None:
            return
        st.header("Shares of pools", anchor=False)
        shares = mine.with_columns(
            polars.when(polars.col(POOL_COST) != 0)
            .then(
                polars.col("EffectiveCost").cast(polars.Float64) / polars.col(POOL_COST).cast(polars.Float64)
            )
            .alias("Share")
        )
        columns = [(LINE, tables.text, "Pool"), ("EffectiveCost", tables.money, "Share of cost"), (POOL_COST, tables.money, "Whole pool"), ("Share", tables.share, "Share")]  # fmt: skip
        tables.show(shares, columns, None, "statement-pools")

    def downloads(self) -> None:
        """The statement, all currencies, exact as CSV and XLSX, as a document; and the month's journal."""
        name = f"farthing-statement-{self.whole.month.period}" + (f"-{self.owner}" if self.owner else "")
        files: list[tuple[str, str, str, Callable[[], bytes]]] = [
            ("CSV", f"{name}.csv", "text/csv", lambda: FORMATS["csv"](self.found.as_file())),
            ("XLSX", f"{name}.xlsx", _SHEET, lambda: FORMATS["xlsx"](self.found.as_file())),
            ("PDF", f"{name}.pdf", "application/pdf", partial(_document, self.found)),
            ("Journal CSV", f"farthing-journal-{self.whole.month.period}.csv", "text/csv", lambda: FORMATS["csv"](self._journal().as_text())),
            ("Journal XLSX", f"farthing-journal-{self.whole.month.period}.xlsx", _SHEET, lambda: FORMATS["xlsx"](self._journal().table)),
        ]  # fmt: skip
        with st.container(horizontal=True, gap="small", key="statement-files"):
            for label, file, mime, data in files:
                st.download_button(
                    label,
                    data,
                    file,
                    mime,
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"file-{label}",
                )

    def _journal(self) -> Journal:
        return journal(self.whole.month, accounts(answers.ledger().home.rules))

    def closing(self) -> None:
        """Closes the month, or takes its close back, with a reason."""
        month_close.form(self.whole.month.period, self.name, self.whole.month.close is not None)


def _document(found: Statements) -> bytes:
    from finops_core.analysis.statement_pdf import to_pdf

    return to_pdf(found)


def _choice(
    label: str,
    name: str,
    options: list[str],
    value: str,
    locked: bool,
    width: int,
    words_of: Callable[[str], str] = str,
) -> None:
    """A choice that lives in the URL."""
    st.selectbox(
        label, options, key=address.seeded(f"statement-{name}", value), format_func=words_of, disabled=locked, width=width,
        on_change=address.changes(f"statement-{name}", partial(_put, name)),
    )  # fmt: skip


def _put(name: str, value: str) -> None:
    """Puts a choice into the URL; a team is not looked for among cost centres."""
    if name == "by":
        st.query_params.pop("owner", None)
    if value == _EVERYBODY:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value
