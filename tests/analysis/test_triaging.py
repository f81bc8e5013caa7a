"""Triage: which steps there are, what they teach the detector, how long things took, and a summary whose figures are the query's."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from finops_core import Ledger
from finops_core.analysis import triaging
from finops_core.analysis.incidents import Incident
from finops_core.analysis.incidents.incident import Contributor
from finops_core.analysis.incidents.series_names import Series
from finops_core.analysis.triaging import Triaged
from finops_core.errors import InputRefused, UsageError
from finops_core.store import deployment_files
from finops_core.store import triage as kept
from finops_core.store.home import Home
from finops_core.store.state import State
from finops_core.store.triage import Step, Triage
from tests.shell import farthing
from tests.spiked import SPIKE, spiked


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return spiked(tmp_path_factory.mktemp("triage"))


def incident(key: str = "k", **changes: object) -> Incident:
    money = Decimal(100)
    found = Incident(
        key, "x_Team", ("x_Team",), ("search",), "USD", SPIKE, SPIKE, SPIKE, False, "up", "spike",
        money, money * 2, money, money, "high", 2.0, "search",
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def test_a_summary_holds_together_whatever_was_typed() -> None:
    steps = (
        Step(
            "k", "acknowledged", note="a *loop*\n\n## <b>not</b> a | heading", link="https://t/1_2", who="ann"
        ),
    )
    part = Contributor("x_UsageType", "BoxUsage", Decimal(90), 0.9)
    text = triaging.summary(Triaged(incident(contributors=(part,)), Triage(steps)))
    assert "acknowledged. a \\*loop\\* ## \\<b\\>not\\</b\\> a \\| heading (<https://t/1_2>)\n" in text
    assert "\n- <https://t/1_2>\n" in text
    assert "\n- Usage type BoxUsage: 90 USD (90%)\n" in text


def test_an_incident_is_called_by_the_names_of_its_accounts() -> None:
    own = incident(dimensions=("SubAccountId", "ServiceName"), members=("111", "Amazon S3"))
    names = {"111": "shop-prod", "222": "shop-dev", "search": "an account of that id"}
    assert own.called(names) == "shop-prod × Amazon S3" and own.called({}) == own.place == "111 × Amazon S3"
    assert (
        incident(without=(Series("USD", ("SubAccountId",), ("222",)),)).called(names)
        == "search without shop-dev"
    )
    assert own.member_series.members == ("111", "Amazon S3")


@with_settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(kept.STATES), st.sampled_from(("", *kept.CAUSES))), max_size=5))
def test_only_steps_that_are_allowed_are_taken(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    state = State(Home(tmp_path_factory.mktemp("steps")))
    taken = Triage()
    for to, cause in steps:
        forward = to in kept.allowed(taken.state) or to == taken.state
        if forward and not (to == kept.EXPLAINED and not (cause or taken.cause)):
            taken = kept.move(state, "k", to, who="me", cause=cause)
            assert taken.state == to
        else:
            with pytest.raises(UsageError, match=r"can become|explained as what"):
                kept.move(state, "k", to, who="me", cause=cause)
        assert kept.triage(state).get("k", Triage()) == taken


def test_what_triage_teaches_has_bounds() -> None:
    expected, real = (Triage((Step("k", "explained", cause=c),)) for c in ("expected", "waste"))
    (name,) = triaging.learned([(incident(), expected)])
    assert triaging.learned([(incident(), expected)]) == {name: 1.5}
    assert triaging.learned([(incident(), expected)] * 9) == {name: 4.0}
    assert triaging.learned([(incident(), real)] * 9) == {name: 0.5}
    assert triaging.learned([(incident(), expected), (incident(), real)]) == {}


def test_times_are_medians() -> None:
    def told(raised: str, done: str = "") -> Triaged:
        steps = (Step("k", "contained", at=done),) if done else ()
        return Triaged(incident(raised), Triage(steps), raised)

    found = [
        told("2026-09-10T08:00:00Z", "2026-09-11T08:00:00Z"),
        told("2026-09-10T12:00:00Z", "2026-09-10T18:00:00Z"),
        told("2026-09-10T09:00:00Z"),
    ]
    arrived = {t.incident.key: "2026-09-10T06:00:00Z" for t in found}
    assert triaging.times(found, arrived) == triaging.Times(3.0, 15.0, 3, 2)
    assert triaging.times([], {}) == triaging.Times(None, None, 0, 0)
    assert str(found[2].due) == "2026-09-11 09:00:00+00:00" and found[0].due is None


def test_an_incident_is_taken_through_its_states(home: Home, tmp_path: Path) -> None:
    (told,) = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    assert (told["state"], told["start"], told["owner"]) == ("open", str(SPIKE), "search")
    key = told["key"]
    assert farthing(home, "triage", key[:6], "--state", "acknowledged", "--owner", "ann").returncode == 0
    done = farthing(home, "triage", key, "--state", "explained", "--cause", "error", "--note", "a loop")
    assert done.stdout == f"{key} is explained as error\n"
    refused = farthing(home, "triage", key, "--state", "acknowledged")
    assert refused.returncode == 2 and "explained can become contained or closed" in refused.stderr
    for link in ("javascript:alert(1)", "tracker/1", "https://a b"):
        refused = farthing(home, "triage", key, "--link", link)
        assert refused.returncode == 2 and f"'{link}' is no link: write https://" in refused.stderr
    (told,) = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    assert (told["state"], told["cause"], told["owner"]) == ("explained", "error", "ann")
    text = farthing(home, "postmortem", key).stdout
    asked = farthing(
        home,
        "query",
        "--metric",
        "EffectiveCost",
        "--from",
        str(SPIKE),
        "--to",
        "2026-09-11",
        "--format",
        "csv",
    )
    assert (
        f"| Actual | {asked.stdout.split(',')[-1].strip()} USD |" in text
        and "explained as error. a loop" in text
    )


def test_what_was_announced_is_not_raised(home: Home) -> None:
    ledger, state = Ledger(home), State(home)
    number = farthing(
        home,
        "announce",
        "add",
        "Sale",
        "--from",
        "2026-09-09",
        "--through",
        "2026-09-12",
        "--where",
        "x_Team=search",
    ).stdout
    assert triaging.triaged(ledger, state) == []
    assert farthing(home, "announce", "end", number.strip()).returncode == 0
    assert len(triaging.triaged(ledger, state)) == 1
    for words, said in (
        (("--from", "2026-09-12", "--through", "2026-09-09"), "before the first"),
        (("--from", "2026-13-01", "--through", "2026-09-09"), "is no date"),
        (("--from", "2026-09-01", "--through", "2026-09-09", "--where", "nonsense"), "nonsense"),
    ):
        ran = farthing(home, "suppress", "add", "why", *words)
        assert ran.returncode == 2 and said in ran.stderr


def test_releases_are_deployments() -> None:
    github = [{"tag_name": "v2", "name": "Cart 2", "published_at": "2026-09-09T20:00:00Z", "draft": False,
               "html_url": "https://github.com/acme/cart/releases/tag/v2"}, {"tag_name": "v3", "draft": True}]  # fmt: skip
    (found,) = deployment_files.read(json.dumps(github).encode(), "releases.json", team="checkout")
    assert found.in_words() == "cart v2, prod (Cart 2)" and (found.team, found.day) == (
        "checkout",
        date(2026, 9, 9),
    )
    gitlab = {"tag_name": "v1", "name": "v1", "released_at": "2026-09-09T23:30:00.000-02:00",
              "_links": {"self": "https://gitlab.com/acme/cart/-/releases/v1"}}  # fmt: skip
    (found,) = deployment_files.read(json.dumps(gitlab).encode(), "release.json")
    assert (found.application, found.change, found.deployed_at) == ("cart", "", "2026-09-10T01:30:00Z")
    for data, words in (
        (b"[]", "no list of deployments"),
        (b"[{}]", "row 1, column 'deployed_at'"),
        (b'[{"deployed_at": "2026-09-09T20:00:00Z"}]', "row 1: names neither"),
        (b"{", "no JSON"),
    ):
        with pytest.raises(InputRefused, match=words):
            deployment_files.read(data, "x.json")
