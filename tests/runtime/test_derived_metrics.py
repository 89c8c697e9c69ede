"""Counters of calls as `/metrics` serves them: equal to the engine's answers, and never falling."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Put
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.feed import Event, EventKind
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.limits import QueryCancelled
from tui_monitor.runtime import told
from tui_monitor.runtime.derived import FAMILIES, Derived, DerivedMetrics, path_for
from tui_monitor.store.api import Retract, WriteBatch
from tui_monitor.store.database import Store

Look = Callable[[], Derived]


@pytest.fixture
def metrics(engine: LocalEngine, store: Store, clock: ManualClock) -> DerivedMetrics:
    return DerivedMetrics(engine, store, clock, store.path)


def total(found: Derived, name: str, part: str = "", /, **labels: str) -> float:
    assert not found.error
    return sum(
        one.value
        for one in found.readings
        if one.name == name and one.part == part and labels.items() <= dict(one.labels).items()
    )


def later(clock: ManualClock, micros: int = MINUTE) -> None:
    clock.advance(micros)


def test_what_is_served_is_what_the_engine_answers(
    metrics: DerivedMetrics, engine: LocalEngine, clock: ManualClock, put: Put
) -> None:
    now = clock.now()
    put(now - 2 * DAY, "openai", 3)
    put(now - MINUTE, "openai", 2, "server")
    put(now - MINUTE, "anthropic", 5, in_uncached=100, out_total=7)
    later(clock)
    at = clock.now()
    found = metrics.look()

    for name in ("llm_requests_total", "llm_errors_total", "llm_tokens_input_total"):
        (series,) = engine.instant(f'sum(sum without () ({name}{{job=""}}))', at).series
        assert total(found, name) == series.value
    assert total(found, "llm_requests_total", status="error", provider="openai") == 2
    assert total(found, "llm_errors_total", error_type="server") == 2
    (buckets,) = engine.instant(
        'sum(sum without () (llm_request_duration_seconds_bucket{job="",le="0.64"}))', at
    ).series
    assert total(found, "llm_request_duration_seconds", "_bucket", le="0.64") == buckets.value == 0
    assert total(found, "llm_request_duration_seconds", "_count") == 10
    assert total(found, "llm_request_duration_seconds", "_sum") == pytest.approx(9.0, rel=0.02)


def test_nothing_is_served_of_what_is_not_known(
    metrics: DerivedMetrics, clock: ManualClock, put: Put
) -> None:
    put(clock.now() - MINUTE, "openai", latency_ms=None)
    later(clock)
    names = {one.name for one in metrics.look().readings}
    assert "llm_requests_total" in names
    assert "llm_time_to_first_token_seconds" not in names, "unknown is not 0"
    assert names <= {family.name for family in FAMILIES}


def test_a_correction_or_a_call_taken_back_makes_no_counter_fall(
    metrics: DerivedMetrics, store: Store, clock: ManualClock
) -> None:
    def call(key: str, tokens: int) -> Call:
        at = clock.now() - MINUTE
        return Call("test", key, ts_end=at, provider="openai", status="success", out_total=tokens)

    store.write(WriteBatch([call("a", 100), call("b", 10)]))
    later(clock)
    assert total(metrics.look(), "llm_tokens_output_total") == 110

    store.write(WriteBatch([call("a", 60)], retracts=[Retract("test", "b")]))
    later(clock)
    found = metrics.look()
    assert total(found, "llm_tokens_output_total") == 110, "it stands still until it is made up for"
    assert total(found, "llm_requests_total") == 2

    store.write(WriteBatch([call("c", 100)]))
    later(clock)
    assert total(metrics.look(), "llm_tokens_output_total") == 160


@pytest.mark.parametrize("crash", [False, True])
def test_a_counter_that_stands_still_does_so_over_a_restart(
    metrics: DerivedMetrics, engine: LocalEngine, store: Store, clock: ManualClock, put: Put, crash: bool
) -> None:
    put(clock.now() - MINUTE, "openai", 5)
    later(clock)
    assert total(metrics.look(), "llm_requests_total") == 5
    store.write(WriteBatch([], retracts=[Retract("test", "0")]))
    if not crash:
        metrics.close()
    later(clock)

    again = DerivedMetrics(engine, store, clock, store.path)
    assert total(again.look(), "llm_requests_total") == 5
    again.close()


def test_a_series_that_rests_for_weeks_stays_and_its_next_call_is_growth(
    metrics: DerivedMetrics, clock: ManualClock, put: Put
) -> None:
    put(clock.now() - MINUTE, "groq", 3)
    seen = []
    for turn in range(4):
        put(clock.now(), "openai")
        if turn == 3:
            put(clock.now(), "groq")
        later(clock, 4 * DAY)
        seen.append(total(metrics.look(), "llm_requests_total", provider="groq"))
    assert seen == [3, 3, 3, 4], "who scrapes sees no growth of a series that was away"


def test_a_series_that_rests_makes_room_for_others(
    metrics: DerivedMetrics, clock: ManualClock, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_monitor.runtime.derived.MOST", 2 * 19)
    put(clock.now() - MINUTE, "groq")
    for _ in range(3):
        put(clock.now(), "openai")
        later(clock, 5 * DAY)
        metrics.look()
    put(clock.now(), "mistral")
    later(clock)
    metrics.look()
    put(clock.now(), "mistral")
    later(clock)
    found = metrics.look()
    assert total(found, "llm_requests_total", provider="mistral") == 2
    assert total(found, "llm_requests_total", provider="openai") == 3
    assert total(found, "llm_requests_total", provider="groq") == 0


def test_retention_takes_nothing_from_a_counter(
    metrics: DerivedMetrics, store: Store, clock: ManualClock, put: Put
) -> None:
    put(clock.now() - 100 * DAY, "openai", 4)
    put(clock.now() - MINUTE, "openai", 1)
    later(clock)
    before = total(metrics.look(), "llm_requests_total")
    later(clock, 3 * HOUR)
    store.retain(Retention(), clock.now())
    store.seal(clock.now())
    later(clock)
    assert total(metrics.look(), "llm_requests_total") == before == 5


def test_looks_between_two_instants_of_the_grid_read_nothing(
    metrics: DerivedMetrics, engine: LocalEngine, clock: ManualClock, put: Put
) -> None:
    put(clock.now() - MINUTE, "openai")
    later(clock)
    metrics.look()
    asked = engine.timing.stats().asked
    later(clock, SECOND)
    metrics.look()
    assert engine.timing.stats().asked == asked + 1, "only how many calls are under way"
    later(clock)
    metrics.look()
    assert engine.timing.stats().asked == asked + 2, "nothing came, so nothing is read"
    put(clock.now(), "openai")
    later(clock)
    assert total(metrics.look(), "llm_requests_total") == 2


def test_a_call_that_is_booked_behind_the_look_is_there_at_the_next(
    metrics: DerivedMetrics, clock: ManualClock, put: Put
) -> None:
    put(clock.now() - MINUTE, "openai")
    put(clock.now() + 20 * SECOND, "openai")
    assert total(metrics.look(), "llm_requests_total") == 1
    later(clock)
    assert total(metrics.look(), "llm_requests_total") == 2


def test_a_file_that_is_in_the_way_is_told_and_fails_nothing(
    metrics: DerivedMetrics, store: Store, put: Put, clock: ManualClock
) -> None:
    path: Path = path_for(store.path)
    path.mkdir()
    put(clock.now() - MINUTE, "openai")
    found = metrics.look()
    assert str(path) in found.error
    assert not found.readings
    path.rmdir()
    assert total(metrics.look(), "llm_requests_total") == 1


def said(kind: EventKind, key: str, at: Micros, name: str, value: float, **labels: str) -> WriteBatch:
    return WriteBatch(events=[Event(kind, at, "events:app", key, name, value, labels)])


def test_the_newest_score_of_each_set_of_labels_is_served(
    metrics: DerivedMetrics, store: Store, clock: ManualClock
) -> None:
    now, name = clock.now(), "llm_evaluation_score"
    for ago, value in ((MINUTE, 0.9), (HOUR, 0.2), (25 * HOUR, 0.1)):
        store.write(said("score", str(ago), now - ago, "accuracy", value, model="m", call=f"r-{ago}"))
    store.write(said("score", "other", now - HOUR, "accuracy", 0.5, prompt_type="qa"))
    found = [one for one in metrics.look().readings if one.name == name]
    assert [(dict(one.labels), one.value) for one in found] == [
        ({"name": "accuracy", "model": "m"}, 0.9),
        ({"name": "accuracy", "prompt_type": "qa"}, 0.5),
    ]
    later(clock, 23 * HOUR + 2 * MINUTE)
    found = [one for one in metrics.look().readings if one.name == name]
    assert [one.value for one in found] == [0.9], "what was said a day ago is not of now"
    later(clock, 2 * HOUR)
    assert not metrics.look().readings


def test_benchmarks_are_served_as_the_engine_answers_them(
    metrics: DerivedMetrics, engine: LocalEngine, store: Store, clock: ManualClock
) -> None:
    now = clock.now()
    for ago, done, state in ((20, 0, "started"), (5, 50, "running")):
        batch = said("progress", state, now - ago * MINUTE, "mmlu", done, total="200", state=state)
        store.write(batch)
    found = metrics.look()
    for name in ("llm_benchmark_progress", "llm_benchmark_duration_seconds"):
        expected = engine.instant(f"{name} [1d] max by(name)", now).by("name")["mmlu"]
        assert total(found, name, name="mmlu", source="events:app") == expected
    assert total(found, "llm_benchmark_duration_seconds") == 900


def test_what_has_no_room_is_left_out_and_counted(
    metrics: DerivedMetrics, store: Store, clock: ManualClock
) -> None:
    now = clock.now()
    events = [Event("score", now - i, "s", str(i), f"name {i}", 1.0) for i in range(told.MOST + 3)]
    store.write(WriteBatch(events=events))
    found = metrics.look()
    assert (len(found.readings), found.left_out) == (told.MOST, 3)
    assert total(found, "llm_evaluation_score", name="name 0") == 1, "the newest are served"


class Slow(LocalEngine):
    """An engine that counts when it is let."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        super().__init__(store, Calendar(), clock=clock)
        self.let = threading.Event()

    def counters(self, *asked: Any, cancel: threading.Event | None = None, **how: Any) -> Any:
        while not self.let.wait(0.005):
            if cancel is not None and cancel.is_set():
                raise QueryCancelled("the query was cancelled")
        return super().counters(*asked, cancel=cancel, **how)


async def test_nothing_is_served_before_it_is_counted_and_nothing_waits_for_it(
    store: Store, clock: ManualClock, put: Put
) -> None:
    engine = Slow(store, clock)
    metrics = DerivedMetrics(engine, store, clock, store.path)
    put(clock.now() - MINUTE, "openai", 2)
    for _ in range(2):
        found = await metrics.look_within(0.01)
        assert found.error
        assert not found.readings, "none is better than a wrong one"
    engine.let.set()
    assert total(await metrics.look_within(60), "llm_requests_total") == 2

    engine.let.clear()
    put(clock.now(), "openai")
    later(clock)
    assert total(await metrics.look_within(0.01), "llm_requests_total") == 2, "the last look stands"
    later(clock, 2 * MINUTE)
    assert (await metrics.look_within(0.01)).error, "but not for ever"
    # The look that is under way does not hold up the end.
    await asyncio.to_thread(metrics.close)
    engine.let.set()
    assert total(await metrics.look_within(60), "llm_requests_total") == 3
    metrics.close()
