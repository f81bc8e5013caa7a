"""Where a rule takes an owner from. A kind of value is one module here, known by the key that its mapping begins with.

The module declares `KEY` and a class `Value`, a pydantic model whose field KEY names what is read; text alone is a constant.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, ValidationInfo

from finops_core.allocation.kinds import declared, parsed
from finops_core.vocabulary.dimensions import TAG, dimension


class Scope(Protocol):
    """What a value's SQL may reach while it is written: columns of the charge, tags, directories."""

    def column(self, name: str) -> str:
        """SQL of a column of the charge, or of `tag:KEY`."""

    def tagged(self, value: Any) -> str:
        """SQL of a value that is computed once for all charges of the same Tags."""

    def looked_up(self, directory: str, field: str, key: str) -> str:
        """SQL of a directory's field for the key that an SQL expression gives, on the charge's day."""

    def mapped(self, mapping: Mapping[str, str], key: str) -> str:
        """SQL of what a mapping makes of an SQL expression; null for what it does not have."""


class Value(BaseModel):
    """A kind of value: frozen, and strict about what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    direct: ClassVar[bool] = False
    """Whether the charge itself names its owner by this kind of value."""

    def reads(self) -> tuple[str, ...]:
        """The columns of a charge, owner columns among them, that it is computed from."""
        return ()

    def directories(self) -> tuple[tuple[str, str | None], ...]:
        """The directories that it looks into, with the field that it takes of each; None for the keys alone."""
        return ()

    def sql(self, scope: Scope) -> str:
        """SQL of the value; null where it has none, and the next rule is asked."""
        raise NotImplementedError

    def in_words(self) -> str:
        """Where it comes from, for people."""
        raise NotImplementedError


def column_name(name: str) -> str:
    """A column that a value may read. Raises ValueError for a name that does not exist or is computed."""
    try:
        found = dimension(name)
    except Exception as error:
        raise ValueError(str(error)) from error
    if not name.startswith(TAG) and (found.column != name or found.kind != "text"):
        raise ValueError(f"{name} is no text column of a charge")
    return found.name


@cache
def kinds() -> dict[str, type[Value]]:
    """The kinds of value by the key that says which it is."""
    return declared(__name__, __path__, "Value")


def parse(written: Any, info: ValidationInfo) -> Value:
    """A value as it is written in a rule. Raises ValueError in words."""
    if isinstance(written, Value):
        return written
    if isinstance(written, str):
        written = {"constant": written}
    return parsed(written, kinds(), "a text, or a mapping", info.context)
