"""What a metric of units means, where that is not plain from its file: HOME/rules/units.yaml."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from finops_core.allocation.written import in_force
from finops_core.errors import FarthingError
from finops_core.model.query import Where, conditions
from finops_core.store.home import Home
from finops_core.vocabulary.dimensions import dimension

FILE = "units.yaml"


class UnitMetric(BaseModel):
    """One metric: what it is called, whose cost it measures, and whether it is money that comes in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: str
    label: str = ""
    """One unit in words, such as `order`; by default the metric's name."""
    per: Annotated[int, Field(ge=0)] = 0
    """So many units a price is told for; 0 is chosen by size: 1, 1,000, 1,000,000."""
    level: bool = False
    """Whether a quantity is how many there are, such as customers, and not how many came: over days it is averaged, not summed."""
    where: tuple[str, ...] = ()
    """Conditions of the charges that count, as in queries."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Column of the file → dimension of the charges, where the name does not say it; an empty text: none."""
    revenue: bool = False
    """Whether the quantities are money received, in `currency`."""
    currency: str = ""

    @field_validator("where")
    @classmethod
    def _readable(cls, told: tuple[str, ...]) -> tuple[str, ...]:
        try:
            conditions(list(told))
        except FarthingError as error:
            raise ValueError(str(error)) from error
        return told

    @field_validator("columns")
    @classmethod
    def _known(cls, told: dict[str, str]) -> dict[str, str]:
        for name in filter(None, told.values()):
            try:
                dimension(name)
            except FarthingError as error:
                raise ValueError(str(error)) from error
        return told

    @property
    def condition(self) -> Where:
        return list(self.where)


class _Definitions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    metrics: tuple[UnitMetric, ...] = ()


def definitions(home: Home) -> dict[str, UnitMetric]:
    """Metric → what it means. Raises InputRefused with the file and line of what is malformed."""
    found = in_force(home.rules / FILE, _Definitions, _Definitions)
    return {one.metric: one for one in found.metrics}
