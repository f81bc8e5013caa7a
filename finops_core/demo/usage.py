"""How much every resource uses on every day of a month: a matrix, vectorised, the same for the same seed."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from finops_core.demo.estate import Shape
from finops_core.demo.incidents import Incident, extra_level
from finops_core.demo.money import MICRO, Ints
from finops_core.demo.seasons import Floats, Month, factors

_WORKLOAD_NOISE = 0.025
_RESOURCE_NOISE = 0.04


@dataclass(frozen=True)
class Usage:
    """Resources in rows, days of the month in columns. `micro` is in millionths of the workload's unit."""

    shape: Ints
    """Index of each resource's workload."""
    number: Ints
    """Number of the resource within its workload."""
    micro: Ints
    usual: Ints
    """What would have been used without the incidents."""


def generator(seed: int, part: str, month: Month) -> numpy.random.Generator:
    """Random numbers of a part and month alone: a month is the same however many are asked for."""
    return numpy.random.default_rng([seed, zlib.crc32(part.encode()), month.number])


def use(
    shapes: Sequence[Shape], month: Month, scale: float, seed: int, incidents: Sequence[Incident], part: str
) -> Usage:
    """The usage of a month."""
    random = generator(seed, part, month)
    level = factors([(s.profile, s.growth) for s in shapes], month.days)
    level = level * (1 + _WORKLOAD_NOISE * random.standard_normal(level.shape).clip(-3, 3))
    level *= numpy.array([s.count * scale for s in shapes])[:, None]
    extra = extra_level(shapes, month, level, scale, incidents)
    raised = level + extra if extra.any() else level
    sizes = [
        _size(s, n, scale) for s, n in zip(shapes, numpy.maximum(level, raised).max(axis=1), strict=True)
    ]
    shape = numpy.repeat(numpy.arange(len(shapes)), sizes)
    number = numpy.concatenate([numpy.arange(size) for size in sizes])
    noise = 1 + _RESOURCE_NOISE * random.standard_normal((len(shape), len(month.days))).clip(-3, 3)
    weights = _weights(shapes, sizes)
    fleet = numpy.array([s.kind == "fleet" for s in shapes])[shape]
    quantity = numpy.array([s.quantity for s in shapes])[shape]

    def micro(levels: Floats) -> Ints:
        # A fleet starts as many resources as it needs, the last one for a part of the day.
        running = (levels[shape] - number[:, None]).clip(0, 1)
        metered = levels[shape] * weights[:, None] * noise
        used = numpy.where(fleet[:, None], running, metered.clip(0)) * quantity[:, None]
        whole: Ints = numpy.rint(used * MICRO).astype(numpy.int64)
        return whole

    usual = micro(level)
    return Usage(shape, number, usual if raised is level else micro(raised), usual)


def _size(shape: Shape, most: float, scale: float) -> int:
    return int(numpy.ceil(most)) if shape.kind == "fleet" else max(1, round(shape.count * scale))


def _weights(shapes: Sequence[Shape], sizes: Sequence[int]) -> Floats:
    """The share of each resource in its meter: a few are large, most are small."""
    parts = [1 / numpy.arange(1, size + 1) ** 0.7 for size in sizes]
    return numpy.concatenate([p / p.sum() for p in parts])
