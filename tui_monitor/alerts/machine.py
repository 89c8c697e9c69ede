"""The life of an alert as a pure function: what was, what the rule reads now, what is.

    (condition holds) → pending → firing ⇄ acknowledged → resolved
                           └───────────────────────────→ resolved

An alert that comes up again after it was resolved is a new one with an id of its own.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tui_monitor.model.alert import Alert, Change, Labels
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.text import clean

MAX_NAME = 64
MAX_NOTE = 500

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule says about one set of labels at one moment."""

    labels: Labels
    value: float | None
    threshold: float | None
    holds: bool
    unit: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the machine needs to know of a rule; `for_us` in µs."""

    rule: str
    expr: str
    op: str
    severity: Severity
    for_us: Micros = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one evaluation came to: the alerts as they are now, resolved ones too, and what changed."""

    alerts: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = ()


def fingerprint(rule: str, labels: Labels) -> str:
    """The same for every time that this rule and these labels come up."""
    digest = hashlib.blake2b(digest_size=8)
    for text in (rule, *(part for pair in sorted(labels.items()) for part in pair)):
        # Length first, so that no two lists of texts run together.
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def advance(
    watch: Watch,
    open_alerts: Iterable[Alert],
    readings: Sequence[Reading],
    now: Micros,
    who: str,
    new_id: NewId,
) -> Step:
    """One evaluation of one rule. `open_alerts` are the rule's; absent labels no longer hold."""
    before = {alert.fingerprint: alert for alert in open_alerts}
    by_print = {fingerprint(watch.rule, reading.labels): reading for reading in readings}
    alerts: list[Alert] = []
    changes: list[Change] = []
    for print_, reading in by_print.items():
        if not reading.holds:
            continue
        old = before.get(print_)
        alert = _held(watch, old, reading, print_, now, new_id)
        alerts.append(alert)
        if old is None or alert.state is not old.state:
            changes.append(Change(alert.id, now, alert.state, who, value=alert.value))
    for print_, old in before.items():
        reading = by_print.get(print_)
        if reading is None or not reading.holds:
            value = reading.value if reading else None
            alert, change = resolve(old, now, who, value=value)
            alerts.append(alert)
            changes.append(change)
    return Step(tuple(alerts), tuple(changes))


def _held(
    watch: Watch, old: Alert | None, reading: Reading, print_: str, now: Micros, new_id: NewId
) -> Alert:
    """The alert while its condition holds: new, still waiting for its time, or going on."""
    if old is None:
        alert = Alert(
            id=new_id(), fingerprint=print_, rule=watch.rule, severity=watch.severity,
            state=AlertState.PENDING, labels=reading.labels, summary=reading.summary, expr=watch.expr,
            value=reading.value, threshold=reading.threshold, op=watch.op, unit=reading.unit, since=now,
        )  # fmt: skip
    else:
        alert = replace(
            old, severity=watch.severity, summary=reading.summary, expr=watch.expr, value=reading.value,
            threshold=reading.threshold, op=watch.op, unit=reading.unit,
        )  # fmt: skip
    if alert.state is AlertState.PENDING and now - alert.since >= watch.for_us:
        return replace(alert, state=AlertState.FIRING, fired=now)
    return alert


def resolve(
    alert: Alert, now: Micros, who: str, *, note: str = "", value: float | None = None
) -> tuple[Alert, Change]:
    """The alert's end; an acknowledgement goes with it and stays in the history only."""
    ended = replace(alert, state=AlertState.RESOLVED, resolved=now, acked_by=None, acked_at=None, note="")
    return ended, Change(alert.id, now, AlertState.RESOLVED, who, note, value)


def acknowledge(alert: Alert, now: Micros, who: str, note: str = "") -> tuple[Alert, Change]:
    """Somebody takes care of it; another person may take it over. Raises `MonitorError` unless it fires."""
    if alert.state is AlertState.PENDING:
        raise MonitorError(
            f"{alert.rule} is not firing yet", hint="it fires when its condition has held long enough"
        )
    if not alert.open:
        raise MonitorError(f"{alert.rule} is resolved already", hint="there is nothing left to take care of")
    who, note = clean(who, MAX_NAME), clean(note, MAX_NOTE)
    taken = replace(alert, state=AlertState.ACKNOWLEDGED, acked_by=who, acked_at=now, note=note)
    return taken, Change(alert.id, now, AlertState.ACKNOWLEDGED, who, note, alert.value)


def unacknowledge(alert: Alert, now: Micros, who: str) -> tuple[Alert, Change]:
    """The acknowledgement taken back. Raises `MonitorError` where there is none."""
    if alert.state is not AlertState.ACKNOWLEDGED:
        raise MonitorError(f"{alert.rule} is not acknowledged", hint="there is nothing to take back")
    who = clean(who, MAX_NAME)
    firing = replace(alert, state=AlertState.FIRING, acked_by=None, acked_at=None, note="")
    return firing, Change(alert.id, now, AlertState.FIRING, who, "acknowledgement taken back", alert.value)


def in_order(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Open ones by severity, those still pending last within one, the oldest first; then resolved ones,
    the newest first."""
    alerts = list(alerts)
    is_open = [alert for alert in alerts if alert.open]
    ended = [alert for alert in alerts if not alert.open]
    is_open.sort(
        key=lambda a: (-a.severity.rank, a.state is AlertState.PENDING, a.since, a.rule, a.fingerprint)
    )
    ended.sort(key=lambda a: (-(a.resolved or 0), a.rule, a.fingerprint))
    return (*is_open, *ended)
