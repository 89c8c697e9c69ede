"""Rules over stored calls: from the first bad minute to the end, over restarts and failures."""

import asyncio
from pathlib import Path

import pytest

from tui_monitor.alerts import keeper
from tui_monitor.alerts.book import AlertBook
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config.settings import Alerts
from tui_monitor.model.alert import Alert, Matcher
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.errors import MonitorError, QueryError, StoreError
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.ast import Expr
from tui_monitor.query.result import Result
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

ERRORS = {
    "name": "errors",
    "expr": "error_rate{} [5m] by(provider) > 5%",
    "for": "2m",
    "severity": "critical",
    "labels": {"team": "core"},
    "summary": "{{ $labels.provider }} fails {{ $value }} of its calls, more than {{ $threshold }}",
}
AT_ONCE = {k: v for k, v in ERRORS.items() if k != "for"}


def rules(*settings: dict, interval: str = "1m") -> Alerts:
    return Alerts.model_validate({"interval": interval, "rules": list(settings)})


def evaluator(
    engine, alert_store, clock: ManualClock, *settings: dict, bus: EventBus | None = None
) -> Evaluator:
    return Evaluator(engine, alert_store, rules(*settings), Calendar(), clock, bus or EventBus())


def only(evaluator: Evaluator, resolved: bool = False) -> Alert:
    (alert,) = evaluator.view(resolved).alerts
    return alert


async def minutes(count: int, looker: Evaluator, clock: ManualClock) -> None:
    """Let time pass with an evaluation each minute."""
    for _ in range(count):
        clock.advance(MINUTE)
        await looker.run_once()


async def test_from_stored_calls_over_an_acknowledgement_and_a_restart_to_the_end(
    engine, alert_store, clock, put, tmp_path
):
    put(clock.now() - 30 * SECOND, "openai", 18)
    put(clock.now() - 20 * SECOND, "openai", 2, "server")
    put(clock.now() - 10 * SECOND, "anthropic", 20)
    first = evaluator(engine, alert_store, clock, ERRORS)
    await first.load()
    await first.run_once()
    began = clock.now()
    assert (only(first).state, only(first).labels) == (
        AlertState.PENDING,
        {"provider": "openai", "team": "core"},
    )
    for _ in range(2):
        clock.advance(MINUTE)
        await first.run_once()
    alert = only(first)
    assert (alert.state, alert.since, alert.fired) == (AlertState.FIRING, began, clock.now())
    assert (alert.value, alert.threshold, alert.op, alert.unit) == (pytest.approx(0.1), 0.05, ">", "ratio")
    assert alert.summary == "openai fails 10.0 % of its calls, more than 5.0 %"
    assert alert.severity is Severity.CRITICAL

    clock.advance(20 * SECOND)
    await first.acknowledge(alert.id, "ana", "asked their support")
    reopened = await AlertStore.open(alert_store.path, write=True)
    second = evaluator(engine, reopened, clock, ERRORS)
    await second.load()
    assert (only(second).id, only(second).state) == (alert.id, AlertState.ACKNOWLEDGED)
    clock.advance(MINUTE)
    await second.run_once()
    taken = only(second)
    assert (taken.state, taken.acked_by, taken.note) == (
        AlertState.ACKNOWLEDGED,
        "ana",
        "asked their support",
    )

    await minutes(6, second, clock)
    assert second.view().alerts == ()
    ended = only(second, resolved=True)
    assert (ended.id, ended.state, ended.acked_by) == (alert.id, AlertState.RESOLVED, None)
    history = await reopened.history(alert.id)
    assert [(row.state, row.who) for row in history] == [
        (AlertState.PENDING, "rules"),
        (AlertState.FIRING, "rules"),
        (AlertState.ACKNOWLEDGED, "ana"),
        (AlertState.RESOLVED, "rules"),
    ]
    third = evaluator(engine, reopened, clock, ERRORS)
    await third.load()
    assert only(third, resolved=True).id == alert.id
    await reopened.close()


async def test_every_change_is_one_event(engine, alert_store, clock, put):
    bus = EventBus()
    listener = bus.listen("alert_update")
    put(clock.now(), "openai", 1, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE, bus=bus)
    await looker.run_once()
    await looker.run_once()
    await looker.acknowledge(only(looker).id, "ana")
    await looker.unacknowledge(only(looker).id, "ana")
    await minutes(10, looker, clock)
    events = listener.drain()
    assert [event.data["state"] for event in events] == ["firing", "acknowledged", "firing", "resolved"]
    assert events[0].data["labels"] == {"provider": "openai", "team": "core"}
    assert events[0].data["value"] == 1.0


