"""How a kind of waste is declared: which lines of a month it is about, and how much of them could be saved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars

from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query

COST, QUANTITY = "EffectiveCost", "PricingQuantity"
USAGE = Condition("ChargeCategory", "=", ("Usage",))
KEYS = (
    "ServiceName", "x_UsageType", "ResourceId", "x_Team", "x_Environment", "SubAccountId", "RegionId", "CommitmentDiscountStatus",
)  # fmt: skip
"""What a line is told apart by."""
MACHINES = (CURRENCY, *(key for key in KEYS if key not in ("ResourceId", "CommitmentDiscountStatus")))
"""What machines are told apart by in `Situation.machines_by_day`."""
DAYS = 30
_IDLE = 0.02
"""What the work of something idle costs at most, of what its hours cost."""
_NOT_PRODUCTION = ("dev", "development", "test", "testing", "staging", "stage", "qa", "sandbox", "nonprod", "non-prod")  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """The lines of the last 30 whole days, and what else finders ask of the store; each is asked once."""

    ledger: Ledger
    end: date
    """The day after the last that is complete."""

    @property
    def start(self) -> date:
        return self.end - timedelta(DAYS)

    @cached_property
    def lines(self) -> polars.DataFrame:
        """BillingCurrency, KEYS, EffectiveCost, PricingQuantity: usage of the 30 days."""
        return self.lines_of(self.start, self.end)

    def lines_of(self, start: date, end: date) -> polars.DataFrame:
        """The same of other days."""
        query = Query((COST, QUANTITY), by=KEYS, where=[USAGE], start=start, end=end)
        return self.ledger.query(query).with_columns(polars.col(COST).fill_null(0))

    @cached_property
    def machines_by_day(self) -> polars.DataFrame:
        """ChargePeriod, MACHINES, `cost` (Float64): on-demand machines, by day."""
        where = [USAGE, Condition("PricingCategory", "=", ("Standard",))]
        query = Query(COST, by=MACHINES[1:], grain="day", where=where, start=self.start, end=self.end)
        found = self.ledger.query(query).with_columns(polars.col(COST).cast(polars.Float64).alias("cost"))
        return found.filter(is_machine()).drop(COST)


Share = Callable[[Situation, polars.DataFrame], polars.DataFrame]
"""Chosen lines → the same with `share` (Float64, 0 to 1) of their cost that could be saved; fewer of them where some are none."""


@dataclass(frozen=True)
class Finder:
    """A kind of waste."""

    name: str
    title: str
    why: str
    """What it is, and what to do, in a sentence."""
    lines: polars.Expr
    """Which lines of a month may be of this kind."""
    share: float | Share
    """How much of their cost could be saved, as an estimate."""
    effort: str
    risk: str
    caveats: tuple[str, ...]
    order: int
    """A line counts for the first finder that takes it."""
    by_resource: bool = False
    """Whether the charges are told by their resources: others of the same kind are none."""


def usage(pattern: str) -> polars.Expr:
    """Whether the usage type, meter or SKU holds a pattern, whatever its case."""
    return polars.col("x_UsageType").fill_null("").str.contains(f"(?i){pattern}")


def service(pattern: str) -> polars.Expr:
    """Whether the service's name holds a pattern, whatever its case."""
    return polars.col("ServiceName").fill_null("").str.contains(f"(?i){pattern}")


def is_machine() -> polars.Expr:
    """Whether a line is the time of a virtual machine (without its disks and licences)."""
    own = usage("BoxUsage:") | usage(r"Instance (Core|Ram|vCPU) running")
    azure = service("^Virtual Machines$") & ~usage("disk|snapshot|ip address|low priority|spot")
    return (own | azure) & ~usage("SpotUsage|Spot Preemptible|Preemptible")


def is_on_demand() -> polars.Expr:
    """Whether no commitment covers a line."""
    return polars.col("CommitmentDiscountStatus").is_null()


def is_outside_production() -> polars.Expr:
    """Whether a line is of development, test or the like."""
    return polars.col("x_Environment").fill_null("").str.to_lowercase().is_in(_NOT_PRODUCTION)


def idle(situation: Situation, chosen: polars.DataFrame, work: polars.Expr) -> polars.DataFrame:
    """The chosen lines (hours) of resources whose lines of work cost next to nothing, all of it to be saved."""
    told = situation.lines.filter(polars.col("ResourceId").is_in(chosen["ResourceId"].drop_nulls().implode()))
    cost = polars.col(COST).cast(polars.Float64).sum()
    hours = chosen.drop_nulls("ResourceId").group_by("ResourceId").agg(cost.alias("hours"))
    works = told.filter(work).group_by("ResourceId").agg(cost.alias("work"))
    both = hours.join(works, on="ResourceId", how="left").with_columns(polars.col("work").fill_null(0.0))
    found = both.filter(polars.col("work") <= _IDLE * polars.col("hours"))["ResourceId"]
    return of_resources(situation, chosen, found).with_columns(polars.lit(1.0).alias("share"))


def of_resources(situation: Situation, chosen: polars.DataFrame, kept: polars.Series) -> polars.DataFrame:
    """The chosen lines of some resources."""
    return chosen.filter(polars.col("ResourceId").is_in(kept.implode()))


__all__ = [
    "COST", "CURRENCY", "DAYS", "KEYS", "MACHINES", "PERIOD", "QUANTITY", "Finder", "Share", "Situation", "idle", "is_machine", "is_on_demand",
    "is_outside_production", "of_resources", "service", "usage",
]  # fmt: skip
