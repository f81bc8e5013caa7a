"""Commitments that were paid for and not used."""

import polars

from finops_core.analysis.savings.finders.finder import Finder

FINDER = Finder(
    name="unused-commitments",
    title="Commitments that nobody used",
    why="What was committed and not used is paid for nothing: move use to it, widen its scope, exchange or sell it.",
    lines=polars.col("CommitmentDiscountStatus") == "Unused",
    share=0.5,
    effort="M",
    risk="low",
    caveats=(
        "Half is taken to be recoverable: what can be exchanged, shared or sold depends on its kind",
        "It ends by itself when the commitment does",
    ),
    order=10,
)
