"""The name of a watched series: its currency, the dimensions of its cut, and its member of each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


def prefix(currency: str) -> str:
    """How the names of a currency's series begin."""
    return f"[{json.dumps(currency, ensure_ascii=False)}, "


@dataclass(frozen=True)
class Series:
    """A series of the hierarchy."""

    currency: str
    dimensions: tuple[str, ...]
    members: tuple[str | None, ...]

    @cached_property
    def id(self) -> str:
        """As text, for the detector; `read` gives the series back."""
        return json.dumps([self.currency, self.dimensions, self.members], ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Series":
        currency, dimensions, members = json.loads(text)
        return cls(currency, tuple(dimensions), tuple(members))

    @property
    def cut(self) -> str:
        """The dimensions in words."""
        return " × ".join(self.dimensions) or "total"

    def in_words(self) -> str:
        """`web × AmazonEC2`, or `total`."""
        return " × ".join(member or "(none)" for member in self.members) or "total"

    def narrowed(self, dimensions: Sequence[str]) -> "Series":
        """The series of some of its dimensions."""
        own = dict(zip(self.dimensions, self.members, strict=True))
        return Series(self.currency, tuple(dimensions), tuple(own[name] for name in dimensions))
