"""Alerts and their history as tables and facts."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tui_monitor.cli.output import Output
from tui_monitor.cli.times import written
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN, age, show

if TYPE_CHECKING:
    from tui_monitor.model.alert import Alert, Change, Silence

_STYLES = {Severity.INFO: "", Severity.WARNING: "yellow", Severity.CRITICAL: "red"}
_QUIET = (AlertState.SILENCED, AlertState.RESOLVED)
SHORT = 8
"""Characters of an id that are shown; any unique beginning is taken."""


def show_table(
    out: Output,
    alerts: "Iterable[Alert]",
    now: Micros,
    silences: "Iterable[Silence]" = (),
    calendar: Calendar | None = None,
) -> None:
    """Alerts with their value against the threshold, age, and who takes care or silenced them."""
    from tui_monitor.cli.tables import Column, name, number, table

    columns = [
        Column("id"), Column("severity"), Column("state", rank=2), number("value"), number("threshold", 3),
        number("age", 1), name("alert"), name("labels", 5), name("taken or silenced by", 4),
    ]  # fmt: skip
    by_id = {silence.id: silence for silence in silences}
    rows = [_row(out, alert, now, by_id.get(alert.silenced_by), calendar or Calendar()) for alert in alerts]
    table(out, columns, rows)


def _row(
    out: Output, alert: "Alert", now: Micros, silence: "Silence | None", calendar: Calendar
) -> list["str | tuple[str, str]"]:
    style = "dim" if alert.state in _QUIET else _STYLES[alert.severity]
    glyph = {Severity.CRITICAL: "crit", Severity.WARNING: "warn"}.get(alert.severity, "")
    severity = alert.severity.value if out.plain else f"{out.glyphs.state(glyph)} {alert.severity.value}"
    end = alert.resolved if alert.resolved is not None else now
    return [
        alert.id[:SHORT], (severity, style), alert.state.value, show(alert.value, alert.unit),
        _threshold(alert), age(end - alert.since), alert.summary or alert.rule, labels(alert),
        _taken(alert, silence, calendar),
    ]  # fmt: skip


def _threshold(alert: "Alert") -> str:
    return UNKNOWN if alert.threshold is None else f"{alert.op} {show(alert.threshold, alert.unit)}"


def labels(alert: "Alert") -> str:
    """Its labels on one line."""
    return ", ".join(f"{key}={value}" for key, value in sorted(alert.labels.items()))


def _taken(alert: "Alert", silence: "Silence | None", calendar: Calendar) -> str:
    if alert.state is AlertState.SILENCED:
        until = UNKNOWN if alert.silenced_until is None else written(alert.silenced_until, calendar)
        words = f"until {until}"
        return f"{words} by {silence.created_by}{_quoted(silence.note)}" if silence else words
    return f"{alert.acked_by}{_quoted(alert.note)}" if alert.acked_by else UNKNOWN


def _quoted(note: str) -> str:
    return f" “{note}”" if note else ""


def show_facts(
    out: Output, alert: "Alert", silence: "Silence | None", now: Micros, calendar: Calendar
) -> None:
    """One alert: what it rests on, and who has it."""
    from tui_monitor.cli.tables import facts

    end = alert.resolved if alert.resolved is not None else now
    pairs: list[tuple[str, str | tuple[str, str]]] = [
        ("alert", clean(alert.summary or alert.rule, 500)),
        ("id", alert.id),
        ("rule", alert.rule),
        ("severity", (alert.severity.value, _STYLES[alert.severity])),
        ("state", alert.state.value),
        ("value", f"{show(alert.value, alert.unit)} {_threshold(alert)}"),
        ("expression", clean(alert.expr, 2_000)),
        ("labels", labels(alert) or UNKNOWN),
        ("since", f"{written(alert.since, calendar)}, for {age(end - alert.since)}"),
    ]
    if alert.fired is not None:
        pairs.append(("fired", written(alert.fired, calendar)))
    if alert.resolved is not None:
        pairs.append(("resolved", written(alert.resolved, calendar)))
    if alert.acked_by:
        at = f", {written(alert.acked_at, calendar)}" if alert.acked_at is not None else ""
        pairs.append(("taken by", f"{alert.acked_by}{at}{_quoted(alert.note)}"))
    if alert.state is AlertState.SILENCED:
        pairs.append(("silenced", f"{_taken(alert, silence, calendar)} ({alert.silenced_by})"))
    facts(out, pairs)


def show_history(out: Output, alert: "Alert", changes: "Sequence[Change]", calendar: Calendar) -> None:
    """Every change with its time, value, person and note."""
    from tui_monitor.cli.tables import Column, name, number, table

    rows = [
        [written(c.at, calendar), c.state.value, show(c.value, alert.unit), c.who or UNKNOWN, c.note]
        for c in changes
    ]
    table(out, [Column("time"), Column("state"), number("value"), name("who"), name("note")], rows)