async def test_rules_are_looked_at_on_a_fixed_grid(engine, alert_store, clock, put):
    put(clock.now() + 1, "openai", 1, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    clock.advance(59 * SECOND)
    await looker.run_once()
    view = looker.view()
    assert view.evaluated == clock.now() - 59 * SECOND
    assert view.alerts == (), "the call lies after the instant that was looked at"
    assert looker.due() == clock.now() + 2 * SECOND, "a second after the full minute"
    clock.advance(SECOND)
    await looker.run_once()
    assert only(looker).since == clock.now()


async def test_a_broken_rule_shows_its_place_and_the_others_run(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    broken = [
        {"name": "typo", "expr": "eror_rate{} [5m] > 5%"},
        {"name": "no condition", "expr": "error_rate{} [5m]"},
        {"name": "half", "expr": "error_rate{} [5m] > "},
    ]
    looker = evaluator(engine, alert_store, clock, *broken, AT_ONCE)
    await looker.run_once()
    states = {rule.name: rule for rule in looker.view().rules}
    assert all(states[rule["name"]].error and states[rule["name"]].evaluated is None for rule in broken)
    assert "^" in states["typo"].error
    assert "eror_rate" in states["typo"].error
    assert (states["errors"].error, states["errors"].alerts) == ("", 1)
    assert states["errors"].evaluated == clock.now()


async def test_a_query_without_a_range_looks_at_five_minutes(engine, alert_store, clock, put):
    put(clock.now() - 6 * MINUTE, "openai", 1)
    put(clock.now() - 4 * MINUTE, "openai", 2)
    rule = {"name": "calls", "expr": "requests by(provider) > 1"}
    looker = evaluator(engine, alert_store, clock, rule)
    await looker.run_once()
    alert = only(looker)
    assert (alert.value, alert.threshold) == (2, 1)
    assert engine.instant(alert.expr, clock.now()).scalar == 2, "what is shown is what was asked"


async def test_a_rule_on_a_metric_nobody_sent_works_from_the_first_sample_on(
    store, engine, alert_store, clock
):
    looker = evaluator(engine, alert_store, clock, {"name": "queue", "expr": "queue_depth by(zone) > 3"})
    await looker.run_once()
    assert looker.view().alerts == ()
    store.write(WriteBatch(samples=[Sample("queue_depth", clock.now(), 7.0, {"zone": "a"})]))
    await looker.run_once()
    assert (only(looker).labels, only(looker).value) == ({"zone": "a"}, 7)
    assert looker.view().rules[0].error == ""


class Failing:
    """The engine, until it is told to fail."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self.error: Exception | None = None

    def instant(self, text: str, at: Micros) -> Result:
        if self.error is not None:
            raise self.error
        return self._engine.instant(text, at)

    def range(self, text: str, start: Micros, end: Micros, step: Micros) -> Result:
        return self._engine.range(text, start, end, step)

    def check(self, text: str, tree: Expr | None = None) -> None:
        self._engine.check(text, tree)

    def type_of(self, metric: str) -> str | None:
        return self._engine.type_of(metric)

    def complete(self, text: str, cursor: int) -> list:
        return self._engine.complete(text, cursor)


@pytest.mark.parametrize(
    "error", [QueryError("no raw calls left"), StoreError("the disk is full"), ZeroDivisionError("a bug")]
)
async def test_an_evaluation_that_fails_keeps_states_and_says_so(engine, alert_store, clock, put, error):
    put(clock.now(), "openai", 1, "server")
    failing = Failing(engine)
    looker = evaluator(failing, alert_store, clock, AT_ONCE)
    await looker.run_once()
    evaluated = clock.now()
    failing.error = error
    await minutes(30, looker, clock)
    (rule,) = looker.view().rules
    assert only(looker).state is AlertState.FIRING
    assert (rule.evaluated, str(error) in rule.error) == (evaluated, True)
    failing.error = None
    await looker.run_once()
    assert looker.view().alerts == ()
    assert looker.view().rules[0].error == ""


class FullDisk:
    """An alert store that cannot be written."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self.full = True
        self.load, self.resolved_since = store.load, store.resolved_since

    async def save(self, *what: object, **how: object) -> int:
        if self.full:
            raise StoreError("the disk is full")
        return await self._store.save(*what, **how)


async def test_what_cannot_be_stored_did_not_happen(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    disk = FullDisk(alert_store)
    bus = EventBus()
    listener = bus.listen()
    looker = evaluator(engine, disk, clock, AT_ONCE, bus=bus)
    await looker.run_once()
    assert (looker.view().alerts, listener.drain()) == ((), [])
    assert "the disk is full" in looker.view().rules[0].error
    disk.full = False
    clock.advance(MINUTE)
    await looker.run_once()
    assert only(looker).since == clock.now()
    disk.full = True
    with pytest.raises(StoreError):
        await looker.acknowledge(only(looker).id, "ana")
    assert only(looker).state is AlertState.FIRING


async def test_alerts_of_rules_that_are_gone_or_disabled_resolve(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    other = {**AT_ONCE, "name": "other"}
    before = evaluator(engine, alert_store, clock, AT_ONCE, other)
    await before.run_once()
    ids = {alert.rule: alert.id for alert in before.view().alerts}
    after = evaluator(engine, alert_store, clock, {**AT_ONCE, "enabled": False})
    await after.load()
    await after.run_once()
    assert after.view().alerts == ()
    assert (await alert_store.history(ids["errors"]))[-1].note == "the rule is disabled"
    assert (await alert_store.history(ids["other"]))[-1].note == "the rule is no longer configured"


async def test_a_rule_that_broke_keeps_its_alerts(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    before = evaluator(engine, alert_store, clock, AT_ONCE)
    await before.run_once()
    after = evaluator(engine, alert_store, clock, {**AT_ONCE, "expr": "eror_rate{} > 5%"})
    await after.load()
    await after.run_once()
    assert only(after).state is AlertState.FIRING


async def test_what_was_only_pending_is_not_listed_as_resolved(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    looker = evaluator(engine, alert_store, clock, {**ERRORS, "for": "20m"})
    await looker.run_once()
    clock.advance(10 * MINUTE)
    await looker.run_once()
    assert looker.view(resolved=True).alerts == ()
    again = evaluator(engine, alert_store, clock, ERRORS)
    await again.load()
    assert again.view(resolved=True).alerts == ()


async def test_yesterdays_resolved_alerts_leave_the_list(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.run_once()
    await minutes(10, looker, clock)
    assert len(looker.view(resolved=True).alerts) == 1
    clock.advance(12 * 60 * MINUTE)
    assert looker.view(resolved=True).alerts == ()


async def test_labels_that_make_two_alerts_look_the_same_are_an_error(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    put(clock.now(), "google", 1, "server")
    looker = evaluator(engine, alert_store, clock, {**AT_ONCE, "labels": {"provider": "any"}})
    await looker.run_once()
    assert looker.view().alerts == ()
    assert "look the same" in looker.view().rules[0].error


async def test_a_condition_may_compare_two_queries(engine, alert_store, clock, put):
    put(clock.now(), "openai", 3)
    put(clock.now(), "google", 2)
    put(clock.now() - 10 * MINUTE, "openai", 1)
    put(clock.now() - 10 * MINUTE, "google", 2)
    rule = {
        "name": "more",
        "expr": "requests{} [5m] sum by(provider) > requests{} [5m] sum by(provider) offset 8m",
    }
    looker = evaluator(engine, alert_store, clock, rule)
    await looker.run_once()
    alert = only(looker)
    assert (alert.labels, alert.value, alert.threshold) == ({"provider": "openai"}, 3, 1)


async def test_alerts_carry_the_last_hour_of_their_value(engine, alert_store, clock, put):
    put(clock.now() - 30 * MINUTE, "openai", 10)
    put(clock.now(), "openai", 5)
    put(clock.now(), "openai", 5, "timeout")
    put(clock.now(), "google", 5)
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.run_once()
    spark = only(looker).spark
    assert len(spark) == 12
    assert [value for value in spark if value is not None] == [0.0, 0.5]
    assert spark[-1] == 0.5


async def test_an_alert_is_found_by_the_beginning_of_its_id(engine, alert_store, clock, put):
    put(clock.now(), "openai", 1, "server")
    put(clock.now(), "google", 1, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.run_once()
    alert = looker.view().alerts[0]
    assert (await looker.acknowledge(alert.id[:8], "ana")).id == alert.id
    with pytest.raises(MonitorError, match="no alert has the id 'nothing'"):
        await looker.acknowledge("nothing", "ana")
    with pytest.raises(MonitorError, match="no alert has the id ''"):
        await looker.acknowledge("", "ana")


async def test_without_a_collector_alerts_are_read_and_acknowledged_in_the_book(
    store: Store, engine, alert_store, clock, put, tmp_path: Path
):
    put(clock.now(), "openai", 1, "server")
    await evaluator(engine, alert_store, clock, AT_ONCE).run_once()
    reading = await AlertStore.open(store.path, write=False)
    book = AlertBook(reading, rules(AT_ONCE), Calendar(), clock, engine)
    view = await book.view()
    (alert,) = view.alerts
    assert (alert.state, view.evaluated) == (AlertState.FIRING, None)
    assert [(rule.name, rule.alerts) for rule in view.rules] == [("errors", 1)]
    with pytest.raises(StoreError):
        await book.acknowledge(alert.id, "ana")

    writing = AlertBook(alert_store, rules(AT_ONCE), Calendar(), clock, engine)
    assert (await writing.acknowledge(alert.id[:8], "ana", "mine")).acked_by == "ana"
    assert [row.who for row in await alert_store.history(alert.id)] == ["rules", "ana"]
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.load()
    assert only(looker).state is AlertState.ACKNOWLEDGED
    assert (await writing.unacknowledge(alert.id, "ana")).state is AlertState.FIRING
    await reading.close()


async def test_what_fired_before_a_pause_goes_on_until_data_comes_in_again(engine, alert_store, clock, put):
    put(clock.now(), "openai", 20, "server")
    first = evaluator(engine, alert_store, clock, AT_ONCE)
    await first.load()
    await first.run_once()
    alert = only(first)
    await first.acknowledge(alert.id, "ana")

    # Nobody collected for an hour, so the window is empty when somebody does again.
    clock.advance(60 * MINUTE)
    second = evaluator(engine, alert_store, clock, AT_ONCE)
    await second.load()
    await second.run_once()
    assert (only(second).id, only(second).state) == (alert.id, AlertState.ACKNOWLEDGED)
    clock.advance(2 * MINUTE)
    put(clock.now(), "openai", 20, "server")
    await second.run_once()
    assert (only(second).id, only(second).state) == (alert.id, AlertState.ACKNOWLEDGED)
    # A value that does not hold is an answer.
    clock.advance(MINUTE)
    put(clock.now(), "openai", 2_000)
    await second.run_once()
    assert second.view().alerts == ()


async def test_without_data_after_a_pause_it_ends_when_the_windows_are_full(engine, alert_store, clock, put):
    put(clock.now(), "openai", 20, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.load()
    await looker.run_once()
    # The host slept: the same process looks again.
    clock.advance(60 * MINUTE)
    for _ in range(5):
        await looker.run_once()
        assert only(looker).state is AlertState.FIRING
        clock.advance(MINUTE)
    await looker.run_once()
    assert looker.view().alerts == ()


async def test_a_clock_that_is_set_back_holds_nothing_up(engine, alert_store, clock, put):
    looker = evaluator(engine, alert_store, clock, ERRORS)
    await looker.load()
    put(clock.now() - DAY, "openai", 20, "server")
    put(clock.now(), "openai", 20, "server")
    await looker.run_once()
    assert only(looker).state is AlertState.PENDING
    resting = asyncio.create_task(looker.rest())
    await asyncio.sleep(0)
    clock.advance(-DAY)
    looker._turned.set()
    await asyncio.wait_for(resting, 1)
    await looker.run_once()
    assert (only(looker).state, only(looker).since) == (AlertState.PENDING, clock.now())
    await minutes(2, looker, clock)
    assert only(looker).state is AlertState.FIRING


async def test_a_clock_that_was_ahead_ends_no_silence_and_no_alert(engine, alert_store, clock, put):
    put(clock.now(), "openai", 20, "server")
    looker = evaluator(engine, alert_store, clock, AT_ONCE)
    await looker.load()
    await looker.run_once()
    alert, silence = (
        only(looker),
        await looker.silence([Matcher("provider", "openai")], clock.now() + 60 * MINUTE, "ana"),
    )
    clock.advance(DAY)
    await looker.run_once()
    assert (only(looker).id, only(looker).state) == (alert.id, AlertState.FIRING)
    clock.advance(MINUTE - DAY)
    await looker.run_once()
    assert (only(looker).id, only(looker).state) == (alert.id, AlertState.SILENCED)
    assert [known.id for known in looker.view().silences] == [silence.id]


async def test_of_many_that_ended_the_newest_are_listed(engine, alert_store, clock, put, monkeypatch):
    monkeypatch.setattr(keeper, "MAX_ENDED", 2)
    often = {**AT_ONCE, "expr": "requests{} [1m] sum > 0"}
    looker = evaluator(engine, alert_store, clock, often)
    await looker.load()
    # The first six minutes are those in which it looks again after a pause.
    await minutes(6, looker, clock)
    ends = []
    for _ in range(4):
        put(clock.now() + 30 * SECOND, "openai")
        await minutes(2, looker, clock)
        ends.append(clock.now())
    again = evaluator(engine, alert_store, clock, often)
    await again.load()
    for one in (looker, again):
        assert [alert.resolved for alert in one.view(resolved=True).alerts] == [ends[3], ends[2]]
