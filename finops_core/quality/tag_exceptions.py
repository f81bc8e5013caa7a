"""Charges that need not carry a tag, for a reason and until a day: who answers for it is kept with it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from finops_core.errors import UsageError
from finops_core.quality.tag_policy import check_condition
from finops_core.store import audit
from finops_core.store.state import State
from finops_core.vocabulary.conditions import Condition, Node

KIND = "tag exception"
MADE, REPLACED, REMOVED = "tag exception made", "tag exception replaced", "tag exception removed"
"""What the audit log calls these."""


@dataclass(frozen=True)
class TagException:
    """What is excepted. Raises UsageError for a condition or a date that cannot be read, or a missing owner or reason."""

    name: str
    where: str
    """A condition, in the language of `farthing query --where`."""
    owner: str
    reason: str
    until: str
    """The last day on which it holds, ISO 8601; afterwards the charges count again."""
    keys: tuple[str, ...] = ()
    """The required keys that it is about; all, where there is none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        for field in ("name", "owner", "reason"):
            if not getattr(self, field).strip():
                raise UsageError(f"an exception needs a{'n' * (field == 'owner')} {field}")
        if len(self.name) > 100:
            raise UsageError("the name of an exception has at most 100 characters")
        try:
            date.fromisoformat(self.until)
        except ValueError:
            raise UsageError(f"{self.until!r} is no date: write 2026-12-31") from None
        _ = self.condition

    @property
    def condition(self) -> Node:
        """What it excepts."""
        return Condition.parse(self.where)

    def holds(self, today: date) -> bool:
        """Whether it is in force."""
        return today <= date.fromisoformat(self.until)

    def concerns(self, key: str) -> bool:
        """Whether it is about a required key."""
        return not self.keys or key in self.keys


def exceptions(state: State) -> list[TagException]:
    """All exceptions that were not taken back, those that have expired among them, by name."""
    return [TagException(**kept.record) for kept in state.kept(KIND).values()]


def in_force(found: Iterable[TagException], today: date | None = None) -> tuple[TagException, ...]:
    """Those that have not expired; `today` defaults to the clock (UTC)."""
    day = today or datetime.now(UTC).date()
    return tuple(exception for exception in found if exception.holds(day))


def except_charges(state: State, exception: TagException, who: str) -> None:
    """Keeps an exception, with its entry in the audit log; one of the same name is replaced. Raises UsageError for values that
    nothing can be compared with, and without who."""
    check_condition(exception.condition)
    record = asdict(exception)
    with state.writing() as connection:
        action = REPLACED if exception.name in state.kept(KIND, connection) else MADE
        state.keep(KIND, {exception.name: record}, who, connection)
        told = {**record, "keys": list(exception.keys)}
        audit.append(state, action, f"{KIND} {exception.name}", who, exception.reason, told, connection)


def remove(state: State, name: str, who: str) -> None:
    """Takes an exception back, with its entry in the audit log. Raises UsageError where there is none of the name, and without
    who."""
    with state.writing() as connection:
        if name not in state.kept(KIND, connection):
            raise UsageError(f"there is no exception {name!r}")
        state.keep(KIND, {name: None}, who, connection)
        audit.append(state, REMOVED, f"{KIND} {name}", who, connection=connection)
