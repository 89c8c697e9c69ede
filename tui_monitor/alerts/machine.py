"""The life of an alert as a pure function: what was, what the rule reads now, what is.

    (condition holds) → pending → firing ⇄ acknowledged → resolved
                           │        ⇅  silenced  ⇅           ↑
                           └─────────────────────────────────┘

The state is made of four facts and of nothing else: whether the condition has ended, whether it has held
for long enough, which silence is over the alert, and who takes care of it. An alert that comes up again
after it was resolved is a new one with an id of its own.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tui_monitor.alerts.silences import MAX_NAME, MAX_NOTE
from tui_monitor.model.alert import Alert, Change, Labels, Silence
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.text import clean

NewId = Callable[[], str]
Quieter = Callable[[Alert], Silence | None]
"""The silence that keeps an alert quiet now."""


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


def state_of(alert: Alert) -> AlertState:
    """The state that an alert's facts come to."""
    if alert.resolved is not None:
        return AlertState.RESOLVED
    if alert.fired is None:
        return AlertState.PENDING
    if alert.silenced_by:
        return AlertState.SILENCED
    return AlertState.ACKNOWLEDGED if alert.acked_at is not None else AlertState.FIRING


def advance(
    watch: Watch,
    open_alerts: Iterable[Alert],
    readings: Sequence[Reading],
    now: Micros,
    who: str,
    new_id: NewId,
    quieter: Quieter = lambda _: None,
    patience: Micros | None = None,
    resumed: Micros | None = None,
) -> Step:
    """One evaluation of one rule. `open_alerts` are the rule's; absent labels no longer hold.

    An alert that should have fired longer ago than `patience` begins to wait anew: nobody looked meanwhile.
    `resumed` is given while the data after such a gap is still coming in: what fired before that instant
    and has no reading yet goes on.
    """
    before = {alert.fingerprint: alert for alert in open_alerts}
    by_print = {fingerprint(watch.rule, reading.labels): reading for reading in readings}
    alerts: list[Alert] = []
    changes: list[Change] = []
    for print_, reading in by_print.items():
        if not reading.holds:
            continue
        old = before.get(print_)
        alert = _held(watch, old, reading, print_, now, new_id, patience)
        # A silence that is there already comes before the first word, so that nobody hears of the alert.
        alert, hushed = hush(alert, quieter(alert), now, who)
        alerts.append(alert)
        if hushed is not None:
            changes.append(hushed)
        elif old is None or alert.state is not old.state:
            changes.append(Change(alert.id, now, alert.state, who, value=alert.value))
    for print_, old in before.items():
        reading = by_print.get(print_)
        if reading is None and _from_before(old, resumed, now):
            alerts.append(old)
        elif reading is None or not reading.holds:
            value = reading.value if reading else None
            alert, change = resolve(old, now, who, value=value)
            alerts.append(alert)
            changes.append(change)
    return Step(tuple(alerts), tuple(changes))


def _held(
    watch: Watch, old: Alert | None, reading: Reading, print_: str, now: Micros, new_id: NewId,
    patience: Micros | None,
) -> Alert:  # fmt: skip
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
    waited = now - alert.since
    if alert.fired is None and (waited < 0 or (patience is not None and waited > watch.for_us + patience)):
        # A laptop that slept with its lid closed did not hold the condition all night, and of what began
        # before the clock was set back nobody knows how long it has held.
        return replace(alert, since=now)
    if alert.fired is None and waited >= watch.for_us:
        return _settled(replace(alert, fired=now))
    return alert


def _from_before(alert: Alert, resumed: Micros | None, now: Micros) -> bool:
    """Whether it fired before looking began anew, by the clock of then where that was ahead."""
    return resumed is not None and alert.fired is not None and not resumed <= alert.fired <= now


def hush(
    alert: Alert, silence: Silence | None, now: Micros, who: str, why: str = "silence ended"
) -> tuple[Alert, Change | None]:
    """The alert under a silence, or under none any more because of `why`; its change where it changes.

    An alert that has not fired is not made quiet: it says nothing yet.
    """
    if alert.fired is None or alert.resolved is not None:
        return alert, None
    if silence is None:
        if not alert.silenced_by:
            return alert, None
        loud = _settled(replace(alert, silenced_by="", silenced_until=None))
        note = f"{why} ({alert.silenced_by})"
        return loud, Change(alert.id, now, loud.state, who, note, alert.value)
    hushed = _settled(replace(alert, silenced_by=silence.id, silenced_until=silence.ends))
    if alert.silenced_by == silence.id:
        return hushed, None
    note = f"silence {silence.id}: {silence.note}" if silence.note else f"silence {silence.id}"
    return hushed, Change(alert.id, now, hushed.state, silence.created_by or who, note, alert.value)


def resolve(
    alert: Alert, now: Micros, who: str, *, note: str = "", value: float | None = None
) -> tuple[Alert, Change]:
    """The alert's end; acknowledgement and silence go with it and stay in the history only."""
    ended = replace(
        alert, resolved=now, acked_by=None, acked_at=None, note="", silenced_by="", silenced_until=None
    )
    return _settled(ended), Change(alert.id, now, AlertState.RESOLVED, who, note, value)


def acknowledge(alert: Alert, now: Micros, who: str, note: str = "") -> tuple[Alert, Change]:
    """Somebody takes care of it; another person may take it over. A silenced alert stays silenced.

    Raises `MonitorError` unless it fires.
    """
    if not alert.open:
        raise MonitorError(f"{alert.rule} is resolved already", hint="there is nothing left to take care of")
    if alert.fired is None:
        raise MonitorError(
            f"{alert.rule} is not firing yet", hint="it fires when its condition has held long enough"
        )
    who, note = clean(who, MAX_NAME), clean(note, MAX_NOTE)
    taken = _settled(replace(alert, acked_by=who, acked_at=now, note=note))
    told = note
    if taken.state is not AlertState.ACKNOWLEDGED:
        told = f"acknowledged: {note}" if note else "acknowledged"
    return taken, Change(alert.id, now, taken.state, who, told, alert.value)


def unacknowledge(alert: Alert, now: Micros, who: str) -> tuple[Alert, Change]:
    """The acknowledgement taken back. Raises `MonitorError` where there is none."""
    if alert.acked_at is None:
        raise MonitorError(f"{alert.rule} is not acknowledged", hint="there is nothing to take back")
    given = _settled(replace(alert, acked_by=None, acked_at=None, note=""))
    note = "acknowledgement taken back"
    return given, Change(alert.id, now, given.state, clean(who, MAX_NAME), note, alert.value)


def told(before: Alert | None, after: Alert) -> Alert | None:
    """The alert with its new state noted as told, where people are to hear of it; else None.

    They hear that it fires, that somebody takes it, and that it is over; nothing while it is silenced, and
    its end only where they have heard of it. After a silence they hear again that it fires.
    """
    if before is not None and before.state is after.state and before.acked_at == after.acked_at:
        return None
    match after.state:
        case AlertState.FIRING:
            speak = True
        case AlertState.ACKNOWLEDGED:
            speak = after.told != after.state or before is None or before.acked_at != after.acked_at
        case AlertState.RESOLVED:
            speak = bool(after.told)
        case _:
            speak = False
    return replace(after, told=after.state.value) if speak else None


def _settled(alert: Alert) -> Alert:
    return replace(alert, state=state_of(alert))


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
