"""Alerts as rows and lines: pure functions from the view."""

from collections.abc import Sequence

from tui_monitor.model.alert import Alert, AlertsView, Change
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.units import UNKNOWN, age, show
from tui_monitor.tui.drawing import Glyphs, Span, sparkline
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import ago, long_age, moment_words

SPARK = 12
_SHOWN_CHANGES = 6
_SEVERITY = {Severity.CRITICAL: "crit", Severity.WARNING: "warn", Severity.INFO: "accent"}
_OPS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
_STATES = (
    (AlertState.FIRING, "firing", "crit"),
    (AlertState.ACKNOWLEDGED, "taken", "accent"),
    (AlertState.PENDING, "pending", "dim"),
    (AlertState.SILENCED, "silenced", "dim"),
    (AlertState.INHIBITED, "inhibited", "dim"),
    (AlertState.RESOLVED, "resolved today", "ok"),
)
COLUMNS = (
    Column("severity", "severity", width=10),
    Column("alert", "alert", min=10, max=60),
    Column("value", "value", width=17, align="right"),
    Column("spark", "last hour", width=SPARK, rank=4),
    Column("age", "since", width=7, align="right", rank=2),
    Column("state", "state", min=14, max=18),
    Column("labels", "labels", min=14, max=22, rank=5),
)
LESSON = """No rules are configured. In config.toml:

[[alerts.rules]]
name = "errors"
expr = "error_rate{} [5m] by(provider) > 0.05"
severity = "critical"
"""


def left_of(expr: str) -> str:
    """What a rule compares: its expression up to the comparison, else all of it."""
    from tui_monitor.query.condition import Condition

    try:
        return Condition.parse(expr).left
    except QueryError:
        return expr


def against(alert: Alert, value: float | None) -> str:
    """A value against the threshold: `60.0 % > 50.0 %`."""
    if alert.threshold is None:
        return show(value, alert.unit)
    return f"{show(value, alert.unit)} {_OPS.get(alert.op, alert.op)} {show(alert.threshold, alert.unit)}"


def head_line(view: AlertsView, look: Look, width: int) -> Line:
    """How many there are in which state, and when the rules were looked at."""
    left: list[Span] = [(" ALERTS", "accent bold")]
    for state, word, token in _STATES:
        these = [alert for alert in view.alerts if alert.state is state]
        number = len(these)
        if state is AlertState.FIRING and these:
            token = _SEVERITY[max((alert.severity for alert in these), key=lambda s: s.rank)]
        if number or state is AlertState.FIRING:
            left.append((f"   {word} {number}", f"{token} bold" if number else "dim"))
    rules = [rule for rule in view.rules if rule.enabled]
    words = f"{len(rules)} rule{'' if len(rules) == 1 else 's'}"
    if view.evaluated is not None and width >= 100:
        words += f", looked at {ago(view.evaluated, look.at)}"
    return Line(tuple(left), ((f"{words} ", "dim"),))


def nothing(view: AlertsView) -> str:
    """What stands where no alert is open: that all is well, or how to have rules at all."""
    return "Nothing needs anybody: no alert is open." if view.rules else LESSON


def rule_lines(view: AlertsView, glyphs: Glyphs) -> list[Line]:
    """The rules that could not be looked at, and why."""
    return [
        Line(((f" {glyphs.crit} rule {rule.name}: ", "crit"), (rule.error.splitlines()[-1].strip(" ^"), "")))
        for rule in view.rules
        if rule.error
    ][:3]


def state_cell(alert: Alert, look: Look) -> Cell:
    """Where it stands, with who takes it."""
    match alert.state:
        case AlertState.FIRING:
            return Cell("not taken", "bright")
        case AlertState.ACKNOWLEDGED:
            return Cell(f"taken: {alert.acked_by or UNKNOWN}", "accent")
        case AlertState.RESOLVED:
            return Cell("resolved", "ok")
        case other:
            return Cell(other.value, "dim")


def row_of(alert: Alert, look: Look, glyphs: Glyphs) -> GridRow:
    """One row of the list."""
    ended = alert.state is AlertState.RESOLVED
    quiet = ended or alert.state in (AlertState.PENDING, AlertState.SILENCED, AlertState.INHIBITED)
    token = "dim" if quiet else _SEVERITY[alert.severity]
    glyph = glyphs.ok if ended else glyphs.off if quiet else glyphs.state(_SEVERITY[alert.severity])
    labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    end = alert.resolved if alert.resolved is not None else look.at
    # A summary of nobody's own begins with the rule's name and says what the other columns say.
    text = alert.rule if alert.summary.startswith(f"{alert.rule}:") else alert.summary or alert.rule
    return GridRow(
        alert.id,
        {
            "severity": Cell(alert.severity.value, token, glyph=glyph, sort=-alert.severity.rank),
            "alert": Cell(text, "dim" if ended else "bright", sort=alert.rule),
            "value": Cell(against(alert, alert.value), "" if ended else token, sort=alert.value),
            "spark": Cell(sparkline(alert.spark, SPARK, None, glyphs), "dim" if ended else "accent"),
            "age": Cell(long_age(max(0, end - alert.since)), sort=end - alert.since),
            "state": state_cell(alert, look),
            "labels": Cell(labels, "dim", sort=labels),
        },
    )


def detail_lines(alert: Alert, history: Sequence[Change], look: Look, glyphs: Glyphs) -> list[Line]:
    """The alert under the cursor: what it says, what it rests on, what became of it."""
    token = "ok" if alert.state is AlertState.RESOLVED else _SEVERITY[alert.severity]
    labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    lines = [
        Line(((f" {alert.rule}", f"{token} bold"),)),
        _fact("expr", alert.expr),
        _fact("since", _since(alert, look.at, look)),
    ]
    if labels:
        lines.append(_fact("labels", labels))
    if alert.acked_by:
        when = "" if alert.acked_at is None else f" {moment_words(alert.acked_at, look.at, look.calendar)}"
        note = f" “{alert.note}”" if alert.note else ""
        lines.append(_fact("taken by", f"{alert.acked_by}{when}{note}"))
    lines.append(Line())
    lines += [_change(change, alert, look) for change in history[-_SHOWN_CHANGES:]]
    return lines


def _since(alert: Alert, now: Micros, look: Look) -> str:
    began = moment_words(alert.since, now, look.calendar)
    if alert.resolved is not None:
        return f"{began}, for {age(alert.resolved - alert.since)}"
    return f"{began}, {ago(alert.since, now)}"


def _fact(name: str, text: str) -> Line:
    return Line(((f"   {name:<9} ", "dim"), (text, "")))


def _change(change: Change, alert: Alert, look: Look) -> Line:
    when = moment_words(change.at, look.at, look.calendar)
    note = f"  “{change.note}”" if change.note else ""
    return Line(
        (
            (f"   {when:<9} ", "dim"),
            (f"{change.state.value:<13}", "bright"),
            (f"{show(change.value, alert.unit):>9}  ", ""),
            (f"{change.who}{note}", "dim"),
        )
    )
