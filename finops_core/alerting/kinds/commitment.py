"""Commitments that are paid for and not used."""

from collections.abc import Iterator
from decimal import Decimal

from finops_core.alerting.alert import Alert, Kind, Situation, link
from finops_core.alerting.rule import Days, Percent, Rule, Severity, Where
from finops_core.model import words
from finops_core.model.engine import CURRENCY
from finops_core.model.query import Condition, Query

_ID, _STATUS = "CommitmentDiscountId", "CommitmentDiscountStatus"


class CommitmentRule(Rule):
    """Utilisation = Σ EffectiveCost (Used) ÷ Σ EffectiveCost (Used + Unused), of each commitment over the last complete days."""

    below: Percent = Decimal(90)
    days: Days = 7
    severity: Severity = "warning"
    owner: str = ""
    """Who looks after commitments."""
    where: Where = ()


def find(rule: CommitmentRule, situation: Situation) -> Iterator[Alert]:
    """An alert a commitment."""
    start, end = situation.last_days(rule.days)
    status = Condition(_STATUS, "in", ("Used", "Unused"))
    query = Query("EffectiveCost", by=[_ID, _STATUS], where=(*rule.where, status), start=start, end=end)
    sides: dict[tuple[str, str | None], dict[str, Decimal]] = {}
    for row in situation.ledger.query(query).iter_rows(named=True):
        sides.setdefault((row[CURRENCY], row[_ID]), {})[row[_STATUS]] = row["EffectiveCost"]
    for (currency, commitment), cost in sorted(sides.items(), key=str):
        used, unused = cost.get("Used", Decimal(0)), cost.get("Unused", Decimal(0))
        if used + unused <= 0 or used * 100 >= rule.below * (used + unused):
            continue
        utilisation = used / (used + unused)
        own = Condition(_ID, "is null") if commitment is None else Condition(_ID, "=", (commitment,))
        shown = query.but(
            by=(_STATUS,), grain="day", where=(Condition(CURRENCY, "=", (currency,)), status, own)
        )
        yield Alert(
            key=f"{currency}/{commitment or '(none)'}",
            state=f"below {rule.below.normalize():f} %",
            severity=rule.severity,
            owner=rule.owner,
            subject=f"Commitment used {words.percent(utilisation)}: {(commitment or '(none)').rpartition('/')[2]}",
            sentence=f"Commitment {commitment or '(none)'} was used {words.percent(utilisation)} from {start} until {end}, below "
            f"{rule.below.normalize():f} %: {words.money(unused, currency)} of {words.money(used + unused, currency)} were idle",
            link=link("explorer", shown),
            figures={"used": used, "unused": unused, "utilisation": utilisation},
            currency=currency,
        )


KIND = Kind("commitment", "A commitment whose utilisation is below a share", CommitmentRule, find)
