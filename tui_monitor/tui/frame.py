"""The frame around the panes as lines: title bar, tabs, notice, footer. Pure functions of what is known."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros, to_datetime
from tui_monitor.model.comparison import Against
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.sampling import words
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import count, milliseconds
from tui_monitor.tui.commands import KEPT, Command
from tui_monitor.tui.drawing import Glyphs, Span, size_of
from tui_monitor.tui.keymap import DEFAULT, Keymap
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.standing import fitting, standing
from tui_monitor.tui.widgets.lines import Line, pressed
from tui_monitor.tui.widgets.tabs import Tab
from tui_monitor.tui.words import SHORT_BEFORE, ago, earlier_words, long_age, moment_words, range_words

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus
    from tui_monitor.monitor.api import Snapshot
    from tui_monitor.monitor.line import LineState
    from tui_monitor.monitor.thread import ThreadState

NAME = "tui-monitor"
_NAMED = 3
"""Waiting decisions that are named."""
_WORST = {"critical": "crit", "warning": "warn"}


def title(
    host: str,
    shown: TimeRange,
    paused: Micros | None,
    state: "ThreadState | None",
    snapshot: "Snapshot | None",
    glyphs: Glyphs,
    width: int,
    *,
    read_only: bool = False,
    held: Micros | None = None,
    compared: tuple[Against, bool] = ("previous", False),
) -> Line:
    """What, where, which time, with which one it is compared, is it alive.

    `held` is when that was known which a dialog stands over, where more is known by now.
    """
    left: list[Span] = [(f" {NAME}", "accent bold"), ("  ", "")]
    home: list[Span] = []
    line = state.line if state else None
    if line is not None:
        # Where one looks matters more than where one sits, however narrow it is.
        left += [(f"{line.place}", "bright bold"), ("   ", "")]
    elif snapshot is not None and snapshot.demo:
        left += [(" DEMO ", "warn bold reverse"), ("   ", "")]
    elif width >= 70:
        left += (home := [(host, ""), ("   ", "")])
    now, calendar = (0, Calendar()) if snapshot is None else (snapshot.at, snapshot.calendar)
    left.append((range_words(shown, now, calendar), "bright"))
    if paused is not None:
        left += [("  ", ""), (" PAUSED ", "warn bold reverse")]
        if width >= 70:
            left.append((f" {moment_words(paused, now, calendar, seconds=True)}", "dim"))
    elif held is not None:
        when = moment_words(held, now, calendar, seconds=True)
        left.append((f"  {glyphs.stale} {'as of ' if width >= 96 else ''}{when}", "stale"))
    else:
        left.append(("  live" if shown.live else "  fixed", "dim" if shown.live else "warn"))
    alive = collector(state, snapshot, glyphs, width)
    tail: list[Span] = [("  read-only", "accent")] if read_only else []
    than, beside = compared
    if beside:
        words = earlier_words(shown, than, now, calendar)
        sign: Span = (f"  {glyphs.dash * 2} ", "dim")
        left = _with(left, home, sign, words, SHORT_BEFORE[than], width - size_of((*alive, *tail)) - 2)
    left += tail
    room = width - size_of(left) - size_of(alive) - 2
    more = fitting(standing(line, snapshot, shown, glyphs), room, glyphs) if paused is None else []
    return Line(tuple(left), (*alive, *more, (" ", "")))


def _with(left: list[Span], home: list[Span], sign: Span, words: str, short: str, room: int) -> list[Span]:
    """With what is compared; where there is no room, without where one sits, by its short name, then without
    the name of the program."""
    if size_of((*left, sign, (words, ""))) > room:
        left = [span for span in left if span not in home]
    if size_of((*left, sign, (words, ""))) > room:
        words = short
    if size_of((*left, sign, (words, ""))) > room:
        left = [(" ", ""), *left[2:]]
    return [*left, sign, (words, "bright")]


def collector(
    state: "ThreadState | None", snapshot: "Snapshot | None", glyphs: Glyphs, width: int
) -> tuple[Span, ...]:
    """The collector in a few words."""
    mode = "starting" if state is None else state.mode
    if state is not None and state.line is not None and mode == "attached":
        return _attached(state.line, snapshot, glyphs, width)
    if mode == "failed":
        return ((f"{glyphs.crit} no data", "crit bold"),)
    if mode == "stopped":
        return ((f"{glyphs.off} stopped", "warn"),)
    if mode == "starting" or snapshot is None:
        return ((f"{glyphs.off} starting", "dim"),)
    if mode == "viewing":
        return _looking_on(state, snapshot.collector, glyphs, width)
    return ((f"{glyphs.ok} collecting", "ok"), *_doing(snapshot.collector, glyphs, width))


def _doing(status: "CollectorStatus", glyphs: Glyphs, width: int) -> tuple[Span, ...]:
    """How a collector that answers is doing."""
    failed = [source.name for source in status.sources if source.state is SourceState.FAILED]
    broken = ((f"  {glyphs.crit} {', '.join(failed)} failed", "crit"),) if failed else ()
    said = (*_sampling(status, width), *_insecure(status, glyphs))
    return (*_pace(status, width), *said, *broken)


def _attached(line: "LineState", snapshot: "Snapshot | None", glyphs: Glyphs, width: int) -> tuple[Span, ...]:
    clear = ((f"  {glyphs.warn} in clear", "warn"),) if line.clear else ()
    if not line.up:
        if line.never and line.error is None:
            return ((f"{glyphs.off} connecting", "dim"), *clear)
        return ((f"{glyphs.crit} line lost" if not line.never else f"{glyphs.crit} no line", "crit bold"),)
    if snapshot is None:
        return ((f"{glyphs.off} starting", "dim"), *clear)
    return ((f"{glyphs.ok} attached", "ok"), *_doing(snapshot.collector, glyphs, width), *clear)


def _looking_on(
    state: "ThreadState | None", status: "CollectorStatus", glyphs: Glyphs, width: int
) -> tuple[Span, ...]:
    owner = state.owner if state else status.pid
    if owner is None:
        return ((f"{glyphs.off} not collecting", "warn"),)
    pid = f" pid {owner}" if owner else ""
    if not status.running:
        return ((f"{glyphs.warn} viewing", "warn"), (f":{pid} does not answer", "dim"))
    said = _doing(status, glyphs, width)
    who = () if said and width < 100 else ((f": collector{pid}", "dim"),)
    return ((f"{glyphs.ok} viewing", "ok"), *who, *said)


def _pace(status: "CollectorStatus", width: int) -> list[Span]:
    """Calls and events per second and the lag, while they come at a pace worth telling."""
    pace: list[Span] = []
    if status.rate is not None and status.rate >= 0.5 and width >= 80:
        pace.append((f"  {count(round(status.rate))}/s", ""))
        if status.lag_ms is not None and width >= 100:
            pace.append((f"  lag {milliseconds(round(status.lag_ms, -1) or 1)}", "dim"))
    return pace


def _sampling(status: "CollectorStatus", width: int) -> list[Span]:
    """That only a sample of single calls is kept, and how few; of what, where there is room."""
    if not status.sampling:
        return []
    short = f"sampling 1 in {max(scope.one_in for scope in status.sampling)}"
    return [(f"  {words(status.sampling) if width >= 110 else short}", "warn")]


def _insecure(status: "CollectorStatus", glyphs: Glyphs) -> list[Span]:
    """That a door is not as safe as it should be."""
    warned = [row for row in status.sources if row.kind == "door" and row.warning]
    return [
        (f"  {glyphs.warn} {source.name}: {source.warning.partition(':')[0]}", "warn") for source in warned
    ]


def tabs(snapshot: "Snapshot | None", glyphs: Glyphs, keymap: Keymap = DEFAULT) -> tuple[Tab, ...]:
    """The panes; Alerts with how many are open."""
    badge, token = "", ""
    if snapshot is not None and snapshot.open_alerts:
        token = _WORST.get(snapshot.worst_alert or "", "accent")
        badge = f"{glyphs.state(token)}{snapshot.open_alerts}"
    return tuple(
        Tab(
            pane.id,
            keymap.key(f"pane.{pane.id}"),
            pane.title,
            pane.short,
            *((badge, token) if pane.id == "alerts" else ()),
        )
        for pane in PANES
    )


def notice(
    state: "ThreadState | None",
    failure: MonitorError | None,
    snapshot: "Snapshot | None",
    shown: TimeRange,
    glyphs: Glyphs,
    keymap: Keymap = DEFAULT,
) -> tuple[Line, ...]:
    """What must be known before anything on the pane is believed; mostly nothing."""
    line = state.line if state else None
    if line is not None and (not line.up or line.waiting):
        return _line(line, snapshot, glyphs, keymap)
    error = (state.error if state else None) or failure
    if error is not None:
        fatal = state is None or state.mode != "viewing"
        token = "crit" if fatal else "warn"
        text = error.message.splitlines()[0]
        hint = (Line.of(f"   {error.hint}", "dim"),) if error.hint else ()
        return (Line.of(f" {glyphs.state(token)} {text}", f"{token} bold"), *hint)
    if state is not None and state.note:
        return (Line(((f" {state.note}", "warn"),)),)
    if state is not None and state.blind is not None and snapshot is not None:
        since = moment_words(state.blind, snapshot.at, snapshot.calendar, seconds=True)
        text = f" {glyphs.warn} nobody collects since {since}, {long_age(snapshot.at - state.blind)} – "
        if keymap.get("takeover") is None:
            return (Line.of(f"{text}`tui-monitor collect` does", "warn"),)
        return (_goes(text, "takeover", " collects here", keymap),)
    if snapshot is not None and snapshot.demo:
        return (Line.of(f" DEMO – replayed from {snapshot.demo}; models, times, errors invented", "dim"),)
    if snapshot is None or snapshot.extent.last is None:
        return ()
    newest, now = snapshot.extent.last, snapshot.at
    span = shown.span(now)
    if newest <= span.start:
        text = f" newest data: {long_age(now - newest)} ago"
        return (_goes(f"{text} – ", "range.newest", " goes there", keymap),)
    first = snapshot.extent.first
    if not shown.live and first is not None and span.end < first:
        text = f" the first call is of {ago(first, now)}"
        return (_goes(f"{text} – ", "range.newest", " goes to the newest", keymap),)
    return ()


def _line(line: "LineState", snapshot: "Snapshot | None", glyphs: Glyphs, keymap: Keymap) -> tuple[Line, ...]:
    """That there is no line to the collector elsewhere: since when, why, what comes next, what waits."""
    lines = []
    if line.error is not None and not line.up:
        words = f" {glyphs.crit} no line to {line.place}{_since(line, snapshot)}: {line.error.message}"
        lines.append(Line(((words, "crit bold"),)))
        lines.append(Line(_next_try(line, snapshot, keymap)))
        if line.error.hint:
            lines.append(Line.of(f"   {line.error.hint}", "dim"))
    if line.waiting:
        what = "; ".join(line.waiting[:_NAMED]) + (" …" if len(line.waiting) > _NAMED else "")
        verb = "is being sent" if line.up else "waits for the line"
        lines.append(Line(((f" {glyphs.stale} {count(len(line.waiting))} decided, {verb}: {what}", "warn"),)))
    return tuple(lines)


def _since(line: "LineState", snapshot: "Snapshot | None") -> str:
    if line.lost is None or snapshot is None:
        return ""
    since = moment_words(line.lost, snapshot.at, snapshot.calendar, seconds=True)
    return f" since {since}, {long_age(max(0, snapshot.at - line.lost))}"


def _next_try(line: "LineState", snapshot: "Snapshot | None", keymap: Keymap) -> tuple[Span, ...]:
    if line.again is None:
        return (("   tried now", "dim"),)
    if snapshot is None:
        # The days over there are not known yet.
        at = f"{to_datetime(line.again).astimezone():%H:%M:%S}"
    else:
        at = _moment(line.again, snapshot)
    return ((f"   tried again at {at}, ", "dim"), (keymap.key("refresh"), "accent bold"), (" now", "dim"))


def _moment(instant: Micros, snapshot: "Snapshot") -> str:
    return moment_words(instant, snapshot.at, snapshot.calendar, seconds=True)


def footer(keys: Sequence[Command], snapshot: "Snapshot | None", width: int) -> Line:
    """The keys that matter here, and what no sum holds: calls without a price.

    Where room is short, those go first that work everywhere, then the least important of the pane.
    """
    right: tuple[Span, ...] = ()
    if snapshot is not None and snapshot.unpriced_today:
        today = " today" if width >= 100 else ""
        right = ((f"{count(snapshot.unpriced_today)} unpriced{today} ", "warn"),)
    kept = list(keys)
    while len(kept) > 1 and size_of(_keys(kept)) + size_of(right) + 1 > width:
        kept.remove(max(kept, key=lambda command: (command.footer < KEPT, command.footer)))
    return replace(pressed((_key(command), command.keys.split(",")[0]) for command in kept), right=right)


def _keys(keys: Sequence[Command]) -> tuple[Span, ...]:
    return tuple(span for command in keys for span in _key(command))


def _key(command: Command) -> tuple[Span, ...]:
    return (f" {command.key}", "accent bold"), (f" {command.label} ", "dim")


def _goes(text: str, id: str, words: str, keymap: Keymap) -> Line:
    """A warning with the key that helps; a click anywhere on it presses that."""
    command = keymap.get(id)
    spans = (text, "warn"), (keymap.key(id), "accent bold"), (words, "warn")
    return pressed([(spans, command.keys.split(",")[0] if command is not None else "")])
