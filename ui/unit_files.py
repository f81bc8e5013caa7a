"""Where units come from: files to add and remove, and what a unit may cost."""

import tempfile
from pathlib import Path

import streamlit as st

from finops_core.errors import FarthingError, InputRefused
from finops_core.store import unit_metrics, unit_targets
from finops_core.store.unit_targets import UnitTarget
from ui import answers
from ui.plain import plain
from ui.units import UnitPage
from ui.viewer import viewer

_SAID = "units-said"
_EXAMPLE = "date,metric,product,quantity\n2026-10-01,orders,storefront,41250\n2026-10-01,requests,storefront,64020011\n"


def draw(page: UnitPage) -> None:
    """Files and targets."""
    st.header("Units and targets", anchor=False)
    if _SAID in st.session_state:
        kind, text = st.session_state.pop(_SAID)
        (st.error if kind == "error" else st.success)(plain(text))
    with st.expander(
        "Files of units", icon=":material/upload_file:", expanded=page.metric is None, key="units-files"
    ):
        _files()
    if page.metric is not None:
        with st.expander("What a unit may cost", icon=":material/flag:", key="units-targets"):
            _target(page)


def _files() -> None:
    st.caption(
        "CSV, Parquet or JSON: a row a day (or month), metric and quantity, or a column for each metric; further columns say whose"
        " they are, such as product, team, customer or tier. A file of the same name replaces the earlier one."
    )
    st.code(_EXAMPLE, language="text")
    with st.form("unit-file", border=False, clear_on_submit=True):
        uploaded = st.file_uploader(
            "File of units", type=["csv", "parquet", "json", "gz", "zip"], key="unit-file-upload"
        )
        if st.form_submit_button("Add", icon=":material/add:") and uploaded is not None:
            with tempfile.TemporaryDirectory() as directory:
                copy = Path(directory) / Path(uploaded.name).name
                copy.write_bytes(uploaded.getvalue())
                try:
                    st.session_state[_SAID] = (
                        "done",
                        unit_metrics.add(answers.ledger().home, copy).in_words(),
                    )
                except FarthingError as error:
                    st.session_state[_SAID] = ("error", str(error))
            st.rerun()
    for name, found in unit_metrics.listed(answers.ledger().home).items():
        told = str(found) if isinstance(found, InputRefused) else found.in_words()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(name)}** {plain(told)}")
            st.button(
                "Remove", key=f"units-remove-{name}", on_click=_remove, args=(name,), icon=":material/delete:"
            )


def _remove(name: str) -> None:
    try:
        unit_metrics.remove(answers.ledger().home, name)
        st.session_state[_SAID] = ("done", f"{name}: removed")
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))


def _target(page: UnitPage) -> None:
    assert page.metric is not None
    line = page.whole
    usual = f"one {line.unit}" if line is not None else page.metric.name
    members = ["All together", *[one.member for one in page.mine if page.by]]
    with st.form("unit-target", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        member = st.selectbox("Whose units", members, width=220)
        amount = st.text_input(f"At most, {page.currency} for {usual}", placeholder="0.05", width=240)
        if st.form_submit_button("Keep", icon=":material/check:"):
            try:
                by, whose = ("", "") if member == members[0] else (page.by, str(member))
                wanted = UnitTarget(page.metric.name, by, whose, page.currency, unit_targets.amount(amount))
                unit_targets.keep(answers.state(), [wanted], viewer())
                st.session_state[_SAID] = ("done", f"Target of {page.metric.name} kept")
            except FarthingError as error:
                st.session_state[_SAID] = ("error", str(error))
            st.rerun()
    own = [t for t in unit_targets.targets(answers.state()).values() if t.metric == page.metric.name]
    for target in own:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"{plain(f'{target.by} {target.member}'.strip() or 'All together')}: at most {target.amount.normalize():f} {target.currency}"
            )
            st.button("Take back", key=f"units-target-{target.key}", on_click=_take_back, args=(target,))


def _take_back(target: UnitTarget) -> None:
    unit_targets.remove(answers.state(), target, viewer())
