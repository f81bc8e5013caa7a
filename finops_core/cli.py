"""The command line: the same functions as the pages, for shells, schedulers and checks."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from finops_core.errors import CheckFailed, FarthingError, UsageError

app = typer.Typer(
    name="farthing",
    help="FinOps analytics that accounts for cloud spend to the last farthing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
BUG = 70
"""Exit code of an unexpected exception (EX_SOFTWARE of sysexits.h)."""
_Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


class _Session:
    """What the options before the command say."""

    home: Path | None = None
    debug: bool = False


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(envvar="FARTHING_HOME", help="The directory that holds everything.")
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
) -> None:
    """Options that every command takes."""
    _Session.home, _Session.debug = home, debug


def main() -> None:
    """Runs the command line; errors become words and an exit code."""
    code = 0
    try:
        found = app(standalone_mode=False)
        code = found if isinstance(found, int) else 0
    except FarthingError as error:
        _say(f"farthing: {error}")
        code = error.exit_code
        if _Session.debug:
            raise
    except typer.Exit as error:
        code = error.exit_code
    except typer.Abort:
        code = 130
    except Exception as error:
        if _Session.debug:
            raise
        show = getattr(error, "show", None)
        if show is not None:
            show()
            code = 2
        else:
            # Not refused input, and not the user's doing: a bug. What was stored before still stands.
            words = next(iter(str(error).splitlines()), "")
            _say(
                f"farthing: unexpected {type(error).__name__}: {words} (--debug shows more; please report it)"
            )
            code = BUG
    _leave(code)


def _leave(code: int) -> None:
    """Ends the process at once: native threads of the storage libraries may not be waited for."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 0
    os._exit(code)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _out(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def _home() -> Any:
    from finops_core.store.home import Home, default_home

    return Home(_Session.home if _Session.home is not None else default_home())


def _ledger() -> Any:
    from finops_core.model.ledger import Ledger

    return Ledger(_home())


def _json_out(value: Any) -> None:
    _out(json.dumps(value, indent=2, ensure_ascii=False))


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
    as_json: _Json = False,
) -> None:
    """Load exports."""
    from finops_core.store.fetch import local_paths
    from finops_core.store.load import LoadOptions, load

    home = _home()
    load_options = LoadOptions(source, format, allow_overlap, dry_run)
    batches = load(home, local_paths(home, paths, _say), load_options, _say)
    if as_json:
        _json_out({"batches": [b.to_json() for b in batches]})
        return
    for b in batches:
        state = "reconciled" if b.reconciled else "DOES NOT RECONCILE"
        totals = "; ".join(
            f"{t['BilledCost']} {c} billed, {t['EffectiveCost']} effective" for c, t in b.totals.items()
        )
        _out(
            f"{b.source} {b.billing_period}: {b.action}, {b.rows_stored:,} of {b.rows_in:,} rows; {totals}; {state}"
        )
        for warning in b.warnings:
            _say(f"  warning: {warning}")


@app.command()
def sources(as_json: _Json = False) -> None:
    """What is loaded, per source and billing period."""
    from finops_core.quality.freshness import source_periods

    found = source_periods(_ledger().current_batches())
    if as_json:
        _json_out({"sources": [p.to_json() for p in found]})
        return
    for p in found:
        b = p.batch
        for currency, totals in b.totals.items():
            _out(
                f"{b.source:30} {b.billing_period}  {totals['rows']:>10} rows  {totals['BilledCost']:>24} {currency}  {p.state}"
            )


