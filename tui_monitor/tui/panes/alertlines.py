"""Alerts as rows: pure functions from the view."""

from collections.abc import Sequence

from tui_monitor.model.alert import Alert, AlertsView, Matcher, Silence
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.units import UNKNOWN, show
from tui_monitor.tui.drawing import Glyphs, Span, fit, sparkline, width_of
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import ago, brief_moment, long_age, plural, short_age

NARROW, WIDE = 100, 150
"""Widths of the screen, in cells, from which on there is room for more."""
SEVERITY = {Severity.CRITICAL: "crit", Severity.WARNING: "warn", Severity.INFO: "accent"}
ORDERS = ("severity", "newest", "rule")
"""What open alerts can be ordered by where no value is chosen."""
_SHORT = {"critical": "crit", "warning": "warn", "pending": "pend", "silenced": "mute", "inhibited": "held",
          "resolved": "done"}  # fmt: skip
_OPS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
_THRESHOLD = 9
"""Cells kept for a threshold, so that the comparisons stand below each other."""
_TAKEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)
_EXAMPLE = """[[alerts.rules]]
name = "errors"
expr = "error_rate{} [5m] by(provider) > 0.05"
for = "5m"
severity = "critical"
"""
_RULES = 12
"""Rules named where no alert is open."""


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    if width < NARROW:
        return (
            Column("severity", "", width=6),
            Column("alert", "alert", min=16, max=60),
            Column("value", "value", width=16, align="right"),
            Column("age", "since", width=5, align="right", rank=2),
            Column("state", "taken by", width=11),
        )
    wide = width >= WIDE
    return (
        Column("severity", "severity", width=10),
        Column("alert", "alert", min=40, max=64),
        Column("value", "value", width=21, align="right"),
        Column("spark", "last hour", width=16 if wide else 9, rank=4),
        Column("age", "since", width=8 if wide else 5, align="right"),
        Column("state", "taken by", width=24 if wide else 15),
        Column("labels", "labels", min=12, max=60, rank=5),
    )


def left_of(expr: str) -> str:
    """What a rule compares: its expression up to the comparison, else all of it."""
    from tui_monitor.query.condition import Condition

    try:
        return Condition.parse(expr).left
    except QueryError:
        return expr


def against(alert: Alert, value: float | None, room: int = 0) -> str:
    """A value against the threshold, which takes `room` cells: `60.0 % > 50.0 %`."""
    if alert.threshold is None:
        return show(value, alert.unit)
    if alert.op == "==":
        return show(value, alert.unit)
    threshold = show(alert.threshold, alert.unit)
    return f"{show(value, alert.unit)} {_OPS.get(alert.op, alert.op)} {threshold:<{room}}"


def name_of(alert: Alert) -> str:
    """An alert in one sentence; a summary of nobody's own says only what the other columns say."""
    return alert.rule if alert.summary.startswith(f"{alert.rule}:") else alert.summary or alert.rule


def told_apart(alert: Alert) -> str:
    """Its sentence in a list: of a rule without one, the labels tell it from the others of that rule."""
    name = name_of(alert)
    return f"{name} {labels_of(alert)}".rstrip() if name == alert.rule else name


def labels_of(alert: Alert) -> str:
    """Its labels as pairs."""
    return " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))


def matcher_words(matchers: Sequence[Matcher]) -> str:
    """Matchers as Alertmanager writes them."""
    return " ".join(f'{m.name}{m.op}"{m.value}"' for m in matchers)


def glyph_of(alert: Alert, glyphs: Glyphs) -> tuple[str, str]:
    """The glyph and the style of an alert's state."""
    match alert.state:
        case AlertState.RESOLVED:
            return glyphs.ok, "dim"
        case AlertState.PENDING | AlertState.INHIBITED:
            return glyphs.off, "dim"
        case AlertState.SILENCED:
            return glyphs.stale, "dim"
        case _:
            token = SEVERITY[alert.severity]
            return glyphs.state(token), token


def _unwatched(view: AlertsView, look: Look) -> bool:
    """Whether nobody looks at the rules. Beside a collector that does, it is not known when it did last."""
    return look.collector is not None and not look.collector.running and view.evaluated is None


def left_behind(view: AlertsView, look: Look) -> str:
    """That nobody knows whether these alerts still hold, where nobody looks; empty where somebody does."""
    if not _unwatched(view, look) or not view.alerts:
        return ""
    return "as the last collector left them: nobody looks now"


