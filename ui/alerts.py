"""The alerts page's parts: what stands now, the rules, deliveries, channels with a test, and an upload of rules."""

import html
from datetime import UTC, datetime
from functools import cached_property

import polars
import streamlit as st

from finops_core.alerting import rules as written
from finops_core.alerting.alert import Alert, Situation
from finops_core.alerting.channels import masked
from finops_core.alerting.checking import try_channel
from finops_core.alerting.looking import Looked, look
from finops_core.alerting.rule import Route, Rule
from finops_core.alerting.rules import AlertRules
from finops_core.analysis.incidents.incident import SEVERITIES
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store import alerts as kept
from finops_core.store.alerts import FAILED, SENDING, SENT, Notice, StandingAlert
from ui import address, answers, figures, kit, tables
from ui.figures import Figure
from ui.outcomes import said, say
from ui.plain import plain
from ui.viewer import ask_name, signed, viewer

_HERE = "alerts"
_STEPS = 200
_DEPENDS = ("triage", "known event", "budget", "tag exception", "incident raised")
"""What people type that a rule may ask for, by its kind in the state."""


@st.cache_resource(show_spinner="Asking each rule what it finds", max_entries=8, ttl=300)
def _looked(text: str, version: str, typed: tuple[int, ...]) -> list[Looked]:
    situation = Situation(answers.ledger(), answers.state(), datetime.now(UTC))
    return look(written.parse(text), situation)


def begin(title: str) -> "Alerts":
    """Begins the page: its title and its answer. Without data it says so and stops; rules that cannot be read are said."""
    made: list[Alerts] = []

    def answer() -> str:
        made.append(Alerts())
        return made[0].answer()

    kit.heading(title, answer)
    return made[0]


