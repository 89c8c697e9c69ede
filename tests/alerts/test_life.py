"""Random lives of alerts over a real database: no path loses a firing alert or forgets a silence."""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.examples import examples
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config.settings import Alerts
from tui_monitor.model.alert import Alert, Matcher
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result, Series
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.database import Store

PROVIDERS = ("anthropic", "openai", "google")
FOR = 2 * MINUTE
MISSED = 3 * MINUTE
"""A pending alert that should have fired longer ago than this begins to wait anew."""
START = 20_000 * DAY + 8 * 60 * MINUTE
SETTINGS = Alerts.model_validate(
    {
        "command": ["tell"],
        "rules": [{"name": "errors", "expr": "error_rate [5m] by(provider) > 5%", "for": "2m"}],
    }
)
who = st.sampled_from(PROVIDERS)


class Given(LocalEngine):
    """An engine whose providers fail as they are told to."""

    failing: frozenset[str] = frozenset()

    def instant(self, text: str, at: Micros) -> Result:
        if "error_rate" not in text:
            return super().instant(text, at)
        rates = {name: 0.5 if name in self.failing else 0.0 for name in PROVIDERS}
        series = tuple(Series((("provider", name),), (rate,)) for name, rate in sorted(rates.items()))
        return Result(text, "vector", (at,), series, "ratio")


@dataclass
class Quiet:
    """A silence as the model knows it: whom it is over (everybody without a name), and when."""

    id: str
    provider: str
    starts: Micros
    ends: Micros

    def over(self, provider: str, now: Micros) -> bool:
        return self.provider in ("", provider) and self.starts <= now < self.ends


