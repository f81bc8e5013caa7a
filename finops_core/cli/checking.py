"""Commands that check the books, and mend what is derived from them."""

from finops_core.cli.session import Json, app, put, put_json, say, the_home
from finops_core.errors import CheckFailed


@app.command()
def verify(as_json: Json = False) -> None:
    """Hold the lake, finops.duckdb, the cube and the records of the loads against each other."""
    from finops_core.quality.verify import verify as check

    checks = check(the_home())
    if as_json:
        put_json({"agrees": all(c.agrees for c in checks), "checks": [c.to_json() for c in checks]})
    else:
        for c in checks:
            costs = c.figures["lake"] if c.figures["lake"] else c.figures["charges"]
            state = "agrees" if c.agrees else f"DIFFERS: {c.figures}"
            put(
                f"{c.source} {c.billing_period} {c.currency}: {costs.get('rows', '0')} rows, {costs.get('BilledCost')} billed: {state}"
            )
    wrong = [c for c in checks if not c.agrees]
    if wrong:
        raise CheckFailed(
            f"{len(wrong)} of {len(checks)} months differ; `farthing rebuild` makes finops.duckdb anew from the lake"
        )


@app.command()
def rebuild() -> None:
    """Build finops.duckdb anew from the lake."""
    from finops_core.store.home import full_disk_in_words
    from finops_core.store.load import rebuild as build

    home = the_home()
    with full_disk_in_words(home.path), home.writing():
        build(home)
    say("finops.duckdb is built from the lake")
