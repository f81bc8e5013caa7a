"""Forecasts of daily cost: plain series in, means and bands out; nothing here knows of a store."""

from finops_core.analysis.forecasting.engine import Forecast, Grain, forecast, paths

__all__ = ["Forecast", "Grain", "forecast", "paths"]
