"""A home with one incident, or as many as are asked for."""

from datetime import date, timedelta
from pathlib import Path

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

SPIKE = date(2026, 9, 10)


def spiked(folder: Path, *spikes: date) -> Home:
    """Eleven weeks of a steady service of team search, and a day of 900 more, or several."""
    rows, day = [], date(2026, 7, 1)
    while day <= date(2026, 9, 20):
        cost = str((900 if day in (spikes or (SPIKE,)) else 0) + 100 + (day.toordinal() * 7919) % 5)
        following = (day.replace(day=28) + timedelta(4)).replace(day=1)
        rows.append(
            focus_row(
                EffectiveCost=cost,
                BilledCost=cost,
                ChargePeriodStart=f"{day}T00:00:00Z",
                ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
                BillingPeriodStart=f"{day.replace(day=1)}T00:00:00Z",
                BillingPeriodEnd=f"{following}T00:00:00Z",
            )
        )
        day += timedelta(1)
    found = Home(folder / "home")
    load(found, [write_focus(folder / "focus.csv", rows)])
    return found
