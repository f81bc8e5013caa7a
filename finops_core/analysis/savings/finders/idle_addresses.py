"""Public addresses that nothing uses."""

from finops_core.analysis.savings.finders.finder import Finder, usage

FINDER = Finder(
    name="idle-addresses",
    title="Addresses that nothing uses",
    why="Idle public addresses are charged by the hour: release them.",
    lines=usage(
        r"ElasticIP:IdleAddress|PublicIPv4:IdleAddress|Static Ip Charge|Static IP.*unused|Idle.*IP Address"
    ),
    share=1.0,
    effort="S",
    risk="low",
    caveats=("An address that others allow by name in their firewalls is lost when it is released",),
    order=20,
)
