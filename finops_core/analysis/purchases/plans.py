"""The plans that can be bought, and their discounts: those shipped, or HOME/rules/plans.yaml in their place."""

from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finops_core.allocation.written import in_force, read
from finops_core.analysis.commitments.families import family
from finops_core.analysis.purchases.futures import SCENARIOS
from finops_core.store.home import Home

FILE = "plans.yaml"


class Plan(BaseModel):
    """A commitment on offer: its discount is against on-demand (contracted) prices, a share 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    services: tuple[str, ...]
    usage: tuple[str, ...] = ()
    """Parts of x_UsageType that it covers, whatever their case; none is all of the services."""
    by_family: bool = False
    """Whether a purchase is bound to one family of machines, such as db.r6g: each then wants one of its own."""
    family: str = ""
    """The family that it is bought for; empty is any."""
    term_months: Annotated[int, Field(ge=1, le=60)]
    payment: str
    discount: Annotated[float, Field(gt=0, lt=1)]

    def of_family(self, name: str) -> "Plan":
        return self.model_copy(update={"family": name})

    @property
    def is_upfront(self) -> bool:
        return "all upfront" in self.payment

    def covers(self, service: str | None, usage: str | None) -> bool:
        """Whether it is for this use."""
        told = (usage or "").casefold()
        return (
            service in self.services
            and (not self.usage or any(part.casefold() in told for part in self.usage))
            and (not self.family or family(None, usage) == self.family)
        )

    def in_words(self) -> str:
        """`Compute Savings Plan, 12 months, no upfront`."""
        bound = f" for {self.family}" if self.family else ""
        return f"{self.name}{bound}, {self.term_months} months, {self.payment}"


class Approval(BaseModel):
    """Who must sign what is committed over a whole term, up to an amount in the currency of the use."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    role: str
    up_to: Annotated[float, Field(gt=0)] | None = None
    """None: whatever it is."""
    people: Annotated[int, Field(ge=1, le=5)] = 1
    """How many different people must sign, none of whom proposed it."""


_APPROVALS = (
    Approval(role="team lead", up_to=10_000),
    Approval(role="head of engineering", up_to=100_000),
    Approval(role="CFO", people=2),
)


class Plans(BaseModel):
    """All of plans.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    risk: Annotated[float, Field(ge=0, le=1)] = 0.1
    """How likely it may be that less than nine tenths of a commitment are used."""
    plans: tuple[Plan, ...] = ()
    scenarios: dict[str, Annotated[float, Field(gt=-1, le=5)]] = Field(
        default_factory=lambda: dict(SCENARIOS)
    )
    """Future → what the level of use changes by within a year on top of its own trend, as a share."""
    approvals: tuple[Approval, ...] = _APPROVALS
    """Smallest amount first; the last has no `up_to`."""

    @model_validator(mode="after")
    def _complete(self) -> "Plans":
        if "baseline" not in self.scenarios:
            raise ValueError("scenarios need one that is called baseline")
        bars = [approval.up_to for approval in self.approvals]
        if not bars or bars[-1] is not None or None in bars[:-1]:
            raise ValueError("approvals end with a role without up_to, and only with that one")
        if sorted(bars[:-1]) != bars[:-1]:  # type: ignore[type-var]
            raise ValueError("approvals go from the smallest amount to the largest")
        return self

    def approval(self, total: float) -> Approval:
        """Who must sign so much."""
        return next(a for a in self.approvals if a.up_to is None or total < a.up_to)


def plans(home: Home) -> Plans:
    """The plans in force. Raises InputRefused with the file and line of what is malformed."""
    return in_force(home.rules / FILE, Plans, _shipped)


def _shipped() -> Plans:
    text = files("finops_core.analysis.purchases").joinpath(FILE).read_text("utf-8")
    return read(text, FILE).validated(Plans)
