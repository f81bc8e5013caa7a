"""Uploads: what was recognised and what it would change, before anything is stored; then the load, and its reconciliation."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import IO

import streamlit as st

from finops_core.errors import FarthingError, InputRefused
from finops_core.formats.format import Format
from finops_core.model import words
from finops_core.model.export import cell
from finops_core.store.batches import Batch
from finops_core.store.closes import closes
from finops_core.store.fetch import local_paths
from finops_core.store.load import LoadOptions, load
from finops_core.store.mappings import save_mapping
from finops_core.store.preview import NOTHING, MonthPreview, Preview, UnknownFile, preview
from finops_core.store.uploads import discard, keep
from ui import answers, books
from ui.plain import plain

_PATHS, _FOUND, _LOADED, _REFUSED = "upload-paths", "upload-found", "upload-loaded", "upload-refused"


def draw() -> None:
    """The form, and below it what it found."""
    options = _form()
    if _REFUSED in st.session_state:
        st.error(plain(str(st.session_state[_REFUSED])), icon=":material/error:")
    elif _FOUND in st.session_state:
        _found(st.session_state[_FOUND], options)
    elif _LOADED in st.session_state:
        _result(st.session_state[_LOADED])


def _session() -> str:
    return str(st.session_state.setdefault("upload-session", uuid.uuid4().hex))


def _form() -> LoadOptions:
    known = {f.name: f for f in answers.formats()}
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
    for key in (_FOUND, _LOADED, _REFUSED):
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
            st.session_state[_FOUND] = preview(home, paths, options, progress=st.write)
            status.update(label="Read", state="complete", expanded=False)
        except FarthingError as error:
            st.session_state[_REFUSED] = error
            status.update(label="Refused: nothing was stored", state="error", expanded=False)


def _found(found: Preview, options: LoadOptions) -> None:
    for stranger in found.unknown:
        _mapping(stranger, options)
    if found.months:
        _months(found.months)
    changing = [month for month in found.months if month.action != "unchanged"]
    if found.unknown:
        return
    if not changing:
        st.info("These files are loaded already: a load would change nothing.", icon=":material/check:")
        return
    with st.container(horizontal=True):
        label = f"Load {words.counted(len(changing), 'month')}"
        if st.button(label, type="primary", icon=":material/database_upload:"):
            _load(options)
        st.button("Put aside", on_click=_put_aside)


def _mapping(stranger: UnknownFile, options: LoadOptions) -> None:
    if stranger.suggestion is None:
        st.error(
            plain(f"{stranger.name}: no format knows its columns ({', '.join(stranger.columns[:8])})"),
            icon=":material/error:",
        )
        return
    st.markdown(
        f"No format knows **{plain(stranger.name)}**. A mapping of some twenty lines says what its columns mean: here is one to"
        " start from, guessed from the header and the first rows. Check each line; it is tried on the file before it is kept."
    )
    with st.form(f"mapping-{stranger.name}"):
        text = st.text_area("Mapping (YAML)", stranger.suggestion, height=420)
        sent = st.form_submit_button("Keep mapping", type="primary", icon=":material/save:")
    books.lines_table(stranger.rows[:5], f"sample-{stranger.name}")
    if sent:
        home, paths = answers.ledger().home, st.session_state[_PATHS]
        try:
            found = preview(home, paths, options, mapping=text)
            save_mapping(home, text)
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.session_state[_FOUND] = found
            st.rerun()


def _months(months: Sequence[MonthPreview]) -> None:
    st.markdown("**What a load would do**")
    rows = [
        {
            "Source": month.source,
            "Month": month.billing_period,
            "Recognised as": f"{month.format} {month.format_version}",
            "Action": month.action,
            "Currency": currency,
            "Rows": f"{month.totals[currency].rows:,}" if currency in month.totals else "0",
            "Billed": cell(month.totals.get(currency, NOTHING).billed),
            "Change": cell(difference.billed) if month.before else "new",
            "Effective": cell(month.totals.get(currency, NOTHING).effective),
            "Reconciled": "yes" if month.reconciled else "NO",
            "Files": ", ".join(month.files[:3])
            + (f" and {len(month.files) - 3} more" if len(month.files) > 3 else ""),
        }
        for month in months
        for currency, difference in month.difference.items()
    ]
    books.lines_table(rows, "preview", ("Rows", "Billed", "Change", "Effective"))
    closed = closes(answers.state())
    stated = sorted(
        {m.billing_period for m in months if m.billing_period in closed and m.action != "unchanged"}
    )
    if stated:
        st.info(
            f"{', '.join(stated)} {'is' if len(stated) == 1 else 'are'} closed: statements stay as they are, and what changes is"
            " stated in the first open month after it, as an adjustment.",
            icon=":material/lock:",
        )
    for warning in dict.fromkeys(w for month in months for w in month.warnings):
        st.warning(plain(warning), icon=":material/info:")


def _put_aside() -> None:
    discard(answers.ledger().home, _session())
    for key in (_PATHS, _FOUND, _LOADED, _REFUSED):
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
