"""The same spend from two sources (CUR and FOCUS, EA and MCA, GCP standard and detailed) is seen, and refused."""

from finops_core.errors import InputRefused, Place
from finops_core.store.batches import Batch


def refuse_overlap(batches: list[Batch], current: dict[tuple[str, str], Batch]) -> None:
    """Raises InputRefused where another source already holds the same account and month.

    `accounts` are keys provider|account; `current` the batches that are in force, by source and billing period.
    """
    replaced = {(b.source, b.billing_period) for b in batches}
    others = [b for key, b in current.items() if key not in replaced]
    for position, batch in enumerate(batches):
        for other in [*others, *batches[:position]]:
            if other.billing_period != batch.billing_period or other.source == batch.source:
                continue
            shared = sorted(set(batch.accounts) & set(other.accounts))
            if shared:
                provider, account = shared[0].split("|", 1)
                raise InputRefused(
                    f"{batch.billing_period} of {provider} account {account} is already in the source {other.source!r} "
                    f"({len(shared)} accounts overlap): its spend would be counted twice",
                    Place(batch.files[0]),
                    f"Load it as --source {other.source} to replace that one, or add --allow-overlap if it is other spend",
                )
