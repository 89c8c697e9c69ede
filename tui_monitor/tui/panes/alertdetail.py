"""One alert in full: what it says, what it rests on, what became of it. Pure functions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.model.alert import Alert, AlertsView, Change, Silence
from tui_monitor.model.states import AlertState
from tui_monitor.model.units import UNKNOWN, age, show
from tui_monitor.tui.drawing import Glyphs, wrap
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.alertlines import SEVERITY, against, glyph_of, labels_of, matcher_words, name_of
from tui_monitor.tui.panes.charts import MARKS
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Mark
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import ago, moment_words

if TYPE_CHECKING:
    from tui_monitor.query.result import Result

_NAME = 9
_SHOWN_CHANGES = 6
HISTORY = (
    Column("when", "when", width=16),
    Column("state", "state", width=13),
    Column("who", "who", min=8, max=24),
    Column("value", "value", width=10, align="right"),
    Column("note", "note", min=16, max=120),
)


def detail_lines(
    alert: Alert, view: AlertsView, history: Sequence[Change], look: Look, width: int, glyphs: Glyphs
) -> list[Line]:
    """The alert under the cursor in `width` cells, with the newest of its history."""
    glyph, token = glyph_of(alert, glyphs)
    name = name_of(alert)
    lines = [Line(((f" {glyph} ", token), (alert.rule, f"{SEVERITY[alert.severity]} bold"),
                   (f"   {alert.severity.value}, {alert.state.value}", "dim")))]  # fmt: skip
    if name != alert.rule:
        lines += [Line.of(f"   {text}", "bright") for text in wrap(name, width - 4, glyphs)]
    facts = [
        ("why", _why(alert, view)),
        ("since", _since(alert, look)),
        ("expr", alert.expr),
        ("labels", labels_of(alert)),
        ("taken by", _taken(alert, look)),
        ("silenced", _silenced(alert, view, look)),
    ]
    for title, text in facts:
        if text:
            lines += _fact(title, text, width, glyphs)
    return [
        *lines,
        *([Line()] if history else []),
        *(_change(c, alert, look) for c in history[-_SHOWN_CHANGES:]),
    ]


def _why(alert: Alert, view: AlertsView) -> str:
    """The comparison that holds, and for how long it has to."""
    wait = next((rule.for_us for rule in view.rules if rule.name == alert.rule), 0)
    return f"{against(alert, alert.value)}{f' for {age(wait)}' if wait else ''}"


def _since(alert: Alert, look: Look) -> str:
    began = moment_words(alert.since, look.at, look.calendar)
    if alert.resolved is not None:
        ended = moment_words(alert.resolved, look.at, look.calendar)
        return f"{began} to {ended}, {age(alert.resolved - alert.since)}"
    return f"{began}, {ago(alert.since, look.at)}"


def _taken(alert: Alert, look: Look) -> str:
    if not alert.acked_by:
        return ""
    when = "" if alert.acked_at is None else f" {moment_words(alert.acked_at, look.at, look.calendar)}"
    return f"{alert.acked_by}{when}{f' “{alert.note}”' if alert.note else ''}"


def _silenced(alert: Alert, view: AlertsView, look: Look) -> str:
    if alert.silenced_until is None:
        return ""
    silence = next((one for one in view.silences if one.id == alert.silenced_by), None)
    who = f" by {silence.created_by}" if silence else ""
    note = f" “{silence.note}”" if silence and silence.note else ""
    return f"until {moment_words(alert.silenced_until, look.at, look.calendar)}{who}{note}"


def _fact(name: str, text: str, width: int, glyphs: Glyphs) -> list[Line]:
    first, *rest = wrap(text, width - _NAME - 5, glyphs)
    indent = " " * (_NAME + 4)
    return [
        Line(((f"   {name:<{_NAME}} ", "dim"), (first, ""))),
        *(Line.of(f"{indent}{more}") for more in rest),
    ]


def _change(change: Change, alert: Alert, look: Look) -> Line:
    when = moment_words(change.at, look.at, look.calendar)
    note = f"  “{change.note}”" if change.note else ""
    return Line(
        (
            (f"   {when:<{_NAME}} ", "dim"),
            (f"{change.state.value:<13}", "bright"),
            (f"{show(change.value, alert.unit):>9}  ", ""),
            (f"{change.who}{note}", "dim"),
        )
    )


def silence_lines(silence: Silence, view: AlertsView, look: Look, width: int, glyphs: Glyphs) -> list[Line]:
    """One silence in full, with the alerts that it keeps quiet now."""
    starts = moment_words(silence.starts, look.at, look.calendar)
    ends = moment_words(silence.ends, look.at, look.calendar)
    made = f"{silence.created_by}, {moment_words(silence.created, look.at, look.calendar)}"
    kept = [alert for alert in view.alerts if alert.silenced_by == silence.id]
    lines = [Line.of(f" {matcher_words(silence.matchers)}", "bright bold")]
    for title, text in (("from", f"{starts} until {ends}"), ("by", made), ("note", silence.note)):
        if text:
            lines += _fact(title, text, width, glyphs)
    return [*lines, *(Line(((f"   {glyphs.stale} ", "dim"), (name_of(alert), ""))) for alert in kept[:8])]


def history_rows(history: Sequence[Change], alert: Alert, look: Look) -> list[GridRow]:
    """Its history as a table, the newest first."""
    return [
        GridRow(
            f"{change.at} {number}",
            {
                "when": Cell(
                    moment_words(change.at, look.at, look.calendar, seconds=True), "dim", sort=change.at
                ),
                "state": Cell(change.state.value, "bright", sort=change.state.value),
                "who": Cell(change.who or UNKNOWN, "accent", sort=change.who),
                "value": Cell(show(change.value, alert.unit), sort=change.value),
                "note": Cell(change.note, sort=change.note),
            },
        )
        for number, change in reversed(list(enumerate(history)))
    ]


def chart_of(result: "Result", alert: Alert, history: Sequence[Change], look: Look) -> ChartData:
    """What the rule compared over time, and what became of it; a threshold that never changes is a line."""
    told = {dict(series.labels).get("series", ""): series.values for series in result.series}
    thresholds = {value for value in told.get("threshold", ()) if value is not None}
    lines = [ChartSeries(alert.rule, told["value"], 0)] if "value" in told else []
    level: tuple[tuple[str, float], ...] = ()
    if len(thresholds) == 1:
        level = (("threshold", thresholds.pop()),)
    elif thresholds:
        lines.append(ChartSeries("threshold", told["threshold"], 1))
    elif alert.threshold is not None:
        level = (("threshold", alert.threshold),)
    return ChartData(
        times=result.times,
        series=tuple(lines),
        unit=result.unit or alert.unit,
        calendar=look.calendar,
        thresholds=level,
        marks=tuple(_mark(change, alert) for change in history[-MARKS:]),
        title="VALUE AND THRESHOLD",
        empty="no value in this time range",
    )


def _mark(change: Change, alert: Alert) -> Mark:
    token = {AlertState.FIRING: SEVERITY[alert.severity], AlertState.RESOLVED: "ok"}.get(change.state, "dim")
    return Mark(change.at, change.state.value, token)
