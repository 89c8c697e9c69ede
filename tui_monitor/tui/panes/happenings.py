"""The event log as rows: one line for each change, with a badge of its kind. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui_monitor.model.units import UNKNOWN, milliseconds, significant, usd
from tui_monitor.tui.drawing import Glyphs
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.alertlines import SEVERITY
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.words import brief_moment, plural

if TYPE_CHECKING:
    from tui_monitor.model.happened import FeedEvent

CHANGES = (
    "alert_update", "provider_status", "source_update", "system_alert", "benchmark_started",
    "benchmark_completed", "evaluation_started", "evaluation_completed",
)  # fmt: skip
"""Events that say that something is not as it was."""
CALLS = (*CHANGES, "request_failed", "request_completed")
"""Those of single calls as well."""
COLUMNS = (
    Column("at", "", width=8),
    Column("badge", "", width=8),
    Column("what", "", min=20, max=300),
)
_HEALTH = {"healthy": "ok", "degraded": "warn", "unavailable": "crit"}
_SOURCES = {"failed": "crit", "paused": "warn", "running": "ok"}
_DONE = {"started": "began", "completed": "is done"}

Said = tuple[str, str, str]
"""A badge, the token of its colour, and what happened."""


def shown(events: "Sequence[FeedEvent]") -> "list[FeedEvent]":
    """What is worth a line, the newest first.

    Of a source only changes of its state: what it does meanwhile is in its pane. That sources came up which
    were not known before is left out: a start of the collector is no news of each of them.
    """
    known: dict[str, str] = {}
    kept: list[FeedEvent] = []
    for event in reversed(events):
        if event.event == "source_update":
            name, state = str(event.data.get("source")), str(event.data.get("state"))
            before, known[name] = known.get(name), state
            if before == state or state == "starting" or (before in (None, "starting") and state != "failed"):
                continue
        kept.append(event)
    kept.reverse()
    return kept


def rows_of(events: "Sequence[FeedEvent]", look: Look, glyphs: Glyphs) -> list[GridRow]:
    """The events as rows of the list."""
    return [_row(event, look, glyphs) for event in events]


def goes_to(event: "FeedEvent") -> tuple[str, str]:
    """The pane that has more of it, and the row there; nothing where there is none."""
    match event.event:
        case "alert_update":
            return "alerts", str(event.data.get("id", ""))
        case "provider_status" | "request_failed" | "request_completed":
            return "providers", str(event.data.get("provider") or UNKNOWN)
        case "source_update":
            return "sources", str(event.data.get("source", ""))
        case "system_alert":
            return "sources", str(event.data.get("subject", ""))
        case _:
            return "system", ""


def _row(event: "FeedEvent", look: Look, glyphs: Glyphs) -> GridRow:
    badge, token, text = _said(event.event, event.data)
    wall = look.calendar.local(event.ts)
    today = wall.date() == look.calendar.local(look.at).date()
    at = f"{wall:%H:%M:%S}" if today else brief_moment(event.ts, look.at, look.calendar)
    bright = "dim" if event.event == "request_completed" else ""
    return GridRow(
        str(event.id),
        {
            "at": Cell(at, "dim"),
            "badge": Cell(badge, f"{token} bold" if token else "dim"),
            "what": Cell(text, bright, glyph=glyphs.state(token)),
        },
    )


def _said(name: str, data: Mapping[str, Any]) -> Said:
    match name:
        case "alert_update":
            return _alert(data)
        case "provider_status":
            state, reason = data.get("state", ""), data.get("reason", "")
            text = f"{data.get('provider') or UNKNOWN} {data.get('before', '')} → {state}"
            return "PROVIDER", _HEALTH.get(state, "dim"), f"{text}  {reason}"
        case "source_update":
            state = data.get("state", "")
            why = data.get("last_error") or data.get("detail") if state == "failed" else data.get("detail")
            return "SOURCE", _SOURCES.get(state, "dim"), f"{data.get('source')} {state}  {why or ''}"
        case "system_alert":
            broken = data.get("state") == "firing"
            told = data.get("summary") or ""
            words = f"broke  {told}" if broken else f"is {told}" if told else "works again"
            token = "crit" if broken else "dim" if told else "ok"
            return "SYSTEM", token, f"{data.get('subject')} {words}"
        case "request_failed" | "request_completed":
            return _calls(name, data)
        case _:
            return _task(name, data)


def _alert(data: Mapping[str, Any]) -> Said:
    state, rule = str(data.get("state", "")), str(data.get("rule", ""))
    who, note = data.get("who") or "", data.get("note") or ""
    severity = next((token for name, token in SEVERITY.items() if name == data.get("severity")), "accent")
    text = str(data.get("summary") or "").removeprefix(f"{rule}:").strip()
    match state:
        case "firing":
            back = f"  given back by {who}" if who and who != "rules" else ""
            return "ALERT", severity, f"{rule}  {text}{back}"
        case "resolved":
            return "ALERT", "ok", f"{rule} is over{f'  it was: {text}' if text else ''}"
        case "acknowledged":
            return "ALERT", "accent", f"{rule} taken by {who}  {note}"
        case "silenced":
            return "ALERT", "dim", f"{rule} silenced by {who}  {note}"
        case _:
            return "ALERT", "dim", f"{rule} {state}  {text}"


def _calls(name: str, data: Mapping[str, Any]) -> Said:
    failed = name == "request_failed"
    calls = data.get("calls") or 1
    who = " ".join(str(data[key]) for key in ("provider", "model") if data.get(key))
    words = [f"{plural(calls, 'call')} of {who or UNKNOWN}{' failed' if failed else ''}"]
    if failed and data.get("error_category"):
        words.append(str(data["error_category"]))
    if data.get("latency_ms") is not None:
        words.append(milliseconds(data["latency_ms"]))
    if data.get("cost_usd") is not None:
        words.append(usd(data["cost_usd"]))
    return "CALL", "crit" if failed else "ok", "  ".join(words)


def _task(name: str, data: Mapping[str, Any]) -> Said:
    kind, _, what = name.partition("_")
    words = f"{data.get('task')} {_DONE.get(what, what)}"
    if isinstance(data.get("done"), int | float) and what == "completed":
        words += f"  {significant(data['done'])} {data.get('unit', '')}"
    return ("EVAL" if kind == "evaluation" else "BENCH"), "accent", words
