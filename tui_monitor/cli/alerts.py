"""`alerts`: list, look into, take, silence."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli import alerttables, ruleedit, rules, silences
from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.identity import actor
from tui_monitor.model.states import AlertState
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import age

if TYPE_CHECKING:
    from tui_monitor.model.alert import Alert, AlertsView, Change, Silence
    from tui_monitor.monitor.api import Monitor


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    listing = verbs.add("list", "open alerts, and with --resolved those that ended today")
    listing.add_argument("--resolved", action="store_true", help="show those that ended today as well")
    for verb, help_line in (
        ("show", "one alert: what it rests on, who has it, and what happened to it"),
        ("history", "what happened to an alert"),
        ("ack", "say that you take care of an alert"),
        ("unack", "take that back"),
    ):
        sub = verbs.add(verb, help_line)
        sub.add_argument("id", metavar="ID", help="its id, or the beginning of it")
        if verb in ("ack", "unack"):
            acting(sub, "what you are doing about it" if verb == "ack" else "")
    silences.arguments(verbs)
    verbs.add("rules", "as `tui-monitor rules list`")
    rules.create_arguments(verbs.add("create", "as `tui-monitor rules create`"))
    for verb in ("enable", "disable"):
        verbs.add(verb, f"as `tui-monitor rules {verb}`").add_argument("names", metavar="NAME", nargs="+")
    examples(
        parser,
        """
        tui-monitor alerts
        tui-monitor alerts show 3f2a
        tui-monitor alerts ack 3f2a --note "ordered more quota"
        tui-monitor alerts silence 3f2a --for 2h --note "they are mending it"
        tui-monitor alerts silence provider=openai severity!=critical --for 1d
        tui-monitor alerts silences
        tui-monitor alerts unsilence 9c04
        """,
    )


def acting(parser: ArgumentParser, note: str) -> None:
    """Who acts, and with `note` (its help) why."""
    parser.add_argument("--as", dest="who", metavar="NAME", help="who acts (default: your name)")
    if note:
        parser.add_argument("--note", default="", metavar="TEXT", help=note)


def who(context: Context) -> str:
    """Who acts."""
    named = context.args.who
    return clean(named, 64) if named else actor(context.settings.general.name)


def run(context: Context) -> int:
    """Look or act; raises `MonitorError` where that cannot be done."""
    match context.args.action:
        case "show":
            return _show(context)
        case "history":
            return _history(context)
        case "ack" | "unack" as verb:
            return _act(context, take=verb == "ack")
        case "silence":
            return silences.begin(context, who(context))
        case "unsilence":
            return silences.end(context, who(context))
        case "silences":
            return silences.show_list(context)
        case "rules":
            return rules.show_list(context)
        case "create":
            context.only_here()
            return ruleedit.create(context)
        case "enable" | "disable" as verb:
            context.only_here()
            return ruleedit.switch(context, on=verb == "enable")
        case _:
            return _list(context)


def _list(context: Context) -> int:
    resolved = getattr(context.args, "resolved", False)

    async def look(monitor: "Monitor") -> "tuple[AlertsView, bool]":
        found = await monitor.alerts(resolved=resolved)
        # Read beside a collector, it is not known when that looked last.
        told = found.evaluated is not None
        return found, told or (await monitor.snapshot(TimeRange())).collector.running

    view, watched = context.ask(look)
    now, calendar = context.now, context.calendar

    def show_them() -> None:
        if view.alerts:
            alerttables.show_table(context.out, view.alerts, now, view.silences, calendar)
            if not watched:
                context.out.note("  as they stood when a collector last looked at the rules")
        else:
            context.out.line("no active alerts")
            if not view.rules:
                context.out.note("  no rules are configured: `tui-monitor config init` shows how")

    context.out.answer(view, show_them)
    return 0


def _act(context: Context, *, take: bool) -> int:
    args, name = context.args, who(context)

    async def act(monitor: "Monitor") -> "Alert":
        alert = await monitor.alert(args.id)
        if take:
            return await monitor.acknowledge(alert.id, name, clean(args.note, 500))
        return await monitor.unacknowledge(alert.id, name)

    alert = context.ask(act)
    what = clean(alert.summary or alert.rule)
    if take:
        words = f"{what}: acknowledged by {name}"
        words += "" if alert.state is AlertState.ACKNOWLEDGED else f", and still {alert.state.value}"
    else:
        words = f"{what}: {alert.state.value} again"
    context.out.answer(alert, lambda: context.out.line(words))
    return 0


async def _known(monitor: "Monitor", start: str) -> "tuple[Alert, list[Change], list[Silence]]":
    alert = await monitor.alert(start)
    return alert, await monitor.history(alert.id), await monitor.silences()


def _show(context: Context) -> int:
    alert, changes, known = context.ask(lambda monitor: _known(monitor, context.args.id))
    silence = next((silence for silence in known if silence.id == alert.silenced_by), None)
    calendar, now = context.calendar, context.now

    def show_it() -> None:
        alerttables.show_facts(context.out, alert, silence, now, calendar)
        context.out.line()
        alerttables.show_history(context.out, alert, changes, calendar)

    context.out.answer({"alert": alert, "silence": silence, "history": changes}, show_it)
    return 0


def _history(context: Context) -> int:
    alert, changes, _ = context.ask(lambda monitor: _known(monitor, context.args.id))
    end = alert.resolved if alert.resolved is not None else context.now

    def show_it() -> None:
        context.out.line(clean(f"{alert.summary or alert.rule}  {alert.expr}  {age(end - alert.since)}", 500))
        alerttables.show_history(context.out, alert, changes, context.calendar)

    context.out.answer({"alert": alert, "history": changes}, show_it)
    return 0
