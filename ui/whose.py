"""“Why is this mine?” for a charge or a line of a statement; and “Not mine”, which proposes another owner."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zlib import crc32

import polars
import streamlit as st

from finops_core.allocation.owners import DIRECT, SHARED
from finops_core.allocation.splits import CURRENCY, DAY
from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.flow import NOBODY, NOBODYS
from finops_core.analysis.ownership import NOT_ALLOCABLE
from finops_core.analysis.reasons import PoolReason, Reason, reasons, written
from finops_core.analysis.statement_reasons import METRIC, StatementReason, statement_reasons
from finops_core.errors import FarthingError
from finops_core.focus.charges import OWNER_COLUMNS
from finops_core.model import words
from finops_core.model.export import cell
from finops_core.model.query import Condition, Query
from finops_core.store import proposals
from finops_core.store.ownership import in_force
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, rule_changes, tables
from ui.plain import plain
from ui.viewer import ask_name, signed

_IDENTITY = ("x_Source", "BillingPeriod", "x_File", "x_Row", "x_Derived")
"""What tells a charge from all others, but for those derived from the same row."""
_SAID = "whose-said"
_POOLED = "A pool shares this: who pays is a matter of how it is split. Another owner changes that only where the pool asks for one."


def owners() -> polars.Expr:
    """Whose charges (rows of `finops_core.model.charged`) are: the owner, or the pool that shares them."""
    shared = polars.col("x_AllocationKind") == SHARED
    pool = polars.concat_str(polars.lit("pool: "), "x_AllocationRule")
    needs_none = polars.col("ChargeCategory").is_in(list(NOT_ALLOCABLE))
    nobody = polars.when(needs_none).then(polars.lit(NOBODYS)).otherwise(polars.lit(NOBODY))
    owner = polars.coalesce(polars.col(owner_column()), nobody)
    return polars.when(shared).then(pool).otherwise(owner).alias("Owner")


def owner_column() -> str:
    """The owner column by which the rules in force say whether a charge is allocated."""
    return _owner_column(*_version())


@st.cache_data(show_spinner=False, max_entries=4)
def _owner_column(version: str, number: int) -> str:
    return in_force(answers.ledger().home).rules.owner


def _in_a_sentence(found: Mapping[str, Any]) -> str:
    """Who owns a charge, and what says so."""
    kind, rule, owner = (found.get(n) for n in ("x_AllocationKind", "x_AllocationRule", owner_column()))
    if kind == SHARED:
        return f"The pool **{plain(str(rule))}** shares this: each of its consumers pays a part."
    if owner is None and found.get("ChargeCategory") in NOT_ALLOCABLE:
        return "**Nobody** owns this, and it needs no owner: taxes and credits do where a pool shares them."
    if owner is None:
        return "**Nobody** owns this: no rule names an owner."
    what = "its own tag says so, by the rule" if kind == DIRECT else "by the rule"
    return f"**{plain(str(owner))}** owns this: {what} **{plain(str(rule))}**."


def charge(found: Mapping[str, Any]) -> None:
    """Why a charge (a row of `finops_core.model.charged`) is whose it is, and the form to say that it is another's."""
    mark = crc32(repr([found.get(name) for name in _IDENTITY]).encode())
    with st.container(border=True, key="whose"):
        _said()
        st.markdown(_in_a_sentence(found))
        if not st.toggle(
            "Why is this mine?", key=f"why-{mark}", help="The rules behind each owner, what they read, and shares"
        ):  # fmt: skip
            return
        try:
            why = _reasons(tuple((n, found.get(n)) for n in _IDENTITY), found["ChargePeriodStart"].date(), *_version())  # fmt: skip
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        for one in why:
            if len(why) == 1 or str(one.charge["EffectiveCost"]) == str(found.get("EffectiveCost")):
                _reason(one)
                break
        pooled = found.get("x_AllocationKind") == SHARED
        _not_mine(_conditions(found), f"charge-{mark}", _POOLED if pooled else "")


def _version() -> tuple[str, int]:
    applied = rule_changes.versions()
    return answers.ledger().version, applied[0].number if applied else 0


@st.cache_data(show_spinner="Asking the rules about this charge …", max_entries=200)
def _reasons(identity: tuple[tuple[str, Any], ...], day: Any, version: str, number: int) -> list[Reason]:
    where = tuple(
        Condition(name, "is null") if value is None else Condition(name, "=", (str(value),))
        for name, value in identity
    )
    query = Query("EffectiveCost", where=where, start=day, end=day + timedelta(1))
    return reasons(answers.ledger(), query, 10)


