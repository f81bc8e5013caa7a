"""What the detector would have said at another sensitivity: the page itself stays as it is."""

from collections.abc import Sequence

import streamlit as st

from finops_core.analysis.triaging import Triaged
from finops_core.model import words
from ui import tables
from ui.anomalies import USUAL, Anomalies, found_at, listed


def show(page: Anomalies) -> None:
    """What the detector would have said at another sensitivity."""
    with st.expander("Another sensitivity", icon=":material/tune:"):
        given = st.query_params.get("sensitivity", "")
        try:
            usual = min(1.0, max(0.0, float(given)))
        except ValueError:
            usual = USUAL
        st.slider(
            "Sensitivity",
            0.0,
            1.0,
            value=round(usual, 2),
            step=0.05,
            key="sensitivity",
            on_change=lambda: st.query_params.update(sensitivity=f"{st.session_state['sensitivity']:g}"),
            help="0: only what is beyond doubt; 1: whatever is unusual. The page itself stays at 0.5",
        )
        wanted = float(st.session_state.get("sensitivity", usual))
        other = found_at(wanted, page.version)
        now, then = {t.incident.key: t for t in page.found}, {t.incident.key: t for t in other}
        more = [t for key, t in then.items() if key not in now and not _is_among(t, page.found)]
        less = [t for key, t in now.items() if key not in then and not _is_among(t, other)]
        moved = sum(_is_among(t, other) for key, t in now.items() if key not in then)
        st.markdown(
            f"At {wanted:g} there would be {words.counted(len(other), 'anomaly', 'anomalies')} instead of {len(page.found)}:"
            f" {len(more)} more, {len(less)} fewer{f', {moved} with other days' if moved else ''}."
        )
        if more and less:
            st.caption(
                "What would go may be part of what would come: where more is heard, the same cost is told at another cut."
            )
        for title, part in (("Would come", more), ("Would go", less)):
            if part:
                table = listed(part)
                columns: list[tables.Column] = [
                    ("What", tables.text, title),
                    ("Severity", tables.text, "Severity"),
                    ("Impact", tables.money, "Impact"),
                    ("BillingCurrency", tables.text, "Currency"),
                    ("Start", tables.text, "Since"),
                ]
                tables.show(table, columns, None, f"sensitivity-{title.split()[1]}", of=f"{wanted:g}")


def _is_among(one: Triaged, others: Sequence[Triaged]) -> bool:
    """Whether others tell the same, from another day on: the same series and direction, on days that overlap."""
    i = one.incident
    return any(
        o.member_series == i.member_series
        and o.direction == i.direction
        and o.start <= i.end
        and i.start <= o.end
        for o in (other.incident for other in others)
    )
