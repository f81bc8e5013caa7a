"""What waits for a decision: owners that readers proposed (“not mine”), and spellings of tags."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from finops_core.allocation import editing, ruleset
from finops_core.allocation.ruleset import FILE
from finops_core.analysis.spelling_rules import SpellingChange, spelling_changes, with_tag_read
from finops_core.errors import FarthingError
from finops_core.quality.spellings import (
    SpellingProposal,
    reject_spelling,
    rejected_spellings,
    spelling_proposals,
)
from finops_core.quality.tag_policy import TagPolicy, bare, tag_policy
from finops_core.store import proposals
from finops_core.store.ownership import Ownership
from finops_core.store.proposals import Proposal
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, rule_changes
from ui.plain import plain
from ui.rule_changes import Draft
from ui.viewer import ask_name, signed

_DECIDED = 50
"""How many decisions are listed, the newest."""


def waiting() -> int:
    """How many proposals wait."""
    state = answers.state()
    return len(proposals.open_proposals(state)) + len(_spellings(rule_changes.ownership_now()))


def _spellings(ownership: Ownership | None) -> list[tuple[SpellingProposal, SpellingChange | None]]:
    """The proposed spellings that the rules do not have yet, each with the change that it would be."""
    if ownership is None:
        return []
    state = answers.state()
    changes = spelling_changes(ownership.rules, state)
    found = []
    for proposal in spelling_proposals(state):
        own = next((c for c in changes if _is_of(c, proposal)), None)
        read = any(
            proposal.key.strip().lower() in {key.strip().lower() for key in getattr(value, "tag", ())}
            for rule in ownership.rules.rules
            for value in rule.set.values()
        )
        if own is not None or not read:
            found.append((proposal, own))
    return found


def _is_of(change: SpellingChange, proposal: SpellingProposal) -> bool:
    spelt = change.spellings.get(proposal.value, ())
    return bool(spelt) and set(spelt) <= set(proposal.values) and change.reason == proposal.reason


def show(ownership: Ownership | None, slot: str) -> None:
    """Both queues. Accepting changes the draft of the rules, which is then previewed and applied."""
    owners, spelt = proposals.open_proposals(answers.state()), _spellings(ownership)
    if not owners and not spelt:
        st.caption("Nothing waits: readers propose owners at a charge or statement line, and spellings at Tag coverage.")  # fmt: skip
    for proposal in owners:
        _owner(proposal, slot)
    for spelling, change in spelt:
        _spelling(spelling, change, slot)
    rule_changes.consider(slot)
    _decided([spelling for spelling, _ in spelt])


def _decided(waiting: Sequence[SpellingProposal]) -> None:
    """What was decided, and by whom: owners, and spellings that were rejected or that the rules have by now."""
    state = answers.state()
    owners = [
        (p.at, f"{p.value} for {p.condition}: {p.state} by {p.decided_by}: {p.decided_reason}")
        for p in proposals.proposals(state)
        if p.state != proposals.OPEN
    ]
    rejected = [
        (r.at, f"Spelling {r.spelling}: rejected by {r.who}: {r.reason}") for r in rejected_spellings(state)
    ]
    mapped = [
        (s.at, f"Spelling {s.key}: {', '.join(s.values)} → {s.value}, proposed by {s.by}: in the rules")
        for s in spelling_proposals(state)
        if s not in waiting
    ]
    decided = sorted((*owners, *rejected, *mapped), reverse=True)
    if decided:
        with st.expander(f"Decided ({len(decided):,})", icon=":material/history:"):
            for _, told in decided[:_DECIDED]:
                st.markdown(plain(told))
            if len(decided) > _DECIDED:
                st.caption(f"The newest {_DECIDED} of {len(decided):,}; the audit log has all.")


def _owner(proposal: Proposal, slot: str) -> None:
    with st.container(border=True, key=f"proposal-{proposal.id}"):
        st.markdown(
            f"**{plain(dimension(proposal.column).label)} {plain(proposal.value)}** for `{proposal.condition}`"
            f"{f' since {proposal.since}' if proposal.since else ''} · {plain(proposal.reason)}"
        )
        st.caption(plain(f"Proposed by {proposal.proposed_by} on {proposal.at[:10]}"))
        _decide(
            f"proposal-{proposal.id}",
            lambda: _accept(proposal, slot),
            lambda reason: _rejected(
                lambda: proposals.reject(
                    answers.state(), proposal.id, signed(f"proposal-{proposal.id}"), reason
                )
            ),
        )


def _spelling(proposal: SpellingProposal, change: SpellingChange | None, slot: str) -> None:
    key = f"spelling-{proposal.key}-{proposal.value}-{len(proposal.values)}-{proposal.values[0]}"
    with st.container(border=True, key=key):
        st.markdown(
            f"Tag **{plain(proposal.key)}**: {plain(', '.join(proposal.values))} is **{plain(proposal.value)}** · {plain(proposal.reason)}"
        )
        accept, note = (partial(_accept_spelling, change, slot), "") if change else _unread(proposal, slot)
        st.caption(plain(f"Proposed by {proposal.by} on {proposal.at[:10]}{note}"))
        _decide(
            key,
            accept,
            lambda reason: _rejected(lambda: reject_spelling(answers.state(), proposal, signed(key), reason)),
        )


def _unread(proposal: SpellingProposal, slot: str) -> tuple[Callable[[], None] | None, str]:
    """What accepting does where no rule reads the tag, and that in words: there is a rule to write where the tag policy says which
    owner the tag names; elsewhere nobody can know, and why is said."""
    policy = _policy()
    key = next((k for k in policy.keys if bare(proposal.key) in policy.names(k)), None) if policy else None
    if policy is None or key is None:
        return None, (
            " · no rule reads this tag, and the tag policy does not say which owner it names: write a rule that reads it at Edit,"
            " or reject this"
        )
    names, column = policy.names(key), policy.keys[key].owner

    def changed(text: str) -> str:
        files = {**(rule_changes.kept(slot) or rule_changes.begun()).files, FILE: text}
        spellings = {proposal.value: proposal.values}
        return with_tag_read(text, ruleset.parse(files), names, column, spellings)

    return (
        partial(_into_draft, slot, changed, f"Spelling: {proposal.reason}"),
        f" · no rule reads this tag yet: accepting writes a last rule that reads it for {dimension(column).label}, as the tag"
        " policy has it",
    )


def _policy() -> TagPolicy | None:
    """The tag policy; None where that of the home is malformed, which Tag coverage says."""
    try:
        return tag_policy(answers.ledger().home.rules)
    except FarthingError:
        return None


def _decide(key: str, accept: Callable[[], None] | None, reject: Callable[[str], None]) -> None:
    if address.is_presenting():
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if accept is not None:
            st.button(
                "Accept and preview",
                type="primary",
                icon=":material/check:",
                key=f"accept-{key}",
                on_click=accept,
            )
        reason = st.text_input("Why not", key=f"why-not-{key}", width=320, placeholder="Reason to reject it")
        ask_name(key)
        st.button(
            "Reject",
            icon=":material/close:",
            key=f"reject-{key}",
            on_click=lambda: reject(st.session_state[f"why-not-{key}"]),
            disabled=not reason.strip(),
        )


def _accept(proposal: Proposal, slot: str) -> None:
    """Puts the proposal's rule before all others, so that it counts, into the draft, and previews it."""

    def changed(text: str) -> str:
        from finops_core.allocation import written

        rules = (written.read(text, FILE).data or {}).get("rules") or []
        return editing.with_rule(text, proposal.rule(), rules[0].get("name") if rules else None)

    _into_draft(slot, changed, proposal.reason, proposal.id)


