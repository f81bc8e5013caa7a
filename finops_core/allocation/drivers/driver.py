"""What every driver is: its file, the names that stand for consumers, and its answer."""

import pkgutil
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from glob import escape
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import polars
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    model_serializer,
    model_validator,
)

from finops_core.errors import InputRefused, Place

WEIGHT = polars.Decimal(38, 18)
SCHEMA = {"day": polars.Date(), "consumer": polars.String(), "weight": WEIGHT}
IDLE = "__idle__"
"""The consumer of capacity that was paid for and that nobody used, as OpenCost and Kubecost name it."""


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _file_name(text: str) -> str:
    if "/" in text or "\\" in text or text.startswith(".") or not text.isprintable():
        raise ValueError(f"{text!r} is no name of a file in the directory of metrics")
    return text


Text = Annotated[str, AfterValidator(_text)]
FileName = Annotated[Text, AfterValidator(_file_name)]


class FileOfUsageMissing(InputRefused):
    """There is no file that a driver could read."""


class DriverSpec(BaseModel):
    """A driver as the YAML of a pool describes it; its `kind` says which other fields there are.

    Validating a mapping as a DriverSpec gives a driver of its kind, so that a pool has a field `driver: DriverSpec`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    kind: str
    file: FileName
    """A file's name in the directory of metrics; with `*`, every file of such a name."""
    consumers: dict[Text, Text] = {}
    """Name in the file → consumer; a name that ends with * stands for all that begin like it, the longest one first."""

    @model_validator(mode="wrap")
    @classmethod
    def _by_kind(cls, data: Any, handler: ModelWrapValidatorHandler["DriverSpec"]) -> "DriverSpec":
        if cls is not DriverSpec or isinstance(data, DriverSpec):
            return handler(data)
        if not isinstance(data, Mapping) or "kind" not in data:
            raise ValueError(f"a driver needs a `kind`: {', '.join(kinds())}")
        found = kinds().get(str(data["kind"]))
        if found is None:
            raise ValueError(f"there is no driver of kind {data['kind']!r}; known are {', '.join(kinds())}")
        return found.model_validate(data)

    @model_serializer(mode="plain")
    def _as_written(self) -> dict[str, Any]:
        """All fields of its kind, also where the field that holds it is declared as DriverSpec."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def in_words(self) -> str:
        """What is measured, for people."""
        return self.file

    @abstractmethod
    def measured(self, directory: Path, teams: Collection[str] | None = None) -> "Measured":
        """Reads the files. Raises InputRefused with file, row and column."""

    def reads(self, name: str) -> bool:
        """Whether a file of this name would be read; only `*` has a meaning in what names it."""
        return fnmatchcase(name, "*".join(map(escape, self.file.split("*"))))

    def files(self, directory: Path) -> list[Path]:
        """The files, by name. Raises FileOfUsageMissing where there is none."""
        found = (
            sorted(
                f
                for f in directory.glob("*")
                if f.is_file() and not f.name.startswith(".") and self.reads(f.name)
            )
            if "*" in self.file
            else [directory / self.file]
        )
        for file in found:
            if not file.is_file():
                raise FileOfUsageMissing(
                    "there is no such file", Place(self.file), f"Add it: farthing drivers add {self.file}"
                )
        if not found:
            raise FileOfUsageMissing(f"{directory} holds no file of this name", Place(self.file))
        return found


@dataclass(frozen=True)
class Measured:
    """What a driver's files say: `weights` as `drivers.weights` tells them."""

    weights: polars.DataFrame
    unmapped: tuple[str, ...] = ()
    """Names in the files that stand for no consumer; what they used weighs for null."""

    @classmethod
    def of(
        cls, usage: polars.DataFrame, consumers: Mapping[str, str], teams: Collection[str] | None
    ) -> "Measured":
        """From day, name and weight, several rows a day and name."""
        names = usage["name"].unique().sort()
        named = [consumer(name, consumers, teams) for name in names]
        by_name = polars.DataFrame({"name": names, "consumer": polars.Series(named, dtype=polars.String)})
        weights = (
            usage.join(by_name, on="name", how="left", nulls_equal=True)
            .group_by("day", "consumer")
            .agg(polars.col("weight").sum())
            .select(polars.col(name).cast(kind) for name, kind in SCHEMA.items())
            .sort("day", "consumer", nulls_last=True)
        )
        lost = [name or "(none)" for name, found in zip(names, named, strict=True) if found is None]
        return cls(weights, tuple(lost))


def consumer(name: str | None, consumers: Mapping[str, str], teams: Collection[str] | None) -> str | None:
    """Who a name stands for; None for nobody.

    What is mapped is mapped: the exact name, else the longest beginning. Other names are their own consumer if they are
    one of `teams` or of those that names are mapped to, or where neither is given; never names like __unallocated__.
    """
    name = (name or "").strip()
    if name in consumers:
        return consumers[name]
    prefixes = [key for key in consumers if key.endswith("*") and name.startswith(key[:-1])]
    if prefixes and not (name.startswith("__") and max(map(len, prefixes)) == 1):
        return consumers[max(prefixes, key=len)]
    if name == IDLE:
        return IDLE
    if not name or name.startswith("__"):
        return None
    if teams is None and not consumers:
        return name
    return name if name in {*(teams or ()), *consumers.values()} else None


@cache
def kinds() -> dict[str, type[DriverSpec]]:
    """All declared kinds of driver, by name."""
    package = __name__.rpartition(".")[0]
    found: dict[str, type[DriverSpec]] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        declared = getattr(import_module(f"{package}.{module.name}"), "KIND", None)
        if isinstance(declared, type) and issubclass(declared, DriverSpec):
            found[declared.model_fields["kind"].default] = declared
    return dict(sorted(found.items()))
