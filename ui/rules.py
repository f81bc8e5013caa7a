"""The rules page: what is in force and what it gives, editing it, its versions, what waits for a decision, and the log."""

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

import streamlit as st

from finops_core.allocation.ruleset import FILE
from finops_core.model import words
from finops_core.store.ownership import Ownership, written
from finops_core.store.rulesets import Applied
from ui import address, answers, kit, rule_changes, rule_files, rule_history, rule_queue, sampling
from ui.plain import plain
from ui.rule_changes import Draft

SLOT = "rules"
"""Where the draft of the rules page is kept."""
_SHOWN = "show"
_PARTS = {
    "in-force": "In force",
    "edit": "Edit",
    "versions": "Versions",
    "queue": "Proposals",
    "sample": "Audit a sample",
    "log": "Audit log",
}


def begin(title: str) -> "RulesPage":
    """Begins the page: its title, and what is in force in a sentence. Without data it says so and stops."""
    found: list[RulesPage] = []

    def answer() -> str:
        found.append(RulesPage(rule_changes.ownership_now(), rule_changes.versions()))
        return found[0].answer()

    kit.heading(title, answer)
    found[0].is_refusal_said = rule_changes.said()
    return found[0]


@dataclass
class RulesPage:
    """The rules in force (None where nobody applied any and those in HOME/rules are malformed), and all versions."""

    ownership: Ownership | None
    versions: list[Applied]
    is_refusal_said: bool = False
    """Whether a refusal stands at the top of the page already."""

    def answer(self) -> str:
        """What is in force in a sentence."""
        if self.ownership is None:
            return "The rules in HOME/rules are malformed, and nobody has applied others: mend them below."
        rules = self.ownership.rules
        size = f"{len(rules.rules)} rules, {len(rules.pools)} pools and {len(rules.directories)} directories"
        if not self.versions:
            return f"{size}, which nobody has applied yet: those of HOME/rules, or the shipped ones."
        newest = self.versions[0]
        return f"Version {newest.number}: {size}, applied on {newest.at[:10]} by {newest.author}: {newest.reason}"

    def show(self) -> None:
        """The part of the page that the URL names."""
        asked = st.query_params.get(_SHOWN)
        part = asked if asked in _PARTS else "edit" if self.ownership is None else "in-force"
        waiting = rule_queue.waiting()
        st.segmented_control(
            "Part",
            list(_PARTS),
            key=address.seeded("rules-part", part),
            format_func=lambda name: (
                f"{_PARTS[name]} ({waiting})" if name == "queue" and waiting else _PARTS[name]
            ),
            on_change=address.changes("rules-part", open_part),
            required=True,
            label_visibility="collapsed",
        )
        parts = {
            "in-force": self._in_force,
            "edit": self._edit,
            "versions": partial(rule_history.versions, self.versions),
            "queue": partial(rule_queue.show, self.ownership, SLOT),
            "sample": sampling.sample,
            "log": rule_history.log,
        }
        parts[part]()

    def _in_force(self) -> None:
        """The rules in their order with what each gives, and the pools with what is in them."""
        if self.ownership is None:
            st.caption("Nothing is in force.")
            return
        found = rule_changes.previewed(self.ownership.rules.files)
        for currency, total in found.total.items():
            nobody = found.unallocated_after.get(currency, Decimal(0))
            share = words.percent(nobody / total) if total else "–"
            st.markdown(
                f"Without an owner, all time: **{share}**, {plain(words.money(nobody, currency))} of {plain(words.money(total, currency))}"
            )
        st.header(
            "Rules, in the order in which they are asked",
            help="The first that has a value wins. **Matches** is what it has a value for, **gives** that of it which no earlier rule has a"
            " value for, **conflicts** that for which an earlier rule names another owner",
            anchor=False,
        )
        rule_changes.effects(found, "rules-in-force")
        if found.pools:
            st.header("Pools", anchor=False)
            rule_changes.pool_sizes(found)
        st.header("Files", anchor=False)
        rule_files.downloads(self.ownership.rules.files)

    def _edit(self) -> None:
        """A draft: the text of allocation.yaml, the directories, and its preview."""
        draft = rule_changes.kept(SLOT)
        changed = draft is not None
        draft = draft or rule_changes.begun()
        locked = address.is_presenting()
        text = rule_changes.text_of(draft)
        key = address.typed("rules-text", text)
        st.html(f"<style>.st-key-{key} textarea {{font-family: monospace; font-size: .85rem}}</style>")
        st.text_area(
            f"{FILE} · {_state(draft, changed)}",
            text,
            key=key,
            on_change=address.changes(key, partial(_retyped, draft)),
            height=460,
            disabled=locked,
            help="How rules are written: docs/how-to/allocation.md. Nothing is in force before it is previewed and applied",
        )
        if not self.is_refusal_said and not rule_files.missing(draft):
            rule_changes.say_refusal(draft.files)
        with st.container(horizontal=True):
            st.button(
                "Preview",
                type="primary",
                icon=":material/preview:",
                on_click=rule_changes.look,
                args=(SLOT,),
                disabled=locked or not changed,
                help=None if changed else "Nothing is changed yet",
            )
            if changed:
                st.button("Put the draft aside", icon=":material/close:", on_click=rule_changes.keep, args=(SLOT, None))  # fmt: skip
            self._from_home(draft)
        rule_changes.consider(SLOT)
        rule_files.edit(draft, SLOT)

    def _from_home(self, draft: Draft) -> None:
        """Offers the files of HOME/rules where they are others than those in force."""
        home = answers.ledger().home
        if not self.versions or not (home.rules / FILE).exists():
            return
        files = written(home.rules)
        current = self.ownership.rules.files if self.ownership is not None else {}
        if files not in (dict(current), dict(draft.files)):
            st.button(
                "Take the files of HOME/rules",
                icon=":material/folder_open:",
                on_click=rule_changes.keep,
                args=(SLOT, replace(draft, files=files, previewed=None, back_to=None)),
                help="They are others than those in force: somebody changed them on the disk, or applied rules here",
            )


def open_part(name: str | None) -> None:
    """Opens a part of the page, by its URL."""
    st.query_params[_SHOWN] = name or "in-force"


def _state(draft: Draft, changed: bool) -> str:
    base = f"version {draft.number}" if draft.number else "the rules that nobody has applied yet"
    return f"a draft, begun from {base}" if changed else f"as in {base}"


def _retyped(draft: Draft, text: str) -> None:
    rule_changes.keep(SLOT, replace(draft, files={**draft.files, FILE: text}, back_to=None))
