"""What a reader can do about tags: propose a spelling, except charges, take the policy elsewhere."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import streamlit as st

from finops_core.analysis.spelling_rules import TagReading, tag_reading
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.quality.spellings import NearMiss, propose_spelling
from finops_core.quality.tag_exceptions import TagException, except_charges, remove
from finops_core.quality.tag_exports import FORMS, exported
from finops_core.quality.tags import KeyCoverage
from ui import answers, books, rule_changes
from ui.plain import plain
from ui.viewer import ask_name, signed

_SAID = "tags-said"
_SPELLING, _EXCEPTION, _REMOVAL = "spelling", "exception", "exception-removal"
"""The forms that ask who sends them."""
_LABELS = {
    "aws-tag-policy": "AWS tag policy",
    "aws-scp": "AWS SCP",
    "azure-policy": "Azure Policy",
    "rego": "OPA / Rego",
}
_MOST = 8


def near_misses(
    found: KeyCoverage, currency: str, proposed: Mapping[tuple[str, str], str], names: Sequence[str]
) -> None:
    """Values that seem to mean another one, by the one that they mean, with a button to propose its spelling where the rules
    read the tag, under one of its names, and do not spell them so already."""
    st.header(
        f"Near misses of {found.key}",
        help="Differ in case, blanks or one or two letters from an allowed value, or from one of more money where all are"
        " allowed. A proposal changes nothing by itself: a rule is made of it",
        anchor=False,
    )
    said()
    if not found.near_misses:
        st.caption("No value looks like another one that was meant.")
        return
    ownership = rule_changes.ownership_now()
    reading = tag_reading(ownership.rules, names) if ownership is not None else None
    _unread(found.key, names, ownership is not None, reading)
    meant: dict[str, list[NearMiss]] = defaultdict(list)
    for miss in found.near_misses:
        meant[miss.proposed].append(miss)
    misses = [_Misses(found.key, target, ones, reading) for target, ones in meant.items()]
    ranked = sorted(misses, key=lambda one: (not one.open, -abs(one.cost)))
    if any(one.open for one in misses):
        ask_name(_SPELLING)
    for one in ranked[:_MOST]:
        _miss(one, currency, proposed)
    if len(ranked) > _MOST:
        st.caption(f"And {len(ranked) - _MOST:,} more: `farthing tags --json` has them all")


def _unread(key: str, names: Sequence[str], is_readable: bool, reading: TagReading | None) -> None:
    """Says why no spelling can be proposed, where that is so."""
    if not is_readable:
        st.caption(
            "The rules in HOME/rules are malformed, so no spelling can be proposed: mend them at Rules."
        )
    elif reading is None:
        others = f", nor {' or '.join(names[1:])}" if len(names) > 1 else ""
        st.caption(
            plain(
                f"No rule reads the tag {key}{others}: these values say nothing of whose a charge is, and a spelling would change"
                " nothing. Mend them where they are set; or write a rule that reads the tag at Rules, Edit, then propose spellings."
            )
        )


@dataclass(frozen=True)
class _Misses:
    """The values that seem to mean one value, and how the rules in force read the tag (None: not at all)."""

    key: str
    target: str
    misses: Sequence[NearMiss]
    reading: TagReading | None

    @property
    def cost(self) -> Decimal:
        return sum((miss.cost for miss in self.misses), Decimal(0))

    @property
    def why(self) -> str:
        return "; ".join(dict.fromkeys(miss.why for miss in self.misses))

    @cached_property
    def spelt(self) -> dict[str, str]:
        """Value → what the rules in force make of it, of those that they know."""
        means = self.reading.means if self.reading is not None else lambda value: None
        return {miss.value: known for miss in self.misses if (known := means(miss.value)) is not None}

    @property
    def open(self) -> list[str]:
        """The values for which a rule could learn the spelling."""
        return [m.value for m in self.misses if m.value not in self.spelt] if self.reading is not None else []

    @property
    def note(self) -> str:
        """What the rules make of these values already."""
        known: dict[str, list[str]] = defaultdict(list)
        for value, name in self.spelt.items():
            known[name].append(_written(value))
        return "; ".join(self._mapped(name, values) for name, values in known.items())

    def _mapped(self, name: str, values: Sequence[str]) -> str:
        which = "" if len(values) == len(self.misses) else f"{', '.join(values)} "
        to = "" if name == self.target else f" to {name}"
        return f"{which}mapped{to} by the rules already"


def _miss(one: _Misses, currency: str, proposed: Mapping[tuple[str, str], str]) -> None:
    """A line of near misses: the values, the one that they mean, their cost, and what can be done."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"miss-{one.key}-{one.target}"):
        values = ", ".join(_written(m.value) for m in one.misses)
        said = [words.money(one.cost, currency), one.why, *filter(None, [one.note])]
        st.markdown(
            f"**{plain(values)}** → **{plain(one.target)}** · {' · '.join(map(plain, said))}",
            width="stretch",
        )
        if not one.open or one.reading is None:
            return
        key = one.reading.key
        done = all(proposed.get((key, value)) == one.target for value in one.open)
        st.button(
            "Proposed" if done else "Use this spelling",
            icon=":material/check:" if done else ":material/spellcheck:",
            key=f"use-{one.key}-{one.target}",
            disabled=done,
            help="Waits for a decision at Rules, Proposals" if done else None,
            on_click=_propose,
            args=(key, one.open, one.target, one.why),
        )


