"""The audit log: a chain that shows whatever was done to it, and that two writers never fork."""

import multiprocessing
import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, insert, select, update

from finops_core.cli import app
from finops_core.errors import CheckFailed, UsageError
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.state import State
from finops_core.store.tables import AUDIT


@pytest.fixture
def log(home: Home) -> State:
    state = State(home)
    for number in range(1, 6):
        audit.append(state, "rules applied", f"rules {number % 2}", "ada", f"reason {number}", {"n": number})
    return state


def _tamper(home: Home, *statements: object) -> None:
    with create_engine(f"sqlite:///{home.state}").begin() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def test_entries_are_read_back_newest_first_and_chained(home: Home, log: State) -> None:
    found = audit.entries(State(home))
    assert [(e.id, e.who, e.reason, e.details) for e in found[:2]] == [
        (5, "ada", "reason 5", {"n": 5}),
        (4, "ada", "reason 4", {"n": 4}),
    ]
    assert [later.previous_hash for later in found] == [*(e.hash for e in found[1:]), audit.BEGINNING]
    assert [e.id for e in audit.entries(log, subject="rules 0")] == [4, 2]
    assert [e.id for e in audit.entries(log, action="rules applied", limit=1)] == [5]
    assert audit.entries(log, action="nothing") == []
    assert audit.verify(log) == []
    assert audit.verify(log, audit.Head.parse(str(audit.head(log)))) == []


def _moved(home: Home) -> list[object]:
    """Entries 2 and 4 in each other's place, hashes and all."""
    with create_engine(f"sqlite:///{home.state}").connect() as connection:
        rows = {r["id"]: dict(r) for r in connection.execute(select(AUDIT)).mappings()}
    swapped = [{**rows[2], "id": 4}, {**rows[4], "id": 2}]
    return [delete(AUDIT).where(AUDIT.c.id.in_([2, 4])), *(insert(AUDIT).values(**row) for row in swapped)]


@pytest.mark.parametrize("column", ["at", "who", "action", "subject", "reason", "details", "hash"])
def test_an_edited_entry_is_found(home: Home, log: State, column: str) -> None:
    _tamper(
        home, update(AUDIT).where(AUDIT.c.id == 3).values({column: '{"n":4}' if column == "details" else "x"})
    )
    assert audit.verify(log)[0] == 3


def test_an_entry_edited_together_with_its_hash_is_found_at_the_next(home: Home, log: State) -> None:
    with log.reading() as connection:
        row = dict(connection.execute(select(AUDIT).where(AUDIT.c.id == 3)).mappings().one())
    forged = {**row, "who": "eve"}
    forged["hash"] = audit._hash({name: value for name, value in forged.items() if name != "hash"})
    _tamper(home, update(AUDIT).where(AUDIT.c.id == 3).values(**forged))
    assert audit.verify(log) == [4]


def test_a_removed_entry_and_moved_ones_are_found(home: Home, log: State) -> None:
    _tamper(home, *_moved(home))
    assert audit.verify(log) == [2, 3, 4, 5]
    _tamper(home, *_moved(home))
    assert audit.verify(log) == []
    _tamper(home, delete(AUDIT).where(AUDIT.c.id == 3))
    assert audit.verify(log) == [4]
    _tamper(home, delete(AUDIT).where(AUDIT.c.id == 1))
    assert audit.verify(log) == [2, 4]


def test_a_cut_off_tail_is_found_by_a_head_that_was_kept_elsewhere(home: Home, log: State) -> None:
    kept = audit.head(log)
    _tamper(home, delete(AUDIT).where(AUDIT.c.id >= 4))
    assert audit.verify(log) == []
    assert audit.verify(log, kept) == [5]
    audit.append(log, "rules applied", "rules", "eve")
    audit.append(log, "rules applied", "rules", "eve")
    assert audit.verify(log) == []
    assert audit.verify(log, kept) == [5]


def _append(home: Path, count: int) -> None:
    state = State(Home(home))
    for number in range(count):
        audit.append(state, "rules applied", "rules", f"process {os.getpid()}", str(number))


def test_processes_that_append_at_once_make_one_chain(home: Home) -> None:
    State(home)
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=_append, args=(home.path, 25)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = audit.entries(State(home))
    assert [e.id for e in found] == list(range(50, 0, -1))
    assert len({e.who for e in found}) == 2
    assert audit.verify(State(home)) == []


def test_an_entry_belongs_to_the_transaction_of_its_change(home: Home, log: State) -> None:
    with pytest.raises(RuntimeError), log.writing() as connection:
        log.keep("note", {"a": {"b": "c"}}, "ada", connection)
        audit.append(log, "note kept", "a", "ada", connection=connection)
        assert log.kept("note", connection)["a"].record == {"b": "c"}
        raise RuntimeError
    assert log.kept("note") == {}
    assert audit.head(log).id == 5


@pytest.mark.parametrize(("action", "who"), [("", "ada"), (" ", "ada"), ("rules applied", " ")])
def test_who_and_what_are_needed(home: Home, action: str, who: str) -> None:
    with pytest.raises(UsageError, match="who did it"):
        audit.append(State(home), action, "rules", who)
    with pytest.raises(UsageError, match="no head"):
        audit.Head.parse("5:abc")


def test_the_command_tells_a_broken_log(home: Home, log: State, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[str, str]:
        app(["--home", str(home.path), "audit-log", *words], standalone_mode=False)
        return capsys.readouterr()

    listed, _ = run("--limit", "1")
    assert listed.startswith("5  20") and "rules applied, rules 1: reason 5" in listed
    _, held = run("--verify", "--head", str(audit.head(log)))
    assert str(audit.head(log)) in held
    _tamper(home, update(AUDIT).where(AUDIT.c.id == 2).values(reason="another"))
    with pytest.raises(CheckFailed, match="broken: entry 2: edited") as failed:
        run("--verify", "--json")
    assert failed.value.exit_code == 1
    assert '"broken": [\n    2\n  ]' in capsys.readouterr().out
