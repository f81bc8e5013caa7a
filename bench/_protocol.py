"""What both simulators have from the protocol of detection, and nothing else in common."""

DEADLINES = {
    "spike": 5,
    "drop": 6,
    "runaway": 8,
    "weekend leak": 11,
    "level shift": 14,
    "slow leak": 28,
}
"""Days after its start by which an incident must be raised."""
