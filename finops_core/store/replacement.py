"""What a load may replace: a month, by a version of it that tells no less of what only an earlier one told."""

from finops_core.errors import InputRefused, Place
from finops_core.formats.format import Format
from finops_core.ingest.batching import Month
from finops_core.store.batches import Batch


def replacement_warnings(before: Batch, month: Month, format: Format, files: list[str]) -> list[str]:
    """What is worth saying of a month that replaces `before`. Raises InputRefused where it would silently lose some of it."""
    _refuse_lost_role(before, month, format, files)
    _refuse_lost_period(before, month, files)
    words = []
    gone = sorted(set(before.accounts) - set(month.accounts))
    if gone:
        names = ", ".join(a.split("|")[-1] for a in gone[:3]) + ("…" if len(gone) > 3 else "")
        words.append(
            f"the version of {month.period} before held {len(gone)} accounts that this one does not ({names})"
        )
    if month.rows_stored * 2 < before.rows_stored:
        words.append(
            f"the version of {month.period} before held {before.rows_stored:,} rows, this one holds {month.rows_stored:,}"
        )
    return words


def _refuse_lost_role(before: Batch, month: Month, format: Format, files: list[str]) -> None:
    """Where a month is made of files of several kinds, a load that lacks one would lose what it told: refused."""
    kept = [role for role in format.irreplaceable if role in before.roles]
    lost = [role for role in kept if role not in month.roles]
    if before.format == format.name and lost:
        here = " and ".join(role for role in format.irreplaceable if role in month.roles) or "neither kind"
        raise InputRefused(
            f"{before.source} holds {month.period} from {' and '.join(kept)}, and this load has {here}:"
            f" what only {' and '.join(lost)} tells would be lost",
            Place(files[0]),
            f"Load the month's {' and '.join(format.irreplaceable)} together: name both, or the directory of both",
        )


def _refuse_lost_period(before: Batch, month: Month, files: list[str]) -> None:
    """Billing periods that start in one calendar month are stored as one: none of them may go with the others."""
    lost = sorted(set(before.starts) - set(month.starts))
    if lost:
        raise InputRefused(
            f"{before.source} holds {month.period} with the billing period that starts on {lost[0]}, and this load has"
            f" only the one of {' and '.join(month.starts)}: the former would be lost",
            Place(files[0]),
            "Billing periods of one calendar month are loaded together: name the files of all of them;"
            " or give each its own --source",
        )
