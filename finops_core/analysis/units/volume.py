"""How much of a cost follows its units, and how much is there whatever they are."""

from dataclasses import dataclass

import numpy
import polars

from finops_core.analysis.units.measured import UnitCosts

_LEAST_DAYS = 28
_MOST_DAYS = 400
_EXPLAINS = 0.3
"""The share of the variation of daily cost that units must explain for the split to be shown."""


@dataclass(frozen=True)
class Volume:
    """The cost of a day is about `fixed` + `variable` × units; `explained` is the share of its median deviation so told, 0 to 1."""

    fixed: float
    variable: float
    explained: float
    days: int

    def fixed_share(self, units: float) -> float:
        """The share of a day's cost that is fixed, at so many units."""
        whole = self.fixed + self.variable * units
        return self.fixed / whole if whole > 0 else 0.0


def volume(daily: UnitCosts, currency: str, member: str | None = None) -> Volume | None:
    """The split of a daily table, by the medians of slopes (Theil and Sen), which outliers do not move.

    None where there are fewer than 28 days, or units explain too little of the cost to say.
    """
    rows = daily.table.filter(
        (polars.col("BillingCurrency") == currency)
        & polars.col("member").eq_missing(polars.lit(member, polars.String))
        & (polars.col("units") > 0)
    ).tail(_MOST_DAYS)
    if len(rows) < _LEAST_DAYS:
        return None
    units = rows["units"].cast(polars.Float64).to_numpy()
    cost = (rows["cost"] - rows["unmeasured"]).cast(polars.Float64).to_numpy()
    first, second = numpy.triu_indices(len(units), 1)
    apart = units[second] - units[first]
    far = numpy.abs(apart) > 1e-9 * numpy.abs(units).max()
    if not far.any():
        return None
    slope = float(numpy.median((cost[second] - cost[first])[far] / apart[far]))
    level = float(numpy.median(cost - slope * units))
    if slope <= 0 or level < 0:
        return None
    spread = float(numpy.median(numpy.abs(cost - numpy.median(cost))))
    left = float(numpy.median(numpy.abs(cost - level - slope * units)))
    explained = 1.0 - left / spread if spread > 0 else 0.0
    return Volume(level, slope, explained, len(units)) if explained >= _EXPLAINS else None
