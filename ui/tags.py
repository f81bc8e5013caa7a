"""Tag coverage: figures, trend, worst offenders, values to mend, exceptions, and the policy for other systems."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import altair as alt
import polars
import streamlit as st

from finops_core.analysis.breakdown import MEMBER, labels
from finops_core.model import words
from finops_core.model.query import Query
from finops_core.quality import tag_exceptions
from finops_core.quality.spellings import KIND as PROPOSALS
from finops_core.quality.spellings import spelling_proposals
from finops_core.quality.tag_exceptions import TagException
from finops_core.quality.tag_policy import TagPolicy, read_policy, shipped_text, tag_policy
from finops_core.quality.tags import Coverage, KeyCoverage, coverage, members
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts, figures, tables, tag_forms, theme
from ui.figures import Figure
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

_PERIODS = {"day": "Day", "week": "Week", "month": "Month", "quarter": "Quarter", "year": "Year"}
"""Grain → the dimension of it."""
_BY = ("SubAccountId", "ServiceName", "x_Team", "ResourceId")
_MOST = 50
_BARS = 8
_POINTS = 12
"""How many periods the line of a figure has."""
_RAW, _EFFECTIVE = "as tagged", "after rules"


def policy() -> tuple[TagPolicy, str]:
    """The home's policy, and its text: what it depends on."""
    rules = answers.ledger().home.rules
    found = tag_policy(rules)
    file = rules / "tag_policy.yaml"
    return found, file.read_text("utf-8-sig") if file.exists() else shipped_text()


def _covered(query: Query) -> Coverage:
    state = answers.state()
    version = (answers.ledger().version, state.version(tag_exceptions.KIND), datetime.now(UTC).date())
    return _coverage(query, policy()[1], version)


@st.cache_data(show_spinner=False, max_entries=200, hash_funcs={Query: repr})
def _coverage(query: Query, text: str, version: tuple[str, int, date]) -> Coverage:
    spared = tag_exceptions.exceptions(answers.state())
    return coverage(answers.ledger(), query, read_policy(text, "the tag policy"), spared, version[2], _MOST)


def _split(query: Query, by: str) -> polars.DataFrame:
    state = answers.state()
    version = (answers.ledger().version, state.version(tag_exceptions.KIND), datetime.now(UTC).date())
    return _members(query, by, policy()[1], version)


@st.cache_data(show_spinner=False, max_entries=400, hash_funcs={Query: repr})
def _members(query: Query, by: str, text: str, version: tuple[str, int, date]) -> polars.DataFrame:
    spared = tag_exceptions.exceptions(answers.state())
    names = (by, "SubAccountName") if by == "SubAccountId" else (by,) if by else ()
    return members(answers.ledger(), query, read_policy(text, "the tag policy"), names, spared, version[2])


