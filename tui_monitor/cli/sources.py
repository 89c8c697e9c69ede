"""`sources`: each way in and how it is doing; pause one, let it go on."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import NotFound
from tui_monitor.model.identity import actor
from tui_monitor.model.states import SourceState
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, age, show

if TYPE_CHECKING:
    from tui_monitor.health.views import SourceRow

_STYLES = {
    SourceState.RUNNING: ("ok", "green"),
    SourceState.STARTING: ("off", ""),
    SourceState.PAUSED: ("warn", "yellow"),
    SourceState.FAILED: ("crit", "red"),
    SourceState.OFF: ("off", "dim"),
}
NOBODY = "no collector is running: this is what one would do"
SILENT = "{} writes the database and does not answer: this is what a collector would do"


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    listing = verbs.add("list", "every way in: state, rate, lag, records and errors")
    listing.add_argument("--all", action="store_true", help="the collector's own loops as well")
    for verb, help_line in (
        ("pause", "let a source wait until it is resumed, over restarts too"),
        ("resume", "let a paused source go on, or try a failed one again at once"),
    ):
        sub = verbs.add(verb, help_line)
        sub.add_argument("name", metavar="NAME", help="its name, as `sources` shows it")
        sub.add_argument("--as", dest="who", metavar="NAME", help="who acts (default: your name)")
    examples(
        parser,
        """
        tui-monitor sources
        tui-monitor sources pause claude-code
        tui-monitor sources resume claude-code
        tui-monitor --json sources | jq '.data.sources[] | select(.state == "failed")'
        """,
    )


def run(context: Context) -> int:
    """List or act; raises `MonitorError` where that cannot be done."""
    match context.args.action:
        case "pause" | "resume" as what:
            return _act(context, what)
        case _:
            return _list(context)


def _list(context: Context) -> int:
    note, rows = _rows(context)
    if not getattr(context.args, "all", False):
        rows = [row for row in rows if row.kind != "loop" or row.state is SourceState.FAILED]
    data = {"collecting": not note, "sources": rows}
    context.out.answer(data, lambda: _show(context, rows), [note] if note else [])
    return 0


def _rows(context: Context) -> "tuple[str, list[SourceRow]]":
    """The collector's rows; where none answers, that in words, and the sources that one would have."""
    note = NOBODY
    if context.target is not None:
        snapshot = context.ask(lambda monitor: monitor.snapshot(TimeRange()))
        return "", list(snapshot.collector.sources)
    if context.database.exists():
        status = context.ask_here(lambda monitor: monitor.collector())
        if status.running:
            return "", list(status.sources)
        if status.silent:
            note = SILENT.format(status.silent)
    return note, _expected(context)


def _expected(context: Context) -> "list[SourceRow]":
    from tui_monitor.health.views import SourceRow
    from tui_monitor.runtime.pauses import load
    from tui_monitor.sources.api import why_off
    from tui_monitor.sources.table import SOURCES
    from tui_monitor.store.database import Store

    settings, now = context.settings, context.clock.now()
    calendar = settings.calendar()
    pauses = {}
    if context.database.exists():
        store = Store.open(context.database, write=False, clock=context.clock, zone=calendar.zone)
        try:
            pauses = load(store)
        finally:
            store.close()

    def row(source) -> SourceRow:
        if pause := pauses.get(source.name):
            return SourceRow(source.name, SourceState.PAUSED, pause.words(calendar, now), kind="source")
        off = clean(why_off(source, settings))
        return SourceRow(source.name, SourceState.OFF, off or "would run", kind="source")

    return [row(source) for source in SOURCES]


def _show(context: Context, rows: "list[SourceRow]") -> None:
    from tui_monitor.cli.tables import Column, name, number, table

    columns = [
        Column("source"), Column("state", rank=2), number("rate", 4), number("lag", 5), number("records", 1),
        number("errors", 1), name("detail", 3), name("last error", 6),
    ]  # fmt: skip
    off: dict[str, list[str]] = {}
    for row in rows:
        if row.state is SourceState.OFF:
            off.setdefault(row.detail, []).append(row.name)
    alone = [row for row in rows if row.state is not SourceState.OFF or len(off[row.detail]) == 1]
    if alone:
        table(context.out, columns, [_cells(context, row) for row in alone])
    # Many sources that wait for one and the same thing say so once.
    for why, names in off.items():
        if len(names) > 1:
            context.out.line(f"off: {', '.join(names)}\n  {why}")


def _lag(seconds: float | None) -> str:
    """How old the newest record was; below 0 it came from a clock that is ahead of this one."""
    if seconds is None:
        return UNKNOWN
    return ("-" if seconds <= -1 else "") + age(round(abs(seconds) * 1_000_000))


def _cells(context: Context, row: "SourceRow") -> list["str | tuple[str, str]"]:
    glyph, style = _STYLES[row.state]
    state = row.state.value if context.out.plain else f"{context.out.glyphs.state(glyph)} {row.state.value}"
    known = row.last_seen is not None or row.records
    return [
        row.name,
        (state, style),
        show(row.rate, "/s"),
        _lag(row.lag_s),
        f"{row.records:,}" if known else UNKNOWN,
        f"{row.errors:,}",
        row.detail if row.progress is None else f"{row.progress:.0%} {row.detail}".rstrip(),
        row.last_error or UNKNOWN,
    ]


def _act(context: Context, what: str) -> int:
    args = context.args
    who = clean(args.who, 64) if args.who else actor(context.settings.general.name)
    absent, rows = _rows(context)
    if args.name not in [row.name for row in rows]:
        names = ", ".join(row.name for row in rows if row.kind == "source")
        raise NotFound(f"no source is called {clean(args.name, 60)!r}", hint=f"there are {names}")
    if what == "pause":
        context.ask(lambda monitor: monitor.pause_source(args.name, who))
        words = f"{args.name} is paused by {who}"
    else:
        context.ask(lambda monitor: monitor.resume_source(args.name, who))
        words = f"{args.name} goes on"
    warnings = ["no collector is running: it holds for the next one"] if absent else []
    context.out.answer(
        {"source": args.name, "done": what, "who": who}, lambda: context.out.line(words), warnings
    )
    return 0
