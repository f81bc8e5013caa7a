"""Commands that tell people: `check` for schedulers, and a look at rules, deliveries and channels."""

from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, say, the_home, the_ledger, the_user
from finops_core.errors import CheckFailed

if TYPE_CHECKING:
    from finops_core.alerting.checking import Checked
    from finops_core.store.state import State

alerts_app = typer.Typer(
    help="Rules that tell people: what is in force, what was sent, and a test of a channel.",
    no_args_is_help=True,
)
app.add_typer(alerts_app, name="alerts")


def _state() -> "State":
    from finops_core.store.state import State

    return State(the_home())


@app.command()
def check(
    rule: Annotated[str | None, typer.Option(help="Only the rule of this name.")] = None,
    as_json: Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent and to whom; record and send nothing.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send/--no-send", help="Without sending, what is new waits for the next check.")
    ] = True,
) -> None:
    """Look at all alert rules and tell whom it concerns, once a state. Exits with 0 where there is nothing to tell, else with 1."""
    from finops_core.alerting.checking import check as run
    from finops_core.alerting.rules import alert_rules

    rules = alert_rules(the_home())
    found = run(the_ledger(), _state(), rules, the_user(), only=rule, send=send, dry=dry_run)
    if as_json:
        put_json(found.to_json())
    else:
        _tell(found, dry_run)
    if not found.holds:
        alerts = sum(len(looked.alerts) for looked in found.looked)
        raise CheckFailed(f"{alerts} alerts; {len(found.failed)} deliveries failed")


def _tell(found: "Checked", dry: bool) -> None:
    for looked in found.looked:
        put(f"{looked.rule.name}: {looked.state}")
        if looked.error:
            put(f"  {looked.error}")
        for alert in looked.alerts:
            put(f"  [{alert.severity}] {f'{alert.owner}: ' if alert.owner else ''}{alert.sentence}")
    for delivery in found.deliveries:
        message = delivery.message
        how = "would be sent" if dry else "sent" if delivery.sent else f"FAILED, {delivery.error}"
        put(f"→ {message.channel}, {message.owner or 'no owner'}: {message.title}: {how}")
    if found.waiting:
        say(f"{found.waiting} notices wait to be sent")


@alerts_app.command("list")
def list_rules(as_json: Json = False) -> None:
    """The rules in force, who is told, and the channels; secrets are not shown."""
    from finops_core.alerting.channels import masked
    from finops_core.alerting.rules import alert_rules

    found = alert_rules(the_home())
    if as_json:
        put_json(
            {
                "shipped": found.shipped,
                "rules": [
                    {**rule.model_dump(mode="json", exclude={"route", "where"})}
                    | {"where": [str(node) for node in getattr(rule, "where", ())]}
                    | {"route": (rule.route or found.route).model_dump(mode="json")}
                    for rule in found.rules
                ],
                "channels": {name: masked(url) for name, url in found.channels.items()},
            }
        )
        return
    for rule in found.rules:
        route = rule.route or found.route
        told = ", ".join(route.named()) or "nobody: it shows in the app and in `farthing check`"
        put(f"{rule.name} ({rule.kind}, {rule.digest}{'' if rule.enabled else ', disabled'}): tells {told}")
    for name, url in found.channels.items():
        put(f"channel {name}: {masked(url)}")
    if found.shipped:
        say("These rules come with Farthing: write HOME/rules/alerts.yaml to have your own")


@alerts_app.command()
def history(
    most: Annotated[int, typer.Option("--limit", min=1, help="How many steps.")] = 50, as_json: Json = False
) -> None:
    """What was sent to whom, and what failed: each step of each delivery, the newest first."""
    from finops_core.store import alerts as kept

    steps = kept.history(_state(), most)
    if as_json:
        put_json(
            [
                {
                    "at": n.at, "channel": n.channel, "status": n.status, "attempts": n.attempts, "error": n.error,
                    "digest": n.digest, "id": n.key, "rule": n.alert.rule, "key": n.alert.key, "state": n.alert.state,
                    "severity": n.alert.severity, "owner": n.alert.owner, "subject": n.alert.subject,
                }
                for n in steps
            ]
        )  # fmt: skip
        return
    for n in steps:
        error = f": {n.error}" if n.error else ""
        put(f"{n.at} {n.channel} {n.status} ({n.attempts}): [{n.alert.severity}] {n.alert.subject}{error}")


@alerts_app.command()
def test(channel: Annotated[str, typer.Argument(help="Its name in alerts.yaml.")]) -> None:
    """Send a test message to a channel."""
    from finops_core.alerting.checking import try_channel
    from finops_core.alerting.rules import alert_rules

    sent = try_channel(alert_rules(the_home()), channel, the_user())
    if not sent.arrived:
        raise CheckFailed(f"the test did not arrive at {channel}: {sent.error}")
    put(f"A test message arrived at {channel}")
