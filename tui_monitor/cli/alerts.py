"""`alerts`: list, acknowledge, and look into their history."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_monitor.cli import rules
from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.output import Output
from tui_monitor.model.identity import actor
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN, age, show

if TYPE_CHECKING:
    from tui_monitor.model.alert import Alert, Change
    from tui_monitor.monitor.api import Monitor

_STYLES = {Severity.INFO: "", Severity.WARNING: "yellow", Severity.CRITICAL: "red"}
_ID = 8
"""Characters of an id that are shown; any unique beginning is taken."""


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    listing = verbs.add("list", "open alerts, and with --resolved those that ended today")
    listing.add_argument("--resolved", action="store_true", help="show those that ended today as well")
    for verb, help_line in (("ack", "say that you take care of an alert"), ("unack", "take that back")):
        sub = verbs.add(verb, help_line)
        sub.add_argument("id", metavar="ID", help="its id, or the beginning of it")
        sub.add_argument("--as", dest="who", metavar="NAME", help="who acts (default: your name)")
        if verb == "ack":
            sub.add_argument("--note", default="", metavar="TEXT", help="what you are doing about it")
    verbs.add("history", "what happened to an alert").add_argument("id", metavar="ID")
    verbs.add("rules", "as `tui-monitor rules list`")
    examples(
        parser,
        """
        tui-monitor alerts
        tui-monitor alerts ack 3f2a --note "ordered more quota"
        tui-monitor alerts history 3f2a
        """,
    )


def run(context: Context) -> int:
    """List or act; raises `MonitorError` where that cannot be done."""
    match context.args.action:
        case "ack" | "unack" as what:
            return _act(context, take=what == "ack")
        case "history":
            return _history(context)
        case "rules":
            return rules.show_list(context)
        case _:
            return _list(context)


def _list(context: Context) -> int:
    resolved = getattr(context.args, "resolved", False)
    view = context.ask(lambda monitor: monitor.alerts(resolved=resolved))
    now = context.clock.now()

    def show_them() -> None:
        if view.alerts:
            show_table(context.out, view.alerts, now)
        else:
            context.out.line("no active alerts")
            if not view.rules:
                context.out.note("  no rules are configured: `tui-monitor config init` shows how")

    context.out.answer(view, show_them)
    return 0


def show_table(out: Output, alerts: "Iterable[Alert]", now: int) -> None:
    """Alerts with their value against the threshold, age, and who takes care."""
    from tui_monitor.cli.tables import Column, name, number, table

    columns = [
        Column("id"), Column("severity"), Column("state", rank=2), number("value"), number("threshold", 3),
        number("age", 1), name("alert"), name("labels", 5), name("taken by", 4),
    ]  # fmt: skip
    table(out, columns, [_row(out, alert, now) for alert in alerts])


def _row(out: Output, alert: "Alert", now: int) -> list["str | tuple[str, str]"]:
    style = _STYLES[alert.severity] if alert.open else "dim"
    glyph = {Severity.CRITICAL: "crit", Severity.WARNING: "warn"}.get(alert.severity, "")
    severity = alert.severity.value if out.plain else f"{out.glyphs.state(glyph)} {alert.severity.value}"
    threshold = UNKNOWN if alert.threshold is None else f"{alert.op} {show(alert.threshold, alert.unit)}"
    end = alert.resolved if alert.resolved is not None else now
    labels = ", ".join(f"{key}={value}" for key, value in alert.labels.items())
    note = f" “{alert.note}”" if alert.note else ""
    taken = f"{alert.acked_by}{note}" if alert.acked_by else UNKNOWN
    return [
        alert.id[:_ID], (severity, style), alert.state.value, show(alert.value, alert.unit), threshold,
        age(end - alert.since), alert.summary or alert.rule, labels, taken,
    ]  # fmt: skip


async def _find(monitor: "Monitor", start: str) -> "Alert":
    from tui_monitor.alerts.evaluator import find

    return find(start, (await monitor.alerts(resolved=True)).alerts)


def _act(context: Context, *, take: bool) -> int:
    args = context.args
    who = clean(args.who, 64) if args.who else actor(context.settings.general.name)

    async def act(monitor: "Monitor") -> "Alert":
        alert = await _find(monitor, args.id)
        if take:
            return await monitor.acknowledge(alert.id, who, clean(args.note))
        return await monitor.unacknowledge(alert.id, who)

    alert = context.ask(act)
    done = "acknowledged" if alert.state is AlertState.ACKNOWLEDGED else alert.state.value
    words = (
        f"{clean(alert.summary or alert.rule)}: {done} by {who}"
        if take
        else (f"{clean(alert.summary or alert.rule)}: {done} again")
    )
    context.out.answer(alert, lambda: context.out.line(words))
    return 0


def _history(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, number, table
    from tui_monitor.cli.times import written

    async def ask(monitor: "Monitor") -> "tuple[Alert, list[Change]]":
        alert = await _find(monitor, context.args.id)
        return alert, await monitor.history(alert.id)

    alert, changes = context.ask(ask)
    calendar = context.settings.calendar()

    def show_it() -> None:
        context.out.line(clean(f"{alert.summary or alert.rule}  {alert.expr}", 500))
        rows = [
            [written(c.at, calendar), c.state.value, show(c.value, alert.unit), c.who or UNKNOWN, c.note]
            for c in changes
        ]
        table(
            context.out, [Column("time"), Column("state"), number("value"), name("who"), name("note")], rows
        )

    context.out.answer({"alert": alert, "history": changes}, show_it)
    return 0
