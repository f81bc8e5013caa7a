"""How a source restates its newest days: which share of their final cost was there when they were first loaded.

It is learned from the versions of the lake: a month that was loaded again later says what its last days were then, and what
they became.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import duckdb

from finops_core.errors import FarthingError
from finops_core.store.batches import Batch
from finops_core.store.home import Home
from finops_core.store.lake import Lake, lake_relation

AGES = 4
"""How many of the newest days of a load are looked at."""
_MONTHS, _LOADS = 3, 10
"""How many of the last months of a source, and loads of each, are read."""
_SETTLED = timedelta(3)
"""A day is final in a load that reaches so much further."""


def usual_shares(home: Home, batches: Iterable[Batch]) -> dict[str, dict[int, float]]:
    """Source → age of a day in days (0: the newest of its load) → share of its final cost that was there, 0 to 1.

    A source of which no month was loaded twice while it ran is not in it. `batches` are all loads, oldest first.
    """
    loads: dict[tuple[str, str], list[Batch]] = {}
    for batch in batches:
        if batch.action in ("added", "replaced") and batch.newest:
            loads.setdefault((batch.source, batch.billing_period), []).append(batch)
    lake = Lake(home.lake)
    found: dict[str, dict[int, float]] = {}
    for source in sorted({source for source, _ in loads}):
        months = sorted(month for of, month in loads if of == source and len(loads[of, month]) > 1)
        sums: dict[int, list[float]] = {}
        for month in months[-_MONTHS:]:
            _add(lake, (source, month), loads[source, month][-_LOADS:], sums)
        shares = {age: early / final for age, (early, final) in sorted(sums.items()) if final > 0}
        if shares:
            found[source] = {age: min(1.0, max(0.0, share)) for age, share in shares.items()}
    return found


def _add(lake: Lake, month: tuple[str, str], loads: list[Batch], sums: dict[int, list[float]]) -> None:
    """Adds, by age, what days cost in loads, and what they cost in the last."""
    last = loads[-1]
    for load in loads[:-1]:
        settled = _day(last.newest) - _SETTLED
        newest = _day(load.newest)
        days = [newest - timedelta(age) for age in range(AGES) if newest - timedelta(age) <= settled]
        if not days:
            continue
        early, final = (
            _costs(lake, month, version, min(days)) for version in (load.lake_version, last.lake_version)
        )
        for day in days:
            if day in early or day in final:
                held = sums.setdefault((newest - day).days, [0.0, 0.0])
                held[0] += early.get(day, 0.0)
                held[1] += final.get(day, 0.0)


def _costs(lake: Lake, month: tuple[str, str], version: int, since: date) -> dict[date, float]:
    """The cost of use by day of a month in a version of the lake; nothing where it cannot be read any more."""
    try:
        rows = lake_relation(lake.files(version, {month}))
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone='UTC'")
            found = connection.execute(
                f"SELECT CAST(ChargePeriodStart AS DATE) AS day, CAST(sum(EffectiveCost) AS DOUBLE) FROM {rows}"
                " WHERE ChargeCategory = 'Usage' AND CAST(ChargePeriodStart AS DATE) >= ? GROUP BY day",
                [since],
            ).fetchall()
    except (FarthingError, duckdb.Error):
        return {}
    return dict(found)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
