"""Anomalies in daily cost: what each day says (slow, walking forward), and which incidents a reader is told of (fast)."""

from finops_core.analysis.detection.evidence import evidence
from finops_core.analysis.detection.findings import findings
from finops_core.analysis.detection.records import Direction, Evidence, Finding, Kind, Settings, Telling

__all__ = ["Direction", "Evidence", "Finding", "Kind", "Settings", "Telling", "evidence", "findings"]
