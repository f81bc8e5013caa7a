"""What a month will come to by its run rate: the complete days so far, and the rest as the weekdays of the last four weeks,
but no less than what is charged for it already."""

from datetime import date, timedelta
from decimal import Decimal

import polars

from finops_core.analysis.cents import total
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.model.span import span

_LOOKED_AT = 28
_PLACES = Decimal("1e-18")
_FIGURES = ("actual", "rest", "forecast", "p10", "p90")


def month_forecast(ledger: Ledger, query: Query, month: date, as_of: date | None = None) -> polars.DataFrame:
    """BillingCurrency, the dimensions, actual (of complete days), rest, forecast (= actual + rest), p10, p90: Decimal.

    Empty for a month that is over. Of a run rate no band is known: p10 and p90 are the forecast. The range of days, the
    grain, order and limit of the query say nothing here; its first metric is meant.
    """
    start = month_start(month)
    end, until = add_months(start, 1), span(ledger).complete_until
    until = min(until, as_of) if as_of is not None else until
    metric, by = query.metrics[0], tuple(query.by)
    keys = [CURRENCY, *by]
    asked = query.but(
        metrics=(metric,), grain="day", start=min(start, until - timedelta(_LOOKED_AT)), end=end, order=None, limit=None
    )  # fmt: skip
    days = ledger.query(asked) if until < end else None
    schema: dict[str, polars.DataType | type[polars.DataType]] = {
        **(
            {key: days.schema[key] for key in keys}
            if days is not None
            else dict.fromkeys(keys, polars.String)
        ),
        **dict.fromkeys(_FIGURES, polars.Decimal(38, 18)),
    }
    if days is None or days.is_empty():
        return polars.DataFrame(schema=schema)
    rows = []
    for key, own in days.partition_by(keys, as_dict=True).items():
        found = {day: cost or Decimal(0) for day, cost in own.select(PERIOD, metric).iter_rows()}
        costs = {day: cost for day, cost in found.items() if day < until}
        actual = total([cost for day, cost in costs.items() if start <= day])
        dated = total([cost for day, cost in found.items() if day >= max(until, start)])
        rest = max(_rest(costs, max(until, start), end, until), dated)
        forecast = total([actual, rest])
        rows.append((*key, actual, rest, forecast, forecast, forecast))
    return polars.DataFrame(rows, schema=schema, orient="row").sort(keys, nulls_last=True)


def _rest(costs: dict[date, Decimal], first: date, end: date, until: date) -> Decimal:
    levels: dict[int, list[float]] = {n: [] for n in range(7)}
    for back in range(1, _LOOKED_AT + 1):
        day = until - timedelta(back)
        levels[day.weekday()].append(float(costs.get(day, 0)))
    means = {n: sum(found) / len(found) for n, found in levels.items()}
    rest = sum(means[(first + timedelta(n)).weekday()] for n in range((end - first).days))
    return Decimal(repr(rest)).quantize(_PLACES)
