"""What the indicators of the scorecard should reach, and who answers for them, where somebody has said otherwise than shipped."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from finops_core.errors import UsageError
from finops_core.store.state import State

KIND = "kpi"


@dataclass(frozen=True)
class KpiTarget:
    """Of an indicator: its target in its own unit (a share is 0 to 1), and its owner; empty for the shipped one."""

    target: Decimal | None = None
    owner: str = ""


def targets(state: State) -> Mapping[str, KpiTarget]:
    """Indicator → what was set."""
    return {
        name: KpiTarget(
            Decimal(kept.record["target"]) if kept.record["target"] else None, kept.record["owner"]
        )
        for name, kept in state.kept(KIND).items()
    }


def keep(state: State, name: str, wanted: KpiTarget, who: str) -> None:
    """Sets the target and owner of an indicator, in place of earlier ones."""
    told = format(wanted.target, "f") if wanted.target is not None else ""
    state.keep(KIND, {name: {"target": told, "owner": wanted.owner.strip()}}, who)


def typed(text: str) -> Decimal | None:
    """A target as a person types it: `90 %` or `0.9`, `72`; nothing is the shipped one. Raises UsageError."""
    plain = text.strip()
    if not plain:
        return None
    try:
        value = Decimal(plain.rstrip("%").strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UsageError(f"{text!r} is no target: write 90 %, 0.9, or hours such as 72")
    return value / 100 if plain.endswith("%") else value