def _accept_spelling(change: SpellingChange, slot: str) -> None:
    _into_draft(
        slot,
        lambda text: editing.with_spellings(text, change.rule, change.column, change.spellings),
        f"Spelling: {change.reason}",
    )


def _into_draft(slot: str, change: Callable[[str], str], reason: str, accepts: int | None = None) -> None:
    draft = rule_changes.kept(slot) or rule_changes.begun()
    try:
        text = change(rule_changes.text_of(draft))
    except FarthingError as error:
        rule_changes.say(str(error), "error")
        return
    also = (*draft.accepts, accepts) if accepts is not None and accepts not in draft.accepts else draft.accepts  # fmt: skip
    whole = "; ".join(dict.fromkeys(filter(None, (draft.reason, reason))))
    rule_changes.keep(slot, _changed(draft, text, whole, also))
    rule_changes.look(slot)


def _changed(draft: Draft, text: str, reason: str, accepts: tuple[int, ...]) -> Draft:
    return replace(draft, files={**draft.files, FILE: text}, reason=reason, accepts=accepts, back_to=None)


def _rejected(reject: Callable[[], object]) -> None:
    try:
        reject()
    except FarthingError as error:
        rule_changes.say(str(error), "error")
    else:
        rule_changes.say("Rejected; the reason is kept")