class Alerts:
    """The rules in force, and what came of them."""

    def __init__(self) -> None:
        self.problem = ""
        self.text, shipped = written.text_of(answers.ledger().home)
        try:
            found = written.parse(self.text, written.FILE)
        except FarthingError as error:
            self.problem = str(error)
            found = AlertRules((), {}, Route())
        self.rules = found
        self.is_shipped = shipped

    @cached_property
    def looked(self) -> list[Looked]:
        if self.problem:
            return []
        state = answers.state()
        return _looked(self.text, answers.ledger().version, tuple(map(state.version, _DEPENDS)))

    @cached_property
    def alerts(self) -> list[tuple[Rule, Alert]]:
        """What stands now, the gravest first."""
        found = [(one.rule, alert) for one in self.looked for alert in one.alerts]
        return sorted(found, key=lambda f: (-SEVERITIES.index(f[1].severity), f[1].owner, f[1].subject))

    @cached_property
    def known(self) -> dict[str, StandingAlert]:
        return kept.alerts(answers.state())

    @cached_property
    def notices(self) -> list[Notice]:
        return kept.notices(answers.state())

    @property
    def failed(self) -> list[Notice]:
        return [notice for notice in self.notices if notice.status in (FAILED, SENDING)]

    def answer(self) -> str:
        """`7 alerts stand, 3 of them high or graver; the rules were last checked at …`"""
        if self.problem:
            return "The rules cannot be read, so nobody is told of anything."
        grave = sum(SEVERITIES.index(a.severity) >= SEVERITIES.index("high") for _, a in self.alerts)
        number = len(self.alerts)
        stand = f"{number} alerts stand" if number != 1 else "1 alert stands"
        what = (
            f"{stand}, {grave} of them high or critical"
            if number
            else "Nothing is to be told: every rule holds"
        )
        last = kept.last_check(answers.state())
        when = (
            f"people were last told on {words.moment(last.at)}"
            if last
            else "nobody was told yet, since farthing check has not run"
        )
        return f"{what}; {when}."

    def figures(self) -> None:
        """What was just done, if anything; what stands, what failed, and when the last check was."""
        said(_HERE)
        if self.problem:
            st.error(plain(self.problem), icon=":material/error:")
        last = kept.last_check(answers.state())
        sent = sum(notice.status == SENT for notice in self.notices)
        waiting = len(self.notices) - sent - len(self.failed)
        figures.show(
            [
                Figure(
                    "Alerts standing", f"{len(self.alerts):,}", "What the rules find now, on the newest data"
                ),
                Figure(
                    "Rules",
                    f"{sum(rule.enabled for rule in self.rules.rules):,}",
                    "Rules that are enabled",
                    note="as they come with Farthing"
                    if self.is_shipped
                    else f"of {len(self.rules.rules):,} written",
                ),
                Figure(
                    "Failed deliveries",
                    f"{len(self.failed):,}",
                    "Did not arrive, or it is not known whether they did: the next check sends them again",
                    note=f"{sent:,} arrived, {waiting:,} waiting",
                ),
                Figure(
                    "Last check",
                    _ago(last.at) if last else "never",
                    "`farthing check` looks at the rules and tells people: run it from a scheduler",
                    note=words.stamp(last.at) if last else "see docs/how-to/alerts.md",
                ),
            ]
        )

    def standing(self) -> None:
        """What stands now; a row is opened by choosing it."""
        st.header("Standing", help="What the rules find now, whether or not anybody was told", anchor=False)
        if not self.alerts:
            st.info("No rule has anything to tell.", icon=":material/check_circle:")
            return
        rows = [
            {
                "Severity": alert.severity.capitalize(),
                "What": alert.subject,
                "Currency": alert.currency,
                "Owner": alert.owner,
                "State": alert.state,
                "Rule": rule.name,
                "Told": self._told(rule, alert),
            }
            for rule, alert in self.alerts
        ]
        frame = polars.DataFrame(rows, schema=dict.fromkeys(rows[0], polars.String))
        columns: list[tables.Column] = [(name, tables.text, name) for name in frame.columns]
        row = tables.show(frame, columns, None, "alerts-table", selectable=True, of=self.text)
        st.caption("Choose a row for its sentence, its figures and its link.")
        if row is not None:
            self._detail(self.alerts[row][1])
        tables.downloads(lambda: frame, "alerts")

    def _told(self, rule: Rule, alert: Alert) -> str:
        known = self.known.get(alert.id(rule.name))
        if known is None or not known.holds:
            return "not yet"
        steps = [n.status for n in self.notices if n.alert.id == known.id and n.alert.firing == known.firing]
        if not steps:
            return f"{words.stamp(known.since)}: app only"
        return f"{words.stamp(known.since)}: {', '.join(sorted(set(steps)))}"

    def _detail(self, alert: Alert) -> None:
        st.markdown(f"{plain(alert.sentence)}.")
        shown = []
        for name, value in alert.figures.items():
            told = (
                words.percent(value) if name in ("share", "utilisation", "coverage") else words.amount(value)
            )
            unit = alert.currency if "hours" not in name and not told.endswith("%") else ""
            shown.append(f"{plain(name)}: **{plain(told)}** {unit}")
        st.markdown(" · ".join(shown))
        st.html(
            f'<p class="farthing-answer"><a href="{html.escape(alert.link)}" target="_self">Look at it</a></p>'
        )

    def rules_table(self) -> None:
        """Every rule, how it stands, whom it tells, and when it last fired."""
        st.header(
            "Rules", help="HOME/rules/alerts.yaml, else the rules that come with Farthing", anchor=False
        )
        fired: dict[str, str] = {}
        for one in self.known.values():
            fired[one.rule] = max(fired.get(one.rule, ""), one.since)
        rows = [
            {
                "Rule": one.rule.name,
                "Kind": one.rule.kind,
                "State": one.state,
                "Tells": ", ".join((one.rule.route or self.rules.route).named()) or "the app only",
                "When": one.rule.digest,
                "Last fired": words.stamp(fired[one.rule.name]) if one.rule.name in fired else "never",
            }
            for one in self.looked
        ]
        if rows:
            frame = polars.DataFrame(rows, schema=dict.fromkeys(rows[0], polars.String))
            tables.show(frame, [(name, tables.text, name) for name in frame.columns], None, "rules-table")
        for one in self.looked:
            if one.error:
                st.warning(
                    plain(f"{one.rule.name} cannot look: {one.error}"), icon=":material/visibility_off:"
                )

    def deliveries(self) -> None:
        """What was sent to whom, and what failed: every step, the newest first."""
        st.header(
            "Deliveries",
            help="Each step of each message; what failed is sent again at the next check",
            anchor=False,
        )
        steps = kept.history(answers.state(), _STEPS)
        if not steps:
            st.caption("Nothing was sent yet.")
            return
        rows = [
            {
                "At": words.stamp(n.at),
                "Channel": n.channel,
                "Status": n.status,
                "What": n.alert.subject,
                "Owner": n.alert.owner,
                "Attempt": str(n.attempts),
                "Why": n.error,
            }
            for n in steps
        ]
        frame = polars.DataFrame(rows, schema=dict.fromkeys(rows[0], polars.String))
        tables.show(
            frame, [(name, tables.text, name) for name in frame.columns], None, "deliveries-table", 300
        )
        tables.downloads(lambda: frame, "deliveries")

    def channels(self) -> None:
        """Where messages go, each with a test; secrets are not shown."""
        st.header("Channels", anchor=False)
        if not self.rules.channels:
            st.caption(
                "No channel is named: alerts show here and in `farthing check`. Name some in the rules below."
            )
        for name, url in self.rules.channels.items():
            with st.container(horizontal=True, vertical_alignment="center", key=f"channel-{name}"):
                st.markdown(f"**{plain(name)}** {plain(masked(url))}", width="stretch")
                st.button(
                    "Send a test",
                    key=f"test-{name}",
                    icon=":material/send:",
                    on_click=_test,
                    args=(self.rules, name),
                    disabled=address.is_presenting(),
                )

    def upload(self) -> None:
        """New rules, checked before they are stored."""
        st.header("Change the rules", help="docs/how-to/alerts.md says what can be written", anchor=False)
        if address.is_presenting():
            return
        st.download_button(
            written.FILE,
            _without_secrets(self.text, self.rules),
            written.FILE,
            icon=":material/download:",
            on_click="ignore",
            help="The rules in force; URLs of channels that hold no variable are left out",
        )
        file = st.file_uploader("Rules as YAML", type=["yaml", "yml"], key="alerts-file")
        if file is None:
            return
        try:
            text = file.getvalue().decode("utf-8-sig")
            found = written.parse(text, file.name)
        except UnicodeDecodeError:
            st.error(plain(f"{file.name} is no UTF-8 text: save it as UTF-8"), icon=":material/error:")
            return
        except FarthingError as error:
            st.error(plain(f"{error}. Nothing was changed."), icon=":material/error:")
            return
        st.success(
            plain(f"{file.name} can be read: {len(found.rules)} rules, {len(found.channels)} channels."),
            icon=":material/check:",
        )
        ask_name("alert-rules")
        st.button("Put these rules in force", type="primary", on_click=_put_in_force, args=(text,))


def _test(rules: AlertRules, name: str) -> None:
    sent = try_channel(rules, name, viewer())
    told = (
        f"A test message arrived at {name}"
        if sent.arrived
        else f"The test did not arrive at {name}: {sent.error}"
    )
    say(_HERE, "good" if sent.arrived else "bad", told)


def _put_in_force(text: str) -> None:
    try:
        found = written.put_in_force(answers.ledger().home, answers.state(), text, signed("alert-rules"))
    except FarthingError as error:
        say(_HERE, "bad", f"Nothing was changed. {error}")
        return
    say(_HERE, "good", f"{len(found.rules)} rules are in force")


def _without_secrets(text: str, rules: AlertRules) -> str:
    for url in rules.channels.values():
        if "${" not in url:
            text = text.replace(url, "${" + "LEFT_OUT_URL" + "}")
    return text


def _ago(at: str) -> str:
    """`12 min ago`, `3 h ago`, `2 days ago`."""
    minutes = int(
        (datetime.now(UTC) - datetime.fromisoformat(at.replace("Z", "+00:00"))).total_seconds() // 60
    )
    if minutes < 60:
        return f"{max(minutes, 0)} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
