"""Objects that all lie in the dearest tier."""

import polars

from finops_core.analysis.savings.finders.finder import COST, CURRENCY, Finder, Situation, service, usage

_LEAST = 100.0
"""Money in 30 days from which on a bucket is worth a rule."""
_BY = [CURRENCY, "ResourceId"]
_COLDER = r"-(SIA|ZIA|GIR|GDA|GLACIER|INT)-?|TimedStorage-Glacier|Cool|Cold|Archive|Nearline|Coldline"


def _hot(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Buckets of some size without any object in a colder tier."""
    colder = situation.lines.filter(usage(_COLDER)).select(_BY).unique()
    told = chosen.drop_nulls("ResourceId").join(colder, on=_BY, how="anti")
    large = (
        told.group_by(_BY)
        .agg(polars.col(COST).cast(polars.Float64).sum().alias("all"))
        .filter(polars.col("all") >= _LEAST)
    )
    return told.join(large.select(_BY), on=_BY, how="semi").with_columns(polars.lit(0.3).alias("share"))


FINDER = Finder(
    name="untiered-storage",
    title="Objects that are never tiered",
    why="All objects of these buckets are in the standard tier: a lifecycle rule moves what is not read to a colder one.",
    lines=usage(r"(^|-)TimedStorage-ByteHrs$|Hot (LRS|ZRS|GRS|RA-GRS) Data Stored|^Standard Storage")
    & service("Simple Storage|^S3|Storage Accounts|^Storage$|Cloud Storage|Blob"),
    share=_hot,
    effort="S",
    risk="low",
    caveats=(
        "Reading back from a colder tier costs: rules are for what is seldom read",
        "Small objects gain nothing",
    ),
    order=130,
    by_resource=True,
)
