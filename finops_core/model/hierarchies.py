"""Which dimension lies below which: the way down from a whole to its smallest parts, declared as data."""

from dataclasses import dataclass

from finops_core.errors import UsageError
from finops_core.vocabulary.dimensions import canonical, dimension


@dataclass(frozen=True)
class Hierarchy:
    """A way down. The dimensions of a level are names for one thing; the first is the one that is drilled to."""

    name: str
    label: str
    description: str
    levels: tuple[tuple[str, ...], ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimension of each level, from the top down."""
        return tuple(level[0] for level in self.levels)

    def level(self, name: str) -> int | None:
        """The level of a dimension, 0 at the top; None where it is not part of this hierarchy."""
        return next((number for number, level in enumerate(self.levels) if name in level), None)


HIERARCHIES: dict[str, Hierarchy] = {
    h.name: h
    for h in (
        Hierarchy(
            "cloud",
            "Provider to resource",
            "What was bought: provider, account, service, SKU, resource",
            (
                ("ProviderName", "ServiceProviderName"),
                ("SubAccountName", "SubAccountId"),
                ("ServiceName",),
                ("Sku", "SkuId", "SkuPriceId", "SkuMeter", "x_UsageType"),
                ("ResourceId", "ResourceName"),
            ),
        ),
        Hierarchy(
            "owner",
            "Cost centre to service",
            "Who it was bought for: cost centre, team, product, service",
            (("x_CostCenter",), ("x_Team",), ("x_Product",), ("ServiceName",)),
        ),
        Hierarchy(
            "time",
            "Year to day",
            "When it was used: year, quarter, month, day",
            (("Year",), ("Quarter",), ("Month",), ("Day",)),
        ),
    )
}
"""By name."""


def hierarchies_of(name: str) -> tuple[Hierarchy, ...]:
    """The hierarchies that a dimension is part of."""
    return tuple(h for h in HIERARCHIES.values() if h.level(canonical(name)) is not None)


def level_below(name: str, hierarchy: str | None = None) -> str | None:
    """The dimension one level below another: in the hierarchy named, else in the first that goes on below it.

    None at the bottom, and for a dimension of no hierarchy. Raises UsageError for a name that does not exist.
    """
    dimension(name)
    if hierarchy is not None and hierarchy not in HIERARCHIES:
        raise UsageError(f"there is no hierarchy {hierarchy!r}; known are {', '.join(HIERARCHIES)}")
    for found in HIERARCHIES.values() if hierarchy is None else (HIERARCHIES[hierarchy],):
        level = found.level(name)
        if level is not None and level + 1 < len(found.levels):
            return found.dimensions[level + 1]
    return None
