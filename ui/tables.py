"""Tables: the figures that a chart was drawn from, a total below, and downloads of the exact answer."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zlib import crc32

import pandas
import polars
import streamlit as st

from finops_core.model import words
from finops_core.model.export import FORMATS

_MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PICTURES = {"png": "image/png", "svg": "image/svg+xml"}
_WIDEST = 420
_MEASURED = 9
Column = tuple[str, Callable[[Any], str], str]
"""(name in the frame, how a value is written, label)"""


def show(
    frame: polars.DataFrame,
    columns: Sequence[Column],
    total: Mapping[str, Any] | None,
    key: str,
    height: int | None = None,
    selectable: bool = False,
    of: str = "",
    half: bool = False,
) -> int | None:
    """A sortable table. `total` is its first row; numbers are sorted as numbers and read as written by `columns`.

    Returns the row of `frame` that a reader has chosen, where the table is `selectable`; a choice holds for one question (`of`).
    `half` of a page leaves less room for names.
    """
    rows = frame.select([name for name, _, _ in columns])
    if total is not None:
        rows = polars.concat(
            [polars.DataFrame([{n: total.get(n) for n, _, _ in columns}], schema=rows.schema), rows]
        )
    labels = [label for _, _, label in columns]
    shown = {label: [write(v) for v in rows[name]] for name, write, label in columns}
    table = pandas.DataFrame(
        {
            label: shown[label] if write is text else [_sortable(v) for v in rows[name]]
            for name, write, label in columns
        }
    )
    styled = table.style.format({label: _lookup(shown[label]) for label in labels})
    if total is not None:
        styled = styled.apply(
            lambda row: ["font-weight: 700"] * len(row) if row.name == 0 else [""] * len(row),
            axis=1,
        )
    config = {
        label: st.column_config.Column(
            label,
            alignment="right" if rows.schema[name].is_numeric() else "left",
            pinned=position == 0 or None,
            width=_room(label, shown[label], half)
            if position == 0 or (write is text and _is_cut(shown[label]))
            else None,
        )
        for position, (name, write, label) in enumerate(columns)
    }
    with st.container(key=key):
        drawn = st.dataframe(
            styled,
            hide_index=True,
            column_config=config,
            height=height or min(36 * (len(table) + 1) + 2, 470),
            width="stretch",
            key=f"{key}-grid-{crc32(of.encode())}",
            on_select="rerun" if selectable else "ignore",
            selection_mode="single-row",
            placeholder="",  # what is not known is no word None
        )
    chosen = drawn["selection"]["rows"] if selectable else []
    row = chosen[0] - (total is not None) if chosen else -1
    return row if 0 <= row < len(frame) else None


def _room(label: str, written: list[str], half: bool) -> int:
    """Pixels for the longest name."""
    return round(min(max(map(len, [label, *written])) * 6.6 + 32, _WIDEST // 2 if half else _WIDEST))


def _is_cut(written: list[str]) -> bool:
    """Whether the grid would leave its longest name too little room: it measures the first rows only, and of these none that
    is about twice as long as they are on average."""
    first = [len(name) for name in written[:_MEASURED]]
    longest = max(map(len, written), default=0)
    return longest > max(first, default=0) or 2 * longest * len(first) > 3 * sum(first)


def _sortable(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _lookup(written: list[str]) -> Callable[[Any], str]:
    """Pandas formats cell by cell, in order: hands out what was written from the exact values."""
    remaining = iter(written)
    return lambda _: next(remaining)


def text(value: Any) -> str:
    return "" if value is None else str(value)


def money(value: Decimal | None) -> str:
    return "" if value is None else words.amount(value)


def known(value: Decimal | None) -> str:
    """A cost; what is not known is said, for it is not 0."""
    return "not known" if value is None else words.amount(value)


def signed(value: Decimal | None) -> str:
    return "" if value is None else words.signed(value)


def share(value: float | None) -> str:
    return "" if value is None else words.percent(Decimal(str(value)))


def count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def quantity(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def downloads(
    answer: Callable[[], polars.DataFrame], name: str, picture: Callable[[str], bytes] | None = None
) -> None:
    """Buttons for a whole answer, exact: the same bytes as the command line writes; and for the chart as a picture."""
    with st.container(horizontal=True, gap="small", key=f"downloads-{name}"):
        for form, mime in _MIME.items():
            st.download_button(
                form.upper() if form != "parquet" else "Parquet",
                data=lambda form=form: FORMATS[form](answer()),
                file_name=f"farthing-{name}.{form}",
                mime=mime,
                icon=":material/download:",
                key=f"download-{name}-{form}",
                on_click="ignore",
                help="All rows of this view with every digit",
            )
        for form, mime in (_PICTURES if picture is not None else {}).items():
            st.download_button(
                form.upper(),
                data=lambda form=form: picture(form) if picture else b"",
                file_name=f"farthing-{name}.{form}",
                mime=mime,
                icon=":material/image:",
                key=f"download-{name}-{form}",
                on_click="ignore",
                help="The chart, for slides and documents",
            )