def _written(value: str) -> str:
    return value if value == value.strip() else f"“{value}”"


def _propose(key: str, values: list[str], target: str, why: str) -> None:
    def change() -> str:
        propose_spelling(answers.state(), key, values, target, signed(_SPELLING), f"near miss: {why}")
        return f"Proposed: {', '.join(values)} as {target}. It waits for a decision at Rules, Proposals"

    _do(change)


def exceptions(
    kept: Sequence[TagException],
    keys: Sequence[str],
    key: str,
    spared: Mapping[str, Decimal],
    currency: str,
) -> None:
    """All exceptions, a form for another one, and a way to take one back."""
    today = datetime.now(UTC).date()
    with st.expander(f"Exceptions ({len(kept):,})", icon=":material/rule:", key="exceptions"):
        st.caption("Charges that need not carry a tag, until a day; afterwards they count again.")
        if kept:
            rows = [
                {
                    "Name": e.name,
                    "Tags": ", ".join(e.keys) or "all",
                    "What": e.where,
                    "Owner": e.owner,
                    "Reason": e.reason,
                    "Until": e.until if e.holds(today) else f"{e.until} (expired)",
                    f"Spares {key}, {currency}": words.amount(spared.get(e.name, Decimal(0))),
                }
                for e in kept
            ]
            books.lines_table(rows, "exceptions-table", (f"Spares {key}, {currency}",))
        _form(keys, today)
        if kept:
            with st.popover("Remove an exception", icon=":material/delete:"):
                name = st.selectbox("Exception", [e.name for e in kept], key="exception-chosen")
                ask_name(_REMOVAL)
                st.button("Remove", type="primary", on_click=_remove, args=(name,))


def _form(keys: Sequence[str], today: date) -> None:
    with st.form("exception", border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input("Name", max_chars=100, width=180)
            where = st.text_input(
                "What is excepted",
                placeholder="ServiceName=AWS Glue and SubAccountId=012345678901",
                help="A condition, as `farthing query --where` takes it",
                width=360,
            )
            of = st.multiselect("Tags", keys, placeholder="All", width=200)
            until = st.date_input("Until", today + timedelta(90), format="YYYY-MM-DD", width=150)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            owner = st.text_input("Owner", width=180)
            reason = st.text_input("Reason", width=360)
            ask_name(_EXCEPTION)
            sent = st.form_submit_button("Except", type="primary")
    if sent:
        try:
            text = until.isoformat() if isinstance(until, date) else ""
            made = TagException(name.strip(), where.strip(), owner.strip(), reason.strip(), text, tuple(of))
            except_charges(answers.state(), made, signed(_EXCEPTION))
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def _remove(name: str) -> None:
    def change() -> str:
        remove(answers.state(), name, signed(_REMOVAL))
        return f"{name} is no longer excepted"

    _do(change)


def exports(rules: Path, text: str, found: KeyCoverage) -> None:
    """The policy, how a key is counted, and the policy for the systems that can enforce it."""
    with st.expander("Policy, definition and exports", icon=":material/policy:", key="policy"):
        with st.container(horizontal=True, gap="small"):
            for form, label in _LABELS.items():
                _export(rules, form, label)
        st.caption(
            f"How {plain(found.key)} is counted: conditions of `farthing query --where`, all of which must hold"
        )
        st.code("\n".join(f"--where '{part}'" for part in found.definition["covered"]), language="bash", wrap_lines=True)  # fmt: skip
        st.caption("The policy in force: HOME/rules/tag_policy.yaml, else the shipped one")
        st.code(text, language="yaml")


def _export(rules: Path, form: str, label: str) -> None:
    """A button for one form; what the form cannot say is its help, and where it cannot be, why."""
    assert form in FORMS
    try:
        made = exported(rules, form)
    except FarthingError as error:
        st.button(label, disabled=True, help=plain(str(error)), key=f"export-{form}")
        return
    st.download_button(
        label,
        data=made.text,
        file_name=made.name,
        icon=":material/download:",
        key=f"export-{form}",
        on_click="ignore",
        help=plain("; ".join(made.notes)) or None,
    )


def said() -> None:
    """What the last change came to."""
    with st.container():  # always there, so that what is below keeps its place
        if _SAID in st.session_state:
            kind, text = st.session_state.pop(_SAID)
            (st.error if kind == "error" else st.success)(plain(text))


def _do(change: Callable[[], str]) -> None:
    """Makes a change; what it came to is said when the page is drawn anew."""
    try:
        st.session_state[_SAID] = ("done", change())
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))
