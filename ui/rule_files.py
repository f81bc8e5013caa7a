"""The files of a draft: directories of owners edited in place or in a spreadsheet, and files added."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from zlib import crc32

import pandas
import streamlit as st

from finops_core.allocation import written
from finops_core.allocation.directory_tables import directory_as_csv, directory_as_xlsx, directory_from
from finops_core.allocation.rules import Rules
from finops_core.allocation.ruleset import FILE, named_files
from finops_core.allocation.spreadsheets import csv_bytes, rows_of
from finops_core.errors import FarthingError
from ui import address, rule_changes
from ui.plain import plain
from ui.rule_changes import Draft

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def downloads(files: Mapping[str, str]) -> None:
    """A button for each file."""
    with st.container(horizontal=True, gap="small", key="rule-files"):
        for name, text in files.items():
            st.download_button(
                name,
                text,
                name,
                icon=":material/download:",
                on_click="ignore",
                key=f"rule-file-{name}",
            )


def edit(draft: Draft, slot: str) -> None:
    """The directories of a draft, each as a table; and a way to add files that its text names."""
    st.header(
        "Directories",
        help="Files of facts about owners, such as an account map: change rows here, or download, edit and upload them",
        anchor=False,
    )
    if address.is_presenting():
        return
    if _is_readable(draft):
        for name in _directories(draft):
            _directory(draft, name, slot)
    else:
        st.caption(
            f"The directories can be changed here once {plain(FILE)} can be read: see above what is wrong with it."
        )
    for name in missing(draft):
        st.warning(f"{plain(FILE)} names {plain(name)}, which is not here yet: add it below.")
    added = st.file_uploader(
        "Add or replace a file", type=["csv", "yaml", "yml"], key="rule-file-added",
        help="By its name, as allocation.yaml names it; allocation.yaml itself too",
    )  # fmt: skip
    if added is not None:
        st.button(
            f"Take {plain(added.name)} into the draft", on_click=_add, args=(draft, slot, added.name, added.getvalue()),
            icon=":material/add:",
        )  # fmt: skip


def missing(draft: Draft) -> list[str]:
    """The files that the text of a draft names, and that it does not have."""
    return [name for name in named_files(rule_changes.text_of(draft)) if name not in draft.files]


def _is_readable(draft: Draft) -> bool:
    try:
        written.read(rule_changes.text_of(draft), FILE).validated(Rules)
    except FarthingError:
        return False
    return True


def _directories(draft: Draft) -> list[str]:
    """The directories of a draft that its files have."""
    try:
        data = written.read(rule_changes.text_of(draft), FILE).data
        found = data.get("directories") or {}
        return [name for name, entry in found.items() if entry.get("file") in draft.files]
    except (FarthingError, AttributeError):
        return []


def _directory(draft: Draft, name: str, slot: str) -> None:
    try:
        data = directory_as_csv(draft.files, name)
        (_, header), *rows = rows_of(data, name)
    except FarthingError as error:
        st.caption(plain(f"{name}: {error}"))
        return
    cells = [[*row, *[""] * len(header)][: len(header)] for _, row in rows]
    with st.expander(f"{name}: {len(rows):,} rows", icon=":material/table:", key=f"directory-{name}"):
        mark = crc32(data)
        frame = pandas.DataFrame(cells, columns=header, dtype="str")
        edited = st.data_editor(
            frame, num_rows="dynamic", hide_index=True, width="stretch", height=300, key=f"rows-{name}-{mark}"
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            if not edited.equals(frame):
                st.button(
                    "Take these rows into the draft",
                    type="primary",
                    icon=":material/check:",
                    key=f"take-{name}",
                    on_click=_take,
                    args=(draft, slot, name, _csv(edited), f"{name}.csv"),
                )
            st.download_button(
                "CSV",
                data,
                f"{name}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key=f"csv-{name}",
            )
            st.download_button(
                "XLSX", lambda: directory_as_xlsx(draft.files, name), f"{name}.xlsx", _XLSX, icon=":material/download:", on_click="ignore", key=f"xlsx-{name}"
            )  # fmt: skip
        sheet = st.file_uploader(
            f"Upload {name} again, edited", type=["csv", "xlsx"], key=f"upload-{name}-{mark}"
        )
        if sheet is not None:
            st.button(
                f"Take {plain(sheet.name)} into the draft",
                type="primary",
                icon=":material/check:",
                key=f"take-file-{name}",
                on_click=_take,
                args=(draft, slot, name, sheet.getvalue(), sheet.name),
            )


def _csv(edited: pandas.DataFrame) -> bytes:
    rows = edited.fillna("").astype(str).values.tolist()
    return csv_bytes([str(name) for name in edited.columns], [row for row in rows if any(row)])


def _take(draft: Draft, slot: str, name: str, data: bytes, uploaded: str) -> None:
    """Puts an edited table into the draft; one with errors is refused by its row."""
    try:
        files = directory_from(draft.files, name, data, uploaded)
    except FarthingError as error:
        rule_changes.say(f"Nothing was taken. {error}", "error")
        return
    rule_changes.keep(slot, replace(draft, files=files, back_to=None))
    rule_changes.say(f"{name} of the draft is changed: preview it, then apply")


def _add(draft: Draft, slot: str, name: str, data: bytes) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        rule_changes.say(f"{name} is no UTF-8 text: save it as UTF-8", "error")
        return
    rule_changes.keep(slot, replace(draft, files={**draft.files, PurePath(name).name: text}, back_to=None))
    rule_changes.say(f"{name} is in the draft")
