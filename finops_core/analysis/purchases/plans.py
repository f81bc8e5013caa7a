"""The plans that can be bought, and their discounts: those shipped, or HOME/rules/plans.yaml in their place."""

from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finops_core.allocation.written import read
from finops_core.errors import InputRefused, Place
from finops_core.store.home import Home

FILE = "plans.yaml"


class Plan(BaseModel):
    """A commitment on offer: its discount is against on-demand (contracted) prices, a share 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    services: tuple[str, ...]
    usage: tuple[str, ...] = ()
    """Parts of x_UsageType that it covers, whatever their case; none is all of the services."""
    term_months: Annotated[int, Field(ge=1, le=60)]
    payment: str
    discount: Annotated[float, Field(gt=0, lt=1)]

    @property
    def is_upfront(self) -> bool:
        return "all upfront" in self.payment

    def covers(self, service: str | None, usage: str | None) -> bool:
        """Whether it is for this use."""
        told = (usage or "").casefold()
        return service in self.services and (
            not self.usage or any(part.casefold() in told for part in self.usage)
        )

    def in_words(self) -> str:
        """`Compute Savings Plan, 12 months, no upfront`."""
        return f"{self.name}, {self.term_months} months, {self.payment}"


class Plans(BaseModel):
    """All of plans.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    risk: Annotated[float, Field(ge=0, le=1)] = 0.1
    """How likely it may be that less than nine tenths of a commitment are used."""
    plans: tuple[Plan, ...] = ()


def plans(home: Home) -> Plans:
    """The plans in force. Raises InputRefused with the file and line of what is malformed."""
    path = home.rules / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        text = files("finops_core.analysis.purchases").joinpath(FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused("cannot be read as text in UTF-8", Place(str(path))) from error
    return read(text, FILE).validated(Plans)
