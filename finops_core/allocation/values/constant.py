"""The same owner for every charge that the rule's condition keeps: `x_Team: search`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from finops_core.allocation import values
from finops_core.allocation.kinds import owner_name
from finops_core.formats.expressions import quoted

KEY = "constant"


class Value(values.Value):
    constant: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(owner_name)]

    def sql(self, scope: values.Scope) -> str:
        return quoted(self.constant)

    def in_words(self) -> str:
        return f"always {self.constant}"
