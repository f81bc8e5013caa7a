"""An incident in one sentence, as a person would say it, and what was brought out before it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from finops_core.analysis.incidents.contributing import Parts
from finops_core.analysis.incidents.incident import ACCOUNT, Incident
from finops_core.model import words
from finops_core.store.deployments import Deployment

BEFORE, LEAK = timedelta(3), timedelta(7)
"""How long before an incident its cause is looked for; before a slow leak, whose first days nobody can tell from others, longer."""
_NAMED = 0.6
"""A member is named as the place of an incident that has this share of it."""
_PLACES = (("RegionId", "in {}"), (ACCOUNT, "account {}"))


def near(deployments: Iterable[Deployment], incident: Incident) -> list[Deployment]:
    """What the owner brought out from some days before an incident to its first day, newest first."""
    own, start = incident.owner.casefold(), incident.start
    since = start - (LEAK if incident.kind == "slow leak" else BEFORE)
    found = [d for d in deployments if own and d.team.casefold() == own and since <= d.day <= start]
    return sorted(found, reverse=True)


def likely(found: Sequence[Deployment], start: date) -> Deployment | None:
    """The last one before the incident's first day began, in production if there is one; else the first of that day."""
    before = [d for d in found if d.day < start]
    chosen = before or list(reversed(found))
    live = [d for d in chosen if d.environment.casefold() in ("", "prod", "production")]
    return next(iter(live or chosen), None)


def lead(deployment: Deployment, start: date) -> str:
    """`7 hours before`, `2 days before`, `the same day`: against the beginning of the incident's first day, in UTC."""
    begun = datetime(start.year, start.month, start.day, tzinfo=UTC)
    hours = (begun - datetime.fromisoformat(deployment.deployed_at)).total_seconds() / 3600
    if hours < 0:
        return "the same day"
    if hours < 36:
        count = max(1, round(hours))
        return f"{words.counted(count, 'hour')} before"
    return f"{round(hours / 24)} days before"


def sentence(
    incident: Incident, parts: Parts, deployment: Deployment | None, accounts: Mapping[str, str]
) -> str:
    """`expected 410 ± 35 USD a day, was 1,220; 97 % from NAT gateway bytes in eu-west-1, account shop-prod, since 14 October;
    deployment cart 2.31 2 hours before`. `accounts`: the names of accounts."""
    days = (incident.end - incident.start).days + 1
    band = f" ± {_whole(incident.spread)}" if incident.spread else ""
    usual, was = _whole(incident.expected / days), _whole(incident.actual / days)
    told = f"expected {usual}{band} {incident.currency} a day, was {was}"
    told += f"; {_place(parts, incident.series, accounts)}, {_days(incident)}"
    if incident.rate:
        return f"{told}; at list prices it costs what it did: a commitment or a discount ended"
    if deployment is not None:
        told += f"; deployment {deployment.in_words()} {lead(deployment, incident.start)}"
    return told


def _place(parts: Parts, series: str, accounts: Mapping[str, str]) -> str:
    """`97 % from NAT gateway bytes in eu-west-1, account shop-prod`."""
    named: list[tuple[str, str]] = []
    kept = parts
    meter = parts.meter()
    for dimension, how in ((meter, "from {}"), *_PLACES):
        top = next(kept.of(dimension).iter_rows(), None)
        if top is None or not top[0] or parts.share(top[1]) < _NAMED:
            continue
        name = accounts.get(top[0], top[0]) if dimension == ACCOUNT else top[0]
        named.append((dimension, how.format(name)))
        kept = Parts(kept.changes.filter(kept.changes[dimension] == top[0]), parts.actual)
    if not named:
        return series
    share = words.percent(Decimal(str(min(1.0, parts.share(kept.impact)))))
    where = [text for name, text in named if name != ACCOUNT]
    account = [text for name, text in named if name == ACCOUNT]
    told = ", ".join([" ".join(where), *account] if where else account)
    return f"{share} {told}" if named[0][0] == meter else f"{share} {'of it ' + told}"


def _days(incident: Incident) -> str:
    start, end = incident.start, incident.end
    if incident.ongoing:
        return f"since {start.day} {start:%B}"
    if start == end:
        return f"on {start.day} {start:%B}"
    return f"from {start.day} {start:%B} to {end.day} {end:%B}"


def _whole(value: Decimal) -> str:
    """Without decimals from 10 up."""
    return f"{value:,.0f}".replace("-", words.MINUS) if abs(value) >= 10 else words.amount(value)
