"""alerts.yaml: the channels, who is told through which, and the rules. Text in, typed data out."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from finops_core.alerting.channels import checked
from finops_core.alerting.kinds import kinds
from finops_core.alerting.rule import Name, Route, Rule
from finops_core.alerting.rule import Written as Model
from finops_core.allocation import written
from finops_core.allocation.written import Written
from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.state import State

FILE = "alerts.yaml"
_LONGEST = 1 << 20


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(c.isspace() for c in text):
        raise ValueError("is the address of the app, such as https://farthing.example.com")
    return text.rstrip("/")


class _File(Model):
    """All of alerts.yaml, the rules as they are written."""

    app: Annotated[str, AfterValidator(_address)] | None = None
    """The address of the app, before links."""
    channels: dict[Name, Annotated[str, AfterValidator(checked)]] = Field(default_factory=dict)
    """Name → an Apprise URL; it may name environment variables."""
    route: Route = Route()
    """For the rules that have none of their own."""
    rules: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class AlertRules:
    """What is in force."""

    rules: tuple[Rule, ...]
    channels: dict[str, str]
    route: Route
    app: str = ""
    shipped: bool = False
    """Whether they are those that come with Farthing."""

    def channels_of(self, rule: Rule, owner: str) -> tuple[str, ...]:
        """The names of the channels that tell an owner what a rule finds."""
        return (rule.route or self.route).channels(owner)

    def named(self, name: str) -> Rule:
        """The rule of a name. Raises UsageError naming the known ones."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise UsageError(
            f"there is no rule {name!r}; known are {', '.join(r.name for r in self.rules) or 'none'}"
        )


def parse(text: str, name: str = FILE) -> AlertRules:
    """Checks a file of rules. Raises InputRefused with file, line and field for the first thing that is wrong."""
    if len(text) > _LONGEST:
        raise InputRefused(f"is longer than {_LONGEST:,} characters", Place(name))
    found = written.read(text, name)
    if found.data in (None, ""):
        raise InputRefused(
            "is empty: write `rules`, or remove the file to go back to those that come along", Place(name)
        )
    file = found.validated(_File)
    rules = tuple(_rule(found, number) for number in range(len(file.rules)))
    _refuse_twins(rules, found)
    _refuse_unknown_channels(file, rules, found)
    return AlertRules(rules, dict(file.channels), file.route, file.app or "")


@cache
def shipped_text() -> str:
    """The rules that are in force where nobody has written any."""
    return resources.files("finops_core.alerting").joinpath(FILE).read_text("utf-8")


def text_of(home: Home) -> tuple[str, bool]:
    """The rules in force as text, and whether they are the shipped ones. Raises InputRefused for a file that cannot be read."""
    file = home.rules / FILE
    try:
        return file.read_text("utf-8-sig"), False
    except FileNotFoundError:
        return shipped_text(), True
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"cannot be read: {error}", Place(str(file))) from error


def alert_rules(home: Home) -> AlertRules:
    """The rules in force: HOME/rules/alerts.yaml, else the shipped ones. Raises InputRefused."""
    text, is_shipped = text_of(home)
    found = parse(text, str(home.rules / FILE))
    return AlertRules(found.rules, found.channels, found.route, found.app, is_shipped)


def store(home: Home, text: str) -> AlertRules:
    """Puts rules in force, whole or not at all. Raises InputRefused for what is wrong with them; then nothing changes."""
    found = parse(text)
    try:
        home.rules.mkdir(parents=True, exist_ok=True)
        beside: Path = home.rules / f".{FILE}.new"
        beside.write_text(text, "utf-8")
        beside.replace(home.rules / FILE)
    except OSError as error:
        raise InputRefused(f"cannot be written: {error.strerror}", Place(str(home.rules / FILE))) from error
    return found


def put_in_force(home: Home, state: State, text: str, who: str) -> AlertRules:
    """As `store`, with an entry in the audit log."""
    found = store(home, text)
    details = {"rules": len(found.rules), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    audit.append(state, "put in force", "alert rules", who, details=details)
    return found


def _rule(found: Written, number: int) -> Rule:
    """One rule, judged by the fields of its kind, with its own lines."""
    at: tuple[Hashable, ...] = ("rules", number)
    data = found.data["rules"][number]
    known = kinds()
    if data.get("kind") not in known:
        raise InputRefused(
            f"rules.{number + 1}.kind: {data.get('kind') or 'nothing'!r} is no kind of rule; known are {', '.join(known)}",
            found.place((*at, "kind")),
        )
    lines = {path[2:]: line for path, line in found.lines.items() if path[:2] == at}
    rule: Rule = Written(found.name, data, lines).validated(known[data["kind"]].rule)
    return rule


def _refuse_twins(rules: tuple[Rule, ...], found: Written) -> None:
    names: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in names:
            raise InputRefused(f"there are two rules {rule.name!r}", found.place(("rules", number, "name")))
        names.add(rule.name)


def _refuse_unknown_channels(file: _File, rules: tuple[Rule, ...], found: Written) -> None:
    routes: list[tuple[tuple[Hashable, ...], Route | None]] = [(("route",), file.route)]
    routes += [(("rules", number, "route"), rule.route) for number, rule in enumerate(rules)]
    for path, route in routes:
        for name in route.named() if route is not None else ():
            if name not in file.channels:
                known = ", ".join(file.channels) or "none"
                raise InputRefused(f"there is no channel {name!r}; known are {known}", found.place(path))
