"""Why it changed: the members that moved a cost, and what moved them."""

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import polars
import streamlit as st

from finops_core.analysis import movers
from finops_core.analysis.breakdown import labels, other_label
from finops_core.analysis.drivers import PARTS
from finops_core.analysis.events import Onset
from finops_core.analysis.mover_words import sentence
from finops_core.model import code, words
from finops_core.model.metrics import METRICS
from finops_core.model.view import OF_CHANGE
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts, figures, tables, triage
from ui.charts import Step
from ui.figures import Figure
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

CAUSES = {
    "quantity": ("Quantity", "More or less was used, at the mean of the two periods' prices"),
    "list_price": ("List price", "The public price went up or down, for what was used"),
    "negotiated_discount": ("Negotiated discount", "The negotiated discount on the list price changed"),
    "commitment": ("Commitment", "Savings Plans and reservations covered more or less, or lay idle"),
    "rate": ("Rate", "The price per unit changed; the list price is not known, so it is not told why"),
    "new": ("New", "Was not used before at all"),
    "gone": ("Gone", "Is not used any more"),
    "other": ("Other", "Charges without a quantity: tax, credits, purchases, adjustments"),
}
_SENTENCES = 5
_LISTED = 5


class Moves:
    """The movers of a page's view, in its currency."""

    def __init__(self, page: "Page", found: movers.Movers) -> None:
        self.page = page
        self.found = found
        self.shown = movers.shown(found, page.view.top, Decimal(page.view.floor))

    @cached_property
    def change(self) -> Decimal:
        return Decimal(self.found.table["change"].sum() or 0)

    @cached_property
    def explained(self) -> Decimal:
        """Σ|change| of the members shown, of all."""
        return self.shown.explained.get(self.page.currency, Decimal(1))

    def answer(self) -> None:
        """Title, and what changed in a sentence."""
        self.page.answer(why=False)

    def figures(self) -> None:
        """The change, both sides of it, and what is new and gone."""
        table, page = self.found.table, self.page
        before, after = (Decimal(table[side].sum() or 0) for side in ("before", "after"))
        assert page.compared is not None
        metric = METRICS[page.view.metric].label
        shown = [
            Figure(
                f"Change, {page.currency}",
                words.signed(self.change),
                f"{words.period(page.days)} against {words.period(page.compared)}",
                note=words.percent(words.ratio(self.change, before), sign=True),
            ),
            Figure(f"{metric} before", words.amount(before), words.period(page.compared)),
            Figure(f"{metric} after", words.amount(after), words.period(page.days)),
            self._kind(movers.NEW, "New", "after", "Members without charges before"),
            self._kind(movers.GONE, "Gone", "before", "Members without charges any more"),
            Figure(
                "Explained",
                words.percent(self.explained),
                "How much of all changes, up and down, the members shown stand for; 80 to 90 % is a good list",
            ),
        ]
        figures.show(shown)

    def _kind(self, kind: str, label: str, side: str, help: str) -> Figure:
        rows = self.found.table.filter(polars.col("Kind") == kind)
        return Figure(
            label, words.amount(Decimal(rows[side].sum() or 0)), help, note=f"{len(rows):,} members"
        )

    def choice(self) -> None:
        """Drawn by member or by cause; how many members; and how small a change may be."""
        view = self.page.view
        with st.container(horizontal=True, vertical_alignment="bottom", key="choice"):
            st.segmented_control(
                "Chart",
                OF_CHANGE,
                key=address.seeded("moves-chart", view.chart),
                format_func={"members": "By member", "causes": "By cause"}.get,
                on_change=address.changes(
                    "moves-chart", lambda kind: self.page.go(chart=kind or OF_CHANGE[0])
                ),
                required=True,
            )
            st.selectbox(
                "Members shown",
                sorted({3, 5, 8, 12, 20, view.top}),
                key=address.seeded("moves-top", view.top),
                on_change=address.changes("moves-top", lambda top: self.page.go(top=top)),
                help="The rest is one member, Other, whose change is exact",
                width=130,
            )
            st.selectbox(
                f"Changes of at least, {self.page.currency}",
                sorted({0, 1, 10, 100, 1000, 10000, view.floor}),
                key=address.seeded("moves-floor", view.floor),
                on_change=address.changes("moves-floor", lambda floor: self.page.go(floor=floor)),
                format_func=lambda floor: f"{floor:,}",
                help="Smaller ones are part of Other",
                width=170,
            )

    def chart(self) -> None:
        """A waterfall from before to after, by members or by causes."""
        by_cause = self.page.view.chart == "causes"
        steps = [*(self._causes() if by_cause else self._members())]
        table, page = self.found.table, self.page
        assert page.compared is not None
        first = Step(words.period(page.compared), Decimal(table["before"].sum() or 0), total=True)
        last = Step(words.period(page.days), Decimal(table["after"].sum() or 0), total=True)
        charts.show(
            charts.waterfall([first, *steps, last], page.currency),
            "waterfall",
            f"From {first.label} to {last.label} by {'cause' if by_cause else 'member'}; the table below has the figures",
        )

    def _members(self) -> list[Step]:
        rows = self.shown.table.select("Member", "change").iter_rows()
        return [Step(member, change) for member, change in rows]

    def _causes(self) -> list[Step]:
        sums = {part: Decimal(self.found.table[part].sum() or 0) for part in PARTS}
        return [Step(CAUSES[part][0], amount) for part, amount in sums.items() if amount]

    def sentences(self) -> None:
        """One sentence for each of the largest movers."""
        rows = self.shown.table.filter(polars.col("Kind") != movers.OTHER).head(_SENTENCES)
        told = []
        for row in rows.iter_rows(named=True):
            onset = self.onsets.get(tuple(row[name] for name in self.found.by))
            before = triage.before(onset, row["change"] > 0)
            told += [f"- {plain(sentence(row))}", *([f"    - {before}"] if before else [])]
        st.markdown("\n".join(told))

    @cached_property
    def onsets(self) -> dict[tuple[object, ...], Onset]:
        """When each member began to move, and what was brought out before; nothing is asked where nothing was told."""
        return answers.onsets(self.page.query.but(by=self.found.by)) if answers.events() else {}

    def come_and_gone(self) -> None:
        """The members that are new in the period, and those that are gone, with what they cost; where there are any."""
        shown = []
        for kind, side, title in (
            (movers.NEW, "after", "New in"),
            (movers.GONE, "before", "Gone since"),
        ):
            days = self.page.days if kind == movers.NEW else self.page.compared
            assert days is not None
            rows = self.found.table.filter((polars.col("Kind") == kind) & (polars.col(side) != 0))
            rows = rows.sort(polars.col(side).abs(), descending=True)
            top = rows.head(_LISTED).with_columns(labels(self.found.by).alias("Member"))
            items = [(str(m), words.amount(v)) for m, v in top.select("Member", side).iter_rows()]
            if len(rows) > _LISTED:
                rest = Decimal(rows[side].sum()) - Decimal(top[side].sum())
                items.append((other_label(len(rows) - _LISTED), words.amount(rest)))
            if items:
                shown.append(triage.listed(f"{title} {words.period(days)}, {self.page.currency}", items))
        if shown and self.found.by:
            for column, text in zip(st.columns(2, gap="large"), shown, strict=False):
                column.html(text)

    def closer(self) -> None:
        """One mover looked at closely."""
        triage.closer(self)

    def as_code(self) -> None:
        """The question as a command."""
        assert self.page.compared is not None
        with st.expander("As code", icon=":material/code:"):
            st.code(code.movers_in_python(self.page.query, self.page.compared), language="python")
            st.code(
                code.movers_command(self.page.query, self.page.compared), language="bash", wrap_lines=True
            )

    def table(self) -> None:
        """The members, their change, and its exact parts."""
        causes = [part for part in PARTS if (self.found.table[part].abs() >= words.DUST).any()]
        names = " · ".join(dimension(d).label for d in self.found.by) or "Total"
        columns: list[tables.Column] = [
            ("Member", tables.text, names),
            ("before", tables.money, "Before"),
            ("after", tables.money, "After"),
            ("change", tables.signed, "Change"),
            *((part, _part, CAUSES[part][0]) for part in causes),
        ]
        total = {name: Decimal(self.found.table[name].sum() or 0) for name in movers.FIGURES}
        tables.show(self.shown.table, columns, {"Member": "Total", **total}, "movers")
        tables.downloads(lambda: self.found.table.drop("Kind"), "top-movers")
        with st.expander("What the causes mean", icon=":material/help:"):
            for part in causes:
                st.markdown(f"**{CAUSES[part][0]}**: {CAUSES[part][1]}.")


def _part(value: Decimal | None) -> str:
    """A part of a change; what rounding left is no part worth reading, and stays in the download."""
    return "" if value is None or abs(value) < words.DUST else words.signed(value)
