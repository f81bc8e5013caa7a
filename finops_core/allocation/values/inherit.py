"""The owner that all other charges of the same group agree on: `{inherit: [SubAccountId, x_ResourceGroup]}`.

For charges that the rules before leave without an owner. The group is that of the columns within a source and billing period;
where its owners disagree, or have none, nothing is inherited.
"""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from finops_core.allocation import values
from finops_core.allocation.kinds import one_or_more

KEY = "inherit"


class Value(values.Value):
    inherit: Annotated[
        tuple[Annotated[str, AfterValidator(values.column_name)], ...],
        BeforeValidator(one_or_more),
        Field(min_length=1),
    ]

    def reads(self) -> tuple[str, ...]:
        return self.inherit

    def in_words(self) -> str:
        return f"what all others of the same {' and '.join(self.inherit)} have"
