"""What the names of folders and files tell, as the clouds write them: the period, the id and the moment of a run."""

import re

PERIOD = re.compile(r"\d{8}-\d{8}|BILLING_PERIOD=\d{4}-\d{2}", re.I)
"""The folder of a billing period."""
INCLUSIVE = re.compile(r"\d{8}-\d{6}(?!01)\d{2}")
"""A period as Azure writes it, to its last day. Those of AWS end on the first of the next month."""
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
MOMENT = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?([0-3]\d)(?:[T_ -]?([0-2]\d):?([0-5]\d):?([0-5]\d)?)?(?!\d)"
)


def made_at(name: str) -> str:
    """The moment in the name of a run (20261003T000000Z-…, 202610030600, 2026-10-03T…), as sortable digits; or empty.

    The name of a period holds none, and neither do the digits of a GUID.
    """
    found = None if PERIOD.fullmatch(name) else MOMENT.search(GUID.sub("", name))
    return "".join(part or "" for part in found.groups()).ljust(14, "0") if found else ""
