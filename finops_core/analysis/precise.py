"""Columns of numbers with twice the digits of DOUBLE (about 31), for quotients that Decimal columns cannot hold.

Each number is the unevaluated sum of two DOUBLEs (Dekker 1971, Knuth: TwoSum, TwoProduct), so that whole columns are
reckoned at once and come out exact to the 12th digit after the point and beyond.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy
import polars

Floats = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

MONEY = polars.Decimal(38, 18)
PLACES = 12
"""Digits after the point that an effect is rounded to."""
_SIGNIFICANT = 15
"""Decimal digits that a DOUBLE always holds."""
_LARGEST_EXACT_POWER = 22
"""10 to this power is the last that a DOUBLE holds exactly."""
_SPLITTER = 2.0**27 + 1
_BEYOND = 1e20
"""The first number that DECIMAL(38,18) cannot hold."""


@dataclass(frozen=True)
class Precise:
    """A column: `high + low`, where `low` is less than half a unit in the last place of `high`."""

    high: Floats
    low: Floats

    @classmethod
    def of_money(cls, column: polars.Series) -> "Precise":
        """A DECIMAL(38,18) column without nulls."""
        units = column.cast(MONEY).to_physical()
        high = units.cast(polars.Float64)
        low = (units - high.cast(polars.Int128)).cast(polars.Float64)
        return cls(*_renormalised(high.to_numpy(), low.to_numpy())) / cls.of(1e18)

    @classmethod
    def of_quantity(cls, column: polars.Series) -> "Precise":
        """A DOUBLE column as the decimals that it is written as, of 15 significant digits: 0.1 is a tenth."""
        value = column.cast(polars.Float64).to_numpy()
        size = numpy.abs(numpy.where(value == 0, 1.0, value))
        order = numpy.ceil(numpy.log10(size))
        order -= numpy.power(10.0, order) > size  # a logarithm is rounded, up to the next power for 999.999…
        places = numpy.clip(_SIGNIFICANT - 1 - order, -_LARGEST_EXACT_POWER, _LARGEST_EXACT_POWER)
        up, down = numpy.power(10.0, numpy.maximum(places, 0)), numpy.power(10.0, numpy.maximum(-places, 0))
        digits = numpy.rint(value * up / down)
        return cls.of(digits) * cls.of(down) / cls.of(up)

    @classmethod
    def of(cls, value: "Floats | float") -> "Precise":
        """DOUBLEs as they are; one stands for a whole column."""
        high = numpy.asarray(value, numpy.float64)
        return cls(high, numpy.zeros_like(high))

    def __neg__(self) -> "Precise":
        return Precise(-self.high, -self.low)

    def __add__(self, other: "Precise") -> "Precise":
        high, error = _sum(self.high, other.high)
        low, rest = _sum(self.low, other.low)
        high, error = _renormalised(high, error + low)
        return Precise(*_renormalised(high, error + rest))

    def __sub__(self, other: "Precise") -> "Precise":
        return self + -other

    def __mul__(self, other: "Precise") -> "Precise":
        high, error = _product(self.high, other.high)
        return Precise(*_renormalised(high, error + (self.high * other.low + self.low * other.high)))

    def __truediv__(self, other: "Precise") -> "Precise":
        first = self.high / other.high
        rest = self - other * Precise.of(first)
        return Precise(*_renormalised(first, rest.high / other.high))

    def where(self, holds: "numpy.ndarray[Any, numpy.dtype[numpy.bool_]]") -> "Precise":
        """The numbers where something holds, else 0."""
        return Precise(numpy.where(holds, self.high, 0.0), numpy.where(holds, self.low, 0.0))

    def money(self) -> polars.Series:
        """As DECIMAL(38,18), rounded to 12 digits after the point; null where that cannot hold the number."""
        with numpy.errstate(invalid="ignore"):
            fits = numpy.abs(self.high) < _BEYOND - 1
        units = self.where(fits) * Precise.of(10.0**PLACES)
        whole = numpy.rint(units.high)
        rest = numpy.rint((units.high - whole) + units.low)
        rounded = polars.Series(whole).cast(polars.Int128) + polars.Series(rest).cast(polars.Int128)
        unit = polars.lit(Decimal(1).scaleb(-PLACES), polars.Decimal(38, PLACES))
        found = polars.DataFrame({"units": rounded, "fits": fits}).select(
            polars.when("fits").then((polars.col("units").cast(polars.Decimal(38, 0)) * unit).cast(MONEY))
        )
        return found.to_series()


def _sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The sum, and what rounding took from it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _renormalised(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The same sum in two parts that do not overlap, where b is the smaller."""
    total = a + b
    return total, b - (total - a)


def _halves(a: Floats) -> tuple[Floats, Floats]:
    scaled = a * _SPLITTER
    high = scaled - (scaled - a)
    return high, a - high


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The product, and what rounding took from it."""
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
