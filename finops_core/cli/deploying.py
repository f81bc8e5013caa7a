"""Commands for deployments: what was brought out when, to look at beside what it cost."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table, say, the_home, the_user
from finops_core.errors import InputRefused, Place

deployments = typer.Typer(
    help="Deployments, marked on charts and named beside what moved after them.", no_args_is_help=True
)
app.add_typer(deployments, name="deployments")


@deployments.command("add")
def add_deployments(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or JSON with deployed_at,team,application,environment,version,change; or releases of GitHub or GitLab.",
        ),
    ],
    team: Annotated[str, typer.Option(help="Whose releases they are.")] = "",
    application: Annotated[str, typer.Option(help="Of what, where it is not the repository's name.")] = "",
    environment: Annotated[str, typer.Option(help="Where releases go.")] = "prod",
) -> None:
    """Keep the deployments of a file, all or none."""
    from finops_core.store.deployment_files import read
    from finops_core.store.deployments import add
    from finops_core.store.state import State

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
    say(add(State(the_home()), read(data, file.name, team, application, environment), the_user()).in_words())


@deployments.command("list")
def list_deployments(
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """The deployments that are kept; as csv in the form that `deployments add` reads."""
    from dataclasses import astuple

    import polars

    from finops_core.store.deployments import COLUMNS, deployments
    from finops_core.store.state import State

    rows = [astuple(found) for found in deployments(State(the_home()))]
    put_table(polars.DataFrame(rows, dict.fromkeys(COLUMNS, polars.String), orient="row"), format, out)
