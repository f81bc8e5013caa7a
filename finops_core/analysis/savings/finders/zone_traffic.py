"""Traffic between availability zones."""

from finops_core.analysis.savings.finders.finder import Finder, usage

FINDER = Finder(
    name="zone-traffic",
    title="Traffic between zones",
    why="Bytes between availability zones are charged in both directions: keep calls within a zone, compress, or use zone-aware routing.",
    lines=usage(
        r"DataTransfer-Regional-Bytes|Inter[- ]?Availability Zone|Intra-region.*Zone|Inter Zone|Availability Zone Data Transfer"
    ),
    share=0.3,
    effort="L",
    risk="medium",
    caveats=("Some of it is the price of standing in several zones, and worth it",),
    order=110,
)
