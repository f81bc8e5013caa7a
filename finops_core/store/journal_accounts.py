"""The accounts that a journal of cloud cost is booked to: HOME/rules/journal.yaml, else the defaults here."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from finops_core.allocation.written import in_force

FILE = "journal.yaml"


class Accounts(BaseModel):
    """Account numbers are text: leading zeros count."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    clearing: str = Field(default="1590", min_length=1)
    """The balancing account, where the clouds' invoices arrive."""
    direct: str = Field(default="6810", min_length=1)
    """What a cost centre caused itself."""
    shared: str = Field(default="6820", min_length=1)
    """Shares of pools."""
    adjustment: str = Field(default="6830", min_length=1)
    """Changes to months that are closed."""
    services: dict[str, str] = {}
    """ServiceName → account, where direct costs of a service have their own."""
    pools: dict[str, str] = {}
    """Pool → account, where shares of a pool have their own."""
    no_cost_center: str = "unallocated"
    """The cost centre of charges without one."""


def accounts(directory: Path) -> Accounts:
    """The accounts of a directory of rules. Raises InputRefused naming file, line and field."""
    return in_force(directory / FILE, Accounts, Accounts)
