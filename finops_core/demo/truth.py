"""What a correct reader must find in the demo company's exports: truth.json beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from finops_core.demo.estate import Account, Shape, accounts, shapes
from finops_core.demo.incidents import INCIDENTS, Incident
from finops_core.demo.money import text
from finops_core.demo.seasons import Month
from finops_core.demo.totals import MonthTotals
from finops_core.demo.waste import EXPLAINED, planted
from finops_core.demo.writing import write_json

Written = Mapping[str, Mapping[str, MonthTotals]]
"""Folder → month → totals."""
CURRENCIES = {"aws": "USD", "azure": "EUR", "gcp": "USD", "observa": "USD"}
SOURCES = {name: f"demo-{name}" for name in CURRENCIES}
"""Folder → the source that it is loaded as: no name that somebody's own spend would have."""
_PROVIDERS = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}
_METERS = {"aws": "usage_type", "azure": "meter", "gcp": "sku"}


def write_truth(
    path: Path, written: Written, months: Sequence[Month], scale: float, seed: int, restated: Month | None
) -> None:
    """Totals by source and month, real owners, the incidents and what they cost, and the month that was restated."""
    write_json(
        path,
        {
            "company": "Marlow & Finch",
            "months": [m.label for m in months],
            "scale": scale,
            "seed": seed,
            "restated": restated
            and {"source": SOURCES["aws"], "billing_period": restated.label, "versions": 2},
            "totals": {SOURCES[name]: _totals(name, found) for name, found in written.items()},
            "owners": {SOURCES[name]: _owners(found) for name, found in written.items()},
            "waste": {"planted": planted(), "explained": EXPLAINED},
            "incidents": [record for i in INCIDENTS if (record := _incident(i, written, scale))],
        },
    )


def _totals(name: str, found: Mapping[str, MonthTotals]) -> dict[str, Any]:
    return {
        label: {
            "currency": CURRENCIES[name],
            "rows": t.rows,
            "BilledCost": text(t.billed),
            "EffectiveCost": text(t.effective),
        }
        for label, t in found.items()
    }


def _owners(found: Mapping[str, MonthTotals]) -> dict[str, Any]:
    """EffectiveCost by the team that really owns it; (shared) is what belongs to none."""
    return {
        label: {team or "(shared)": text(amount) for team, amount in sorted(t.teams.items())}
        for label, t in found.items()
    }


def _incident(incident: Incident, written: Written, scale: float) -> dict[str, Any] | None:
    """An incident as far as it lies in what was written; None where it does not."""
    found = [
        t.incidents[incident.key] for t in written[incident.provider].values() if incident.key in t.incidents
    ]
    if not found:
        return None
    shape = next(s for s in shapes(incident.provider) if s.key == incident.workload)
    account = accounts(_PROVIDERS[incident.provider])[shape.account]
    return {
        "key": incident.key,
        "kind": incident.kind,
        "series": _series(incident, shape, account),
        "team": incident.team,
        "start": incident.start.isoformat(),
        "end": incident.end.isoformat(),
        "fixed": incident.fixed,
        "metric": "EffectiveCost",
        "currency": CURRENCIES[incident.provider],
        "amount": text(sum(found)),
        "cause": incident.cause,
    }


def _series(incident: Incident, shape: Shape, account: Account) -> dict[str, str]:
    """The cut of the store in which the incident shows."""
    return {
        "x_Source": SOURCES[incident.provider],
        "SubAccountId": account.account_id,
        "x_UsageType": shape[_METERS[incident.provider]],
    }
