"""Puts allocation rules in force: checked, applied to the store, kept as a version, all of it or nothing."""

from collections.abc import Mapping
from typing import Any

from finops_core.allocation import ruleset
from finops_core.allocation.ruleset import RuleSet
from finops_core.errors import UsageError
from finops_core.store import rulesets
from finops_core.store.home import WAIT, Home, full_disk_in_words
from finops_core.store.load import reown, repair
from finops_core.store.ownership import Ownership
from finops_core.store.rulesets import Version
from finops_core.store.state import State


class VersionChanged(UsageError):
    """Somebody else applied rules since a change was begun."""

    def __init__(self, newest: Version) -> None:
        self.newest = newest
        super().__init__(
            f"{newest.author} applied version {newest.number} meanwhile ({newest.reason}): nothing of yours was applied."
            " Look at what changed, then decide again"
        )


def apply(
    home: Home,
    files: Mapping[str, str],
    author: str,
    reason: str,
    details: Mapping[str, Any] | None = None,
    wait: float = WAIT,
    after: int | None = None,
) -> Version:
    """Applies a rule set as the next version, in the store and in state.

    `after` is the number of the version that the change was made from (0 for none): where another one is in force by now,
    nothing is applied.

    The store is built beside the current one, then the version is kept, then the store is swapped in: killed before, the
    old version stands; killed between, the next writer finishes. Raises InputRefused with file and line for rules that
    are malformed, UsageError without author or reason and where nothing changed, and HomeBusy.
    """
    rules = ruleset.parse(files)
    rulesets.refuse_blank(author, reason)
    return _put(
        home, rules, wait, lambda state: rulesets.apply(state, rules.files, author, reason, details), after
    )


def dropped(before: RuleSet, after: RuleSet) -> list[str]:
    """The rules and pools that one rule set had and the next one has not, as `the rule NAME`, `the pool NAME`."""
    kept = {("rule", rule.name) for rule in after.rules} | {("pool", pool.name) for pool in after.pools}
    had = [("rule", rule.name) for rule in before.rules] + [("pool", pool.name) for pool in before.pools]
    return [f"the {kind} {name}" for kind, name in dict.fromkeys(had) if (kind, name) not in kept]


def undo(
    home: Home, number: int, author: str, reason: str, wait: float = WAIT, after: int | None = None
) -> Version:
    """Puts an older version in force again, as a new version. Raises as `apply`, and where there is no such version."""
    rulesets.refuse_blank(author, reason)
    rules = ruleset.parse(rulesets.version(State(home), number).files, applied=True)
    return _put(home, rules, wait, lambda state: rulesets.undo(state, number, author, reason), after)


def _put(home: Home, rules: RuleSet, wait: float, keep: Any, after: int | None = None) -> Version:
    kept: list[Version] = []
    with full_disk_in_words(home.path), home.writing(wait):
        repair(home)
        state = State(home)
        newest = rulesets.in_force(state)
        if after is not None and newest is not None and newest.number != after:
            raise VersionChanged(newest)
        if newest is not None and dict(newest.files) == dict(rules.files):
            raise UsageError(f"nothing changed: version {newest.number} has the same rules")
        ownership = Ownership(rules, (newest.number if newest else 0) + 1, home.metrics)
        ownership.refuse_gaps()
        reown(home, ownership, lambda: kept.append(keep(state)))
    return kept[0]
