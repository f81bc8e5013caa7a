"""Why a statement has an adjustment: a closed month then and now, by the owner's parts and by owner, and what was loaded since."""

import polars
import streamlit as st

from finops_core.analysis import adjusting
from finops_core.analysis.adjusting import BILLED, DIFFERENCE, NOW, PART, STATED, THEN, Adjusted
from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.closing import Month
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.vocabulary.dimensions import dimension
from ui import answers, tables
from ui.plain import plain


def why(stated: Month, period: str, by: str, owner: str, currency: str) -> None:
    """Then, now and the difference of a closed month: the owner's parts of it, then all owners; and what changed it."""
    try:
        found = adjusting.adjusted(answers.ledger(), answers.state(), stated, period)
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    with st.container(border=True, key="adjustment"):
        st.markdown(_since(found))
        label = dimension(by).label
        mine = found.parts(by, None if owner == MISSING else owner, currency)
        _table(mine, PART, f"{owner}, {currency}", f"adjustment-parts-{period}")
        everybody = found.owners(by, currency).with_columns(polars.col(by).fill_null(MISSING))
        st.caption(f"The same month by {label.lower()}: where a charge or a share went from one to another, the differences cancel.")  # fmt: skip
        _table(everybody, by, f"{label}, {currency}", f"adjustment-owners-{period}")


def _since(found: Adjusted) -> str:
    close = found.close
    said = f"{plain(close.period)} was closed on {words.stamp(close.closed_at)} by {plain(close.closed_by)}. Since then:"
    causes = found.causes() or [
        "nothing of the month was loaded and no rules were applied; what its pools are shared by may have changed"
    ]
    return "\n".join([said, "", *(f"- {plain(cause)}" for cause in causes)])


def _table(frame: polars.DataFrame, name: str, label: str, key: str) -> None:
    columns: list[tables.Column] = [(name, tables.text, label), (THEN, tables.money, "When closed")]
    if (frame[STATED] != 0).any():
        columns.append((STATED, tables.signed, "Adjusted before"))
    columns += [(NOW, tables.money, "Now"), (DIFFERENCE, tables.signed, "Difference")]
    if (frame[BILLED] != frame[DIFFERENCE]).any():
        columns.append((BILLED, tables.signed, "Difference, billed"))
    sums = {column: frame[column].sum() for column, write, _ in columns if write is not tables.text}
    tables.show(frame, columns, {name: "Total", **sums}, key)