def _reason(one: Reason) -> None:
    """The owners with their rules and what these read, then the pool and its shares."""
    rules = f"version {one.version} of the rules" if one.version else "rules that nobody applied yet"
    st.markdown(f"Allocation: **{one.kind}**, by {rules}")
    rows = []
    for owner in one.owners:
        if owner.rule is None:
            rows.append((owner.column, "nobody", "no rule has a value", "", ""))
            continue
        when = written(owner.rule.when) or "all charges"
        read = "; ".join(" ".join(read.as_text().split()) for read in owner.inputs)
        rows.append(
            (
                owner.column,
                owner.value or "nobody",
                owner.rule.name,
                f"{owner.rule.set[owner.column].in_words()}, for {when}",
                read,
            )
        )
    st.table(
        [
            {"What": dimension(column).label, "Owner": plain(value), "Rule": plain(rule), "Takes": plain(takes), "Read": plain(read)}
            for column, value, rule, takes, read in rows
        ],
        hide_index=True,
        border="horizontal",
        alt="The owners of the charge, with the rule behind each",
    )  # fmt: skip
    if one.pool is not None:
        _pool(one.pool, str(one.charge["BillingCurrency"]))


def _pool(found: PoolReason, currency: str) -> None:
    said = f"Shared by the pool **{plain(found.pool.name)}**, split that day over {dimension(found.pool.over).label.lower()} {plain(found.method)}."
    if found.pool.why:
        said += f" Why: {plain(found.pool.why)}."
    if found.pool.approved_by:
        said += f" Approved by {plain(found.pool.approved_by)}."
    st.markdown(said)
    rows = [(part.consumer or "nobody", float(part.share), part.amount) for part in found.parts]
    schema = {"consumer": polars.String, "share": polars.Float64, "amount": polars.Decimal(38, 18)}
    columns: list[tables.Column] = [
        ("consumer", tables.text, "Who"),
        ("share", tables.share, "Share of the pool that day"),
        ("amount", tables.money, f"Of this charge, {currency}"),
    ]
    tables.show(polars.DataFrame(rows, schema, orient="row"), columns, None, "why-shares", of=found.pool.name)


def _conditions(found: Mapping[str, Any]) -> dict[str, str]:
    """What a reader may say is not theirs: words → the condition of the charges meant."""

    def text(*names: str) -> str:
        return " and ".join(str(Condition(name, "=", (str(found[name]),))) for name in names)

    choices = {
        "This resource": ("ResourceId",),
        "This service in this account": ("SubAccountId", "ServiceName"),
        "All of this account": ("SubAccountId",),
    }
    return {label: text(*names) for label, names in choices.items() if all(found.get(n) for n in names)}


def line(
    column: str, owner: str | None, pool: str | None, period: str, currency: str, service: str | None
) -> None:
    """Why a line of a statement is what it is: shares of a pool by day with what was measured, or the charges of a service.

    Of all services where `service` is None; `(none)` is that of charges that name none.
    """
    with st.container(border=True, key="whose"):
        _said()
        try:
            found = _line(column, owner, pool, period, *_version())
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        what = (
            f"share of the pool {pool}"
            if pool is not None
            else f"direct cost{f' of {service}' if service else ''}"
        )
        st.markdown(f"**Why is this {plain(owner or 'nobody')}’s?** {plain(what[0].upper() + what[1:])}, as it stands today")  # fmt: skip
        if pool is not None:
            _shares(found, currency)
            return
        rows = found.rows.filter(polars.col(CURRENCY) == currency)
        if service is not None:
            rows = rows.filter(polars.col("ServiceName").fill_null(MISSING) == service)
        columns: list[tables.Column] = [
            (METRIC, tables.money, f"Cost, {currency}"),
            ("x_AllocationRule", tables.text, "Rule"),
            ("SubAccountId", tables.text, "Account"),
            ("SubAccountName", tables.text, "Account name"),
            ("ServiceName", tables.text, "Service"),
        ]
        tables.show(rows, columns, None, "why-rows", 260 if len(rows) > 6 else None, of=repr(service))
        _not_mine(_of_line(rows, service), f"line-{column}-{owner}-{period}-{currency}-{service}")


@st.cache_data(show_spinner="Looking for what it is made of …", max_entries=200)
def _line(
    column: str, owner: str | None, pool: str | None, period: str, version: str, number: int
) -> StatementReason:
    return statement_reasons(answers.ledger(), column, owner, pool, period)


