"""What a column of the charge leads to: itself, a part of it, or what a mapping or a directory has for it.

    {column: SubAccountId, map: {"0123": search}}
    {column: SubAccountId, directory: accounts, field: team}
    {column: ResourceName, pattern: "^([a-z]+)-", map: {srch: search}}

With `pattern` (RE2), the first group that it captures is meant, or all of what it matches. A column may be `tag:KEY`, or an owner
column, which is then determined first.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from finops_core.allocation import patterns, values
from finops_core.allocation.kinds import is_applied, owner_name
from finops_core.formats.expressions import quoted

KEY = "column"


def _pattern(text: str, info: ValidationInfo) -> str:
    return patterns.pattern(text, is_applied(info))


class Value(values.Value):
    column: Annotated[str, AfterValidator(values.column_name)]
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    map: dict[str, Annotated[str, AfterValidator(owner_name)]] | None = Field(default=None, min_length=1)
    directory: str | None = None
    field: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Value":
        if (self.directory is None) != (self.field is None):
            raise ValueError("`directory` and `field` belong together: which file, and what of it")
        if self.directory is not None and self.map is not None:
            raise ValueError("takes a map or a directory, not both")
        return self

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def directories(self) -> tuple[tuple[str, str | None], ...]:
        return ((self.directory, self.field),) if self.directory else ()

    def sql(self, scope: values.Scope) -> str:
        value = scope.column(self.column)
        if self.pattern is not None:
            group = 1 if "(" in self.pattern.replace("\\(", "").replace("(?", "") else 0
            value = f"nullif(regexp_extract({value}, {quoted(self.pattern)}, {group}), '')"
        if self.map is not None:
            return scope.mapped(self.map, value)
        if self.directory is not None and self.field is not None:
            return scope.looked_up(self.directory, self.field, value)
        return f"nullif({value}, '')"

    def in_words(self) -> str:
        way = f" in {self.directory} ({self.field})" if self.directory else " by a map" if self.map else ""
        return f"{self.column}{' by a pattern' if self.pattern else ''}{way}"
