"""The glossary: what is declared of metrics, dimensions, hierarchies and periods, as tables to read."""

import pandas
import streamlit as st

from finops_core.analysis.drivers import PARTS
from finops_core.model.hierarchies import HIERARCHIES
from finops_core.model.metrics import METRICS
from finops_core.model.periods import NAMED_PERIODS
from finops_core.vocabulary.dimensions import DIMENSIONS
from ui.moves import CAUSES


def metrics() -> None:
    """Every metric with its formula, and the causes of a change."""
    st.header("Metrics")
    _table(
        [
            {
                "Metric": m.label,
                "Name": m.name,
                "Meaning": m.description,
                "Formula": m.formula,
                "Adds up": "yes" if m.additive else "no: computed after adding up",
            }
            for m in METRICS.values()
        ]
    )
    st.header("Causes of a change")
    _table([{"Cause": CAUSES[part][0], "Meaning": CAUSES[part][1]} for part in PARTS])


def dimensions() -> None:
    """Every dimension, and which lies below which."""
    st.header("Dimensions")
    words = st.text_input("Search", placeholder="A word of a name or meaning", key="glossary-search").lower()
    found = [
        {"Dimension": d.label, "Name": d.name, "Meaning": d.description}
        for d in DIMENSIONS.values()
        if words in f"{d.label} {d.name} {d.description}".lower()
    ]
    if found:
        _table(found)
    else:
        st.info("No dimension has these words.", icon=":material/search_off:")
    st.header("Ways down")
    _table(
        [
            {
                "From the whole to its parts": h.label,
                "Meaning": h.description,
                "Levels": " → ".join(DIMENSIONS[name].label for name in h.dimensions),
            }
            for h in HIERARCHIES.values()
        ]
    )


def periods() -> None:
    """The named periods."""
    st.header("Periods")
    st.markdown(
        "“This” and “last” follow the loaded data, not the clock: a link shows the same figures until new charges come."
    )
    _table([{"Period": p.label, "In a link": p.name} for p in NAMED_PERIODS.values()])


def _table(rows: list[dict[str, str]]) -> None:
    st.table(pandas.DataFrame(rows).set_index(next(iter(rows[0]))))
