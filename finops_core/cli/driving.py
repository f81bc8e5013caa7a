"""Commands for the files of usage that shared costs are split by, and for a Kubernetes cluster's own costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import app, put_table, say, the_home, the_ledger, the_user
from finops_core.errors import UsageError

if TYPE_CHECKING:
    from finops_core.allocation.drivers.kubernetes import KubernetesDriver

drivers = typer.Typer(help="Files of usage by day, by which shared costs are split.", no_args_is_help=True)
app.add_typer(drivers, name="drivers")
Who = Annotated[
    str | None, typer.Option(help="Who does it, for the audit log; by default the user of the system.")
]


@drivers.command("add")
def add_driver(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or parquet file, or an allocation export.")
    ],
    name: Annotated[str | None, typer.Option(help="Its name in the home; by default its own.")] = None,
    who: Who = None,
) -> None:
    """Keep a copy of a file of usage, in place of an earlier one of its name, and say what it holds."""
    from finops_core.store.metric_files import add

    kept, found, replaced = add(the_home(), file, name, who or the_user())
    say(f"{kept}: {'replaced' if replaced else 'added'}: {found.in_words()}")


@drivers.command("list")
def list_drivers(
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """The files of usage, and what each holds."""
    import polars

    from finops_core.errors import InputRefused
    from finops_core.store.metric_files import listed

    rows = [
        (name, None, None, None, None, None, str(found))
        if isinstance(found, InputRefused)
        else (name, found.kind, found.first, found.last, found.days, ", ".join(found.totals), None)
        for name, found in listed(the_home()).items()
    ]
    columns = {
        "File": polars.String,
        "Kind": polars.String,
        "First": polars.Date,
        "Last": polars.Date,
        "Days": polars.Int64,
        "Quantities": polars.String,
        "Refused": polars.String,
    }
    put_table(polars.DataFrame(rows, columns, orient="row"), format, out)


@drivers.command("remove")
def remove_driver(name: Annotated[str, typer.Argument(metavar="NAME")], who: Who = None) -> None:
    """Remove a file of usage from the home."""
    from finops_core.store.metric_files import remove

    remove(the_home(), name, who or the_user())
    say(f"{name}: removed")


@app.command("kubernetes")
def kubernetes(
    cluster: Annotated[str, typer.Option(help="The cluster's name, in the export and in the cloud's tags.")],
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    by: Annotated[str, typer.Option(help="namespace, workload or label:KEY.")] = "namespace",
    metric: Annotated[list[str] | None, typer.Option(help="A cost; repeat for more.")] = None,
    grain: Annotated[str, typer.Option(help="day, or none for the sum of all days.")] = "none",
    file: Annotated[
        str | None, typer.Option(help="The allocation export among the drivers; by default the only one.")
    ] = None,
    nodes: Annotated[
        str | None,
        typer.Option(help="A condition for the cluster's charges; by default the tags of EKS, GKE and AKS."),
    ] = None,
    weight: Annotated[str | None, typer.Option(help="hours or cost.")] = None,
    cpu_to_memory: Annotated[
        str | None, typer.Option(help="GiB hours of memory that a core hour is worth, or export.")
    ] = None,
    capacity: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="CORES GIB", help="Core hours and GiB hours that the nodes have in a day."),
    ] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="The exporter's costs beside the cloud's, by day.")
    ] = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """What a cluster's nodes cost, by namespace, workload or label: the cloud's own charges told again, none added."""
    from finops_core.analysis.kubernetes import METRICS, cluster_cost, nodes_of, reconciled

    home, ledger = the_home(), the_ledger()
    spec = _spec(
        file=file or _only_export(home.metrics),
        cluster=cluster,
        by=by,
        weight=weight,
        cpu_to_memory=cpu_to_memory,
        capacity=capacity and dict(zip(("cpu_core_hours", "memory_gib_hours"), capacity, strict=True)),
    )
    where = nodes or nodes_of(cluster)
    if grain not in ("day", "none"):
        raise UsageError(f"there is no grain {grain!r} of a cluster; known are day and none")
    if reconcile:
        chosen = metric or METRICS[-1:]
        if len(chosen) > 1:
            raise UsageError("--reconcile compares with one --metric")
        put_table(reconciled(ledger, spec, home.metrics, where, start, end, chosen[0]), format, out)
        return
    found = cluster_cost(ledger, spec, home.metrics, where, start, end, metric or METRICS)
    put_table(found.table if grain == "day" else found.total(), format, out)
    for note in found.notes:
        say(note)


def _spec(**fields: object) -> "KubernetesDriver":
    from pydantic import ValidationError

    from finops_core.allocation.drivers.kubernetes import KubernetesDriver

    try:
        return KubernetesDriver.model_validate({k: v for k, v in fields.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-") if first["loc"] else "cluster"
        raise UsageError(f"--{option}: {first['msg'].removeprefix('Value error, ')}") from error


def _only_export(directory: Path) -> str:
    from finops_core.allocation.drivers.allocations import is_export

    files = sorted(f for f in directory.glob("*") if f.is_file() and not f.name.startswith("."))
    found = [f.name for f in files if is_export(f)]
    if not found:
        raise UsageError("there is no allocation export of Kubernetes yet: farthing drivers add EXPORT.json")
    if len(found) > 1:
        raise UsageError(f"there are several allocation exports: choose one by --file: {', '.join(found)}")
    return found[0]
