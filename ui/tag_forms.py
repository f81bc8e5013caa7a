"""What a reader can do about tags: propose a spelling, except charges, take the policy elsewhere."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.quality.spellings import NearMiss, propose_spelling
from finops_core.quality.tag_exceptions import TagException, except_charges, remove
from finops_core.quality.tag_exports import FORMS, exported
from finops_core.quality.tags import KeyCoverage
from ui import answers, books
from ui.plain import plain
from ui.viewer import viewer

_SAID = "tags-said"
_LABELS = {
    "aws-tag-policy": "AWS tag policy",
    "aws-scp": "AWS SCP",
    "azure-policy": "Azure Policy",
    "rego": "OPA / Rego",
}
_MOST = 8


def near_misses(found: KeyCoverage, currency: str, proposed: Mapping[tuple[str, str], str]) -> None:
    """Values that seem to mean another one, by the one that they mean, with a button to propose its spelling."""
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
    meant: dict[str, list[NearMiss]] = defaultdict(list)
    for miss in found.near_misses:
        meant[miss.proposed].append(miss)
    ranked = sorted(meant.items(), key=lambda pair: -abs(_money(pair[1])))
    for target, misses in ranked[:_MOST]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"miss-{found.key}-{target}"):
            values = ", ".join(_written(m.value) for m in misses)
            why = "; ".join(dict.fromkeys(m.why for m in misses))
            st.markdown(
                f"**{plain(values)}** → **{plain(target)}** · {plain(words.money(_money(misses), currency))} · {plain(why)}",
                width="stretch",
            )
            done = all(proposed.get((found.key, m.value)) == target for m in misses)
            st.button(
                "Proposed" if done else "Use this spelling",
                icon=":material/check:" if done else ":material/spellcheck:",
                key=f"use-{found.key}-{target}",
                disabled=done,
                on_click=_propose,
                args=(found.key, [m.value for m in misses], target, why),
            )
    if len(ranked) > _MOST:
        st.caption(f"And {len(ranked) - _MOST:,} more: `farthing tags --json` has them all")


def _money(misses: Sequence[NearMiss]) -> Decimal:
    return sum((miss.cost for miss in misses), Decimal(0))


def _written(value: str) -> str:
    return value if value == value.strip() else f"“{value}”"


def _propose(key: str, values: list[str], target: str, why: str) -> None:
    def change() -> str:
        propose_spelling(answers.state(), key, values, target, viewer(), f"near miss: {why}")
        return f"Proposed: {', '.join(values)} as {target}"

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
            sent = st.form_submit_button("Except", type="primary")
    if sent:
        try:
            text = until.isoformat() if isinstance(until, date) else ""
            made = TagException(name.strip(), where.strip(), owner.strip(), reason.strip(), text, tuple(of))
            except_charges(answers.state(), made, viewer())
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def _remove(name: str) -> None:
    def change() -> str:
        remove(answers.state(), name, viewer())
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
