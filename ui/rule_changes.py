"""Changing the rules: a draft that survives reruns, what it would do, and applying it. Nothing is applied without a preview."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import polars
import streamlit as st

from finops_core.allocation import ruleset
from finops_core.allocation.ruleset import FILE
from finops_core.allocation.written import excerpt
from finops_core.analysis.ownership import Money, Preview, RuleEffect, preview
from finops_core.errors import FarthingError, InputRefused
from finops_core.model import words
from finops_core.store import applying, proposals, rulesets
from finops_core.store.applying import VersionChanged
from finops_core.store.ownership import Ownership, in_force, written
from finops_core.store.rulesets import Applied
from finops_core.vocabulary.dimensions import DIMENSIONS
from ui import answers, tables
from ui.plain import plain
from ui.viewer import known, remember, remembered

_SAID = "rules-said"
_MOVES = 200
_MONEY = polars.Decimal(38, 18)


@dataclass(frozen=True)
class Draft:
    """Rules that somebody is changing: the files, the version that they were taken from, and those that were previewed."""

    files: Mapping[str, str]
    number: int
    reason: str = ""
    previewed: Mapping[str, str] | None = None
    accepts: tuple[int, ...] = ()
    """The proposals that are accepted when this is applied."""
    back_to: int | None = None
    """The older version that these are the files of."""

    @property
    def is_previewed(self) -> bool:
        return self.previewed is not None and dict(self.previewed) == dict(self.files)


def kept(slot: str) -> Draft | None:
    """The draft of this reader in a slot; each page has its own."""
    found = st.session_state.get(f"draft-{slot}")
    return found if isinstance(found, Draft) else None


def keep(slot: str, draft: Draft | None) -> None:
    if draft is None:
        st.session_state.pop(f"draft-{slot}", None)
    else:
        st.session_state[f"draft-{slot}"] = draft


def begun(reason: str = "") -> Draft:
    """A draft of the rules in force, nothing changed yet; of those in HOME/rules, where these are malformed."""
    ownership = ownership_now()
    if ownership is None:
        return Draft(written(answers.ledger().home.rules), 0, reason)
    return Draft(dict(ownership.rules.files), ownership.number, reason)


def ownership_now() -> Ownership | None:
    """The rules in force; None where nobody applied any and those in HOME/rules are malformed."""
    try:
        return in_force(answers.ledger().home)
    except InputRefused:
        return None


def versions() -> list[Applied]:
    """All versions, the newest first."""
    return rulesets.versions(answers.state())


def previewed(files: Mapping[str, str]) -> Preview:
    """What rules would do; see `finops_core.analysis.ownership.preview`. Raises InputRefused with file and line."""
    applied = versions()
    number = applied[0].number if applied else 0
    return _previewed(tuple(sorted(files.items())), answers.ledger().version, number)


@st.cache_data(show_spinner="Asking the rules about every charge …", max_entries=20)
def _previewed(files: tuple[tuple[str, str], ...], version: str, number: int) -> Preview:
    return preview(answers.ledger(), dict(files))


def said() -> bool:
    """What the last change came to. Whether that was a refusal."""
    with st.container():  # always there, so that what is below keeps its place
        if _SAID not in st.session_state:
            return False
        kind, text, lines = st.session_state.pop(_SAID)
        _told(kind, text, lines)
        return bool(kind == "error")


def _told(kind: str, text: str, lines: str) -> None:
    box, icon = (st.error, "error") if kind == "error" else (st.success, "check")
    box(plain(text), icon=f":material/{icon}:")
    if lines:
        st.code(lines, language=None)


def say(text: str, kind: str = "done", lines: str = "") -> None:
    """Keeps words for the next run, and lines of the file that they are about."""
    st.session_state[_SAID] = (kind, text, lines)


def say_refusal(files: Mapping[str, str]) -> None:
    """Says what is wrong with files that would be refused as they are, with the lines around it."""
    try:
        ruleset.parse(files)
    except FarthingError as error:
        _told("error", f"As it is, nothing of it would be applied. {error}", _lines(error, files))


def _lines(error: FarthingError, files: Mapping[str, str]) -> str:
    """The line that a refusal cites, with its number and those around it."""
    place = error.place if isinstance(error, InputRefused) else None
    if place is None or place.line is None or place.file not in files:
        return ""
    return excerpt(files[place.file], place.line)


def look(slot: str) -> None:
    """Previews a draft: what is wrong with it is said, with file and line."""
    draft = kept(slot)
    assert draft is not None
    try:
        previewed(draft.files)
    except FarthingError as error:
        say(f"Nothing was applied. {error}", "error", _lines(error, draft.files))
    else:
        keep(slot, replace(draft, previewed=dict(draft.files)))


def consider(slot: str) -> None:
    """The preview of a draft that was previewed, and the form that applies it."""
    draft = kept(slot)
    if draft is None or not draft.is_previewed:
        return
    found = previewed(draft.files)
    with st.container(border=True, key=f"preview-{slot}"):
        st.subheader("What these rules would do", anchor=False)
        show(found, slot)
        _apply_form(slot, draft, found)


def show(found: Preview, slot: str) -> None:
    """Unallocated before and after, moved money, rules that do nothing, conflicts, and the difference of the texts."""
    for currency, total in found.total.items():
        before = found.unallocated_before.get(currency, Decimal(0))
        after = found.unallocated_after.get(currency, Decimal(0))
        st.markdown(
            f"Without an owner, all time: **{_percent(before, total)} → {_percent(after, total)}**,"
            f" {words.amount(before)} → {plain(words.money(after, currency))}"
        )
    for effect in found.rules:
        if effect.state != "works":
            st.caption(
                f":material/info: Rule {plain(effect.rule)} ({_label(effect.column)}) is {effect.state}: {plain(effect.why())}"
            )
    _moves(found, slot)
    _shares(found, slot)
    with st.expander("What each rule gives", icon=":material/rule:"):
        effects(found, f"effects-{slot}")
    with st.expander("Difference from the rules in force", icon=":material/difference:"):
        st.code(found.difference or "The texts are the same.", language="diff", wrap_lines=True)


def _moves(found: Preview, slot: str) -> None:
    if not found.moves:
        st.markdown("Nothing would change hands.")
        return
    rows = [
        (_label(m.column), m.before or "nobody", m.after or "nobody", m.money.EffectiveCost, m.money.BillingCurrency, m.money.charges)
        for m in found.moves[:_MOVES]
    ]  # fmt: skip
    names = {"what": polars.String, "before": polars.String, "after": polars.String, "cost": _MONEY, "currency": polars.String, "charges": polars.Int64}  # fmt: skip
    columns: list[tables.Column] = [
        ("what", tables.text, "What"),
        ("before", tables.text, "From"),
        ("after", tables.text, "To"),
        ("cost", tables.money, "Effective cost"),
        ("currency", tables.text, "Currency"),
        ("charges", tables.count, "Charges"),
    ]
    st.markdown(
        "Money that would change hands" + (f", the largest {_MOVES}" if len(found.moves) > _MOVES else "")
    )
    tables.show(
        polars.DataFrame(rows, names, orient="row"), columns, None, f"moves-{slot}", 260 if len(rows) > 6 else None
    )  # fmt: skip


def _shares(found: Preview, slot: str) -> None:
    """Who would get more or less of a pool."""
    if not found.shares:
        return
    rows = [
        (m.pool, m.consumer or "nobody", m.before, m.after, m.after - m.before, m.BillingCurrency)
        for m in found.shares[:_MOVES]
    ]
    names = {"pool": polars.String, "who": polars.String, "before": _MONEY, "after": _MONEY, "change": _MONEY, "currency": polars.String}  # fmt: skip
    columns: list[tables.Column] = [
        ("pool", tables.text, "Pool"),
        ("who", tables.text, "Who shares it"),
        ("before", tables.money, "Now"),
        ("after", tables.money, "Then"),
        ("change", tables.signed, "Change"),
        ("currency", tables.text, "Currency"),
    ]
    st.markdown(
        "Shares of pools that would change"
        + (f", the largest {_MOVES}" if len(found.shares) > _MOVES else "")
    )
    tables.show(
        polars.DataFrame(rows, names, orient="row"), columns, None, f"shares-{slot}", 260 if len(rows) > 6 else None
    )  # fmt: skip


def effects(found: Preview, key: str) -> None:
    """The rules in their order with what each gives and matches, which earlier ones take of that, and for what these name another owner."""
    currencies = list(found.total)
    disputed = [c for c in currencies if any(_of(effect.conflicts, c) for effect in found.rules)]
    rows = [
        {
            "Order": number,
            "Rule": effect.rule,
            "Sets": _label(effect.column),
            "In force": _days(effect),
            "State": effect.state,
            "Taken by": ", ".join(effect.taken_by),
            **{f"Gives, {c}": _of(effect.wins, c) for c in currencies},
            **{f"Matches, {c}": _of(effect.matches, c) for c in currencies},
            **{f"Conflicts, {c}": _of(effect.conflicts, c) for c in disputed},
        }
        for number, effect in enumerate(found.rules, start=1)
    ]
    if not rows:
        st.caption("There are no rules.")
        return
    text = dict.fromkeys(("Rule", "Sets", "In force", "State", "Taken by"), polars.String)
    schema = {name: polars.Int64 if name == "Order" else text.get(name, _MONEY) for name in rows[0]}
    columns: list[tables.Column] = [
        (n, tables.text if n in text else tables.count if n == "Order" else tables.money, n) for n in schema
    ]
    tables.show(polars.DataFrame(rows, schema), columns, None, key)


def pool_sizes(found: Preview) -> None:
    """The pools with what is in each."""
    rows = [
        (pool, m.EffectiveCost, m.BillingCurrency, m.charges) for pool, money in found.pools.items() for m in money
    ]  # fmt: skip
    schema = {"pool": polars.String, "cost": _MONEY, "currency": polars.String, "charges": polars.Int64}
    columns: list[tables.Column] = [
        ("pool", tables.text, "Pool"),
        ("cost", tables.money, "Effective cost, all time"),
        ("currency", tables.text, "Currency"),
        ("charges", tables.count, "Charges"),
    ]
    tables.show(polars.DataFrame(rows, schema, orient="row"), columns, None, "pool-sizes")


def _of(money: tuple[Money, ...], currency: str) -> Decimal:
    return next((m.EffectiveCost for m in money if m.BillingCurrency == currency), Decimal(0))


def _days(effect: RuleEffect) -> str:
    since = f"from {effect.since}" if effect.since else ""
    until = f"to before {effect.until}" if effect.until else ""
    return " ".join(filter(None, (since, until))) or "always"


def _label(column: str) -> str:
    return DIMENSIONS[column].label if column in DIMENSIONS else column.capitalize()


def _percent(part: Decimal, whole: Decimal) -> str:
    return words.percent(part / whole) if whole else "–"


def _apply_form(slot: str, draft: Draft, found: Preview) -> None:
    changed = any(v.number > draft.number for v in versions()[:1])
    if changed:
        _overtaken(slot, draft)
        return
    with (
        st.form(f"apply-{slot}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        author = st.text_input("Author", known() or remembered(), width=200, key=f"author-{slot}")
        reason = st.text_input(
            "Reason",
            draft.reason,
            width=420,
            key=f"reason-{slot}",
            help="Kept with the version and in the audit log",
        )
        sent = st.form_submit_button("Apply", type="primary", icon=":material/check:")
    st.button("Put aside", icon=":material/close:", key=f"aside-{slot}", on_click=keep, args=(slot, None))  # fmt: skip
    if sent:
        with st.spinner("Applying the rules to every charge …"):
            _apply(slot, draft, found, author, reason)
        st.rerun()


def _apply(slot: str, draft: Draft, found: Preview, author: str, reason: str) -> None:
    moved = {
        c: {"before": str(found.unallocated_before.get(c, 0)), "after": str(found.unallocated_after.get(c, 0))}
        for c in found.total
    }  # fmt: skip
    home = answers.ledger().home
    try:
        if draft.back_to is not None:
            made = applying.undo(home, draft.back_to, author, reason, after=draft.number)
        else:
            made = applying.apply(
                home, draft.files, author, reason, {"unallocated": moved}, after=draft.number
            )
    except VersionChanged as error:
        say(str(error), "error")
    except FarthingError as error:
        keep(slot, replace(draft, reason=reason))
        say(f"Nothing was applied. {error}", "error")
    else:
        keep(slot, None)
        remember(author)
        say(f"Version {made.number} of the rules is in force: {made.reason}")
        _accept(draft, author, reason)


def _accept(draft: Draft, author: str, reason: str) -> None:
    """Accepts the proposals that a draft was made of; one that somebody decided meanwhile is said."""
    for number in draft.accepts:
        try:
            proposals.accept(answers.state(), number, author, reason)
        except FarthingError as error:
            say(f"The rules are in force, but {error}", "error")


def _overtaken(slot: str, draft: Draft) -> None:
    """Says that another version is in force by now, what it changed, and offers both ways on."""
    newest = rulesets.in_force(answers.state())
    assert newest is not None
    st.warning(
        f"Version {newest.number} was applied by {plain(newest.author)} since you began at"
        f" {f'version {draft.number}' if draft.number else 'rules that nobody had applied'}: {plain(newest.reason)}."
        " The preview above compares with it, so what it changed and yours does not is undone by yours.",
        icon=":material/sync_problem:",
    )
    with st.container(horizontal=True):
        st.button(
            f"Begin again from version {newest.number}", key=f"again-{slot}", on_click=keep, args=(slot, None)
        )
        st.button(
            "Keep mine, and replace it", key=f"mine-{slot}", on_click=keep, args=(slot, replace(draft, number=newest.number))
        )  # fmt: skip


def text_of(draft: Draft) -> str:
    return draft.files.get(FILE, "")