class Tags:
    """Tag coverage of a page's view, in its currency, for the key of the URL."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.policy = policy()[0]
        wanted = address.params().get(address.KEY, [""])[0]
        self.key = wanted if wanted in self.policy.keys else next(iter(self.policy.keys))
        asked = page.query.by[0] if page.query.by else ""
        self.by = asked if asked in _BY else _BY[0]
        self.query = page.query.but(by=(), grain="none")

    @cached_property
    def found(self) -> Coverage:
        return _covered(self.query)

    @cached_property
    def shown(self) -> KeyCoverage:
        """The coverage of the key."""
        return next(key for key in self.found.keys if key.key == self.key)

    @cached_property
    def trend(self) -> polars.DataFrame:
        return _split(self.query, _PERIODS[self.page.query.grain])

    @cached_property
    def split(self) -> polars.DataFrame:
        """The members of the dimension that lack the key, most untagged money first; Member is what they are called."""
        if self.by == "ResourceId":
            return self._resources()
        rows = _split(self.query, self.by).filter(polars.col("key") == self.key)
        names = ("SubAccountName", "SubAccountId") if self.by == "SubAccountId" else (self.by,)
        first = polars.coalesce(*names) if len(names) > 1 else labels(names)
        rows = rows.with_columns(first.fill_null("without").alias(MEMBER))
        return rows.sort([polars.col("uncovered_cost").abs(), MEMBER], descending=[True, False])

    def _resources(self) -> polars.DataFrame:
        worst = [o for o in self.shown.offenders if o.by == "ResourceId"]
        rows = [
            (o.member["ResourceId"], o.member["ServiceName"], o.member["SubAccountName"] or o.member["SubAccountId"], o.uncovered_cost)
            for o in worst
        ]  # fmt: skip
        text = dict.fromkeys((MEMBER, "ServiceName", "Account"), polars.String)
        return polars.DataFrame(rows, {**text, "uncovered_cost": polars.Decimal(38, 18)}, orient="row")

    def answer(self) -> None:
        """Title, and the coverage of the key in a sentence."""
        tally = self.shown.tally
        if tally.coverage_by_cost is None:
            said = f"Nothing in this view can carry the tag {self.key}."
        else:
            said = f"{words.percent(tally.coverage_by_cost)} of taggable cost carries {self.key}"
            effective = tally.effective_coverage_by_cost
            if effective is not None:
                reached = "at or above" if effective >= self.policy.target else "below"
                said += f"; after rules {words.percent(effective)}, {reached} the target of {words.percent(self.policy.target)}"
            rule = self.policy.keys[self.key]
            lacking = "no value" if rule.allowed is None and rule.pattern is None else "no allowed value"
            said += f". {words.money(tally.uncovered_cost, self.page.currency)} has {lacking}."
        self.page.title_line(said)

    def figures(self) -> None:
        """Each key: coverage as tagged and after rules, and the money without it."""
        shown = []
        for found in self.found.keys:
            tally = found.tally
            raw, effective = (_percent(s) for s in (tally.coverage_by_cost, tally.effective_coverage_by_cost))
            of_key = self.trend.filter(polars.col("key") == found.key)["coverage_by_cost"].drop_nulls()
            resources = found.resources
            help = (
                f"Part of taggable cost with an allowed value of {found.key}, as tagged → after rules ({dimension(found.owner).label}"
                f" is known). By charges {_percent(tally.coverage_by_rows)}, by resources {_percent(resources.coverage)}"
                f" ({resources.covered:,} of {resources.taggable:,}). Target {words.percent(self.policy.target)}"
            )
            shown.append(
                Figure(
                    found.key,
                    f"{raw} → {effective}" if tally.taggable_rows else "none taggable",
                    help,
                    line=[Decimal(str(value)) for value in of_key][-_POINTS:],
                    note=f"{words.money(tally.uncovered_cost, self.page.currency)} without{self._moved(found)}",
                )
            )
        figures.show(shown)

    def _moved(self, found: KeyCoverage) -> str:
        """By how many points the coverage differs from that of the period it is compared with."""
        past, now = self.page.compared, found.tally.coverage_by_cost
        if past is None or now is None:
            return ""
        rows = _split(self.query.but(start=past.start, end=past.end), "")
        then = rows.filter(polars.col("key") == found.key)["coverage_by_cost"].drop_nulls()
        if then.is_empty():
            return ""
        points = (now - Decimal(str(then[0]))) * 100
        return f" · {'+' if points > 0 else words.MINUS if points < 0 else ''}{abs(points):.1f} points"

    def choice(self) -> None:
        """Which key, and by what the money without it is told apart."""
        with st.container(horizontal=True, vertical_alignment="bottom", key="choice"):
            st.segmented_control(
                "Tag",
                list(self.policy.keys),
                key=address.seeded("tags-key", self.key),
                on_change=address.changes("tags-key", _choose),
                required=True,
            )
            st.segmented_control(
                "Untagged money by",
                _BY,
                key=address.seeded("tags-by", self.by),
                on_change=address.changes("tags-by", lambda name: self.page.go(by=(name,))),
                format_func=lambda name: dimension(name).label.removesuffix(" id"),
                required=True,
            )

    def charts(self) -> None:
        """The trend of the key, and who has the most money without it."""
        if self.shown.tally.coverage_by_cost is None:
            st.info(
                "No usage of a resource is among these charges, so there is nothing to tag. See below what they are.",
                icon=":material/sell:",
            )
            return
        left, right = st.columns([3, 2], gap="medium")
        rows = self.trend.filter(polars.col("key") == self.key)
        with left:
            st.caption(f"Coverage of {plain(self.key)} by {self.page.query.grain}")
            period = _PERIODS[self.page.query.grain]
            drawn = trend(rows, period, float(self.policy.target))
            charts.show(drawn, "tags-trend", f"Coverage of {self.key} over time, as tagged and after rules")
        with right:
            label = dimension(self.by).label.removesuffix(" id").lower()
            st.caption(f"Money without {plain(self.key)} by {label}, {self.page.currency}")
            worst = self.split.filter(polars.col("uncovered_cost") != 0).head(_BARS)
            if worst.is_empty():
                st.success("Nothing is missing here.", icon=":material/check:")
                return
            hues = dict.fromkeys(worst[MEMBER], theme.PALETTE[1])
            bars = charts.ranked(worst, "uncovered_cost", self.page.currency, hues)
            _make_room(bars, worst["uncovered_cost"])
            charts.show(
                bars, "tags-offenders", f"Money without {self.key} by {label}; the table has the figures"
            )

    def table(self) -> None:
        """The members, what of their cost can be tagged, and what is."""
        label = dimension(self.by).label.removesuffix(" id")
        tally = self.shown.tally
        if tally.coverage_by_cost is None:
            return
        columns: list[tables.Column] = [(MEMBER, tables.text, label)]
        if self.by == "ResourceId":
            columns += [("ServiceName", tables.text, "Service"), ("Account", tables.text, "Account")]
            columns += [("uncovered_cost", tables.money, f"Without {self.key}")]
            st.caption(f"The {len(self.split):,} resources with the most money without {plain(self.key)}")
            total = None
        else:
            columns += [
                ("uncovered_cost", tables.money, f"Without {self.key}"),
                ("taggable_cost", tables.money, "Taggable"),
                ("covered_cost", tables.money, "Tagged"),
                ("excepted_cost", tables.money, "Excepted"),
                ("coverage_by_cost", tables.share, "As tagged"),
                ("effective_coverage_by_cost", tables.share, "After rules"),
                ("coverage_by_rows", tables.share, "By charges"),
            ]
            total = {name: getattr(tally, name, None) for name, _, _ in columns}
            total |= {n: None if v is None else float(v) for n, v in total.items() if n.startswith(("coverage", "effective"))}  # fmt: skip
            total[MEMBER] = "Total"
        tables.show(self.split, columns, total, "tags", of=f"{self.key} {self.by}")
        tables.downloads(self._download, "tag-coverage")

    def _download(self) -> polars.DataFrame:
        return self.split.rename({MEMBER: self.by}) if self.by == "ResourceId" else self.split.drop(MEMBER)

    def values(self) -> None:
        """Near misses with the spelling to use, and values that are not allowed."""
        names = self.policy.names(self.key)
        tag_forms.near_misses(self.shown, self.page.currency, _proposed(), names)
        if self.shown.not_allowed:
            st.header(f"Values of {self.key} that are not allowed", anchor=False)
            rows = [(v.value, v.cost, v.rows) for v in self.shown.not_allowed]
            schema = {"value": polars.String, "cost": polars.Decimal(38, 18), "rows": polars.Int64}
            shown = polars.DataFrame(rows, schema, orient="row").with_columns(
                polars.col("value").map_elements(repr_of_blanks, polars.String)
            )
            columns: list[tables.Column] = [
                ("value", tables.text, "Value"),
                ("cost", tables.money, f"Cost, {self.page.currency}"),
                ("rows", tables.count, "Charges"),
            ]
            tables.show(shown, columns, None, "not-allowed", 260 if len(rows) > 6 else None, of=self.key)

    def apart(self) -> None:
        """What cannot carry tags, and why."""
        lines = self.found.not_taggable
        cost = sum((line.cost for line in lines), Decimal(0))
        title = f"Not taggable: {words.money(cost, self.page.currency)}"
        with st.expander(plain(title), icon=":material/label_off:"):
            st.caption(
                "Counted against nobody: taxes, purchases, usage without a resource, services without tags."
            )
            rows = [(line.service, line.why, line.cost, line.rows) for line in lines]
            names = {"service": polars.String, "why": polars.String, "cost": polars.Decimal(38, 18), "rows": polars.Int64}  # fmt: skip
            columns: list[tables.Column] = [
                ("service", tables.text, "Service"),
                ("why", tables.text, "Why"),
                ("cost", tables.money, f"Cost, {self.page.currency}"),
                ("rows", tables.count, "Charges"),
            ]
            if rows:
                shown = polars.DataFrame(rows, names, orient="row")
                total = {"service": "Total", "cost": cost, "rows": sum(line.rows for line in lines)}
                tables.show(shown, columns, total, "apart")

    def exceptions(self) -> None:
        """The exceptions, what they spare, and a form for another one."""
        spared = {e.name: cost for found in [self.shown] for e, cost, _ in found.excepted}
        kept: Sequence[TagException] = tag_exceptions.exceptions(answers.state())
        tag_forms.exceptions(kept, list(self.policy.keys), self.key, spared, self.page.currency)

    def exports(self) -> None:
        """How it is counted, and the policy for other systems."""
        tag_forms.exports(answers.ledger().home.rules, policy()[1], self.shown)


def _choose(key: str) -> None:
    st.query_params[address.KEY] = key


def _proposed() -> dict[tuple[str, str], str]:
    """(key, value) → what somebody proposed to spell it like."""
    return _proposals(answers.state().version(PROPOSALS))


@st.cache_data(show_spinner=False, max_entries=8)
def _proposals(version: int) -> dict[tuple[str, str], str]:
    return {(p.key, v): p.value for p in spelling_proposals(answers.state()) for v in p.values}


def _percent(part: Decimal | None) -> str:
    return "–" if part is None else words.percent(part)


def repr_of_blanks(value: str) -> str:
    """A value with the blanks at its ends to be seen."""
    return value if value == value.strip() else f"“{value}”"


def _make_room(bars: charts.Spec, costs: polars.Series) -> None:
    """Room at the right of ranked bars in half a page, for what is written there."""
    longest = float(max(costs.max(), Decimal(0)))
    if longest:
        bars["layer"][0]["encoding"]["x"]["scale"] = {"domainMax": longest * 1.18}


def _written(period: object) -> str:
    return words.bucket(period, "day") if isinstance(period, date) else str(period)


def trend(rows: polars.DataFrame, period: str, target: float) -> alt.LayerChart:
    """Coverage over time as tagged and after rules, and the target; `rows` as `quality.tags.members` by `period`."""
    data = [
        {"Period": _written(row[period]), "Coverage": row[name], "Kind": kind, "Label": f"{kind}, {row[period]}: {row[name]:.4f}"}
        for row in rows.iter_rows(named=True)
        for kind, name in ((_RAW, "coverage_by_cost"), (_EFFECTIVE, "effective_coverage_by_cost"))
        if row[name] is not None
    ]  # fmt: skip
    base = alt.Chart(alt.Data(values=data)).encode(
        x=alt.X(
            "Period:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False)
        ),
        y=alt.Y(
            "Coverage:Q",
            scale=alt.Scale(zero=False, nice=True),
            axis=alt.Axis(format="%", title=None, tickCount=5, domain=False, ticks=False, gridOpacity=0.5),
        ),
        color=alt.Color(
            "Kind:N",
            scale=alt.Scale(domain=[_RAW, _EFFECTIVE], range=[theme.PALETTE[1], theme.PALETTE[0]]),
            legend=alt.Legend(title=None, orient="bottom"),
        ),
        description="Label:N",
        tooltip=["Kind:N", "Period:O", alt.Tooltip("Coverage:Q", format=".1%")],
    )
    lines = base.mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=2.2)
    goal = [{"Coverage": target, "Goal": f"target {target:.0%}"}]
    rule = (
        alt.Chart(alt.Data(values=goal)).mark_rule(strokeDash=[5, 4], color=theme.REST).encode(y="Coverage:Q")
    )
    said = (
        alt.Chart(alt.Data(values=goal))
        .mark_text(align="right", baseline="bottom", dy=-3, color=theme.REST)
        .encode(y="Coverage:Q", x=alt.value("width"), text="Goal:N")
    )
    return alt.layer(lines, rule, said).properties(height=270)
