"""Sources as rows and lines: pure functions from the collector's rows."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.health.freshness import silent_since
from tui_monitor.model.states import SourceState
from tui_monitor.model.units import UNKNOWN, age, count, milliseconds, ratio, significant
from tui_monitor.tui.drawing import Glyphs, Span, bar, lane, wrap
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import ago, long_age, moment_words, short_age

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus, SourceRow

TOKENS = {
    SourceState.FAILED: "crit", SourceState.PAUSED: "warn", SourceState.STARTING: "dim",
    SourceState.RUNNING: "ok", SourceState.OFF: "dim",
}  # fmt: skip
_KINDS = (("source", "WAYS IN"), ("door", "DOORS"), ("out", "WAYS OUT"), ("loop", "THE COLLECTOR'S OWN"))
_BAR = 10
_SKEW_S = 2.0
"""Seconds by which clocks may differ without a word."""
_NAME = 11
"""Cells of a fact's name."""


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    wide = width >= 150
    return (
        Column("name", "name", width=24 if wide else 14),
        Column("state", "state", width=10),
        Column("rate", "rate", width=8, align="right", rank=3),
        Column("lag", "lag", width=8, align="right", rank=5),
        Column("records", "records", width=8, align="right", rank=4),
        Column("errors", "errors", width=6, align="right", rank=1),
        Column("seen", "last", width=5, align="right", rank=6),
        Column("failed", "last error", width=10, align="right", rank=7),
        Column("detail", "", min=20, max=140),
    )


def head_line(status: "CollectorStatus | None", look: Look, glyphs: Glyphs) -> Line:
    """How many are in which state, and how many went quiet."""
    spans: list[Span] = [(" SOURCES", "accent bold")]
    states = Counter(row.state for row in status.sources) if status else Counter[SourceState]()
    for state, token in TOKENS.items():
        if states[state]:
            spans += [("   ", ""), (f"{glyphs.state(token)} {state.value} {states[state]}", token)]
    quiet = [row for row in status.sources if silent_since(row, status, look.at)] if status else []
    if quiet:
        spans.append((f"   {glyphs.stale} quiet {len(quiet)}", "stale"))
    return Line(tuple(spans))


def rows_of(rows: "Sequence[SourceRow]", look: Look, width: int, glyphs: Glyphs) -> list[GridRow]:
    """The rows of each kind below their heading; what is off stands by itself, at the end."""
    running = [row for row in rows if row.state is not SourceState.OFF]
    groups = [(f"kind {kind}", title, [row for row in running if row.kind == kind]) for kind, title in _KINDS]
    groups.append(("off", "OFF", [row for row in rows if row.state is SourceState.OFF]))
    shown: list[GridRow] = []
    for key, title, members in groups:
        if members:
            shown += [GridRow(key, heading=title), *(_row(row, look, glyphs) for row in members)]
    return shown


def _row(row: "SourceRow", look: Look, glyphs: Glyphs) -> GridRow:
    token = TOKENS[row.state]
    quiet = _quiet(row, look) is not None
    failed = "" if row.last_error_at is None else f"{short_age(look.at - row.last_error_at)} ago"
    return GridRow(
        row.name,
        {
            "name": Cell(row.name, "bright", sort=row.name, mark=(glyphs.stale, "stale") if quiet else None),
            "state": Cell(row.state.value, token, glyph=glyphs.state(token), sort=row.state.value),
            "rate": Cell(rate(row.rate), sort=row.rate),
            "lag": Cell(lag(row.lag_s), "warn" if ahead(row) else "", sort=row.lag_s),
            "records": Cell(count(row.records) if row.records else UNKNOWN, sort=row.records),
            "errors": Cell(count(row.errors), "warn" if row.errors else "dim", sort=row.errors),
            "seen": Cell(_since(row.last_seen, look), "stale" if quiet else "", sort=row.last_seen),
            "failed": Cell(failed, "dim", sort=row.last_error_at),
            "detail": _doing(row, glyphs),
        },
    )


def _quiet(row: "SourceRow", look: Look) -> int | None:
    return None if look.collector is None else silent_since(row, look.collector, look.at)


def ahead(row: "SourceRow") -> bool:
    """Whether its newest record was of the future by more than clocks differ."""
    return row.lag_s is not None and row.lag_s <= -_SKEW_S


def _doing(row: "SourceRow", glyphs: Glyphs) -> Cell:
    """What it does now; of what failed, why."""
    if row.state is SourceState.FAILED:
        return Cell(row.last_error or row.detail, "crit", sort=row.detail)
    if row.progress is not None:
        done = f"{lane(row.progress, _BAR, glyphs)} {ratio(row.progress):>6}"
        return Cell(f"{done}  {row.detail}", "accent", sort=row.progress)
    worrying = row.warning or row.state is SourceState.PAUSED
    return Cell(row.detail, "warn" if worrying else "dim", sort=row.detail)


