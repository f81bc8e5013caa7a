"""Alerts through a local HTTP server: told once a state, retried where they failed, together in digests, and not in a dry run."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from finops_core import Ledger
from finops_core.alerting import checking, rules
from finops_core.alerting.checking import Checked
from finops_core.errors import HomeBusy
from finops_core.store import alerts as kept
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus
from tests.shell import farthing

FRESH = datetime(2026, 9, 6, 12, tzinfo=UTC)
"""Half a day after the only charge's day."""


def late(day: int, hour: int = 7) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=UTC)


class Receiver:
    """A webhook: what it was posted, and the status that it answers with."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.posted.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in self.posted]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("delivery")
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", [focus_row()])], LoadOptions(source="aws"))
    return home


class Desk:
    """A home with rules and a state of its own."""

    def __init__(self, home: Home, state: State) -> None:
        self.home, self.state, self.ledger = home, state, Ledger(home)

    def rules(self, receiver: Receiver, *written: str) -> None:
        text = "\n".join(f"  - {{{rule}}}" for rule in written)
        url = f"channels:\n  hook: {receiver.url}\nroute: {{default: hook}}\n"
        rules.store(self.home, f"{url}rules:\n{text}\n")

    def check(self, now: datetime, **options: Any) -> Checked:
        return checking.check(
            self.ledger, self.state, rules.alert_rules(self.home), "Ada", now=now, **options
        )


@pytest.fixture
def desk(loaded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("FARTHING_STATE", f"sqlite:///{tmp_path / 'state.sqlite'}")
    found = Desk(loaded, State(loaded))
    yield found
    (loaded.rules / rules.FILE).unlink(missing_ok=True)


LATE = "name: Late, kind: freshness, hours: 24, owner: data"


def test_an_alert_is_told_once_a_state_and_again_when_it_comes_back(desk: Desk, receiver: Receiver) -> None:
    desk.rules(receiver, LATE)
    assert desk.check(FRESH).holds
    first = desk.check(late(8))
    assert (first.holds, receiver.titles) == (False, ["[high] Source aws is late for data"])
    posted = receiver.posted[0]
    assert posted["alerts"][0]["figures"] == {"hours": "55", "target_hours": "24"}
    assert (posted["owner"], posted["severity"], posted["source"]) == ("data", "high", "farthing")
    again = desk.check(late(8, 9))
    assert (again.holds, again.deliveries, len(receiver.posted)) == (False, (), 1)
    ended = desk.check(FRESH)
    assert ended.holds
    assert [a.key for a in ended.changes.ended] == ["aws"]
    desk.check(late(9))
    assert len(receiver.posted) == 2
    assert [a.firing for a in kept.alerts(desk.state).values()] == [2]
    last = kept.last_check(desk.state)
    assert last is not None
    assert (last.at, last.standing) == ("2026-09-09T07:00:00Z", 1)


def test_what_stood_before_there_was_a_channel_is_told_when_there_is_one(
    desk: Desk, receiver: Receiver
) -> None:
    rules.store(desk.home, "rules:\n  - {name: Late, kind: freshness, hours: 24}\n")
    assert desk.check(late(8)).deliveries == ()
    desk.rules(receiver, "name: Late, kind: freshness, hours: 24")
    assert [d.message.channel for d in desk.check(late(9), dry=True).deliveries] == ["hook"]
    desk.check(late(9))
    desk.check(late(10))
    assert receiver.titles == ["[high] Source aws is late"]
    assert "79 hours" in receiver.posted[0]["message"]  # as it is now, not as it was when it began


def test_a_failed_delivery_is_shown_and_tried_again(desk: Desk, receiver: Receiver) -> None:
    desk.rules(receiver, LATE)
    receiver.status = 503
    failed = desk.check(late(8))
    assert ["503" in d.error for d in failed.failed] == [True]
    receiver.status = 200
    assert [d.sent for d in desk.check(FRESH).deliveries] == [True]  # although it has ended: nothing is lost
    assert desk.check(FRESH).holds
    assert len(receiver.posted) == 1
    assert [(n.status, n.attempts) for n in kept.history(desk.state)] == [
        ("sent", 2), ("sending", 2), ("failed", 1), ("sending", 1), ("waiting", 0),
    ]  # fmt: skip


def test_a_check_that_dies_while_sending_repeats_one_message(desk: Desk, receiver: Receiver) -> None:
    desk.rules(receiver, LATE)
    real, calls = kept.record_notices, []

    def dies_after_sending(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:  # notices, intent, result
            raise KeyboardInterrupt
        real(*arguments)

    with (
        mock.patch.object(kept, "record_notices", dies_after_sending),
        pytest.raises(KeyboardInterrupt),
    ):
        desk.check(late(8))
    assert [n.status for n in kept.notices(desk.state)] == ["sending"]
    for hour in (8, 9):
        desk.check(late(8, hour))
    assert len(receiver.posted) == 2
    assert receiver.posted[0]["alerts"][0]["id"] == receiver.posted[1]["alerts"][0]["id"]


def test_a_digest_is_one_message_an_owner_and_day(desk: Desk, receiver: Receiver) -> None:
    kind = "kind: freshness, digest: daily, owner"
    desk.rules(
        receiver,
        f"name: A, {kind}: data",
        f"name: B, {kind}: data, severity: critical",
        f"name: C, {kind}: web",
    )
    desk.check(late(8))
    assert receiver.titles == ["[critical] 2 alerts for data", "[high] Source aws is late for web"]
    desk.check(FRESH)
    waits = desk.check(late(8, 20))
    assert (waits.waiting, len(receiver.posted)) == (3, 2)
    desk.check(late(9))
    assert receiver.titles[2:] == receiver.titles[:2]


def test_nothing_is_sent_in_a_dry_run_and_what_is_not_sent_waits(desk: Desk, receiver: Receiver) -> None:
    desk.rules(receiver, LATE, "name: Other, kind: reconciliation")
    dry = desk.check(late(8), dry=True)
    assert [(d.message.channel, d.message.owner, d.sent) for d in dry.deliveries] == [("hook", "data", False)]
    assert (kept.alerts(desk.state), kept.notices(desk.state), receiver.posted) == ({}, [], [])
    assert desk.check(late(8), send=False).waiting == 1
    assert (desk.check(late(8), only="Other").deliveries, receiver.posted) == ((), [])
    assert [d.sent for d in desk.check(late(8)).deliveries] == [True]


def test_many_alerts_of_an_owner_are_one_message_and_a_dead_channel_is_left_alone(
    desk: Desk, receiver: Receiver
) -> None:
    desk.rules(receiver, *(f"name: R{n}, kind: freshness, owner: o{n % 5}" for n in range(5)))
    receiver.status = 500
    errors = [d.error for d in desk.check(late(8)).failed]
    assert ["not tried" in error for error in errors] == [False, False, False, True, True]
    desk.rules(receiver, *(f"name: N{n}, kind: freshness, owner: data" for n in range(6)))
    receiver.status = 200
    desk.check(late(8))
    assert len(receiver.titles) == 6
    assert "[high] 6 alerts for data" in receiver.titles


def test_the_command_line(desk: Desk, receiver: Receiver) -> None:
    desk.rules(receiver, LATE)
    found = farthing(desk.home, "check", "--json")
    told = json.loads(found.stdout)
    assert (found.returncode, told["holds"], told["deliveries"][0]["sent"]) == (1, False, True)
    assert [(a["rule"], a["key"], a["state"], a["new"]) for a in told["alerts"]] == [
        ("Late", "aws", "late", True)
    ]
    assert farthing(desk.home, "check", "--rule", "None such").returncode == 2
    assert "hook sent (1)" in farthing(desk.home, "alerts", "history").stdout
    assert farthing(desk.home, "alerts", "test", "hook").returncode == 0
    assert receiver.titles[-1] == "[test] Farthing"
    desk.rules(receiver, "name: Sums, kind: reconciliation")
    assert (
        farthing(desk.home, "check").returncode,
        farthing(desk.home, "alerts", "test", "no").returncode,
    ) == (0, 2)
    (desk.home.rules / rules.FILE).write_text("rules: [{name: A, kind: none}]")
    assert farthing(desk.home, "check").returncode == 3
    with desk.home.checking(), pytest.raises(HomeBusy), desk.home.checking(wait=0):
        pass
