"""The unit cost page's parts: the question in the URL, figures, trend and what moved it, members, margins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, partial

import polars
import streamlit as st

from finops_core.analysis.units import (
    Metric,
    UnitCosts,
    UnitLine,
    Volume,
    known_metrics,
    unit_costs,
    unit_lines,
    volume,
)
from finops_core.analysis.units.lines import price, relative_change
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.model.periods import add_months
from finops_core.store.unit_metrics import stamps
from finops_core.store.unit_targets import KIND as TARGETS
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts, figures, kit, tables, unit_charts
from ui.charts import Step
from ui.figures import Figure
from ui.plain import plain

ALL = "all"
"""In the URL: all members together."""
_COSTS = {"EffectiveCost": "Effective cost", "BilledCost": "Billed cost", "ContractedCost": "Contracted cost"}
_GRAINS = {"month": "Months", "week": "Weeks", "day": "Days"}
_DAYS_SHOWN = 120
_MOST_LINES = 8
_ROW = dict.fromkeys(("Member", "state"), polars.String) | dict.fromkeys(
    ("price", "before", "relative", "units", "cost", "volume", "efficiency", "other", "target"), polars.Decimal(38, 18)
)  # fmt: skip
Version = tuple[str, int, tuple[tuple[str, int, int], ...], float]


def version() -> Version:
    """What everything on the page depends on: the charges, the targets, the files of units, and what they mean."""
    home = answers.ledger().home
    meaning = home.rules / "units.yaml"
    changed = meaning.stat().st_mtime if meaning.exists() else 0.0
    return answers.ledger().version, answers.state().version(TARGETS), stamps(home), changed


@st.cache_resource(show_spinner=False, max_entries=8)
def known(at: Version) -> dict[str, Metric]:
    """The metrics of the home, revenue among them."""
    return known_metrics(answers.ledger())


@st.cache_resource(show_spinner="Dividing cost by units", max_entries=100)
def _lines(at: Version, month: date, metric: str, by: str, cost: str, allocated: bool) -> list[UnitLine]:
    return unit_lines(answers.ledger(), month, metric, by, cost, allocated)


@st.cache_resource(show_spinner="Dividing cost by units", max_entries=100)
def _costs(at: Version, metric: str, by: str, grain: str, cost: str, allocated: bool, since: date | None) -> UnitCosts:  # fmt: skip
    return unit_costs(answers.ledger(), known(at)[metric], by or None, since, None, grain, cost, allocated)


def begin(title: str) -> "UnitPage":
    """Begins the page: its title, its answer, and what the URL asks for. Without data it says so and stops."""
    found: list[UnitPage] = []

    def answer() -> str:
        try:
            found.append(_asked())
        except FarthingError as error:
            found.append(UnitPage(None, version(), refused=str(error)))
        return found[0].answer()

    kit.heading(title, answer)
    return found[0]


def _asked() -> "UnitPage":
    at, span = version(), answers.spanned()
    told = {name: metric for name, metric in known(at).items() if not metric.is_revenue}
    if not told:
        return UnitPage(None, at)
    metric = told[address.given("metric", list(told), _first(told))]
    by = address.given("by", [*metric.columns, ALL], metric.usual or ALL)
    months = span.months
    month = date.fromisoformat(
        f"{address.given('month', [f'{m:%Y-%m}' for m in months], f'{span.usual_month:%Y-%m}')}-01"
    )
    cost = address.given("cost", list(_COSTS), "EffectiveCost")
    grain = "month" if metric.monthly else address.given("grain", list(_GRAINS), "month")
    allocated = st.query_params.get("shared") == "yes"
    page = UnitPage(metric, at, "" if by == ALL else by, month, cost, grain, allocated, list(told), months)
    currencies = page.currencies
    page.currency = address.given("currency", currencies, currencies[0]) if currencies else ""
    return page


def _first(told: dict[str, Metric]) -> str:
    """Orders say more of a business than requests; else the first."""
    return next((name for name in told if "order" in name.lower()), next(iter(told)))


_choice = partial(address.choice, "units")


@dataclass
class UnitPage:
    """A metric by one of its columns, a month, one currency. Without a metric there is nothing to divide by yet."""

    metric: Metric | None
    at: Version
    by: str = ""
    month: date = date.min
    cost: str = "EffectiveCost"
    grain: str = "month"
    allocated: bool = False
    names: Sequence[str] = ()
    months: Sequence[date] = ()
    currency: str = ""
    refused: str = ""

    @cached_property
    def lines(self) -> list[UnitLine]:
        """The members of the month."""
        assert self.metric is not None
        return _lines(self.at, self.month, self.metric.name, self.by, self.cost, self.allocated)

    @cached_property
    def whole(self) -> UnitLine | None:
        """All members together."""
        assert self.metric is not None
        found = _lines(self.at, self.month, self.metric.name, "", self.cost, self.allocated)
        return next((line for line in found if line.currency == self.currency), None)

    @property
    def mine(self) -> list[UnitLine]:
        return [line for line in self.lines if line.currency == self.currency]

    @cached_property
    def currencies(self) -> list[str]:
        """Those that the members are charged in, as the home has them."""
        told = {line.currency for line in self.lines}
        return [code for code in answers.spanned().currencies if code in told]

    @property
    def per(self) -> int:
        line = self.whole or (self.mine[0] if self.mine else None)
        return line.per if line is not None else 1

    def answer(self) -> str:
        """What a unit cost in the month, and what moved it."""
        if self.refused:
            return "The files of units cannot be read."
        if self.metric is None:
            return "Upload what your business counts, such as orders or requests, and see what one of them costs."
        if self.whole is None:
            return f"{words.period(_whole(self.month))} has no charges of what {self.metric.name} are measured in."
        return self.whole.sentence

    def bar(self) -> None:
        """Metric, column, month, cost and currency; each is in the URL."""
        if self.refused:
            st.error(plain(self.refused), icon=":material/error:")
            return
        if self.metric is None:
            return
        columns = [*self.metric.columns, ALL]
        with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
            _choice("Unit", "metric", self.names, self.metric.name, 170, lambda n: n.replace("_", " "))
            _choice("By", "by", columns, self.by or ALL, 150, lambda n: "All together" if n == ALL else n)
            _choice(
                "Month", "month", [f"{m:%Y-%m}" for m in reversed(self.months)], f"{self.month:%Y-%m}", 130
            )
            _choice("Cost", "cost", list(_COSTS), self.cost, 160, lambda n: _COSTS[n])
            if not self.metric.monthly:
                _choice("Trend by", "grain", list(_GRAINS), self.grain, 120, lambda n: _GRAINS[n])
            if len(self.currencies) > 1:
                _choice("Currency", "currency", self.currencies, self.currency, 110)
            st.toggle(
                "With shared cost", key=address.seeded("units-shared", self.allocated), disabled=address.is_presenting(),
                on_change=address.changes("units-shared", _set_shared), help="Adds each member's share of shared pools, as the rules split them",
            )  # fmt: skip

    def figures(self) -> None:
        """Cost per unit, units, cost, and what volume and efficiency did to it."""
        line = self.whole if self.metric is not None else None
        if line is None or self.metric is None:
            return
        unit, code = line.unit, self.currency
        shown = [
            Figure(
                f"{code} for {f'{line.per:,} {unit}s' if line.per > 1 else f'one {unit}'}",
                price(line.per_unit, line.per) if line.per_unit is not None else "no units",
                "Cost of what the unit is measured in ÷ units, over days that have both", line=[r * line.per for _, r in line.trend if r is not None],
                note=_relative(line),
            ),
            Figure(f"Units: {unit}s", f"{line.units:,.0f}" if line.units is not None else "not known", "Of the month's days with charges",
                   note=f"{words.percent(relative_change(line.units, line.units_before), sign=True)} on the month before" if line.units and line.units_before else ""),
            Figure(f"Cost, {code}", words.amount(line.cost), "Of the members that the unit is measured in", line.cost, line.cost_before),
        ]  # fmt: skip
        if line.change is not None:
            shown += [
                Figure("By volume", words.signed(line.volume), "What more or fewer units would have changed at the mean unit cost: (q1 − q0)(e0 + e1)/2"),
                Figure("By efficiency", words.signed(line.efficiency), "What a dearer or cheaper unit changed: (e1 − e0)(q0 + q1)/2; below 0 is a gain"),
            ]  # fmt: skip
        found = self._volume()
        if found is not None and line.units and line.trend:
            daily = float(line.units) / 30.4
            shown.append(
                Figure("Fixed share", words.percent(Decimal(str(round(found.fixed_share(daily), 4)))), "The part of a day's cost that is there whatever the units, by the medians of slopes over up to 400 days",
                       note=f"units explain {words.percent(Decimal(str(round(found.explained, 2))))}")
            )  # fmt: skip
        figures.show(shown)

    def _volume(self) -> Volume | None:
        assert self.metric is not None
        if self.metric.monthly:
            return None
        daily = _costs(self.at, self.metric.name, "", "day", self.cost, self.allocated, None)
        return volume(daily, self.currency)

    def charts(self) -> None:
        """The trend, and the way from the month before to this one."""
        if self.metric is None or self.whole is None:
            return
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.header("Cost per unit", anchor=False, help="A period without units is a gap")
            since = add_months(self.month, -12) if self.grain == "month" else None
            # What is shared by units costs the same whoever it is for: one line tells it.
            by = self.by if self.by in self.metric.mapped else ""
            found = _costs(self.at, self.metric.name, by, self.grain, self.cost, self.allocated, since)
            members = [line.member for line in self.mine[:_MOST_LINES]] if by else [self.metric.name]
            name = polars.col("member").fill_null("(none)" if by else self.metric.name).alias("Member")
            table = found.table.filter(polars.col("BillingCurrency") == self.currency).with_columns(name)
            table = table.filter(polars.col("Member").is_in(members))
            if self.grain != "month":
                days = table["ChargePeriod"].unique().sort().tail(_DAYS_SHOWN)
                table = table.filter(polars.col("ChargePeriod").is_in(days.implode()))
            spec = unit_charts.over_time(
                table, members, self.currency, self.grain, self.per, self.whole.unit, self.whole.target
            )
            charts.show(spec, "unit-trend", "Cost per unit over time; the table below has the figures")
        with right:
            line = self.whole
            st.header(
                "What moved the cost", anchor=False, help="Volume and efficiency sum to the change, exactly"
            )
            if line.change is None or line.cost_before is None:
                st.info("The month before has no charges to compare with.", icon=":material/event_busy:")
                return
            steps = [
                Step(f"{add_months(self.month, -1):%B %Y}", line.cost_before, total=True),
                Step("Volume", line.volume), Step("Efficiency", line.efficiency),
                *([Step("Days without units", line.other)] if line.other else []),
                Step(f"{self.month:%B %Y}", line.cost, total=True),
            ]  # fmt: skip
            spec = charts.waterfall(steps, self.currency) | {
                "padding": {"left": 4, "right": 52, "top": 4, "bottom": 4}
            }
            charts.show(spec, "unit-effects", "From the month before to this one: volume and efficiency")  # fmt: skip
            for told in [
                line.sentence for line in self.mine if line.change and self.by in self.metric.mapped
            ][:3]:
                st.caption(plain(told))

    def table(self) -> None:
        """Each member, and all together; the rows of a currency sum to the whole cost."""
        if self.metric is None or self.whole is None:
            return
        per = self.per
        rows = [self._row(line, per) for line in self.mine]
        frame = polars.DataFrame(rows, _ROW)
        unit = f"{per:,} {self.whole.unit}s" if per > 1 else f"one {self.whole.unit}"
        columns: list[tables.Column] = [
            ("Member", tables.text, self.label()), ("price", _price, f"{self.currency} for {unit}"), ("before", _price, "Month before"),
            ("relative", percent, "Change"), ("units", _count, "Units"), ("cost", tables.money, f"Cost, {self.currency}"),
            ("volume", tables.signed, "By volume"), ("efficiency", tables.signed, "By efficiency"), ("other", tables.signed, "Without units"),
            ("target", _price, "Target"), ("state", tables.text, "Against it"),
        ]  # fmt: skip
        bare = {
            name for name in ("before", "relative", "target", "state") if frame[name].drop_nulls().is_empty()
        }
        bare |= {"other"} if (frame["other"] == 0).all() else set()
        kept = [column for column in columns if column[0] not in bare]
        tables.show(frame, kept, {**self._row(self.whole, per), "Member": "All together"}, "units-table")
        tables.downloads(lambda: _costs(self.at, self.metric.name, self.by, self.grain, self.cost, self.allocated, None).table, "unit-cost")  # type: ignore[union-attr]  # fmt: skip
        for note in _costs(self.at, self.metric.name, self.by, "month", self.cost, self.allocated, add_months(self.month, -1)).notes:  # fmt: skip
            st.caption(plain(note[:1].upper() + note[1:]))

    def _row(self, line: UnitLine, per: int) -> dict[str, object]:
        scaled = [
            rate * per if rate is not None else None for rate in (line.per_unit, line.before, line.target)
        ]
        state = (
            None
            if line.target is None or line.per_unit is None
            else "above"
            if line.is_above_target
            else "within"
        )
        return {
            "Member": line.member or "All together", "price": scaled[0], "before": scaled[1], "relative": relative_change(line.per_unit, line.before),
            "units": line.units, "cost": line.cost, "volume": line.volume, "efficiency": line.efficiency, "other": line.other,
            "target": scaled[2], "state": state,
        }  # fmt: skip

    def label(self) -> str:
        assert self.metric is not None
        mapped = self.metric.mapped.get(self.by)
        return dimension(mapped).label if mapped else self.by.replace("_", " ").capitalize() or "Scope"


def _set_shared(on: bool) -> None:
    if on:
        st.query_params["shared"] = "yes"
    else:
        st.query_params.pop("shared", None)


def _whole(month: date) -> "words.Period":
    return words.Period(month, add_months(month, 1))


def _relative(line: UnitLine) -> str:
    found = relative_change(line.per_unit, line.before)
    if found is None:
        return ""
    told = f"{words.percent(found, sign=True)} on the month before"
    return f"{told}, target {price(line.target, line.per)}" if line.target is not None else told


def _price(value: Decimal | None) -> str:
    return "" if value is None else price(value)


def percent(value: Decimal | None) -> str:
    return "" if value is None else words.percent(value, sign=True)


def _count(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value.normalize():,f}"