def rate(value: float | None) -> str:
    """Records per second, or per minute where they are few."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0/s"
    if value < 1:
        return f"{significant(value * 60, 2)}/min"
    return f"{count(value) if value >= 100 else significant(value, 2)}/s"


def lag(seconds: float | None) -> str:
    """How old the newest record was."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return f"-{age(round(-seconds * 1_000_000))}" if seconds <= -_SKEW_S else milliseconds(0)
    return milliseconds(seconds * 1000) if seconds < 60 else short_age(round(seconds * 1_000_000))


def _since(instant: int | None, look: Look) -> str:
    return UNKNOWN if instant is None else short_age(look.at - instant)


def detail_lines(row: "SourceRow", look: Look, width: int, glyphs: Glyphs, keys: Keymap) -> list[Line]:
    """All that is known of one: its state since when, what it does, its last error whole, what helps."""
    token = TOKENS[row.state]
    since = "" if row.since is None else f" since {moment_words(row.since, look.at, look.calendar)}"
    head: list[Span] = [(f" {row.name}   ", "bright bold")]
    head += [(f"{glyphs.state(token)} {row.state.value}", token), (since, "dim")]
    if row.restarts:
        head.append((f"   restarted {row.restarts} ×", "warn"))
    lines = [Line(tuple(head))]
    if row.progress is not None:
        done = bar(row.progress, max(10, width // 3), glyphs)
        lines.append(Line((*_name("progress"), (done, "accent"), (f" {ratio(row.progress)}", "bright"))))
    if row.detail:
        lines += _wrapped("now", row.detail, width, glyphs)
    if row.warning:
        lines += _wrapped("warning", row.warning, width, glyphs, token="warn")
    if ahead(row):
        told = f"its newest record was {lag(row.lag_s)[1:]} ahead of this clock: one of the two is wrong"
        lines += _wrapped("clock", told, width, glyphs, token="warn")
    quiet = _quiet(row, look)
    if quiet is not None:
        since = moment_words(quiet, look.at, look.calendar)
        told = f"nothing came since {since}, much longer than its pauses so far"
        lines += _wrapped("quiet", told, width, glyphs, token="stale")
    if row.last_error:
        when = "" if row.last_error_at is None else _when(row.last_error_at, look)
        lines += _wrapped("last error", f"{when}{row.last_error}", width, glyphs, token="warn")
    told = (("records", count(row.records)), ("rate", rate(row.rate)), ("lag", lag(row.lag_s)),
            ("last record", ago(row.last_seen, look.at)), ("errors", count(row.errors)))  # fmt: skip
    if row.records or row.last_seen is not None or row.errors:
        lines.append(Line(tuple(s for name, text in told for s in ((f"   {name} ", "dim"), (text, "")))))
    return [*lines, *_wrapped("what helps", advice(row, keys), width, glyphs, token="dim")]


def _when(instant: int, look: Look) -> str:
    moment = moment_words(instant, look.at, look.calendar)
    return f"{moment}, {long_age(look.at - instant)} ago: "


def _name(text: str) -> tuple[Span, ...]:
    return ((f"   {text:<{_NAME}}", "dim"),)


def _wrapped(name: str, text: str, width: int, glyphs: Glyphs, *, token: str = "") -> list[Line]:
    if not text:
        return []
    first, *rest = wrap(text, width - _NAME - 4, glyphs)
    indent = " " * (_NAME + 3)
    return [Line((*_name(name), (first, token))), *(Line(((indent, ""), (more, token))) for more in rest)]


def advice(row: "SourceRow", keys: Keymap) -> str:
    """What a person can do about the state that it is in, as far as they may change something here."""
    retry, pause, allow = (keys.get(id) for id in ("sources.retry", "sources.pause", "consent"))
    match row.state:
        case SourceState.FAILED:
            told = ["it is tried again by itself"]
            told += [f"{keys.key(retry.id)} tries now"] if retry else []
            told += [f"{keys.key(pause.id)} leaves it alone"] if pause and row.pausable else []
            told += [] if row.pausable else ["`tui-monitor doctor` looks at what it needs"]
            return "; ".join(told)
        case SourceState.PAUSED if row.pausable and pause:
            return f"{keys.key(pause.id)} lets it go on; it takes up where it left off"
        case SourceState.OFF if "consent" in row.detail and allow:
            return f"{keys.key(allow.id)} allows it here and writes that into config.toml"
        case SourceState.OFF:
            return "its setting is in config.toml; `tui-monitor collect --reload` takes a change over"
        case _:
            return ""
