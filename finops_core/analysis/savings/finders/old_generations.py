"""Machines of generations for which there is a cheaper successor."""

from finops_core.analysis.savings.finders.finder import Finder, is_on_demand, service, usage

_AWS = r"(BoxUsage|InstanceUsage|Multi-AZUsage|NodeUsage|ESInstance)[^:]*:(db\.|cache\.)?(t1|t2|m1|m2|m3|m4|c1|c3|c4|r3|r4|i2|x1|p2|g3)\."
_AZURE = r"^(Basic_)?A\d+m?( v2)?$|^(Standard_)?DS?\d+( v2|_v2)?$|^F\d+s?$|^(D|E)\d+s? v3"
_GOOGLE = r"^N1 (Predefined|Custom|Standard|Instance)"

FINDER = Finder(
    name="old-generations",
    title="Machines of an old generation",
    why="Newer generations do the same work for a tenth less or more: change the type at the next restart.",
    lines=(usage(_AWS) | usage(_GOOGLE) | (usage(_AZURE) & service("Virtual Machines"))) & is_on_demand(),
    share=0.1,
    effort="M",
    risk="low",
    caveats=(
        "A successor needs drivers and images that know it",
        "A tenth is a cautious guess: measure before and after",
    ),
    order=90,
)
