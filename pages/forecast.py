"""What the coming months will cost: the forecast with its band, by member, under a scenario; and how good forecasts were."""

from ui import bar, forecast, forecast_accuracy, forecast_scenarios, kit

page = kit.page(
    "Forecast",
    group="x_Team",
    period="6-months",
    parts=bar.Parts(period=False, grain=False, display=False),
)
shown = forecast.Forecasting(page)
shown.answer()
shown.figures()
shown.choice()
shown.chart()
shown.table()
shown.assumptions()
forecast_scenarios.show(shown)
forecast_accuracy.show(shown)
