"""Names in a sentence, the first of many."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int) -> str:
    """`a, b, c and 1,200 more`: so many names at most, and how many others there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