def head_line(view: AlertsView, look: Look, width: int, order: str, words: str) -> Line:
    """How many there are in which state; on the right what is shown of them and in which order.

    `words` is the filter.
    """
    numbers = {state: sum(a.state is state for a in view.alerts) for state in AlertState}
    open_ = [alert for alert in view.alerts if alert.state in _TAKEN]
    worst = max((alert.severity for alert in open_), key=lambda s: s.rank, default=Severity.INFO)
    taken = numbers[AlertState.ACKNOWLEDGED]
    left: list[Span] = [
        (f" FIRING {len(open_)}", f"{SEVERITY[worst]} bold" if open_ else "dim"),
        (f" ({taken} taken)" if taken else "", "accent"),
    ]
    for state, word, token in (
        (AlertState.PENDING, "PENDING", ""), (AlertState.SILENCED, "SILENCED", ""),
        (AlertState.INHIBITED, "INHIBITED", ""), (AlertState.RESOLVED, "RESOLVED today", "ok"),
    ):  # fmt: skip
        if numbers[state] or state is not AlertState.INHIBITED:
            left.append((f"   {word} {numbers[state]}", token if numbers[state] else "dim"))
    right: list[Span] = []
    if words:
        right.append((f"/{words}", "accent"))
    if order != ORDERS[0]:
        right.append((f"  {order} first" if order == "newest" else f"  by {order}", "accent"))
    if why := left_behind(view, look):
        said = why if width >= NARROW and not right else "nobody looks now"
        right = [(said, "stale"), *([("  ", "")] if right else []), *right]
    elif width >= NARROW and not right:
        rules = plural(sum(rule.enabled for rule in view.rules), "rule")
        looked = f", looked at {ago(view.evaluated, look.at)}" if view.evaluated is not None else ""
        right.append((f"{rules}{looked}", "dim"))
    return Line(tuple(left), tuple(right))


def nothing(view: AlertsView, look: Look, words: str, width: int, glyphs: Glyphs, keys: Keymap) -> str:
    """What stands where no alert is open: whether all is well, what is watched, and how to have a rule."""
    if words:
        return f"No alert with “{words}”. {keys.key('alerts.leave')} shows all."
    watching = [rule for rule in view.rules if rule.enabled]
    if not watching:
        return f"No rules are configured. In config.toml:\n\n{_EXAMPLE}"
    rules = plural(len(watching), "rule")
    lines = ["Nothing needs anybody: no alert is open.", "", f"{rules} watching:"]
    if _unwatched(view, look):
        lines = ["No alert is open, but nobody looks: no collector runs.", "", f"{rules}:"]
    wide = max(len(rule.name) for rule in watching[:_RULES])
    lines += [
        fit(f"{glyphs.dot} {rule.name:{wide}}  {rule.expr}", max(20, width - 4), "left", glyphs).rstrip()
        for rule in watching[:_RULES]
    ]
    if len(watching) > _RULES:
        lines.append(f"and {len(watching) - _RULES} more: tui-monitor rules list")
    return "\n".join([*lines, "", "A rule of your own, in config.toml:", "", _EXAMPLE])


def rule_lines(view: AlertsView, glyphs: Glyphs) -> list[Line]:
    """The rules that could not be looked at, and why."""
    return [
        Line(((f" {glyphs.crit} rule {rule.name}: ", "crit"), (rule.error.splitlines()[-1].strip(" ^"), "")))
        for rule in view.rules
        if rule.error
    ][:3]


def chosen(view: AlertsView, words: str, order: str) -> tuple[list[Alert], list[Alert]]:
    """The open alerts and those that ended today which have all the words, in order."""
    wanted = words.lower().split()

    def fits(alert: Alert) -> bool:
        text = (
            f"{alert.rule} {alert.summary} {labels_of(alert)} {alert.severity.value} {alert.acked_by or ''}"
        )
        return all(word in text.lower() for word in wanted)

    alerts = [alert for alert in view.alerts if fits(alert)]
    if order == "newest":
        alerts.sort(key=lambda alert: -alert.since)
    elif order == "rule":
        alerts.sort(key=lambda alert: (alert.rule, labels_of(alert)))
    return [a for a in alerts if a.open], [a for a in alerts if not a.open]


