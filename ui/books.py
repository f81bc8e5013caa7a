"""Tables of the books: what each source and month amounts to, and what agrees with what."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas
import streamlit as st

from finops_core.errors import FarthingError
from finops_core.focus.charges import meaning_of
from finops_core.formats.format import Format
from finops_core.model import words
from finops_core.model.export import cell
from finops_core.quality.freshness import SourcePeriod
from finops_core.quality.reconciliation import Reconciliation
from finops_core.store.state import Invoice, typed_amount
from ui import answers, figures
from ui.figures import Figure
from ui.plain import plain
from ui.viewer import viewer


def lines_table(rows: Sequence[Mapping[str, Any]], key: str, right: Sequence[str] = ()) -> None:
    """A plain table of words and exact figures; `right` names the columns of figures."""
    config = {name: st.column_config.Column(name, alignment="right") for name in right}
    with st.container(key=key):
        st.dataframe(
            pandas.DataFrame(rows),
            hide_index=True,
            column_config=config,
            width="stretch",
            height=min(36 * (len(rows) + 1) + 2, 560),
        )


def reconciliation_figures(lines: Sequence[Reconciliation]) -> None:
    """How many months agree with their source, and how many rows that is."""
    wrong = [line for line in lines if not line.holds]
    stored = sum(line.rows_stored for line in lines)
    invoiced = [line for line in lines if line.invoice is not None]
    agree = [line for line in invoiced if not line.invoice_difference]
    figures.show(
        [
            Figure(
                "Months that reconcile",
                f"{len(lines) - len(wrong)} of {len(lines)}",
                "Totals and row counts equal the source's own, difference 0",
            ),
            Figure("Rows stored", f"{stored:,}", "Charges in the store, derived ones included"),
            Figure(
                "Rows dropped",
                f"{sum(sum(line.batch.dropped.values()) for line in _once(lines)):,}",
                "By a declared reason only; see the table",
            ),
            Figure(
                "Rows derived",
                f"{sum(sum(line.batch.derived.values()) for line in _once(lines)):,}",
                "Charges made from a source row, such as the unused part of a commitment",
            ),
            Figure(
                "Invoices typed in",
                f"{len(agree)} of {len(invoiced)} agree" if invoiced else "none yet",
                "Invoice totals that were typed in below",
            ),
        ]
    )


def _once(lines: Sequence[Reconciliation]) -> list[Reconciliation]:
    """One line of each batch: its counts are not by currency."""
    return list({(line.batch.source, line.batch.billing_period): line for line in lines}.values())


def _exact(value: Any) -> str:
    return "not stated" if value is None else str(cell(value))


def _reasons(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "none"


def reconciliation_table(lines: Sequence[Reconciliation]) -> None:
    """Every source, month and currency with every digit."""
    rows = [
        {
            "Source": line.batch.source,
            "Month": line.batch.billing_period,
            "Currency": line.currency,
            "State": "reconciled" if line.holds else "DIFFERS",
            "Source total": _exact(line.source_total),
            "Stored, billed": _exact(line.billed),
            "Difference": _exact(line.difference),
            "Effective at source": _exact(line.source_effective),
            "Stored, effective": _exact(line.effective),
            "Rows in": f"{line.batch.rows_in:,}",
            "Rows stored": f"{line.rows_stored:,}",
            "Dropped": _reasons(line.batch.dropped),
            "Derived": _reasons(line.batch.derived),
            "Versions": str(line.versions),
            "Invoice": _exact(line.invoice.total) if line.invoice else "",
            "Invoice − billed": _exact(line.invoice_difference) if line.invoice else "",
        }
        for line in lines
    ]
    figures_of = (
        "Source total",
        "Stored, billed",
        "Difference",
        "Effective at source",
        "Stored, effective",
        "Rows in",
        "Rows stored",
        "Versions",
        "Invoice",
        "Invoice − billed",
    )
    lines_table(rows, "reconciliation", figures_of)


def warnings_of(lines: Sequence[Reconciliation]) -> None:
    """What the loads in force had to say."""
    said = [
        (line.batch.source, line.batch.billing_period, warning)
        for line in _once(lines)
        for warning in line.batch.warnings
    ]
    if said:
        with st.expander(f"Warnings of the loads in force ({len(said)})", icon=":material/info:"):
            lines_table([{"Source": s, "Month": m, "Warning": w} for s, m, w in said], "warnings")


def invoice_form(lines: Sequence[Reconciliation]) -> None:
    """Types in what an invoice says, to be held against what is stored."""
    months = {f"{x.batch.source} {x.batch.billing_period} {x.currency}": x for x in lines}
    with st.form("invoice", border=True):
        st.markdown(
            "**Type in an invoice total**",
            help="Compared with the stored BilledCost; the difference is shown, never booked",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox("Source, month, currency", list(months), width=360)
            text = st.text_input("Total of the invoice", placeholder="41280.55", width=200)
            note = st.text_input("Note", placeholder="Invoice number; what explains a difference", width=360)
            sent = st.form_submit_button("Keep", type="primary")
    if sent:
        line = months[chosen]
        try:
            answers.state().enter_invoice(
                Invoice(
                    line.batch.source,
                    line.batch.billing_period,
                    line.currency,
                    typed_amount(text),
                    note,
                    viewer(),
                )
            )
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def summary(lines: Sequence[Reconciliation]) -> str:
    """The books in a sentence."""
    wrong = [line for line in lines if not line.holds]
    if not wrong:
        return f"Every one of the {len(lines)} months loaded equals its source to the last digit."
    worst = wrong[0]
    return (
        f"{len(wrong)} of {len(lines)} months differ from their source, first {worst.batch.source} {worst.batch.billing_period}"
        f" by {words.money(worst.difference, worst.currency)}."
    )


def sources_table(periods: Sequence[SourcePeriod]) -> None:
    """Every source and month that is loaded."""
    rows = [
        {
            "Source": p.batch.source,
            "Month": p.batch.billing_period,
            "Format": f"{p.batch.format} {p.batch.format_version}",
            "Currency": currency,
            "Billed": words.amount(Decimal(totals["BilledCost"])),
            "Effective": words.amount(Decimal(totals["EffectiveCost"])),
            "Rows": f"{int(totals['rows']):,}",
            "Newest charge": p.newest[:10],
            "Freshness": p.state,
            "Loaded": p.batch.loaded_at.replace("T", " ").replace("Z", " UTC"),
            "Files": str(len(p.batch.files)),
        }
        for p in sorted(periods, key=lambda p: (p.batch.billing_period, p.batch.source), reverse=True)
        for currency, totals in p.batch.totals.items()
    ]
    lines_table(rows, "sources", ("Billed", "Effective", "Rows", "Files"))


def column_origins(formats: Sequence[Format]) -> None:
    """For every format, the expression over the source's columns that each column of a charge is made of."""
    with st.expander("Where a column comes from", icon=":material/account_tree:"):
        named = {f.name: f for f in formats}
        chosen = st.selectbox(
            "Format", list(named), format_func=lambda name: named[name].title, key="origin-format"
        )
        if chosen is None:
            return
        st.caption(plain(named[chosen].description))
        rows = [
            {"Column": column, "Meaning": meaning_of(column), "Made of": expression}
            for column, expression in named[chosen].columns.items()
        ]
        rows += [{"Column": "(dropped)", "Meaning": d.reason, "Made of": d.when} for d in named[chosen].drop]
        rows += [
            {"Column": "(derived)", "Meaning": d.reason, "Made of": d.when} for d in named[chosen].derive
        ]
        lines_table(rows, "origins")
