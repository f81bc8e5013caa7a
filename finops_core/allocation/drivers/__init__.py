"""What shared cost is split by: files of usage by day, read as a weight for each day and consumer.

A kind of driver is one module here that declares `KIND`, a subclass of `DriverSpec`; nothing else lists it.

    spec = DriverSpec.model_validate({"kind": "table", "file": "scanned.csv", "quantity": "tb_scanned"})
    weights(spec, home.metrics)   # day Date, consumer String (null: nobody's), weight Decimal(38,18)
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

import polars

from finops_core.allocation.drivers.driver import (
    IDLE,
    SCHEMA,
    DriverSpec,
    FileOfUsageMissing,
    Measured,
    kinds,
)

__all__ = [
    "IDLE",
    "SCHEMA",
    "DriverSpec",
    "FileOfUsageMissing",
    "Measured",
    "fingerprint",
    "kinds",
    "measured",
    "weights",
]


def weights(spec: DriverSpec, directory: Path, teams: Collection[str] | None = None) -> polars.DataFrame:
    """The weight of each consumer on each day: day (Date, UTC), consumer (String), weight (Decimal(38,18), ≥ 0).

    One row for a day and a consumer, sorted by both. A null consumer is usage that nobody is known for: it weighs like
    any other, so that its share stays unallocated. `IDLE` is the consumer of capacity that nobody used. With `teams`,
    a name that neither the driver maps nor `teams` holds is nobody's. Raises InputRefused with file, row and column.
    """
    return spec.measured(directory, teams).weights


def measured(spec: DriverSpec, directory: Path, teams: Collection[str] | None = None) -> Measured:
    """The weights as `weights` tells them, and the names in the files that stand for no consumer."""
    return spec.measured(directory, teams)


def fingerprint(spec: DriverSpec, directory: Path) -> str:
    """A hash of the names and contents of the driver's files. Raises InputRefused where one cannot be read."""
    found = hashlib.sha256()
    for file in spec.files(directory):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256")
        found.update(file.name.encode() + b"\0" + content.digest())
    return found.hexdigest()
