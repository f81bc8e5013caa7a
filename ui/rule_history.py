"""What happened to the rules: their versions with differences and a way back, and the audit log with its verification."""

from collections.abc import Sequence

import polars
import streamlit as st

from finops_core.model import words
from finops_core.store import audit, rulesets
from finops_core.store.rulesets import Applied
from ui import address, answers, rule_changes, tables
from ui.plain import plain
from ui.rule_changes import Draft

SLOT = "undo"
"""Where the draft of a way back is kept."""
_ENTRIES = 500
_LINES, _TALL = 30, 640
"""Lines of a difference, and pixels, beyond which it is scrolled."""


def versions(found: Sequence[Applied]) -> None:
    """All versions, the newest first; of a chosen one, what it changed, and the way back to it."""
    if not found:
        st.caption("Nobody has applied rules yet: the first change that is applied is version 1.")
        return
    if wrong := rulesets.altered(answers.state()):
        st.error(
            f"The kept files of version {', '.join(map(str, wrong))} are not those that the audit log has hashes of.",
            icon=":material/gpp_bad:",
        )
    rows = [(f"{v.number}", v.at.replace("T", " ").replace("Z", " UTC"), v.author, v.reason, ", ".join(v.hashes)) for v in found]  # fmt: skip
    names = ("Version", "Applied", "Author", "Reason", "Files")
    columns: list[tables.Column] = [(n, tables.text, n) for n in names]
    schema = dict.fromkeys(names, polars.String)
    chosen = tables.show(
        polars.DataFrame(rows, schema, orient="row"), columns, None, "versions", selectable=True, of=str(len(found))
    )  # fmt: skip
    if chosen is None:
        st.caption("Choose a version, by the box on its left, to see what it changed and to go back to it.")
        rule_changes.consider(SLOT)
        return
    _version(found, chosen)
    rule_changes.consider(SLOT)


def _version(found: Sequence[Applied], chosen: int) -> None:
    state = answers.state()
    version = rulesets.version(state, found[chosen].number)
    before = rulesets.version(state, found[chosen + 1].number) if chosen + 1 < len(found) else None
    st.markdown(
        f"**What version {version.number} changed**"
        + (f", against version {before.number}" if before else ", the first")
    )
    if chosen:
        st.button(
            f"Preview going back to version {version.number}",
            icon=":material/undo:",
            disabled=address.is_presenting(),
            on_click=_back,
            args=(version.number, found[0].number),
        )
    difference = rulesets.difference(before, version)
    tall = difference.count("\n") > _LINES
    st.code(difference or "Nothing.", language="diff", wrap_lines=True, height=_TALL if tall else "content")


def _back(number: int, newest: int) -> None:
    files = rulesets.version(answers.state(), number).files
    rule_changes.keep(SLOT, Draft(files, newest, f"Back to version {number}", back_to=number))
    rule_changes.look(SLOT)


def log() -> None:
    """Who changed what about ownership, the newest first, and whether the log is as it was written."""
    state = answers.state()
    entries = audit.entries(state, limit=_ENTRIES)
    broken = audit.verify(state)
    head = audit.head(state)
    if broken:
        st.error(
            f"The chain is broken at entry {', '.join(map(str, broken[:10]))}: somebody changed the log.",
            icon=":material/gpp_bad:",
        )
    elif entries:
        st.success(
            f"The chain holds, {words.counted(head.id, 'entry', 'entries')}: each carries the hash of the one before it.",
            icon=":material/verified:",
        )
        st.caption(
            f"To find out later whether the end was cut off, keep this elsewhere: `{head}`, and check with"
            f" `farthing audit-log --head {str(head)[:12]}…`"
        )
    if not entries:
        st.caption("Nothing about ownership was changed yet.")
        return
    rows = [
        (
            str(e.id),
            e.at.replace("T", " ").replace("Z", " UTC"),
            e.who,
            e.action,
            e.subject,
            e.reason,
            e.hash[:12],
        )
        for e in entries
    ]
    names = ("Entry", "When", "Who", "What", "Of", "Reason", "Hash")
    columns: list[tables.Column] = [(n, tables.text, n) for n in names]
    shown = polars.DataFrame(rows, dict.fromkeys(names, polars.String), orient="row")
    tables.show(shown, columns, None, "audit-log")
    if head.id > len(entries):
        st.caption(plain(f"The newest {len(entries):,} of {head.id:,}; `farthing audit-log` has all."))
