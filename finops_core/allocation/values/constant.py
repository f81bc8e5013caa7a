"""The same owner for every charge that the rule's condition keeps: `x_Team: search`."""

from pydantic import Field

from finops_core.allocation import values
from finops_core.formats.expressions import quoted

KEY = "constant"


class Value(values.Value):
    constant: str = Field(min_length=1, max_length=500)

    def sql(self, scope: values.Scope) -> str:
        return quoted(self.constant)

    def in_words(self) -> str:
        return f"always {self.constant}"
