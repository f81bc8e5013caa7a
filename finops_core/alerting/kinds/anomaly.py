"""Cost that is other than expected, until somebody has contained or closed it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlencode

from finops_core.alerting.alert import Alert, Kind, Situation
from finops_core.alerting.rule import Days, Names, Rule, Severity, Where
from finops_core.analysis import triaging
from finops_core.analysis.incidents import Incident, account_names
from finops_core.analysis.incidents.incident import SEVERITIES
from finops_core.analysis.triaging import Triaged
from finops_core.model.query import conditions


class AnomalyRule(Rule):
    """Incidents of a severity and above that are open, and going on or first seen in the last days."""

    severity: Severity = "high"
    """The least that is told."""
    owners: Names = ()
    """Only theirs; by default everybody's."""
    days: Days = 7
    where: Where = ()
    """Only incidents with charges that fulfil these."""


def find(rule: AnomalyRule, situation: Situation) -> Iterator[Alert]:
    """An alert an incident."""
    since = situation.span.complete_until - timedelta(rule.days)
    least = SEVERITIES.index(rule.severity)
    wanted = [
        found
        for found in triaging.triaged(situation.ledger, situation.state)
        if found.is_open
        and SEVERITIES.index(found.incident.severity) >= least
        and (found.incident.ongoing or found.incident.first_seen >= since)
        and (not rule.owners or found.owner in rule.owners)
        and _concerns(rule, situation, found.incident)
    ]
    if situation.who and wanted:
        triaging.record_raised(situation.state, wanted, situation.who)
    accounts = account_names(situation.ledger) if wanted else {}
    for found in wanted:
        yield _alert(triaging.explained(situation.ledger, found), accounts)


def _concerns(rule: AnomalyRule, situation: Situation, incident: Incident) -> bool:
    query = incident.query()
    return (
        not rule.where
        or not situation.ledger.query(query.but(where=(*conditions(query.where), *rule.where))).is_empty()
    )


def _alert(found: Triaged, accounts: Mapping[str, str]) -> Alert:
    incident = found.incident
    place = incident.called(accounts)
    return Alert(
        key=incident.key,
        state="open",
        severity=incident.severity,
        owner=found.owner,
        subject=f"{place}: {incident.kind}",
        sentence=f"{place}: {incident.sentence}",
        link=f"/anomalies?{urlencode({'incident': incident.key})}",
        figures={"expected": incident.expected, "actual": incident.actual, "impact": incident.impact},
        currency=incident.currency,
    )


KIND = Kind("anomaly", "An open incident of a severity and above", AnomalyRule, find)
