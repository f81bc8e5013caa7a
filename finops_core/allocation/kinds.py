"""Kinds that modules declare: each is known by the key that its mapping in the YAML begins with."""

import importlib
import pkgutil
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo

Model = TypeVar("Model", bound=BaseModel)
APPLIED: Mapping[str, bool] = {"applied": True}
"""As the context of a validation: the text is in force, or was, and means what it meant when it was applied."""


_NOTHING = ("null", "Null", "NULL", "~")
"""How YAML writes that there is nothing; all scalars are text here, so an owner would be called so."""


def is_applied(info: ValidationInfo) -> bool:
    """Whether a text is read that was applied before: a notation that is refused today was perhaps taken then."""
    return info.context == APPLIED


def readable(text: str, info: ValidationInfo) -> str:
    """A name that people read. Raises ValueError for a character that nobody sees: two names would look like one."""
    if not is_applied(info) and (unseen := _unseen(text)):
        raise ValueError(
            f"{text[:60]!r} has a character that nobody sees (U+{ord(unseen):04X}): leave it away"
        )
    return text


def owner_name(text: str, info: ValidationInfo) -> str:
    """The name of an owner, as people write it. Raises ValueError for what is none."""
    if is_applied(info):
        return text
    if not text.strip():
        raise ValueError("is blank: an owner has a name")
    if text in _NOTHING:
        raise ValueError(f"{text} is no name of an owner: leave it away where nobody is meant")
    return readable(text, info)


def _unseen(text: str) -> str | None:
    """The first character that nobody sees; joiners (U+200C, U+200D) are seen in scripts that join letters."""
    for before, sign in zip(" " + text, text, strict=False):
        joins = sign in "\u200c\u200d" and not before.isascii()
        if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") and not joins:
            return sign
    return None


def declared(package: str, path: Iterable[str], name: str) -> dict[str, Any]:
    """What the modules of a package declare by a name, by their KEY."""
    found = [importlib.import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(path)]
    return {module.KEY: getattr(module, name) for module in found}


def parsed(
    written: Any, kinds: Mapping[str, type[Model]], hint: str, context: Mapping[str, bool] | None = None
) -> Model:
    """A mapping as the kind that one of its keys names. Raises ValueError in words; `hint` says what can be written."""
    if not isinstance(written, dict):
        raise ValueError(f"write {hint} with one of {', '.join(kinds)}")
    kind = next((kind for key, kind in kinds.items() if key in written), None)
    if kind is None:
        raise ValueError(f"has none of {', '.join(kinds)}, but {', '.join(map(str, written)) or 'nothing'}")
    try:
        return kind.model_validate(written, context=context)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        words = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            words = "there is no such field here"
        raise ValueError(f"{field}: {words}" if field else words) from error


def one_or_more(written: Any) -> Any:
    """A text alone as a list of one; lists become tuples, which can be compared and hashed."""
    return (
        (written,) if isinstance(written, str) else tuple(written) if isinstance(written, list) else written
    )
