"""Saved views: named links with an owner and a description, kept in state, and as YAML between homes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.state import State

_KIND = "saved view"
_PAGE = re.compile(r"[a-z][a-z0-9-]*|")
Params = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class SavedView:
    """A page with the parameters of its URL, by a name that is its own."""

    name: str
    page: str = ""
    """The page's path, such as `explorer`; empty for the Overview."""
    params: dict[str, str | list[str]] = field(default_factory=dict)
    owner: str = ""
    description: str = ""
    pinned: bool = False
    """Whether the Overview shows it."""

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 100:
            raise UsageError("a saved view needs a name of at most 100 characters")
        if not _PAGE.fullmatch(self.page):
            raise UsageError(f"{self.page!r} is no page")

    @property
    def url(self) -> str:
        """The path and query of the view."""
        query = urlencode(self.params, doseq=True)
        return f"/{self.page}" + (f"?{query}" if query else "")


def saved_views(state: State) -> list[SavedView]:
    """All saved views, by name."""
    return [SavedView(**kept.record) for kept in state.kept(_KIND).values()]


def save(state: State, view: SavedView, who: str) -> None:
    """Keeps a view; one of the same name is replaced."""
    state.keep(_KIND, {view.name: asdict(view)}, who)


def remove(state: State, name: str, who: str) -> None:
    """Takes a view back. Raises UsageError where there is none of the name."""
    if name not in state.kept(_KIND):
        raise UsageError(f"there is no saved view {name!r}")
    state.keep(_KIND, {name: None}, who)


class _Written(BaseModel):
    """A view as YAML has it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(min_length=1, max_length=100)
    page: str = ""
    params: dict[str, str | list[str]] = {}
    owner: str = ""
    description: str = ""
    pinned: bool = False


def to_yaml(views: Iterable[SavedView]) -> str:
    """The views as YAML, which `from_yaml` reads back."""
    return yaml.safe_dump(
        {"views": [asdict(view) for view in views]}, sort_keys=False, allow_unicode=True, width=110
    )


def from_yaml(text: str, name: str = "views.yaml") -> list[SavedView]:
    """The views of a YAML text. Raises InputRefused naming the entry and field that is wrong; then none counts."""
    place = Place(name)
    try:
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputRefused(f"no YAML: {' '.join(str(error).split())[:200]}", place) from error
    entries = found.get("views") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise InputRefused(
            "holds no list `views`", place, "Export one from the page of saved views to see its form"
        )
    views: list[SavedView] = []
    for number, entry in enumerate(entries, start=1):
        try:
            views.append(SavedView(**_Written.model_validate(entry).model_dump()))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the entry"
            raise InputRefused(f"view {number}: {where}: {first['msg']}", place) from error
        except UsageError as error:
            raise InputRefused(f"view {number}: {error}", place) from error
    names = [view.name for view in views]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputRefused(
            f"the name {twice[0]!r} stands for two views", place, "Give each a name of its own"
        )
    return views


def load_views(state: State, views: Iterable[SavedView], who: str) -> None:
    """Keeps views, all or none."""
    state.keep(_KIND, {view.name: asdict(view) for view in views}, who)
