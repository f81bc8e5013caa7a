"""How well the money is planned: forecasts, budgets."""

from decimal import Decimal

from finops_core.analysis.forecasts import accuracy, forecast_of
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.reporting.scorecard.kpi import DOWN, RATIO, SHARE, UP, Kpi, Values
from finops_core.reporting.situation import METRIC, Situation


def _forecast(found: Situation) -> Values:
    """1 − WAPE of what was said a month ahead, of all months up to this one; where nothing is kept yet, and for the newest month alone, of
    forecasts made again from the days before each."""
    until = min(found.period.end, month_start(found.span.complete_until))
    told = accuracy.told(found.ledger, found.state, METRIC, until)
    if "WAPE" not in told.columns:
        if until < month_start(found.span.complete_until):
            return {}
        told = accuracy.backtested(forecast_of(found.ledger, Query(METRIC), 1))
    ahead = told.filter(told["ahead"] == 1)
    return {
        row["BillingCurrency"]: 1 - Decimal(str(row["WAPE"]))
        for row in ahead.iter_rows(named=True)
        if row["WAPE"] is not None
    }


def _budget(found: Situation) -> Values:
    """How far cost is off all budgets together."""
    told: Values = {}
    for currency in found.span.currencies:
        own = [s for s in found.account.statuses if s.currency == currency and s.metric == METRIC]
        plan = sum((s.budget for s in own), Decimal(0))
        came = sum((s.forecast if s.forecast is not None else s.actual for s in own), Decimal(0))
        if plan > 0:
            told[currency] = came / plan - 1
    return told


def _unit_cost(found: Situation) -> Values:
    """The change of unit cost against three months before, weighed by cost."""
    told = found.known.unit_months
    sums: dict[str, list[Decimal]] = {}
    for (metric, code, month), (rate, cost) in told.items():
        past, _ = told.get((metric, code, add_months(found.month, -3)), (None, None))
        if month == found.month and rate is not None and past:
            own = sums.setdefault(code, [Decimal(0), Decimal(0)])
            own[0] += cost * (rate / past - 1)
            own[1] += cost
    return {code: change / cost for code, (change, cost) in sums.items() if cost}


KPIS = (
    Kpi(
        "forecast-accuracy", "Forecast accuracy", "1 − WAPE of the forecasts that were kept a month ahead; before there are any, of forecasts made again from earlier days", SHARE, UP, Decimal("0.9"), "Finance",
        "forecast", _forecast, 60,
    ),
    Kpi(
        "budget-variance", "Above budget", "Cost (of a running month its forecast) ÷ all budgets − 1", RATIO, DOWN, Decimal("0.05"),
        "Finance", "budgets", _budget, 70,
    ),
    Kpi(
        "unit-cost", "Unit cost, 3 months on", "The change of cost per unit of all metrics against three months before, weighed by cost", RATIO, DOWN,
        Decimal(0), "Engineering", "units", _unit_cost, 80,
    ),
)  # fmt: skip
