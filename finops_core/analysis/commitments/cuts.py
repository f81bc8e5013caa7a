"""Utilisation, coverage and effective savings rate by type, account, family, region, or any dimension.

Two sides meet in a row. What is *used and idle* counts where a commitment belongs: at the account or region that its own charges (its
purchase, its idle part) name, so that an account is not blamed for what others leave idle; where it has none, at the one place that
uses it, else at none. What is *covered and eligible* counts where the use is. Over all rows both make up the totals exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars

from finops_core.analysis.commitments.charges import ID, STATUS, eligible, paid
from finops_core.analysis.commitments.families import family
from finops_core.analysis.commitments.rates import FIGURES, committed, consumed, ratio, uncovered, with_rates
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query, Where, conditions
from finops_core.vocabulary.dimensions import dimension

MEMBER = "member"
_KNOWN = Condition(ID, "is not null")


@dataclass(frozen=True)
class Cut:
    """A way to part commitments: its name, its words, the dimensions that it reads, and the member that they name."""

    name: str
    label: str
    dimensions: tuple[str, ...]
    member: Callable[..., str | None] | None = None
    """The member of values of the dimensions; the one value itself where there is no such function."""
    belongs: bool = True
    """Whether a commitment has a member of its own, which its use may differ in; not so for times and what a commitment is."""


FAMILY = Cut("family", "Family of machines", ("x_InstanceType", "x_UsageType"), family)
USUAL = ("CommitmentDiscountType", "SubAccountId", FAMILY.name, "RegionId", "ServiceName")
"""The cuts that a reader is offered."""


def cut(name: str) -> Cut:
    """The cut of a name: `family`, or any dimension. Raises UsageError for what is neither, and for BillingCurrency (totals have it)."""
    if name == FAMILY.name:
        return FAMILY
    found = dimension(name)
    if found.name == CURRENCY:
        raise UsageError(f"{CURRENCY} parts nothing here: each currency has its own rows already")
    own = found.group not in ("Commitment", "Time") and not found.name.startswith("CommitmentDiscount")
    return Cut(found.name, found.label, (found.name,), belongs=own)


def by_member(
    ledger: Ledger, by: Cut, start: date | None = None, end: date | None = None, where: Where = ()
) -> polars.DataFrame:
    """BillingCurrency, member (text, null where none is named), consumed (EffectiveCost of covered use there) and `FIGURES`.

    Largest first. used, unused, covered, eligible and savings sum to those of `commitments`. Coverage is the covered share of the
    member's eligible use; of what a commitment is (its type, its id), which uncovered use has not, the share of all eligible use.
    """
    given = conditions(where)
    cost = _named(paid(ledger, tuple(dict.fromkeys((ID, *by.dimensions))), given, start, end), by)
    open_ = _named(eligible(ledger, given, start, end, by=by.dimensions), by)
    keys = [CURRENCY, MEMBER]
    owned = _owned(ledger, cost, by) if by.belongs else cost
    found = with_rates(
        committed(owned, keys)
        .join(consumed(cost, keys), on=keys, how="full", coalesce=True, nulls_equal=True)
        .join(uncovered(open_, keys), on=keys, how="full", coalesce=True, nulls_equal=True)
    )
    if not by.belongs and dimension(by.name).group != "Time":
        found = _of_all(found)
    moves = polars.max_horizontal(
        *(polars.col(n).abs() for n in ("used", "unused", "fees", "covered", "uncovered"))
    )
    return (
        found.filter(moves > 0)
        .sort(CURRENCY, polars.col("used") + polars.col("unused") + polars.col("fees"), "eligible", MEMBER, descending=[False, True, True, False], nulls_last=True)
        .select(CURRENCY, MEMBER, "consumed", *FIGURES)
    )  # fmt: skip


def _named(frame: polars.DataFrame, by: Cut) -> polars.DataFrame:
    """Adds the member that each row's dimensions name."""
    if by.member is None:
        return frame.with_columns(polars.col(by.dimensions[0]).cast(polars.String).alias(MEMBER))
    names = [by.member(*values) for values in frame.select(by.dimensions).iter_rows()]
    return frame.with_columns(polars.Series(MEMBER, names, polars.String))


def _owned(ledger: Ledger, cost: polars.DataFrame, by: Cut) -> polars.DataFrame:
    """The charges of commitments under the member to which each commitment belongs."""
    seen = _named(ledger.query(Query("ChargeCount", by=(ID, *by.dimensions, STATUS), where=(_KNOWN,))), by)
    used = polars.col(STATUS).eq_missing(polars.lit("Used"))
    own, uses = (_only(seen.filter(which)) for which in (~used, used))
    belongs = own.join(uses, on=[CURRENCY, ID], how="full", coalesce=True, suffix="_used")
    belongs = belongs.select(CURRENCY, ID, polars.coalesce(MEMBER, f"{MEMBER}_used").alias(MEMBER))
    return cost.drop(MEMBER).join(belongs, on=[CURRENCY, ID], how="left", nulls_equal=True)


def _only(seen: polars.DataFrame) -> polars.DataFrame:
    """BillingCurrency, CommitmentDiscountId and the one member that its charges name; null where they name none or several."""
    named = polars.col(MEMBER).drop_nulls().unique()
    return seen.group_by(CURRENCY, ID).agg(polars.when(named.len() == 1).then(named.first()).alias(MEMBER))


def _of_all(found: polars.DataFrame) -> polars.DataFrame:
    """Coverage as shares of all eligible use of a currency, which sum to that of the total."""
    every = polars.col("eligible").sum().over(CURRENCY).alias("every")
    whole = found.with_columns(every)
    covered = ratio(whole["covered"], whole["every"])
    return found.with_columns(polars.when(polars.col(MEMBER).is_not_null()).then(covered).alias("coverage"))
