"""Commands for plans of purchases: the document, and who has signed it."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, say, the_home, the_ledger, the_user, write_file
from finops_core.errors import UsageError

plans = typer.Typer(
    help="Plans of purchases: proposed, signed by those who must, bought or withdrawn.", no_args_is_help=True
)
app.add_typer(plans, name="purchase-plans")
_Who = Annotated[str | None, typer.Option(help="Who does it; by default the user of the shell.")]


@plans.command("make")
def make_plan(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A file that ends with .pdf, .xlsx or .md.")],
    scenario: Annotated[str, typer.Option(help="A scenario of plans.yaml.")] = "baseline",
    risk: Annotated[float | None, typer.Option(min=0, max=1, help="As `recommend` has it.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="A condition; repeat for more.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Propose it: those who must sign can.")] = False,
    who: _Who = None,
) -> None:
    """Write what to buy as a document, with parts, assumptions, risks, when to stop, and who signs."""
    from finops_core.analysis.purchases import plans as offered
    from finops_core.analysis.purchases import recommend
    from finops_core.model.span import span
    from finops_core.reporting.pack import FORMS
    from finops_core.reporting.purchase_plan import assumptions, document, lines
    from finops_core.store.purchase_plans import propose
    from finops_core.store.state import State

    form = out.suffix.removeprefix(".")
    if form not in FORMS:
        raise UsageError(f"{out} has no form that is known: end it with {', '.join('.' + f for f in FORMS)}")
    ledger = the_ledger()
    buffer = offered(ledger.home).risk if risk is None else risk
    found = recommend(ledger, scenario, buffer, where or ())
    kept = (
        propose(State(the_home()), lines(found), assumptions(found, scenario, buffer), who or the_user())
        if keep
        else None
    )
    data = FORMS[form](document(found, scenario, buffer, span(ledger).complete_until, kept))
    write_file(out, data)
    put(kept.key if kept is not None else str(out))


@plans.command("list")
def list_plans(json: Json = False) -> None:
    """The plans that are kept, and which signatures they want."""
    from dataclasses import asdict

    from finops_core.store.purchase_plans import purchase_plans
    from finops_core.store.state import State

    found = purchase_plans(State(the_home()))
    if json:
        put_json({"plans": [{**asdict(p), "state": p.state, "missing": p.missing} for p in found]})
        return
    for p in found:
        wanted = (
            f"; wants {', '.join(f'{role} ({count})' for role, count in p.missing.items())}"
            if p.missing and not p.closed
            else ""
        )
        put(f"{p.key}: {p.state}, {len(p.lines)} purchases, proposed by {p.proposer} on {p.at[:10]}{wanted}")


@plans.command("sign")
def sign_plan(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    role: Annotated[str, typer.Option(help="As whom, such as CFO.")],
    note: Annotated[str, typer.Option(help="On what terms.")] = "",
    who: _Who = None,
) -> None:
    """Sign a plan: not who proposed it, and nobody twice."""
    from finops_core.store.purchase_plans import sign
    from finops_core.store.state import State

    say(f"{key} is {sign(State(the_home()), key, role, who or the_user(), note).state}")


@plans.command("close")
def close_plan(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    how: Annotated[str, typer.Argument(metavar="HOW", help="bought or withdrawn.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    who: _Who = None,
) -> None:
    """Say that a signed plan was bought, or withdraw one."""
    from finops_core.store.purchase_plans import close
    from finops_core.store.state import State

    say(f"{key} is {close(State(the_home()), key, how, who or the_user(), note).state}")
