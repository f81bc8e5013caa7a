"""Exact amounts in bulk: whole numbers of 1e-10 of a currency unit, and the columns that are written from them."""

import numpy
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

UNIT = 10**10
"""Units in one of the currency; ten decimals, as AWS writes them."""
MICRO = 10**6
"""Quantities are whole millionths."""

Ints = NDArray[numpy.int64]
Mask = NDArray[numpy.bool_]


def cost(micro: Ints, rate: object) -> Ints:
    """Quantity times rate, rounded to whole units."""
    worth: Ints = numpy.rint(micro * (numpy.asarray(rate, dtype=numpy.float64) * (UNIT / MICRO))).astype(
        numpy.int64
    )
    return worth


def share(amounts: Ints, factor: float) -> Ints:
    """A part of amounts, rounded to whole units."""
    whole: Ints = numpy.rint(amounts * factor).astype(numpy.int64)
    return whole


def decimals(amounts: Ints, scale: int = 10, where: Mask | None = None) -> pyarrow.Array:
    """Whole numbers as decimals of `scale` places, exactly; null where `where` is false."""
    pairs = numpy.empty((len(amounts), 2), dtype=numpy.int64)
    pairs[:, 0] = amounts
    pairs[:, 1] = amounts >> 63
    array = pyarrow.Array.from_buffers(
        pyarrow.decimal128(38, scale), len(amounts), [None, pyarrow.py_buffer(pairs.tobytes())]
    )
    return array if where is None else pyarrow.compute.if_else(pyarrow.array(where), array, None)


def doubles(amounts: Ints, scale: int = 10, where: Mask | None = None) -> pyarrow.Array:
    """Whole numbers as the doubles nearest to them; their shortest text has the same digits (up to fifteen)."""
    return pyarrow.array(amounts / float(10**scale), mask=None if where is None else ~where)


def text(amount: int) -> str:
    """An amount in units as a plain decimal, without trailing zeros."""
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    return f"{sign}{size // UNIT}.{size % UNIT:010d}".rstrip("0").rstrip(".")
