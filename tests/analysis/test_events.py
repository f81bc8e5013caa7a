"""Events: those that a question is about, and those before a cost moved."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from finops_core import Ledger, Query
from finops_core.analysis.events import Event, concerned, events, onsets
from finops_core.store.deployments import Deployment
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

START, MOVED = date(2026, 8, 20), date(2026, 9, 14)
RELEASE = Deployment("2026-09-13T16:40:00Z", "checkout", "shop", "prod", "7", "Log level")
OTHERS = (
    Deployment("2026-09-13T09:00:00Z", "search", "finder", "prod", "3"),
    Deployment("2026-09-10T09:00:00Z", "checkout", "shop", "staging", "6"),
)
TOLD = events([RELEASE, *OTHERS])


def charge(day: date, service: str, team: str, cost: str) -> dict[str, str]:
    end = date(day.year, day.month + 1, 1)
    return focus_row(
        ServiceName=service,
        EffectiveCost=Decimal(cost),
        BilledCost=Decimal(cost),
        BillingPeriodStart=f"{day.replace(day=1)}T00:00:00Z",
        BillingPeriodEnd=f"{end}T00:00:00Z",
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
        Tags=f'{{"team": "{team}"}}',
    )


def ledger(tmp_path: Path) -> Ledger:
    days = [START + timedelta(n) for n in range((date(2026, 10, 1) - START).days)]
    rows = []
    for day in days:
        weekend = day.weekday() > 4
        rows.append(charge(day, "Logs", "checkout", f"{(5 if weekend else 10) + 40 * (day >= MOVED)}"))
        rows.append(charge(day, "Logs", "search", "30"))
        # one day that stands out alone is a fee, and no onset
        rows.append(charge(day, "Support", "search", "900" if day.day == 1 else "9"))
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "a.csv", rows)])
    return Ledger(home)


def test_what_was_brought_out_before_a_member_moved(tmp_path: Path) -> None:
    query = Query("EffectiveCost", by=["ServiceName"], start="2026-09-01", end="2026-10-01")
    found = onsets(ledger(tmp_path), query, TOLD)
    assert list(found) == [("Logs",)]
    onset = found[("Logs",)]
    assert (onset.day, onset.team, onset.rise) == (MOVED, "checkout", True)
    assert [event.text for event in onset.events] == ["shop 7, prod (Log level)"]
    assert (
        onset.in_words()
        == "1 deployment of checkout in the 3 days up to 14 September: shop 7, prod (Log level) on 13 September"
    )
    assert onsets(Ledger(ledger(tmp_path / "again").home), query, []) == {}


def test_a_question_leaves_out_the_events_of_others() -> None:
    def texts(*where: str, **more: str) -> list[str]:
        query = Query("EffectiveCost", where=where, **{"start": "2026-09-01", "end": "2026-10-01", **more})
        return [event.text for event in concerned([*TOLD, Event(MOVED, "rules")], query)]

    assert texts() == ["shop 6, staging", "finder 3, prod", "shop 7, prod (Log level)", "rules"]
    assert texts("x_Team=Checkout") == ["shop 6, staging", "shop 7, prod (Log level)", "rules"]
    assert texts("x_Team=checkout", "x_Environment in prod,dev") == ["shop 7, prod (Log level)", "rules"]
    assert texts("x_Application!=shop", start="2026-09-11") == ["finder 3, prod", "rules"]