@app.command()
def history(
    source: str,
    period: str,
    versions: Annotated[
        tuple[int, int] | None, typer.Option(metavar="A B", help="Two lake versions to compare.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """The versions of a month and, between two, what changed by service."""
    from finops_core.quality import history as months

    home = _home()
    batches = months.versions(home, source, period)
    if versions is None and len(batches) > 1:
        versions = (batches[-2].lake_version, batches[-1].lake_version)
    changes = months.compare(home, source, period, *versions) if versions else []
    if as_json:
        _json_out(
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
        _out(f"version {b.lake_version}: {b.action} {b.loaded_at}, {b.rows_stored:,} rows, {totals}")
    for c in changes:
        if c.kind != "unchanged":
            _out(f"  {c.kind:8} {c.service}: {c.effective[1] - c.effective[0]:+f} {c.currency} effective")


def _listing(rows: list[dict[str, Any]], key: str, as_json: bool) -> None:
    if as_json:
        _json_out({key: rows})
        return
    for row in rows:
        _out(f"{row['name']:32} {row['description']}")


@app.command()
def formats(as_json: _Json = False) -> None:
    """The export formats, with the expression of every FOCUS column."""
    from finops_core.store.load import known_formats

    _listing(
        [
            {
                "name": f.name,
                "title": f.title,
                "provider": f.provider,
                "description": f.description,
                "required": list(f.required),
                "columns": dict(f.columns),
                "dropped": [{"reason": d.reason, "when": d.when} for d in f.drop],
                "derived": [
                    {"reason": d.reason, "when": d.when, "columns": dict(d.columns)} for d in f.derive
                ],
            }
            for f in known_formats(_home())
        ],
        "formats",
        as_json,
    )


@app.command()
def dimensions(as_json: _Json = False) -> None:
    """What spend can be grouped and filtered by."""
    from finops_core.model.dimensions import DIMENSIONS

    rows = [
        {"name": d.name, "label": d.label, "description": d.description, "column": d.column, "kind": d.kind}
        for d in DIMENSIONS.values()
    ]
    rows.append(
        {
            "name": "tag:KEY",
            "label": "Tag",
            "description": "Any key of Tags",
            "column": "Tags",
            "kind": "text",
        }
    )
    _listing(rows, "dimensions", as_json)


@app.command()
def metrics(as_json: _Json = False) -> None:
    """What can be measured."""
    from finops_core.model.metrics import METRICS

    rows = [
        {
            "name": m.name,
            "label": m.label,
            "description": m.description,
            "unit": m.unit,
            "additive": m.additive,
            "formula": m.formula,
        }
        for m in METRICS.values()
    ]
    _listing(rows, "metrics", as_json)


@app.command()
def query(
    metric: Annotated[list[str], typer.Option(help="A metric; repeat for more.")],
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    grain: str = "none",
    order: Annotated[str | None, typer.Option(help="A column of the answer, -column for descending.")] = None,
    limit: int | None = None,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Ask for metrics, by dimensions and time."""
    from finops_core.model.query import Query

    asked = Query(metric, by or (), grain, where or (), start, end, order, limit)  # type: ignore[arg-type]
    _write(_ledger().query(asked), format, out)


@app.command()
def verify(as_json: _Json = False) -> None:
    """Hold the lake, finops.duckdb, the cube and the records of the loads against each other."""
    from finops_core.quality.verify import verify as check

    checks = check(_home())
    if as_json:
        _json_out({"agrees": all(c.agrees for c in checks), "checks": [c.to_json() for c in checks]})
    else:
        for c in checks:
            costs = c.figures["lake"] if c.figures["lake"] else c.figures["charges"]
            state = "agrees" if c.agrees else f"DIFFERS: {c.figures}"
            _out(
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

    home = _home()
    with full_disk_in_words(home.path), home.writing():
        build(home)
    _say("finops.duckdb is built from the lake")


@app.command("sql")
def run_sql(statement: str, format: str = "table", out: Path | None = None) -> None:
    """A SELECT over the store, read-only."""
    _write(_ledger().sql(statement), format, out)


@app.command()
def serve(port: int = 8501, address: str = "localhost") -> None:
    """Start the app."""
    import subprocess

    script = Path(__file__).parents[1] / "app.py"
    if not script.exists():
        raise UsageError(f"the app is not beside the package ({script}): serve from a checkout")
    environment = {**os.environ, "FARTHING_HOME": str(_home().path)}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.address",
        address,
    ]
    _say(f"Farthing runs at http://{address}:{port}")
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


def _write(frame: Any, format: str, out: Path | None) -> None:
    from finops_core.model.export import FORMATS

    if format not in FORMATS:
        raise UsageError(f"there is no output format {format!r}; known are {', '.join(FORMATS)}")
    data: bytes = FORMATS[format](frame)
    if out is not None:
        try:
            out.write_bytes(data)
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
