"""Logs that are paid for when they come in."""

import polars

from finops_core.analysis.savings.finders.finder import Finder, service, usage

_AWS = service("CloudWatch") & usage(r"DataProcessing-Bytes|VendedLog-Bytes|DataProcessingIA")
_AZURE = usage(r"Logs Data Ingestion|Pay-as-you-go Data Ingestion|Data Ingestion$") & service(
    "Monitor|Log Analytics|Sentinel|Insights"
)
_GOOGLE = service("Logging") & usage("Log Storage|Log Volume|Vended")

FINDER = Finder(
    name="log-ingest",
    title="Logs that nobody reads",
    why="Logs cost most when they come in: lower the level, drop what repeats, sample, or send what is kept for audits to storage.",
    lines=polars.any_horizontal(_AWS, _AZURE, _GOOGLE),
    share=0.3,
    effort="M",
    risk="low",
    caveats=("What is read and what is not, the bill does not show: a third is what reviews usually find",),
    order=120,
)
