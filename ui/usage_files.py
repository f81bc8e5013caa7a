"""The files of usage that shared cost and clusters are told by: added after a look at what was read, listed, and removed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import streamlit as st

from finops_core.allocation.drivers.describing import Description, describe
from finops_core.errors import FarthingError
from finops_core.store import metric_files
from finops_core.store.uploads import discard, keep
from ui import address, answers, rule_changes
from ui.plain import plain
from ui.viewer import known, remembered

_SAID, _FOUND, _TAKEN = "usage-said", "usage-found", "usage-taken"


@dataclass(frozen=True)
class _Read:
    """An uploaded file that is not kept yet."""

    upload: str
    path: Path
    holds: Description | str
    """What it holds, or why it cannot be read."""


def described() -> dict[str, Description | str]:
    """The files of the home: name → what it holds, or why it cannot be read."""
    return _described(metric_files.stamps(answers.ledger().home))


@st.cache_data(show_spinner=False, max_entries=4)
def _described(stamps: tuple[tuple[str, int, int], ...]) -> dict[str, Description | str]:
    listed = metric_files.listed(answers.ledger().home)
    return {name: found if isinstance(found, Description) else str(found) for name, found in listed.items()}


def draw(expanded: bool = False) -> None:
    """The files in force, each with a way to remove it, and a form for another one."""
    files = described()
    is_open = expanded or _SAID in st.session_state or _FOUND in st.session_state
    with st.expander(
        f"Files of usage ({len(files):,})", icon=":material/upload_file:", expanded=is_open, key="usage-files"
    ):
        _said()
        for name, holds in files.items():
            _listed(name, holds)
        if not address.is_presenting():
            _form(files)


def _listed(name: str, holds: Description | str) -> None:
    pools = _pools(name)
    told = f"cannot be read: {holds}" if isinstance(holds, str) else holds.in_words()
    splits = f" · splits {_named(pools)}" if pools else ""
    with st.container(key=f"usage-file-{name}"):
        line, way = st.columns([7, 1], vertical_alignment="center")
        line.markdown(f"**{plain(name)}** {plain(told)}{plain(splits)}")
        if not address.is_presenting():
            with way.popover("Remove", icon=":material/delete:", width="stretch"):
                _removal(name, pools)


def _pools(name: str) -> tuple[str, ...]:
    ownership = rule_changes.ownership_now()
    return metric_files.readers(ownership.rules, name) if ownership is not None else ()


def _named(pools: tuple[str, ...]) -> str:
    return f"the {'pool' if len(pools) == 1 else 'pools'} {', '.join(pools)}"


def _removal(name: str, pools: tuple[str, ...]) -> None:
    if pools:
        st.warning(
            plain(
                f"{name} splits {_named(pools)}: it can be removed once the rules ask for it no more, or find that usage in other files."
            ),
            icon=":material/warning:",
        )
    author = _author(f"usage-remover-{name}")
    st.button(
        f"Remove {plain(name)}", type="primary", key=f"usage-remove-{name}", disabled=not author.strip(),
        on_click=_remove, args=(name, author),
    )  # fmt: skip


def _author(key: str) -> str:
    return st.text_input("Author", known() or remembered(), width=220, key=key)


def _form(files: Mapping[str, Description | str]) -> None:
    """Takes a file, and says what it holds, or why it is refused, before it is kept."""
    uploaded = st.file_uploader(
        "Add or replace a file of usage",
        help="An allocation export of OpenCost or Kubecost (JSON, CSV or parquet), or a CSV or parquet table with a row a day and"
        " team. A file of the same name replaces the earlier one. docs/how-to/kubernetes.md has more",
        key=f"usage-upload-{st.session_state.get(_TAKEN, 0)}",
    )
    st.caption(
        "An allocation export of OpenCost or Kubecost as its API gives it, or a table with a row a day and team, such as `date,team,gb_ingested`"
    )
    if uploaded is None:
        st.session_state.pop(_FOUND, None)
        return
    read = st.session_state.get(_FOUND)
    if not isinstance(read, _Read) or read.upload != uploaded.file_id:
        with st.spinner("Reading the file …"):
            read = _read(uploaded.file_id, uploaded.name, uploaded)
        st.session_state[_FOUND] = read
    if isinstance(read.holds, str):
        st.error(plain(f"Nothing was kept. {read.holds}"), icon=":material/error:")
    else:
        _preview(read.path, read.holds, files)


def _session() -> str:
    return str(st.session_state.setdefault("usage-session", uuid.uuid4().hex))


def _read(upload: str, name: str, stream: IO[bytes]) -> _Read:
    """Puts what was uploaded where it waits until somebody has looked at what it holds."""
    home = answers.ledger().home
    try:
        (path,) = keep(home, _session(), [(name, stream)])
        return _Read(upload, path, describe(path))
    except FarthingError as error:
        discard(home, _session())
        return _Read(upload, Path(name), str(error))


def _preview(path: Path, holds: Description, files: Mapping[str, Description | str]) -> None:
    """What was read of an uploaded file, and the form that keeps it."""
    name = path.name
    with st.container(border=True, key="usage-preview"):
        st.markdown(f"**What {plain(name)} holds**")
        rows = [{"What": plain(what), "Read": plain(told)} for what, told in holds.facts().items()]
        st.table(
            rows, hide_index=True, border="horizontal", alt=f"Kind, days, consumers and totals of {name}"
        )
        if name in files:
            before = files[name]
            told = before if isinstance(before, str) else before.in_words()
            st.caption(plain(f"It replaces the file of this name: {told}"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            author = _author("usage-author")
            st.button(
                "Keep this file", type="primary", icon=":material/check:", key="usage-keep",
                disabled=not author.strip(), on_click=_keep, args=(path, author),
                help=None if author.strip() else "Say who you are: it is kept in the audit log",
            )  # fmt: skip
            st.button("Put aside", icon=":material/close:", key="usage-aside", on_click=_put_aside)


def _put_aside() -> None:
    discard(answers.ledger().home, _session())
    st.session_state.pop(_FOUND, None)
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, 0) + 1  # an empty uploader


def _keep(path: Path, author: str) -> None:
    try:
        name, holds, replaced = metric_files.add(answers.ledger().home, path, who=author)
    except FarthingError as error:
        st.session_state[_SAID] = ("error", f"Nothing was kept. {error}")
        return
    _put_aside()
    pools = _pools(name)
    split = f". It splits {_named(pools)} now" if pools else ""
    told = f"{name}: {'replaced' if replaced else 'added'}: {holds.in_words()}{split}"
    st.session_state[_SAID] = ("done", told)


def _remove(name: str, author: str) -> None:
    try:
        metric_files.remove(answers.ledger().home, name, author)
        st.session_state[_SAID] = ("done", f"{name}: removed")
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))


def _said() -> None:
    """What the last change came to."""
    if _SAID in st.session_state:
        kind, text = st.session_state.pop(_SAID)
        box, icon = (st.error, "error") if kind == "error" else (st.success, "check")
        box(plain(text), icon=f":material/{icon}:")
