"""A view: a Query with the period's name, what it is compared with, and how it is shown. It lives in a URL and comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from finops_core.errors import UsageError
from finops_core.focus.currencies import currency as currency_code
from finops_core.model.metrics import metric
from finops_core.model.periods import NAMED_PERIODS, Period, compared, named_period
from finops_core.model.query import Condition, Query, conditions
from finops_core.vocabulary.dimensions import dimension

Params = dict[str, str | list[str]]
DEFAULT_PERIOD = "6-months"
OVER_TIME = ("bars", "lines", "share", "heat", "ranked")
"""How members over time are drawn."""
OF_CHANGE = ("members", "causes")
"""How a change between two periods is drawn."""
CHARTS = (*OVER_TIME, *OF_CHANGE)
TABLES = ("members", "pivot", "charges")
"""What stands below a chart: its members, members by period, or the charges themselves."""
_MOST_SHOWN = 50


@dataclass(frozen=True)
class View:
    """What a page shows. The range of days is the query's own if it has one, else that of the named period."""

    query: Query
    period: str = DEFAULT_PERIOD
    versus: str = "previous"
    currency: str | None = None
    chart: str = "bars"
    top: int = 8
    """How many members are shown before Other."""
    floor: int = 0
    """Changes of less than this much, in the view's currency, are shown as one."""
    table: str = "members"
    display: str | None = None
    """The currency that costs of all currencies are shown in beside their own."""

    def __post_init__(self) -> None:
        if self.period not in NAMED_PERIODS:
            raise UsageError(f"there is no period {self.period!r}; known are {', '.join(NAMED_PERIODS)}")
        if self.chart not in CHARTS:
            raise UsageError(f"there is no chart {self.chart!r}; known are {', '.join(CHARTS)}")
        if self.table not in TABLES:
            raise UsageError(f"there is no table {self.table!r}; known are {', '.join(TABLES)}")
        if not 1 <= self.top <= _MOST_SHOWN:
            raise UsageError(f"between 1 and {_MOST_SHOWN} members can be shown, not {self.top}")
        if self.floor < 0:
            raise UsageError(f"a floor cannot be negative, as {self.floor} is")
        if self.display is not None:
            currency_code(self.display)
        compared(Period(date(2000, 1, 1), date(2000, 2, 1)), self.versus)
        if (self.query.start is None) != (self.query.end is None):
            raise UsageError("a range of days needs both `from` and `to`")

    @property
    def metric(self) -> str:
        return self.query.metrics[0]

    @property
    def is_custom(self) -> bool:
        """Whether the range of days is given, and does not move with the data."""
        return self.query.start is not None

    def days(self, first: date, end: date) -> Period:
        """The range of days, where charges reach from `first` up to, and without, `end`."""
        if self.query.start is not None and self.query.end is not None:
            return Period(self.query.start, self.query.end)
        return named_period(self.period, first, end)

    def asked(self, first: date, end: date, currency: str | None = None) -> Query:
        """The Query of the view with its range of days and, where one is chosen, its currency."""
        period = self.days(first, end)
        chosen = self.currency or currency
        where = conditions(self.query.where)
        if chosen is not None and not any(c.dimensions == ("BillingCurrency",) for c in where):
            where = (*where, Condition("BillingCurrency", "=", (chosen,)))
        return self.query.but(start=period.start, end=period.end, where=where)

    def to_params(self, usual: "View | None" = None) -> Params:
        """As the parameters of a URL; what is as in `usual` is left out, and what only `usual` has is emptied."""
        if usual is None:
            return self._all_params()
        own, common = self._all_params(), usual._all_params()
        changed: Params = {name: value for name, value in own.items() if common.get(name) != value}
        return changed | {name: "" for name in common if name not in own}

    def question(self) -> Params:
        """The parameters of what is asked, without how it is shown: for a link to another page."""
        shown = ("chart", "top", "floor", "table", "grain", "order", "limit")
        return {name: value for name, value in self._all_params().items() if name not in shown}

    def _all_params(self) -> Params:
        params: Params = dict(self.query.to_params())
        shown = {
            "versus": self.versus,
            "currency": self.currency,
            "chart": self.chart,
            "top": str(self.top),
            "floor": str(self.floor),
            "table": self.table,
            "display": self.display,
        }
        if not self.is_custom:
            shown["period"] = self.period
        return params | {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_params(cls, params: Mapping[str, str | Sequence[str]], usual: "View") -> "View":
        """From the parameters of a URL, what it leaves out as in `usual`. Raises UsageError for what cannot be read."""
        merged: dict[str, str | Sequence[str]] = {**usual._all_params(), **params}
        given = {name: [v for v in ([vs] if isinstance(vs, str) else vs) if v] for name, vs in merged.items()}
        one = {name: values[0] for name, values in given.items() if values}
        top, floor = one.get("top", str(usual.top)), one.get("floor", str(usual.floor))
        if not top.isdecimal():
            raise UsageError(f"{top!r} is no number of members to show")
        if not floor.isdecimal():
            raise UsageError(f"{floor!r} is no amount below which changes are shown as one")
        query = Query.from_params(given)
        for name in query.by:
            dimension(name)
        for name in query.metrics:
            if not metric(name).additive:
                raise UsageError(
                    f"{name} cannot be added up over members, so it has no view; `farthing query` answers it"
                )
        return cls(
            query=query,
            period=one.get("period", usual.period),
            versus=one.get("versus", usual.versus),
            currency=one.get("currency"),
            chart=one.get("chart", usual.chart),
            top=int(top),
            floor=int(floor),
            table=one.get("table", usual.table),
            display=one.get("display"),
        )

    def but(self, **changes: Any) -> "View":
        """The same view with some parts changed; names of the Query change the query."""
        names = ("period", "versus", "currency", "chart", "top", "floor", "table", "display")
        own = {name: changes.pop(name) for name in names if name in changes}
        return replace(self, query=self.query.but(**changes) if changes else self.query, **own)
