"""When commitments end: as HOME/rules/commitments.yaml says it, else a usual term after the first day that one was seen.

```yaml
term_months: 12
commitments:
  arn:aws:savingsplans::1:savingsplan/abc: {expires: 2027-03-31}
  "7c1f5a2e": {term_months: 36}
```
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finops_core.allocation.written import in_force
from finops_core.model.periods import add_months
from finops_core.store.home import Home

FILE = "commitments.yaml"
Months = Annotated[int, Field(ge=1, le=120)]


class Term(BaseModel):
    """What is known of one commitment."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    expires: date | None = None
    """The first day without it."""
    term_months: Months | None = None


class Terms(BaseModel):
    """All of commitments.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    term_months: Months = 12
    commitments: dict[str, Term] = {}


@dataclass(frozen=True)
class Expiry:
    """The first day without a commitment, and how that is known: `stated`, `estimated`, or `unknown` (then there is no day)."""

    day: date | None
    known: str


def terms(home: Home) -> Terms:
    """The terms in force. Raises InputRefused with the file and line of what is malformed."""
    return in_force(home.rules / FILE, Terms, Terms)


def expiry(known: Terms, commitment: str | None, first: date, since: date) -> Expiry:
    """When a commitment ends that was seen first on a day; one that was there when the charges begin (`since`) may be of any age."""
    told = known.commitments.get(commitment or "", Term())
    if told.expires is not None:
        return Expiry(told.expires, "stated")
    if first <= since:
        return Expiry(None, "unknown")
    return Expiry(add_months(first, told.term_months or known.term_months), "estimated")
