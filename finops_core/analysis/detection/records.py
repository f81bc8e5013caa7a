"""What the detector takes and gives: evidence by day, settings of a reader, findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars

Direction = Literal["up", "down"]
Kind = Literal["spike", "level shift", "runaway", "slow leak", "weekend leak", "drop", "new"]


@dataclass(frozen=True)
class Evidence:
    """What each day says, read from that day and earlier ones only.

    `days`: one row a series and day of the whole range, sorted by series_id, date. series_id (String), date (Date),
    cost (Float64; null where the series has no value), expected, low, high (what the day was expected to cost, and the
    range that it usually stays in; null while too little is known), score (how strange the day is; comparable across series), and further
    columns that `findings` reads. It can be kept as a Parquet file and read again.
    """

    days: polars.DataFrame


@dataclass(frozen=True)
class Settings:
    """What a reader may set without computing evidence anew."""

    sensitivity: float = 0.5
    """0 (only what is beyond doubt) to 1 (whatever is unusual)."""
    least_money: float = 100.0
    """No incident below this impact, in the series' currency."""
    by_series: Mapping[str, float] = field(default_factory=dict)
    """series_id → factor on the score that it takes to be raised: above 1 where alarms turned out to be expected."""
    complete_until: date | None = None
    """The last day whose charges are all there; by default every day is taken as complete."""
    usual_share: Mapping[int, float] = field(default_factory=dict)
    """Age of a day in days (after `complete_until`'s own rule) → share of its final cost that is usually there by then."""


@dataclass(frozen=True)
class Telling:
    """One time that an incident is raised: at first, and again where later days make clearly surer of it. Its days begin
    where those of the time before end, so that each day and its money is in one."""

    start: date
    end: date
    """The last day, included."""
    first_seen: date
    """The day after whose charges it is raised."""
    impact: float
    """actual − expected, start to end."""
    score: float
    """How sure, as of `first_seen`; 1 is the bar at sensitivity 0.5."""


@dataclass(frozen=True)
class Finding:
    """One incident of one series. Money is in the series' currency, estimated, so a float."""

    series_id: str
    start: date
    end: date
    """The last day, included."""
    first_seen: date
    """The day after whose charges it is raised."""
    direction: Direction
    impact: float
    """actual − expected, start to end."""
    expected: float
    actual: float
    per_day: float
    """impact ÷ days from start to end."""
    score: float
    """How sure, as of `first_seen`; 1 is the bar at sensitivity 0.5."""
    kind: Kind
    ongoing: bool
    tellings: tuple[Telling, ...] = ()
