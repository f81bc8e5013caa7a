"""Uploads: what was recognised and what it would change, before anything is stored; then the load, and its reconciliation."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO

import streamlit as st

from finops_core.errors import FarthingError, InputRefused
from finops_core.formats.format import Format
from finops_core.model import words
from finops_core.model.export import cell
from finops_core.store.batches import Batch
from finops_core.store.fetch import local_paths
from finops_core.store.load import LoadOptions, known_formats, load
from finops_core.store.uploads import Change, discard, keep, keep_mapping, preview, unknown_file
from ui import answers, books
from ui.plain import plain

_PATHS, _CHANGES, _LOADED, _REFUSED = "upload-paths", "upload-changes", "upload-loaded", "upload-refused"


def draw() -> None:
    """The form, and below it what it found."""
    options = _form()
    if _REFUSED in st.session_state:
        _refusal(st.session_state[_REFUSED], options)
    elif _CHANGES in st.session_state:
        _changes(st.session_state[_CHANGES], options)
    elif _LOADED in st.session_state:
        _result(st.session_state[_LOADED])


def _session() -> str:
    return str(st.session_state.setdefault("upload-session", uuid.uuid4().hex))


def _form() -> LoadOptions:
    known = {f.name: f for f in known_formats(answers.ledger().home)}
    with st.form("upload", border=True):
        st.markdown(
            "**Upload exports**",
            help="As the cloud ships them. With a manifest, upload all files of the export together.",
        )
        files = st.file_uploader(
            "Files",
            accept_multiple_files=True,
            help="csv, gz, zip, parquet or JSON lines: the original files, not edited ones",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            place = st.text_input(
                "… or a folder or s3:// path that this machine reaches",
                placeholder="s3://billing-bucket/cur/",
                width=380,
            )
            source = st.text_input(
                "Load as source",
                placeholder="by format and account",
                help="A month that is loaded again under the same name is replaced whole",
                width=210,
            )
            chosen = st.selectbox(
                "Format", ["auto", *known], format_func=lambda name: _title(known.get(name)), width=240
            )
            overlap = st.checkbox(
                "Allow overlap",
                help="Load although another source holds the same accounts and months: their spend is then counted twice unless it is other spend",
            )
            sent = st.form_submit_button("Preview", type="primary", icon=":material/preview:")
    options = LoadOptions(source.strip() or None, chosen, overlap)
    if sent:
        _preview(files, place.strip(), options)
    return options


def _title(found: Format | None) -> str:
    return found.title if found else "Found by content"


def _preview(files: Sequence[IO[bytes]], place: str, options: LoadOptions) -> None:
    for key in (_CHANGES, _LOADED, _REFUSED):
        st.session_state.pop(key, None)
    home = answers.ledger().home
    with st.status("Reading the files", expanded=True) as status:
        try:
            if files:
                paths = keep(home, _session(), [(file.name, file) for file in files])
            elif place:
                paths = local_paths(home, [place], st.write)
            else:
                raise InputRefused(
                    "no file was chosen", None, "Drop files above, or name a folder or s3:// path"
                )
            st.session_state[_PATHS] = paths
            st.session_state[_CHANGES] = preview(home, paths, options)
            status.update(label="Read", state="complete", expanded=False)
        except FarthingError as error:
            st.session_state[_REFUSED] = error
            status.update(label="Refused: nothing was stored", state="error", expanded=False)


def _refusal(error: FarthingError, options: LoadOptions) -> None:
    st.error(plain(str(error)), icon=":material/error:")
    paths: list[Path] = st.session_state.get(_PATHS, [])
    try:
        found = unknown_file(answers.ledger().home, paths) if options.format == "auto" else None
    except FarthingError:
        return
    if found is None:
        return
    st.markdown(
        f"No format knows **{plain(found.name)}**. A mapping of some twenty lines says what its columns mean: here is one to start"
        " from, guessed from the header and the first rows. Check each line, keep it, and preview the file again."
    )
    with st.form("mapping"):
        text = st.text_area("Mapping (YAML)", found.mapping, height=420)
        sent = st.form_submit_button("Keep mapping", type="primary", icon=":material/save:")
    books.lines_table(found.sample[:5], "sample")
    if sent:
        try:
            keep_mapping(answers.ledger().home, text)
            st.session_state[_CHANGES] = preview(answers.ledger().home, paths, options)
            del st.session_state[_REFUSED]
            st.rerun()
        except FarthingError as refused:
            st.error(plain(str(refused)), icon=":material/error:")


def _changes(changes: Sequence[Change], options: LoadOptions) -> None:
    st.markdown("**What a load would do**")
    rows = [
        {
            "Source": c.batch.source,
            "Month": c.batch.billing_period,
            "Recognised as": f"{c.batch.format} {c.batch.format_version}",
            "Action": c.batch.action,
            "Currency": currency,
            "Rows": f"{int(totals['rows']):,}",
            "Billed": str(cell(totals["BilledCost"])),
            "Billed now": c.before.totals.get(currency, {}).get("BilledCost", "") if c.before else "",
            "Effective": str(cell(totals["EffectiveCost"])),
            "Reconciled": "yes" if c.batch.reconciled else "NO",
            "Files": ", ".join(c.batch.files[:3])
            + (f" and {len(c.batch.files) - 3} more" if len(c.batch.files) > 3 else ""),
        }
        for c in changes
        for currency, totals in c.batch.totals.items()
    ]
    books.lines_table(rows, "preview", ("Rows", "Billed", "Billed now", "Effective"))
    for warning in dict.fromkeys(w for c in changes for w in c.batch.warnings):
        st.warning(plain(warning), icon=":material/info:")
    new = [c for c in changes if c.batch.action != "unchanged"]
    if not new:
        st.info("These files are loaded already: a load would change nothing.", icon=":material/check:")
        return
    with st.container(horizontal=True):
        if st.button(
            f"Load {len(new)} {'month' if len(new) == 1 else 'months'}",
            type="primary",
            icon=":material/database_upload:",
        ):
            _load(options)
        st.button("Put aside", on_click=_put_aside)


def _put_aside() -> None:
    discard(answers.ledger().home, _session())
    for key in (_PATHS, _CHANGES, _LOADED, _REFUSED):
        st.session_state.pop(key, None)


def _load(options: LoadOptions) -> None:
    home = answers.ledger().home
    with st.status("Loading", expanded=True) as status:
        try:
            loaded = load(home, st.session_state[_PATHS], options, st.write)
        except FarthingError as error:
            status.update(label="Refused: nothing was stored", state="error")
            st.error(plain(str(error)), icon=":material/error:")
            return
        status.update(label="Loaded", state="complete")
    _put_aside()
    st.session_state[_LOADED] = loaded
    st.rerun()


def _result(batches: Sequence[Batch]) -> None:
    wrong = [b for b in batches if not b.reconciled]
    stored = sum(b.rows_stored for b in batches)
    if wrong:
        st.warning(
            f"{stored:,} rows are stored, and {len(wrong)} months do not reconcile: see Reconciliation.",
            icon=":material/warning:",
        )
    else:
        totals = "; ".join(
            f"{plain(b.source)} {b.billing_period} {words.money(Decimal(t['BilledCost']), c)} billed"
            for b in batches
            for c, t in b.totals.items()
        )
        st.success(
            f"{stored:,} rows are stored and equal their source to the last digit: {totals}.",
            icon=":material/check_circle:",
        )
