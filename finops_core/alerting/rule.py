"""What all rules have in common, as it is written in alerts.yaml."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from finops_core.allocation.kinds import one_or_more
from finops_core.allocation.patterns import pattern
from finops_core.errors import FarthingError
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not, conditions

IMMEDIATE: Literal["immediate"] = "immediate"
DAILY: Literal["daily"] = "daily"
WEEKLY: Literal["weekly"] = "weekly"
Severity = Literal["info", "warning", "high", "critical"]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
Names = Annotated[tuple[Name, ...], BeforeValidator(one_or_more)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Days = Annotated[int, Field(ge=1, le=366)]


def _conditions(written: Any) -> tuple[Node, ...]:
    """Conditions as in queries. Raises ValueError, for a pattern that could take for ever too."""
    try:
        found = conditions(written)
        for node in found:
            _check(node)
    except FarthingError as error:
        raise ValueError(str(error)) from error
    except (TypeError, AttributeError) as error:
        raise ValueError("is a condition such as ServiceName=A, or a list of conditions") from error
    return found


def _check(node: Node) -> None:
    if isinstance(node, Not):
        _check(node.part)
    elif isinstance(node, (AnyOf, AllOf)):
        for part in node.parts:
            _check(part)
    elif isinstance(node, Condition):
        if node.operator in ("matches", "not matches"):
            pattern(node.values[0])
        from finops_core.model.engine import charges  # Ibis takes longer to import than most commands take
        from finops_core.vocabulary.expressions import condition

        condition(charges(), node)


Where = Annotated[Any, BeforeValidator(_conditions)]


class Written(BaseModel):
    """A mapping of the file: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(Written):
    """Which channels are told: those of the alert's owner, else the default."""

    default: Names = ()
    owners: dict[str, Names] = {}

    def channels(self, owner: str) -> tuple[str, ...]:
        """The channels for what an owner is to know."""
        return self.owners.get(owner, self.default)

    def named(self) -> tuple[str, ...]:
        """All channels that are named."""
        return tuple(dict.fromkeys((*self.default, *(n for names in self.owners.values() for n in names))))


class Rule(Written):
    """What every rule says."""

    name: Name
    kind: str
    route: Route | None = None
    """Instead of the file's."""
    digest: Literal["immediate", "daily", "weekly"] = IMMEDIATE
    enabled: bool = True
    description: str = ""
