"""`alerts silence`, `unsilence` and `silences`."""

import re
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import Actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.times import instant, written
from tui_monitor.model.alert import MATCHES, Match, Matcher
from tui_monitor.model.errors import NotFound, UsageError
from tui_monitor.model.states import AlertState
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import parse_duration
from tui_monitor.model.units import UNKNOWN, age

if TYPE_CHECKING:
    from tui_monitor.model.alert import Silence
    from tui_monitor.model.calendar import Calendar
    from tui_monitor.model.clock import Micros
    from tui_monitor.monitor.api import Monitor

_MATCHER = re.compile(r"\s*([A-Za-z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def arguments(verbs: Actions) -> None:
    """What the three verbs take."""
    sub = verbs.add("silence", "keep alerts quiet for a while, those of now and those to come")
    sub.add_argument(
        "what", nargs="+", metavar="ID|MATCHER",
        help="an alert, whenever it comes up; or matchers that all must fit, like provider=openai, "
        "model!=gpt-4o, alertname=~'slow.*'",
    )  # fmt: skip
    sub.add_argument("--for", dest="length", metavar="2h", help="how long")
    sub.add_argument("--until", metavar="TIME", help="until when, instead of --for")
    sub.add_argument("--from", dest="start", metavar="TIME", help="when it begins (default: now)")
    sub.add_argument("--note", default="", metavar="TEXT", help="why")
    sub.add_argument("--as", dest="who", metavar="NAME", help="who acts (default: your name)")
    examples(
        sub,
        """
        tui-monitor alerts silence 3f2a --for 2h --note "they are mending it"
        tui-monitor alerts silence provider=openai severity!=critical --for 1d
        tui-monitor alerts silence 'alertname=~"latency|error rate"' --from 2026-12-24 --until 2026-12-27
        """,
    )
    sub = verbs.add("unsilence", "end a silence now")
    sub.add_argument("id", metavar="ID", help="id of the silence, or of an alert that it keeps quiet")
    sub.add_argument("--as", dest="who", metavar="NAME", help="who acts (default: your name)")
    sub = verbs.add("silences", "silences in force and to come, and with --ended those of the last 30 days")
    sub.add_argument("--ended", action="store_true", help="show those that are over as well")


def matcher(text: str) -> Matcher:
    """A matcher as people write it: `provider=openai`, `model=~"gpt-.*"`. Raises `UsageError`."""
    found = _MATCHER.fullmatch(text)
    op: Match | None = next((known for known in MATCHES if found and found[2] == known), None)
    if found is None or op is None:
        raise UsageError(
            f"not a matcher: {clean(text, 80)!r}", hint="write it like provider=openai or alertname=~'slow.*'"
        )
    value = found[3]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return Matcher(found[1], value, op)


def begin(context: Context, who: str) -> int:
    """Silence an alert or whatever fits; raises `MonitorError`."""
    args = context.args
    starts, ends = _times(context)

    async def act(monitor: "Monitor") -> "tuple[Silence, int]":
        from tui_monitor.alerts.silences import fits, labels_of, matchers_of

        if len(args.what) == 1 and not _MATCHER.fullmatch(args.what[0]):
            wanted = matchers_of(await monitor.alert(args.what[0]))
        else:
            wanted = tuple(matcher(text) for text in args.what)
        silence = await monitor.silence(wanted, ends, who, clean(args.note, 500), starts=starts)
        known = (await monitor.alerts()).alerts
        quiet = [a for a in known if a.state is AlertState.SILENCED and fits(silence.matchers, labels_of(a))]
        return silence, len(quiet)

    silence, quiet = context.ask(act)
    calendar, now = context.calendar, context.now

    def show_it() -> None:
        begin = "" if silence.starts <= now else f"from {written(silence.starts, calendar)} "
        context.out.line(f"silence {silence.id}: {begin}until {written(silence.ends, calendar)}")
        context.out.line(f"  {_written(silence)}")
        if silence.starts <= now:
            context.out.line(f"  {quiet} alert{'' if quiet == 1 else 's'} of now")

    context.out.answer(silence, show_it)
    return 0


def _times(context: Context) -> "tuple[Micros | None, Micros]":
    args, now = context.args, context.now
    calendar = context.calendar
    if (args.length is None) == (args.until is None):
        raise UsageError("a silence needs an end", hint="give --for 2h, or --until 2026-12-27T09:00")
    starts = None if args.start is None else instant(args.start, calendar, now)
    if args.until is not None:
        return starts, instant(args.until, calendar, now)
    return starts, max(now, starts or now) + parse_duration(args.length)


def end(context: Context, who: str) -> int:
    """End a silence; raises `MonitorError`."""

    async def act(monitor: "Monitor") -> "Silence":
        start = context.args.id
        if any(silence.id.startswith(start) for silence in await monitor.silences(ended=True)):
            return await monitor.unsilence(start, who)
        try:
            alert = await monitor.alert(start)
        except NotFound:
            return await monitor.unsilence(start, who)
        if not alert.silenced_by:
            raise UsageError(f"{alert.rule} is not silenced", hint="see `tui-monitor alerts silences`")
        return await monitor.unsilence(alert.silenced_by, who)

    silence = context.ask(act)
    words = f"silence {silence.id} ended by {silence.ended_by}: {_written(silence)}"
    context.out.answer(silence, lambda: context.out.line(words))
    return 0


def show_list(context: Context) -> int:
    """The silences; raises `StoreError`."""
    from tui_monitor.cli.tables import Column, name, table

    found = context.ask(lambda monitor: monitor.silences(ended=context.args.ended))
    calendar, now = context.calendar, context.now
    columns = [
        Column("id"), Column("state"), Column("from", rank=3), Column("until"), name("matchers"),
        name("by"), name("note", 2),
    ]  # fmt: skip

    def show_them() -> None:
        if found:
            table(context.out, columns, [_row(silence, calendar, now) for silence in found])
        else:
            context.out.line("no silences")

    context.out.answer(found, show_them)
    return 0


def _row(silence: "Silence", calendar: "Calendar", now: "Micros") -> list["str | tuple[str, str]"]:
    if silence.ends <= now:
        state = f"ended by {silence.ended_by}" if silence.ended_by else "ended"
    elif silence.starts > now:
        state = f"begins in {age(silence.starts - now)}"
    else:
        state = f"{age(silence.ends - now)} left"
    return [
        silence.id, (state, "dim" if silence.ends <= now else ""), written(silence.starts, calendar),
        written(silence.ends, calendar), _written(silence), silence.created_by or UNKNOWN, silence.note,
    ]  # fmt: skip


def _written(silence: "Silence") -> str:
    from tui_monitor.alerts.silences import written as matcher_text

    return clean(" ".join(matcher_text(matcher) for matcher in silence.matchers), 500)
