"""Looks at the rules on a fixed grid, keeps the alerts, and tells the bus about every change."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_monitor.alerts import channels, machine
from tui_monitor.alerts.course import Sparks
from tui_monitor.alerts.keeper import RULES, Keeper
from tui_monitor.alerts.machine import Reading
from tui_monitor.alerts.rules import WINDOW, Reason, Rule, compile_rules, read
from tui_monitor.config.settings import Alerts, BudgetSettings, RuleSettings
from tui_monitor.model.alert import Alert, AlertsView, Change, Matcher, Silence
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.errors import MonitorError, StoreError
from tui_monitor.model.once import Once
from tui_monitor.model.ruletime import RuleTime
from tui_monitor.query.engine import Engine
from tui_monitor.query.timing import asked_by

if TYPE_CHECKING:
    from tui_monitor.store.alerts import AlertStore

log = logging.getLogger(__name__)

_MISSED = 3
"""Evaluations that may be missed before what waits to fire begins to wait anew."""
SETTLE = SECOND
"""Longest time for which an instant is left to settle before it is looked at."""


@dataclass(slots=True)
class _Course:
    """How a rule's last evaluation went."""

    evaluated: Micros | None = None
    error: str = ""
    time: RuleTime | None = None


class Evaluator:
    """The rules of a running collector. All methods belong to one event loop.

    An evaluation that fails leaves the rule's alerts as they are and shows its error; it never touches
    other rules. What cannot be stored did not happen: the states in memory are those on disk. `reason`
    tells more about an alert by its labels.
    """

    def __init__(
        self,
        engine: Engine,
        store: "AlertStore",
        settings: Alerts,
        calendar: Calendar,
        clock: Clock,
        bus: EventBus,
        *,
        shipped: Sequence[RuleSettings] = (),
        budgets: Sequence[BudgetSettings] = (),
        reason: Reason | None = None,
    ) -> None:
        self._engine = engine
        self._interval = settings.interval
        self._calendar = calendar
        self._clock = clock
        self._bus = bus
        self._reason = reason
        self._keeper = Keeper(store, clock, channels.configured(settings), self._heard)
        self._given = (settings, shipped, budgets)
        self._rules = self._compiled(*self._given)
        self._courses = {rule.name: _Course() for rule in self._rules}
        self._sparks = Sparks()
        self._evaluated: Micros | None = None
        self._resumed: Micros | None = None
        """The first evaluation after nobody had looked for a while."""
        self._turned = asyncio.Event()
        self._others = False
        """Whether there are other rules than at the last evaluation."""
        self.find = self._keeper.find
        self.silences = self._keeper.silences
        for rule in self._rules:
            if rule.error:
                log.warning("rule %r is broken: %s", rule.name, rule.error.splitlines()[-1].strip())

    def _compiled(
        self, settings: Alerts, shipped: Sequence[RuleSettings], budgets: Sequence[BudgetSettings]
    ) -> tuple[Rule, ...]:
        return compile_rules(
            settings.rules,
            self._engine,
            shipped=shipped,
            disabled=settings.disabled,
            budgets=budgets,
            calendar=self._calendar,
        )

    async def load(self) -> None:
        """Take up where the last collector left off. Raises `StoreError`."""
        await self._keeper.load(self._today())
        await self._keeper.mind()

    async def reconfigure(
        self,
        settings: Alerts,
        *,
        shipped: Sequence[RuleSettings] = (),
        budgets: Sequence[BudgetSettings] = (),
    ) -> None:
        """Other rules and another grid from the next evaluation on; an equal rule keeps its course."""
        given = (settings, shipped, budgets)
        rules = await asyncio.to_thread(self._compiled, *given)
        same = {rule.name for rule in self._rules} & {rule.name for rule in rules}
        # Those that are gone stay until then: one may be under way.
        self._courses |= {rule.name: _Course() for rule in rules if rule.name not in same}
        self._given, self._rules, self._interval = given, rules, settings.interval
        self._keeper.channels = channels.configured(settings)
        self._others = True
        self._turned.set()

    def due(self) -> Micros:
        """When to look next, µs UTC: shortly after the next instant of the grid.

        Until then the calls of that instant are stored, so that none falls between two windows.
        """
        return self._grid() + self._interval + min(SETTLE, self._interval // 10)

    async def run_once(self) -> None:
        """Evaluate every rule at the newest instant of the grid, one after the other in worker threads."""
        at = self._grid()
        if self._evaluated is None or abs(at - self._evaluated) > _MISSED * self._interval:
            self._resumed = at
        self._others = False
        await self._keeper.mind()
        await self._mend()
        await self._end_unwatched(at)
        for rule in self._rules:
            if rule.watched and not rule.misspelt:
                await self._run_rule(rule, at)
        self._evaluated = at
        names = [rule.name for rule in self._rules]
        self._sparks.keep_only(names)
        self._courses = {name: course for name, course in self._courses.items() if name in names}
        self._keeper.ended = [a for a in self._keeper.ended if (a.resolved or 0) >= self._today()]

    async def rest(self) -> None:
        """Wait until the rules are due or are others, and let silences begin and end meanwhile.

        A clock that is set back is no reason to wait until it is that late again.
        """
        due, longest = self.due(), self._interval + SETTLE
        while not self._others and 0 < (wait := due - self._clock.now()) <= longest:
            turn = self._keeper.quiet.next_turn(self._clock.now())
            wait = wait if turn is None else min(wait, turn - self._clock.now())
            self._turned.clear()
            try:
                async with asyncio.timeout(max(0, wait) / SECOND):
                    await self._turned.wait()
            except TimeoutError:
                await self._keeper.mind()

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert. Raises `MonitorError` unless it is firing."""
        return await self._keeper.acknowledge(alert_id, who, note, once=once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back. Raises `MonitorError` where there is none."""
        return await self._keeper.unacknowledge(alert_id, who, once=once)

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit, at once or from `starts` on, until `ends`.

        Raises `UsageError` where it makes no sense, and `MonitorError` where there are too many.
        """
        silence = await self._keeper.silence(matchers, ends, who, note, starts=starts, once=once)
        self._turned.set()
        return silence

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now. Raises `MonitorError` where it is over already or not known."""
        return await self._keeper.unsilence(silence_id, who, once=once)

    def rule_of(self, alert: Alert) -> Rule | None:
        """The rule that raised an alert, where there is one of that name that can be asked."""
        return next((r for r in self._rules if r.name == alert.rule and r.condition is not None), None)

    @property
    def evaluated(self) -> Micros | None:
        """The newest instant of the grid at which the rules were looked at."""
        return self._evaluated

    def broken(self) -> list[str]:
        """Rules that should be evaluated and cannot be, by name."""
        return [rule.name for rule in self.view().rules if rule.error and rule.enabled]

    def times(self) -> tuple[RuleTime, ...]:
        """How long each rule takes that was evaluated, the slowest by its mean first."""
        times = [course.time for course in self._courses.values() if course.time is not None]
        return tuple(sorted(times, key=lambda time: -time.mean))

    def view(self, resolved: bool = False) -> AlertsView:
        """The Alerts pane: from memory, so that it may be asked at any time."""
        today = self._today()
        known = self._keeper.open.values()
        ended = [alert for alert in self._keeper.ended if (alert.resolved or 0) >= today]
        alerts = machine.in_order([*known, *(ended if resolved else ())])
        counts = [alert.rule for alert in known]
        courses = ((rule, self._courses[rule.name]) for rule in self._rules)
        rules = tuple(
            r.state(counts.count(r.name), c.evaluated, r.unknown if r.misspelt else c.error)
            for r, c in courses
        )
        now = self._clock.now()
        return AlertsView(now, alerts, rules, self._evaluated, self._keeper.quiet.in_order(now))

    async def _mend(self) -> None:
        """Try again what is broken or has no data: a metric that nobody had sent may be there by now."""
        given = self._given
        if any(rule.error or rule.unknown for rule in self._rules):
            rules = await asyncio.to_thread(self._compiled, *given)
            if given is self._given:
                self._rules = rules

    async def _run_rule(self, rule: Rule, at: Micros) -> None:
        course, began = self._courses[rule.name], self._clock.monotonic()
        with asked_by(f"rule {rule.name}"):
            await self._evaluate(rule, course, at)
        took = self._clock.monotonic() - began
        course.time = (course.time or RuleTime(rule.name)).after(took, failed=bool(course.error))

    async def _evaluate(self, rule: Rule, course: _Course, at: Micros) -> None:
        keeper = self._keeper
        try:
            readings = await asyncio.to_thread(read, rule, self._engine, at, reason=self._reason)
            async with keeper.writing:
                # With many silences and many alerts it takes longer than a loop may be held up.
                step = await asyncio.to_thread(
                    machine.advance,
                    rule.watch, self._raised_by(rule), readings, at, RULES, _new_id, keeper.quieter,
                    patience=_MISSED * self._interval, resumed=self._still_resuming(at),
                )  # fmt: skip
                await keeper.keep(step.alerts, step.changes)
            course.evaluated, course.error = at, ""
            await self._draw(rule, readings, at)
        except MonitorError as error:
            course.error = f"{error.message} ({error.hint})" if error.hint else error.message
        except Exception as error:
            # One rule's bug must not keep the others from being looked at.
            log.exception("rule %r could not be evaluated", rule.name)
            course.error = f"{type(error).__name__}: {error}"

    def _still_resuming(self, at: Micros) -> Micros | None:
        """When looking began anew, until the windows of most rules are full again."""
        resumed = self._resumed
        return resumed if resumed is not None and 0 <= at - resumed < WINDOW else None

    async def _end_unwatched(self, at: Micros) -> None:
        """Resolve the alerts of rules that are gone or disabled; a broken rule's stay as they are."""
        notes = {r.name: "" if r.enabled else "the rule is disabled" for r in self._rules}
        async with self._keeper.writing:
            ends = [
                machine.resolve(alert, at, RULES, note=note)
                for alert in self._keeper.open.values()
                if (note := notes.get(alert.rule, "the rule is no longer configured"))
            ]
            try:
                await self._keeper.keep([alert for alert, _ in ends], [change for _, change in ends])
            except StoreError as error:
                log.warning("alerts of rules that are gone could not be resolved: %s", error.message)

    def _raised_by(self, rule: Rule) -> list[Alert]:
        return [alert for alert in self._keeper.open.values() if alert.rule == rule.name]

    async def _draw(self, rule: Rule, readings: Sequence[Reading], at: Micros) -> None:
        """Sparks of the last hour for the rule's open alerts."""
        mine = self._raised_by(rule)
        sparks = await asyncio.to_thread(self._sparks.draw, rule, mine, readings, self._engine, at)
        for alert in mine:
            current = self._keeper.open.get(alert.id)
            if current is not None:
                self._keeper.open[alert.id] = replace(current, spark=sparks.get(alert.fingerprint, ()))

    def _heard(self, alert: Alert, change: Change) -> None:
        self._bus.publish("alert_update", change.at, **describe(alert, change))

    def _grid(self) -> Micros:
        return self._clock.now() // self._interval * self._interval

    def _today(self) -> Micros:
        return self._calendar.day(self._clock.now())[0]


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


def _new_id() -> str:
    return secrets.token_hex(5)