class Lives(RuleBasedStateMachine):
    """The evaluator beside a model that derives every state anew."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock(START)
        self.store = Store.open(Path(self.folder.name) / "monitor.db", write=True, clock=self.clock)
        self.engine = Given(self.store, Calendar())
        self.evaluator: Evaluator
        self.alerts: AlertStore
        self.since: dict[str, Micros] = {}
        self.fires: set[str] = set()
        self.taken: dict[str, str] = {}
        self.silences: list[Quiet] = []
        self.ids: set[str] = set()
        self.do(self.open())

    def do(self, what):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(what)

    async def open(self) -> None:
        self.alerts = await AlertStore.open(self.store.path, write=True, guard=self.store.guard)
        self.evaluator = Evaluator(self.engine, self.alerts, SETTINGS, Calendar(), self.clock, EventBus())
        await self.evaluator.load()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.do(self.alerts.close())
            self.loop.close()
            self.store.close()
            self.folder.cleanup()

    def known(self) -> dict[str, Alert]:
        return {alert.labels["provider"]: alert for alert in self.evaluator.view().alerts}

    @rule(failing=st.frozensets(who), minutes=st.integers(0, 3))
    def evaluate(self, failing: frozenset[str], minutes: int) -> None:
        self.clock.advance(minutes * MINUTE)
        self.engine.failing = failing
        self.do(self.evaluator.run_once())
        at = self.clock.now() // MINUTE * MINUTE
        late = {n for n, t in self.since.items() if n not in self.fires and at - t > FOR + MISSED}
        self.since = {name: at if name in late else self.since.get(name, at) for name in failing}
        self.fires = {name for name in failing if name in self.fires or at - self.since[name] >= FOR}
        self.taken = {name: by for name, by in self.taken.items() if name in self.fires}

    @rule(provider=who, by=st.sampled_from(["ana", "bob"]))
    def acknowledge(self, provider: str, by: str) -> None:
        alert = self.known().get(provider)
        if alert is None:
            return
        done = False
        with suppress(MonitorError):
            self.do(self.evaluator.acknowledge(alert.id, by, "mine"))
            done = True
        assert done == (provider in self.fires)
        if done:
            self.taken[provider] = by

    @rule(provider=who)
    def give_back(self, provider: str) -> None:
        alert = self.known().get(provider)
        if alert is None:
            return
        done = False
        with suppress(MonitorError):
            self.do(self.evaluator.unacknowledge(alert.id, "ana"))
            done = True
        assert done == (self.taken.pop(provider, None) is not None)

    @rule(provider=st.sampled_from(["", *PROVIDERS]), wait=st.integers(0, 2), length=st.integers(1, 5))
    def silence(self, provider: str, wait: int, length: int) -> None:
        starts = self.clock.now() + wait * MINUTE
        matcher = Matcher("provider", provider) if provider else Matcher("alertname", "err.*", "=~")
        made = self.do(self.evaluator.silence([matcher], starts + length * MINUTE, "ana", starts=starts))
        self.silences.append(Quiet(made.id, provider, starts, made.ends))

    @rule(number=st.integers(0, 5))
    def take_back(self, number: int) -> None:
        if number >= len(self.silences):
            return
        silence, now = self.silences[number], self.clock.now()
        done = False
        with suppress(MonitorError):
            self.do(self.evaluator.unsilence(silence.id, "bob"))
            done = True
        assert done == (silence.ends > now)
        if done:
            self.silences[number] = replace(silence, ends=now)

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds * SECOND)
        self.do(self.evaluator._keeper.mind())

    @rule()
    def restart(self) -> None:
        before = self.known()
        self.do(self.alerts.close())
        self.do(self.open())
        assert self.known() == before

    @invariant()
    def every_state_is_what_the_facts_come_to(self) -> None:
        if not hasattr(self, "loop"):
            return
        now = self.clock.now()
        expected: dict[str, AlertState] = {}
        for name in self.since:
            if name not in self.fires:
                expected[name] = AlertState.PENDING
            elif any(silence.over(name, now) for silence in self.silences):
                expected[name] = AlertState.SILENCED
            else:
                expected[name] = AlertState.ACKNOWLEDGED if name in self.taken else AlertState.FIRING
        alerts = self.known()
        assert {name: alert.state for name, alert in alerts.items()} == expected
        assert {name: alert.acked_by for name, alert in alerts.items() if alert.acked_by} == self.taken
        for name, alert in alerts.items():
            last = max((s.ends for s in self.silences if s.over(name, now)), default=None)
            assert alert.silenced_until == (last if alert.state is AlertState.SILENCED else None)
        self.ids |= {alert.id for alert in alerts.values()}

    @invariant()
    def no_silence_is_forgotten(self) -> None:
        if hasattr(self, "loop"):
            kept = {s.id: s.ends for s in self.do(self.evaluator.silences(ended=True))}
            assert kept == {s.id: s.ends for s in self.silences}
            open_ones = {s.id for s in self.evaluator.view().silences}
            assert open_ones == {s.id for s in self.silences if s.ends > self.clock.now()}

    @invariant()
    def the_history_leads_to_the_state_and_people_hear_what_they_should(self) -> None:
        if hasattr(self, "loop"):
            self.do(self.check_words())

    async def check_words(self) -> None:
        rows = await self.alerts._rows("SELECT alert_id, change FROM outbox ORDER BY id", ())
        for alert_id in self.ids:
            (alert,) = await self.alerts.starting_with(alert_id)
            history = await self.alerts.history(alert_id)
            assert history[-1].state is alert.state
            for one, other in pairwise(history):
                # Written twice in a row is only what somebody did, and one silence after another.
                assert one.state is not other.state or other.who != "rules"
            told = [await self.state_of(change) for owner, change in rows if owner == alert_id]
            loud = [c.state for c in history if c.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED)]
            assert (told.count("resolved") == 1) == (alert.state is AlertState.RESOLVED and bool(loud))
            assert not {"pending", "silenced"} & set(told)
            assert told.count("firing") == loud.count(AlertState.FIRING)
            if alert.state is AlertState.FIRING:
                assert told[-1] == "firing"

    async def state_of(self, change: int) -> str:
        ((state,),) = await self.alerts._rows("SELECT state FROM alert_changes WHERE id = ?", (change,))
        return state


Lives.TestCase.settings = settings(max_examples=examples(14), stateful_step_count=25)
TestLives = Lives.TestCase
