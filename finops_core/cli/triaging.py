"""What people make of incidents: states and notes, what was announced, what is not to be heard, and summaries."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, the_home, the_ledger, the_user, write_file
from finops_core.errors import UsageError

if TYPE_CHECKING:
    from finops_core.store.state import State

announce_app = typer.Typer(
    help="Events that were announced: what they move is no anomaly.", no_args_is_help=True
)
suppress_app = typer.Typer(help="Windows of silence.", no_args_is_help=True)
app.add_typer(announce_app, name="announce")
app.add_typer(suppress_app, name="suppress")
Where = Annotated[list[str] | None, typer.Option(help="A condition, as in queries; repeat for more.")]


def _state() -> "State":
    from finops_core.store.state import State

    return State(the_home())


@app.command()
def triage(
    incident: Annotated[str, typer.Argument(help="Its key, or the beginning of it.")],
    state: Annotated[
        str | None, typer.Option(help="open, acknowledged, explained, contained or closed.")
    ] = None,
    cause: Annotated[str, typer.Option(help="expected, waste, error, price or growth.")] = "",
    owner: str = "",
    note: str = "",
    link: str = "",
) -> None:
    """Takes an incident a step further, or adds a note; the time and the user are kept."""
    from finops_core.analysis import triaging
    from finops_core.store import triage as kept

    store = _state()
    found = triaging.by_key(triaging.triaged(the_ledger(), store), incident)
    triaging.record_raised(store, [found], the_user())
    severity = found.incident.severity
    after = kept.move(
        store,
        found.incident.key,
        state,
        who=the_user(),
        cause=cause,
        owner=owner,
        note=note,
        link=link,
        severity=severity,
    )
    put(f"{found.incident.key} is {after.state}{f' as {after.cause}' if after.cause else ''}")


@app.command()
def postmortem(
    incident: Annotated[str, typer.Argument(help="Its key, or the beginning of it.")],
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """A summary of an incident as Markdown: what, when, how much, why, and what was done."""
    from finops_core.analysis import triaging

    ledger = the_ledger()
    found = triaging.by_key(triaging.triaged(ledger, _state()), incident)
    text = triaging.summary(triaging.explained(ledger, found))
    if out is None:
        put(text)
    else:
        write_file(out, text)


def _commands(group: typer.Typer, kind: str, added: str) -> None:
    @group.command("add", help=added)
    def add(
        name: Annotated[str, typer.Argument(help="What it is, or why.")],
        start: Annotated[str, typer.Option("--from", help="First day.")],
        end: Annotated[str, typer.Option("--through", help="Last day, included.")],
        where: Where = None,
        expected: Annotated[str, typer.Option(help="What is expected, in words.")] = "",
    ) -> None:
        from finops_core.store import triage as kept

        found = kept.add_quiet(
            _state(), kind, name, _day(start), _day(end), the_user(), tuple(where or ()), expected
        )
        put(str(found.number))

    @group.command("list", help="Those in force.")
    def list_(json: Json = False) -> None:
        from finops_core.store import triage as kept

        found = [q for q in kept.quiet(_state()) if q.kind == kind]
        if json:
            fields = ("number", "name", "start", "end", "where", "expected", "who", "at")
            put_json({kind: [{f: _plain(getattr(q, f)) for f in fields} for q in found]})
        else:
            put(
                "\n".join(
                    f"{q.number}  {q.start} to {q.end}  {q.name}  {' '.join(q.where)}".rstrip() for q in found
                )
            )

    @group.command("end", help="Takes one back.")
    def end_(number: int) -> None:
        from finops_core.store import triage as kept

        kept.end_quiet(_state(), number, the_user())


_commands(announce_app, "announced", "Announces an event.")
_commands(suppress_app, "suppressed", "Silences what fits the conditions on days.")


def _plain(value: object) -> object:
    return (
        value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-09-01") from None