def rows_of(
    view: AlertsView, words: str, order: str, look: Look, width: int, glyphs: Glyphs
) -> list[GridRow]:
    """The rows of the list: what is open, then what ended today."""
    open_, ended = chosen(view, words, order)
    waits = {rule.name: rule.for_us for rule in view.rules}
    rows = [_row(alert, waits.get(alert.rule, 0), look, width, glyphs) for alert in open_]
    if ended:
        rows.append(GridRow("resolved", heading="RESOLVED TODAY"))
    return [*rows, *(_row(alert, 0, look, width, glyphs) for alert in ended)]


def _row(alert: Alert, waits: Micros, look: Look, width: int, glyphs: Glyphs) -> GridRow:
    ended = alert.state is AlertState.RESOLVED
    glyph, token = glyph_of(alert, glyphs)
    word = alert.severity.value if alert.state in _TAKEN else alert.state.value
    word = _SHORT.get(word, word) if width < NARROW else word
    end = alert.resolved if alert.resolved is not None else look.at
    length = max(0, end - alert.since)
    cells = 16 if width >= WIDE else 9
    labels = labels_of(alert)
    return GridRow(
        alert.id,
        {
            "severity": Cell(word, token, glyph=glyph, sort=-alert.severity.rank),
            "alert": Cell(told_apart(alert), "dim" if ended else "bright", sort=alert.rule),
            "value": Cell(
                against(alert, alert.value, 0 if width < NARROW else _THRESHOLD), token, sort=alert.value
            ),
            "spark": Cell(sparkline(alert.spark, cells, None, glyphs), "dim" if ended else "accent"),
            "age": Cell(
                long_age(length) if width >= WIDE else short_age(length), "dim" if ended else "", sort=length
            ),
            "state": _state(alert, waits, look, width),
            "labels": Cell(labels, "dim", sort=labels),
        },
    )  # fmt: skip


def _state(alert: Alert, waits: Micros, look: Look, width: int) -> Cell:
    """Who took it and when, until when it is silenced, or how long it must hold."""
    match alert.state:
        case AlertState.FIRING:
            return Cell("not taken", "bright", says=True)
        case AlertState.ACKNOWLEDGED:
            when = "" if alert.acked_at is None else brief_moment(alert.acked_at, look.at, look.calendar)
            room = (24 if width >= WIDE else 15 if width >= NARROW else 11) - width_of(when) - 1
            who = alert.acked_by or UNKNOWN
            # The time is whole, whoever it is.
            return Cell(f"{who if width_of(who) <= room else fit(who, room)} {when}", "accent")
        case AlertState.SILENCED if alert.silenced_until is not None:
            until = brief_moment(alert.silenced_until, look.at, look.calendar)
            return Cell(f"until {until}", "dim", says=True)
        case AlertState.PENDING if waits:
            return Cell(f"for {short_age(waits)}", "dim", says=True)
        case AlertState.RESOLVED if alert.resolved is not None:
            return Cell(f"ended {brief_moment(alert.resolved, look.at, look.calendar)}", "dim", says=True)
        case other:
            return Cell(other.value, "dim", says=True)


SILENCE_COLUMNS = (
    Column("who", "by", width=11, rank=1),
    Column("until", "until", width=12),
    Column("quiet", "alerts", width=6, align="right", rank=2),
    Column("matchers", "keeps quiet", min=36, max=100),
    Column("note", "note", min=12, max=60, rank=3),
)
NO_SILENCES = """No silence: every alert that fires is told.

{alerts.silence} on an alert keeps it, and those like it, quiet for a while. {alerts.silences} goes back to
the alerts."""


def silence_rows(view: AlertsView, look: Look) -> list[GridRow]:
    """The silences in force or to come: until when, what they look for, and how many alerts they keep."""
    return [_silence(silence, view, look) for silence in view.silences]


def _silence(silence: Silence, view: AlertsView, look: Look) -> GridRow:
    coming = silence.starts > look.at
    until = brief_moment(silence.starts if coming else silence.ends, look.at, look.calendar)
    left = "" if coming else f", {short_age(silence.ends - look.at)}"
    kept = sum(alert.silenced_by == silence.id for alert in view.alerts)
    matchers = matcher_words(silence.matchers)
    return GridRow(
        silence.id,
        {
            "who": Cell(silence.created_by, "accent", sort=silence.created_by),
            "until": Cell(
                f"{'from ' if coming else ''}{until}{left}", "dim" if coming else "", sort=silence.ends
            ),
            "quiet": Cell(str(kept), "dim" if not kept else "", sort=kept),
            "matchers": Cell(matchers, "bright", sort=matchers),
            "note": Cell(silence.note, "dim", sort=silence.note),
        },
    )
