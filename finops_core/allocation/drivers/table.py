"""A table of usage: a row a day and consumer, several of which add up."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import polars
from pydantic import Field, field_validator

from finops_core.allocation.drivers.driver import WEIGHT, DriverSpec, Measured, Text
from finops_core.allocation.drivers.reading import (
    Chosen,
    Rows,
    column,
    days,
    quantities,
    refuse_days_twice,
    tables,
)
from finops_core.allocation.drivers.spread import spread
from finops_core.errors import InputRefused, Place
from finops_core.ingest.files import Examined


class TableDriver(DriverSpec):
    """A CSV or parquet file with columns for the day, the consumer and a quantity such as terabytes scanned."""

    kind: Literal["table"] = "table"
    day: Text = "date"
    consumer: Text = "team"
    quantity: Text
    where: dict[Text, tuple[str, ...]] = Field({})
    """Column → the value, or the list of values, that a row must have to count."""
    months: bool = False
    """Whether `day` holds months (2026-03): what they hold counts evenly on each of their days."""

    @field_validator("where", mode="before")
    @classmethod
    def _listed(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value if isinstance(value, list | tuple) else (value,) for key, value in data.items()}

    def measured(self, directory: Path, teams: Collection[str] | None = None) -> Measured:
        found = {
            f"{rows.table.name}": self._usage(rows)
            for file in self.files(directory)
            for rows in tables(file, self._choose)
        }
        refuse_days_twice({name: usage["day"] for name, usage in found.items()})
        usage = polars.concat(found.values())
        if usage.is_empty():
            wanted = ", ".join(f"{name}={'|'.join(values)}" for name, values in self.where.items())
            raise InputRefused(f"no row has {wanted}" if wanted else "holds no row", Place(self.file))
        return Measured.of(_by_day(usage) if self.months else usage, self.consumers, teams)

    def _choose(self, table: Examined) -> Chosen:
        asked = {"day": self.day, "name": self.consumer, "weight": self.quantity}
        asked |= {f"where {number}": name for number, name in enumerate(self.where)}
        return {ours: column(table, name) for ours, name in asked.items()}

    def _usage(self, rows: Rows) -> polars.DataFrame:
        holds = polars.lit(True)
        for number, values in enumerate(self.where.values()):
            holds &= polars.col(f"where {number}").fill_null("").is_in([value.strip() for value in values])
        rows = rows.where(holds)
        return polars.DataFrame(
            {
                "day": days(rows, "day", self.months),
                "name": rows.frame["name"].cast(polars.String).fill_null(""),
                "weight": quantities(rows, "weight"),
            }
        )


def _by_day(usage: polars.DataFrame) -> polars.DataFrame:
    """Months as days: what a name used in a month, evenly on each of its days, and exactly so in sum."""
    found: list[tuple[date, str, Decimal]] = []
    for first, name, weight in usage.group_by("day", "name").agg(polars.col("weight").sum()).iter_rows():
        length = monthrange(first.year, first.month)[1]
        parts = spread(weight, [Decimal(1)] * length)
        found += [(first + timedelta(days=n), name, part) for n, part in enumerate(parts)]
    return polars.DataFrame(
        found, {"day": polars.Date, "name": polars.String, "weight": WEIGHT}, orient="row"
    )


KIND = TableDriver
