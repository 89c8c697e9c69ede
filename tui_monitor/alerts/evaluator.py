"""Looks at the rules on a fixed grid, keeps the alerts, and tells the bus about every change."""

import asyncio
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_monitor.alerts import machine
from tui_monitor.alerts.rules import Rule, alert_labels, compile_rule, compile_rules, read
from tui_monitor.config.settings import Alerts
from tui_monitor.model.alert import Alert, AlertsView, Change
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, Clock, Micros
from tui_monitor.model.errors import MonitorError, StoreError
from tui_monitor.query.engine import Engine

if TYPE_CHECKING:
    from tui_monitor.store.alerts import AlertStore

log = logging.getLogger(__name__)

SPARK_SPAN = HOUR
SPARK_STEP = 5 * MINUTE

SETTLE = SECOND
"""Longest time for which an instant is left to settle before it is looked at."""

Spark = tuple[float | None, ...]


@dataclass(slots=True)
class _Course:
    """How a rule's last evaluation went."""

    evaluated: Micros | None = None
    error: str = ""


class Evaluator:
    """The rules of a running collector. All methods belong to one event loop.

    An evaluation that fails leaves the rule's alerts as they are and shows its error; it never touches
    other rules. What cannot be stored did not happen: the states in memory are those on disk.
    """

    def __init__(
        self,
        engine: Engine,
        store: "AlertStore",
        settings: Alerts,
        calendar: Calendar,
        clock: Clock,
        bus: EventBus,
        who: str = "rules",
    ) -> None:
        self._engine = engine
        self._store = store
        self._interval = settings.interval
        self._calendar = calendar
        self._clock = clock
        self._bus = bus
        self._who = who
        self._rules = compile_rules(settings.rules, engine)
        self._courses = {rule.name: _Course() for rule in self._rules}
        self._open: dict[str, Alert] = {}
        self._resolved: list[Alert] = []
        self._evaluated: Micros | None = None
        self._writing = asyncio.Lock()
        for rule in self._rules:
            if rule.error:
                log.warning("rule %r is broken: %s", rule.name, rule.error.splitlines()[-1].strip())

    async def load(self) -> None:
        """Take up where the last collector left off. Raises `StoreError`."""
        self._open = {alert.id: alert for alert in await self._store.load()}
        ended = await self._store.resolved_since(self._today())
        self._resolved = [alert for alert in ended if alert.fired is not None]

    async def reconfigure(self, settings: Alerts) -> None:
        """Other rules and another grid from the next evaluation on; an equal rule keeps its course."""
        rules = await asyncio.to_thread(compile_rules, settings.rules, self._engine)
        same = {rule.name for rule in self._rules} & {rule.name for rule in rules}
        # Those that are gone stay until then: one may be under way.
        self._courses |= {rule.name: _Course() for rule in rules if rule.name not in same}
        self._rules, self._interval = rules, settings.interval

    def due(self) -> Micros:
        """When to look next, µs UTC: shortly after the next instant of the grid.

        Until then the calls of that instant are stored, so that none falls between two windows.
        """
        return self._grid() + self._interval + min(SETTLE, self._interval // 10)

    async def run_once(self) -> None:
        """Evaluate every rule at the newest instant of the grid, one after the other in worker threads."""
        at = self._grid()
        await self._mend()
        await self._end_unwatched(at)
        for rule in self._rules:
            if rule.watched:
                await self._run_rule(rule, at)
        self._evaluated = at
        self._resolved = [a for a in self._resolved if (a.resolved or 0) >= self._today()]

    async def acknowledge(self, alert_id: str, who: str, note: str = "") -> Alert:
        """Say that somebody takes care of an alert. Raises `MonitorError` unless it is firing."""
        async with self._writing:
            changed = machine.acknowledge(self._find(alert_id), self._clock.now(), who, note)
            return await self._keep_one(*changed)

    async def unacknowledge(self, alert_id: str, who: str) -> Alert:
        """Take an acknowledgement back. Raises `MonitorError` where there is none."""
        async with self._writing:
            changed = machine.unacknowledge(self._find(alert_id), self._clock.now(), who)
            return await self._keep_one(*changed)

    def view(self, resolved: bool = False) -> AlertsView:
        """The Alerts pane: from memory, so that it may be asked at any time."""
        today = self._today()
        ended = [alert for alert in self._resolved if (alert.resolved or 0) >= today]
        alerts = machine.in_order([*self._open.values(), *(ended if resolved else ())])
        counts = [alert.rule for alert in self._open.values()]
        courses = ((rule, self._courses[rule.name]) for rule in self._rules)
        rules = tuple(r.state(counts.count(r.name), c.evaluated, c.error) for r, c in courses)
        return AlertsView(self._clock.now(), alerts, rules, self._evaluated)

    async def _mend(self) -> None:
        """Try broken rules again: a metric that nobody had sent at the start may be there by now."""
        if any(rule.error for rule in self._rules):
            self._rules = await asyncio.to_thread(
                lambda: tuple(compile_rule(r.settings, self._engine) if r.error else r for r in self._rules)
            )

    async def _run_rule(self, rule: Rule, at: Micros) -> None:
        course = self._courses[rule.name]
        try:
            readings = await asyncio.to_thread(read, rule, self._engine, at)
            async with self._writing:
                mine = [alert for alert in self._open.values() if alert.rule == rule.name]
                step = machine.advance(rule.watch, mine, readings, at, self._who, _new_id)
                await self._keep(step.alerts, step.changes)
            course.evaluated, course.error = at, ""
            await self._draw(rule, at)
        except MonitorError as error:
            course.error = f"{error.message} ({error.hint})" if error.hint else error.message
        except Exception as error:
            # One rule's bug must not keep the others from being looked at.
            log.exception("rule %r could not be evaluated", rule.name)
            course.error = f"{type(error).__name__}: {error}"

    async def _end_unwatched(self, at: Micros) -> None:
        """Resolve the alerts of rules that are gone or disabled; a broken rule's stay as they are."""
        notes = {r.name: "" if r.settings.enabled else "the rule is disabled" for r in self._rules}
        async with self._writing:
            ends = [
                machine.resolve(alert, at, self._who, note=note)
                for alert in self._open.values()
                if (note := notes.get(alert.rule, "the rule is no longer configured"))
            ]
            try:
                await self._keep([alert for alert, _ in ends], [change for _, change in ends])
            except StoreError as error:
                log.warning("alerts of rules that are gone could not be resolved: %s", error.message)

    async def _keep_one(self, alert: Alert, change: Change) -> Alert:
        await self._keep([alert], [change])
        return alert

    async def _keep(self, alerts: Sequence[Alert], changes: Sequence[Change]) -> None:
        """Store what differs, then make it the truth in memory, then tell."""
        different = [alert for alert in alerts if self._open.get(alert.id) != alert]
        if not different:
            return
        await self._store.save(different, changes)
        for alert in different:
            if alert.open:
                self._open[alert.id] = alert
            else:
                self._open.pop(alert.id, None)
                if alert.fired is not None:
                    self._resolved.append(alert)
        by_id = {alert.id: alert for alert in different}
        for change in changes:
            self._bus.publish("alert_update", change.at, **describe(by_id[change.alert_id], change))

    async def _draw(self, rule: Rule, at: Micros) -> None:
        """Sparks of the last hour for the rule's open alerts: one query, and none where nothing is open."""
        mine = [alert for alert in self._open.values() if alert.rule == rule.name]
        if not mine:
            return
        sparks = await asyncio.to_thread(_sparks, rule, self._engine, at)
        for alert in mine:
            current = self._open.get(alert.id)
            if current is not None:
                self._open[alert.id] = replace(current, spark=sparks.get(alert.fingerprint, ()))

    def _find(self, alert_id: str) -> Alert:
        return find(alert_id, [*self._open.values(), *self._resolved])

    def _grid(self) -> Micros:
        return self._clock.now() // self._interval * self._interval

    def _today(self) -> Micros:
        return self._calendar.day(self._clock.now())[0]


def find(alert_id: str, alerts: Iterable[Alert]) -> Alert:
    """The alert with this id, or the only one whose id starts so. Raises `MonitorError`."""
    alerts = list(alerts)
    found = [a for a in alerts if a.id == alert_id] or [
        a for a in alerts if alert_id and a.id.startswith(alert_id)
    ]
    if len(found) != 1:
        what = "no alert has" if not found else f"{len(found)} alerts begin with"
        raise MonitorError(f"{what} the id {alert_id!r}", hint="see `tui-monitor alerts list`")
    return found[0]


def describe(alert: Alert, change: Change) -> dict[str, Any]:
    """A change as the data of its event."""
    return {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "state": change.state.value,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "value": alert.value,
        "threshold": alert.threshold,
        "unit": alert.unit,
        "who": change.who,
        "note": change.note,
    }


def _sparks(rule: Rule, engine: Engine, at: Micros) -> dict[str, Spark]:
    assert rule.condition is not None
    result = engine.range(rule.condition.left, at - SPARK_SPAN, at, SPARK_STEP)
    own = rule.settings.labels
    return {
        machine.fingerprint(rule.name, alert_labels(series.labels, own)): series.values
        for series in result.series
    }


def _new_id() -> str:
    return secrets.token_hex(5)