def _shares(found: StatementReason, currency: str) -> None:
    for revision in found.revisions:
        said = f"`{written(revision.when)}`: split {plain(revision.split.in_words())}."
        said += f" Why: {plain(revision.why)}." * bool(revision.why)
        st.markdown(said + f" Approved by {plain(revision.approved_by)}." * bool(revision.approved_by))
    measured = (
        found.weights.rename({"day": DAY, "consumer": "Consumer"})
        .select(DAY, "Consumer", "weight", "total")
        .unique([DAY, "Consumer"], keep="none")  # of several drivers none is the measure of the share
    )
    rows = found.shares.filter(polars.col(CURRENCY) == currency).join(
        measured, on=[DAY, "Consumer"], how="left", nulls_equal=True
    )
    columns: list[tables.Column] = [
        (DAY, tables.text, "Day"),
        ("Consumer", tables.text, "Whose share"),
        (METRIC, tables.money, f"Cost, {currency}"),
        ("Share", lambda share: "" if share is None else words.percent(share), "Share"),
        ("PoolEffectiveCost", tables.money, "Whole pool that day"),
        ("weight", lambda weight: "" if weight is None else str(cell(weight)), "Measured"),
        ("total", lambda total: "" if total is None else str(cell(total)), "Of"),
        ("Method", tables.text, "Method that day"),
    ]
    tables.show(rows.sort(DAY), columns, None, "why-days", 300 if len(rows) > 7 else None, of=str(found.pool))  # fmt: skip


def _of_line(rows: polars.DataFrame, service: str | None) -> dict[str, str]:
    accounts = rows["SubAccountId"].drop_nulls().unique(maintain_order=True).to_list()
    found = {}
    for account in accounts[:20]:
        parts = [Condition("SubAccountId", "=", (account,))]
        if service is not None:
            named = service != MISSING
            parts.append(Condition("ServiceName", "=" if named else "is null", (service,) if named else ()))
        found[f"{f'{service} in account' if service else 'Account'} {account}"] = " and ".join(map(str, parts))  # fmt: skip
    return found


def _not_mine(choices: Mapping[str, str], key: str, note: str = "") -> None:
    """The form that proposes another owner; a note says what that cannot do."""
    if not choices or address.is_presenting():
        return
    with st.popover("Not mine", icon=":material/move_up:"):
        if note:
            st.caption(note)
        what = st.selectbox("What is not", list(choices), key=f"what-{key}")
        st.text_input(
            "Which charges", choices[what], key=f"which-{key}-{what}", help="A condition, as `farthing query --where` takes it"
        )  # fmt: skip
        left, right = st.columns(2, gap="small")
        with left:
            column = st.selectbox(
                "Whose it is, by", list(OWNER_COLUMNS), format_func=lambda name: dimension(name).label, key=f"by-{key}"
            )  # fmt: skip
        with right:
            st.selectbox(
                "Owner", _known(column), index=None, accept_new_options=True, placeholder="Choose or type", key=f"owner-{key}-{column}"
            )  # fmt: skip
        st.text_input("Why", key=f"reason-{key}", help="Kept with the proposal")
        left, right = st.columns(2, gap="small")
        with left:
            st.date_input(
                "Since", None, format="YYYY-MM-DD", key=f"since-{key}", help="The first day of the charges that are meant; empty for all days"
            )  # fmt: skip
        with right:
            ask_name(key)
        st.button(
            "Propose",
            type="primary",
            key=f"propose-{key}",
            on_click=_propose,
            args=(key,),
        )
        st.caption("It changes nothing by itself: whoever keeps the rules decides (Rules, Proposals).")


def _known(column: str) -> Sequence[str]:
    """The owners that there are, the costliest first."""
    found = answers.members(column, Query("EffectiveCost"))
    return list(dict.fromkeys(name for name in found[column] if name))


def _propose(key: str) -> None:
    # What stands in the fields now: arguments would be those of the run before the last word was typed.
    typed = st.session_state
    condition, column = typed[f"which-{key}-{typed[f'what-{key}']}"], typed[f"by-{key}"]
    owner, reason, since = typed[f"owner-{key}-{column}"] or "", typed[f"reason-{key}"], typed[f"since-{key}"]
    try:
        made = proposals.propose(answers.state(), condition, column, owner, reason, signed(key), since)
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))
    else:
        st.session_state[_SAID] = (
            "done",
            f"Proposal {made.id}: {made.value} for {made.condition}{f' since {made.since}' if made.since else ''}. It waits at Rules, Proposals",
        )


def _said() -> None:
    with st.container():
        if _SAID in st.session_state:
            kind, text = st.session_state.pop(_SAID)
            (st.error if kind == "error" else st.success)(plain(text))
