"""Commands that bring exports into the home, and tell what is in it."""

from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, say, the_home, the_ledger


@app.command()
def demo(
    months: Annotated[int, typer.Option(help="How many, counted back from the newest.")] = 14,
    scale: Annotated[float, typer.Option(help="1 makes about 300,000 rows.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same numbers make the same bytes.")] = 1,
    as_json: Json = False,
) -> None:
    """Write a demo company's exports below HOME/demo and ingest them like any other."""
    from finops_core.demo.company import make_demo

    home = the_home()
    batches = make_demo(home, months, scale, seed, say)
    if as_json:
        put_json({"batches": [b.to_json() for b in batches]})
        return
    for source in dict.fromkeys(b.source for b in batches):
        own = [b for b in batches if b.source == source]
        state = "reconciled" if all(b.reconciled for b in own) else "DOES NOT RECONCILE"
        put(f"{source}: {len(own)} months, {sum(b.rows_stored for b in own):,} rows; {state}")
    say(f"The exports, and what belongs to them, are below {home.path / 'demo'}")


@app.command()
def ingest(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="A file, a directory, or s3://bucket/prefix.")
    ],
    source: Annotated[
        str | None, typer.Option(help="The source's name; by default format and billing account.")
    ] = None,
    format: Annotated[
        str, typer.Option(help="A format of `farthing formats`; found by content by default.")
    ] = "auto",
    allow_overlap: Annotated[
        bool, typer.Option(help="Load although another source holds the same accounts.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be loaded; store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Load exports."""
    from finops_core.store.fetch import local_paths
    from finops_core.store.load import LoadOptions, load
    from finops_core.store.ownership import in_force

    home = the_home()
    load_options = LoadOptions(source, format, allow_overlap, dry_run)
    batches = load(home, local_paths(home, paths, say), load_options, say)
    if as_json:
        put_json({"batches": [b.to_json() for b in batches]})
        return
    for b in batches:
        state = "reconciled" if b.reconciled else "DOES NOT RECONCILE"
        totals = "; ".join(
            f"{t['BilledCost']} {c} billed, {t['EffectiveCost']} effective" for c, t in b.totals.items()
        )
        put(
            f"{b.source} {b.billing_period}: {b.action}, {b.rows_stored:,} of {b.rows_in:,} rows; {totals}; {state}"
        )
        for warning in b.warnings:
            say(f"  warning: {warning}")
    for gap in in_force(home).gaps():
        say(f"warning: {gap}")


@app.command()
def sources(as_json: Json = False) -> None:
    """What is loaded, per source and billing period."""
    from finops_core.quality.freshness import source_periods

    found = source_periods(the_ledger().current_batches())
    if as_json:
        put_json({"sources": [p.to_json() for p in found]})
        return
    for p in found:
        b = p.batch
        for currency, totals in b.totals.items():
            put(
                f"{b.source:30} {b.billing_period}  {totals['rows']:>10} rows  {totals['BilledCost']:>24} {currency}  {p.state}"
            )


@app.command()
def history(
    source: str,
    period: str,
    versions: Annotated[
        tuple[int, int] | None, typer.Option(metavar="A B", help="Two lake versions to compare.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The versions of a month and, between two, what changed by service."""
    from finops_core.quality import history as months

    home = the_home()
    batches = months.versions(home, source, period)
    if versions is None and len(batches) > 1:
        versions = (batches[-2].lake_version, batches[-1].lake_version)
    changes = months.compare(home, source, period, *versions) if versions else []
    if as_json:
        put_json(
            {
                "source": source,
                "billing_period": period,
                "versions": [{"version": b.lake_version, **b.to_json()} for b in batches],
                "compared": list(versions) if versions else None,
                "changes": [c.to_json() for c in changes],
            }
        )
        return
    for b in batches:
        totals = "; ".join(f"{t['BilledCost']} {c}" for c, t in b.totals.items())
        put(f"version {b.lake_version}: {b.action} {b.loaded_at}, {b.rows_stored:,} rows, {totals}")
    for c in changes:
        if c.kind != "unchanged":
            put(f"  {c.kind:8} {c.service}: {c.effective[1] - c.effective[0]:+f} {c.currency} effective")
