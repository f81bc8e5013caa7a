"""How severe an incident is by its money, as HOME/rules/anomalies.yaml says it, else the usual bounds."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finops_core.allocation.written import in_force
from finops_core.analysis.incidents.incident import SEVERITIES
from finops_core.store.home import Home

FILE = "anomalies.yaml"
Money = Annotated[Decimal, Field(gt=0)]


class Bounds(BaseModel):
    """The impact, so far or per day, from which an incident is of a severity; below the first it is `info`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    warning: Money = Decimal(100)
    high: Money = Decimal(1000)
    critical: Money = Decimal(10000)

    @model_validator(mode="after")
    def _rise(self) -> "Bounds":
        if not self.warning < self.high < self.critical:
            raise ValueError(
                f"the bounds must rise: warning {self.warning}, high {self.high}, critical {self.critical}"
            )
        return self

    def severity(self, impact: Decimal) -> str:
        """The severity of an impact, up or down."""
        size = abs(impact)
        reached = sum(size >= bound for bound in (self.warning, self.high, self.critical))
        return SEVERITIES[reached]


class Severities(BaseModel):
    """All of anomalies.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    severity: Bounds = Bounds()
    currencies: dict[str, Bounds] = {}
    """Currency → its bounds, where money is worth more or less."""
    owners: dict[str, Bounds] = {}
    """Team → its bounds; they go before those of a currency."""

    def of(self, impact: Decimal, owner: str, currency: str) -> str:
        """The severity of an impact for its owner."""
        bounds = self.owners.get(owner) or self.currencies.get(currency) or self.severity
        return bounds.severity(impact)


def severities(home: Home) -> Severities:
    """The bounds in force. Raises InputRefused with the file and line of what is malformed."""
    return in_force(home.rules / FILE, Severities, Severities)
