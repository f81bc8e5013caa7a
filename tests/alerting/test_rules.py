"""alerts.yaml: what is taken, and what is refused with its line; channels keep their secrets."""

import pytest

from finops_core.alerting import channels, rules
from finops_core.alerting.kinds import kinds
from finops_core.alerting.rules import parse, shipped_text
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from tests.shell import farthing

WHOLE = """
app: https://farthing.example.com/
channels:
  finops: ${SLACK_URL}
  web: json://localhost:8080/hook?+Authorization=Bearer%20s3cr3t
  mail: mailto://bot:${FARTHING_ALERT_MAIL}@example.com
route:
  default: finops
  owners: {web: [web, mail]}
rules:
  - {name: Late, kind: freshness, hours: 30, targets: {gcp: 72}, owner: data}
  - name: Idle commitments
    kind: commitment
    below: 85.5
    where: ServiceName^=Amazon
    digest: weekly
    route: {default: mail}
    enabled: no
"""


def test_a_file_is_read() -> None:
    found = parse(WHOLE)
    late, idle = found.rules
    assert (found.app, late.name, idle.enabled, idle.digest) == (
        "https://farthing.example.com",
        "Late",
        False,
        "weekly",
    )
    assert [found.channels_of(late, owner) for owner in ("web", "data")] == [("web", "mail"), ("finops",)]
    assert found.channels_of(idle, "web") == ("mail",)
    assert {rule.kind for rule in parse(shipped_text()).rules} <= set(kinds())


def test_secrets_are_not_shown(home: Home) -> None:
    shown = {name: channels.masked(url) for name, url in parse(WHOLE).channels.items()}
    assert shown == {
        "finops": "${SLACK_URL}",
        "web": "json://localhost:8080/…",
        "mail": "mailto://… with FARTHING_ALERT_MAIL",
    }
    assert channels.masked("slack://TokenA/TokenB/TokenC/#cost") == "slack://…"
    assert channels.send("${NOT_SET_URL}", "t", "b", "info", {}).error == (
        "the environment variable NOT_SET_URL is not set"
    )
    rules.store(home, WHOLE)
    told = farthing(home, "alerts", "list", "--json")
    assert (told.returncode, "s3cr3t" in told.stdout) == (0, False)


RULE = "rules:\n  - name: A\n    kind: anomaly\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "is empty"),
        ("- 1\n", 1, "valid dictionary"),
        ("rules:\n  - {name: A\n", 3, "no YAML"),
        ("rules: 3\n", 1, "valid list"),
        ("rules:\n- just words\n", 2, "valid dictionary"),
        ("chanels: {}\n", 1, "there is no such field"),
        (f"{RULE}    threshhold: 3\n", 4, "threshhold: there is no such field"),
        (f"{RULE}    severity: dreadful\n", 4, "severity"),
        (f"{RULE}    days: 0\n", 4, "days"),
        (f"{RULE}    days: 5\n    days: 6\n", 5, "written twice"),
        (f"{RULE}    digest: hourly\n", 4, "digest"),
        (f"{RULE}    enabled: perhaps\n", 4, "enabled"),
        (f"{RULE}    where: Gold=1\n", 4, "there is no dimension 'Gold'"),
        (f"{RULE}    where: [ServiceName matches (a+)+b]\n", 4, "repeats a repetition"),
        (f"{RULE}    where: ServiceName matches (\n", 4, "no regular expression"),
        (f"{RULE}    where: Day>=never\n", 4, "where"),
        (f"{RULE}    route: {{default: nowhere}}\n", 4, "there is no channel 'nowhere'"),
        (f"{RULE}  - name: A\n    kind: freshness\n", 4, "there are two rules 'A'"),
        ("rules:\n  - name: A\n    kind: horoscope\n", 3, "no kind of rule; known are anomaly, budget"),
        ("rules:\n  - name: A\n", 2, "no kind of rule"),
        ("rules:\n  - kind: freshness\n", 2, "name"),
        ("rules:\n  - {name: A, kind: tags, below: 120}\n", 2, "below"),
        ("rules:\n  - name: A\n    kind: new\n    by: Gold\n", 4, "there is no dimension"),
        ("rules:\n  - name: A\n    kind: budget\n    actual: [50, much]\n", 4, "actual.2"),
        ("channels:\n  a: nothing at all\n", 2, "is no URL"),
        ("channels:\n  a: gopher://host\n", 2, "cannot read this gopher:// URL"),
        ("channels:\n  a: syslog://\n", 2, "is no URL of a channel"),
        ("channels:\n  a: json://evil/${DB_PASSWORD}\n", 2, "within a URL only variables"),
        ("channels:\n  a: $SLACK_URL\n", 2, "written ${NAME}"),
        ("app: javascript:alert(1)\n", 1, "address of the app"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(home: Home, text: str, line: int | None, words: str) -> None:
    with pytest.raises(InputRefused) as refused:
        rules.store(home, text)
    assert refused.value.place is not None
    assert (refused.value.place.line, refused.value.place.file) == (line, "alerts.yaml")
    assert words in str(refused.value)
    assert not home.rules.exists()
