"""What a receiver sees of counters of calls, whatever becomes of the calls."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.config.forwarding import Forward
from tui_monitor.forward.amounts import shown
from tui_monitor.forward.counters import SETTLED, Counters, Sent
from tui_monitor.forward.gather import taker
from tui_monitor.forward.queue import Queue
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.feed import Retract
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.exported import INTERVAL
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

REQUESTS = "llm_requests_total"


class House:
    """A store, and what is sent of it."""

    def __init__(self, store: Store, engine: LocalEngine, clock: ManualClock, path: Path) -> None:
        self.store, self.engine, self.now, self.path = store, engine, clock.now(), path
        self.number = 0
        self.seen: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[Micros, Any]]] = {}
        self.most = 100
        self.keep = [REQUESTS]
        self.natives = False
        self.begin()

    def begin(self) -> None:
        self.queue = Queue(self.path, 1_000_000, ["a"])
        takes = taker(Forward(keep=self.keep))
        self.counters = Counters(
            self.engine,
            takes,
            self.most,
            self.queue.counters(),
            self.queue.marks().get(SETTLED),
            natives=self.natives,
        )

    def restart(self) -> None:
        """As after a crash: only what was queued is remembered."""
        self.queue.close()
        self.begin()

    def call(self, ago: Micros = SECOND, key: str = "", **fields: object) -> str:
        self.number += 1
        key = key or str(self.number)
        known = {
            "provider": "openai",
            "model_served": "m",
            "status": "success",
            "latency_ms": 120.0,
            **fields,
        }
        self.store.write(WriteBatch([Call("test", key, ts_end=self.now - ago, **known)]))
        return key

    def retract(self, key: str) -> None:
        self.store.write(WriteBatch(retracts=[Retract("test", key)]))

    def look(self, later: Micros = INTERVAL) -> Sent:
        self.now += later
        sent = self.counters.look(self.now)
        for series, points in sent.points.items():
            self.seen.setdefault(series, []).extend(points)
        self.queue.put([], sent.changed, {SETTLED: sent.settled})
        self.counters.keep(sent)
        return sent

    def values(self, name: str = REQUESTS, **labels: str) -> list[float]:
        found = [
            points for (one, of), points in self.seen.items()
            if one == name and labels.items() <= dict(of).items()
        ]  # fmt: skip
        assert len(found) <= 1
        return [value for _, value in found[0]] if found else []


@pytest.fixture
def house(store: Store, engine: LocalEngine, clock: ManualClock, tmp_path: Path) -> House:
    return House(store, engine, clock, tmp_path / "queue")


def test_the_first_look_is_all_there_ever_was(house: House):
    for days in (40, 3, 0):
        house.call(days * DAY + MINUTE)
    house.look()
    house.call()
    house.look()
    assert house.values() == [3, 4]


def test_a_series_that_appears_begins_below_its_first_call(house: House):
    house.look()
    house.call()
    house.look()
    (points,) = [points for (name, _), points in house.seen.items() if name == REQUESTS]
    assert points == [(house.now - INTERVAL, 0.0), (house.now, 1.0)]


def test_a_series_that_began_while_nobody_looked_is_not_lost(house: House):
    house.call(30 * DAY)
    house.call(30 * DAY, provider="groq")
    house.look()
    house.retract("2")
    house.call(model_served="new")
    house.call(30 * DAY, model_served="new")
    house.look(5 * HOUR)
    assert house.values(model="m", provider="openai") == [1, 1]
    assert house.values(model="new") == [1, 2]
    house.restart()
    house.call(model_served="new")
    house.look()
    assert house.values(model="new") == [1, 2, 3]


def test_a_call_taken_back_is_no_reset(house: House):
    house.look()
    keys = [house.call() for _ in range(5)]
    house.look()
    house.retract(keys[0])
    house.retract(keys[1])
    house.look()
    house.call()
    house.look()
    for _ in range(3):
        house.call()
        house.look()
    # It stands still until what was taken back is made up for.
    assert house.values() == [0, 5, 5, 5, 5, 6, 7]


def test_a_corrected_call_counts_where_it_belongs(house: House):
    house.look()
    key = house.call(status="unknown")
    house.look()
    house.call(key=key, ago=INTERVAL + SECOND, status="success")
    house.look()
    assert house.values(status="unknown") == [0, 1, 1]
    assert house.values(status="success") == [0, 1]


def test_late_calls_count_for_an_hour_and_old_ones_are_no_growth(house: House):
    house.call()
    house.look()
    house.look(3 * HOUR)
    house.call(50 * MINUTE)
    house.look()
    house.call(4 * HOUR)
    house.call(400 * DAY)
    house.look()
    assert house.values() == [1, 1, 2, 2]
    house.call()
    house.look()
    assert house.values()[-1] == 3


def test_an_import_that_is_undone_changes_nothing(house: House):
    house.call()
    house.look()
    house.look(3 * HOUR)
    keys = [house.call(5 * DAY) for _ in range(50)]
    house.look()
    for key in keys:
        house.retract(key)
    house.look()
    house.call()
    house.look()
    assert house.values() == [1, 1, 1, 1, 2]


def test_hours_go_by_and_restarts_too_and_nothing_is_lost_or_counted_twice(house: House):
    house.look()
    for number in range(40):
        for _ in range(number % 4):
            house.call(ago=number * SECOND)
        house.look(7 * MINUTE)
        if number % 11 == 0:
            house.restart()
    house.restart()
    for _ in range(6):
        house.call()
    house.look(2 * DAY)
    assert house.values()[-1] == house.number
    (points,) = [points for (name, _), points in house.seen.items() if name == REQUESTS]
    assert all(before[0] < after[0] for before, after in pairwise(points))


@pytest.mark.parametrize("ahead", [30 * MINUTE, 3 * HOUR, 40 * DAY])
def test_a_clock_that_was_ahead_costs_no_call(house: House, ahead: Micros):
    house.look()
    house.call()
    house.look()
    house.look(ahead)
    house.now -= ahead
    house.restart()
    for _ in range(3):
        house.call()
        house.look()
    assert house.values()[-1] == 4
    assert all(one <= other for one, other in pairwise(house.values()))


def test_no_number_ever_falls(house: House):
    house.keep = ["llm_requests_total|llm_cost_usd_total|llm_request_duration_seconds_.*"]
    house.restart()
    house.look()
    keys = [house.call(ago=SECOND * n, cost=n * 10**6, latency_ms=float(n)) for n in range(1, 40)]
    house.look()
    for key in keys[::2]:
        house.retract(key)
    house.look()
    house.look(3 * HOUR)
    house.call()
    house.look()
    assert len({name for name, _ in house.seen}) == 5
    for points in house.seen.values():
        values = [value for _, value in points]
        assert values == sorted(values)


def test_buckets_never_fall_and_survive_restarts(house: House):
    house.keep = ["llm_request_duration_seconds"]
    house.natives = True
    house.restart()
    house.look()
    slow = house.call(latency_ms=8_000.0)
    house.call(latency_ms=100.0)
    house.look()
    house.retract(slow)
    house.restart()
    house.call(latency_ms=100.0)
    house.look(3 * HOUR)
    house.restart()
    house.call(latency_ms=0.0)
    house.look()
    (points,) = house.seen.values()
    seen = [shown(amount) for _, amount in points]
    assert all(isinstance(one, NativeHistogram) for one in seen)
    counts = [(one.count, one.zero_count, sorted(n for _, n in one.positive)) for one in seen]
    # What was taken back stands until it is made up for, in its bucket.
    assert counts == [(0, 0, []), (2, 0, [1, 1]), (3, 0, [1, 2]), (4, 1, [1, 2])]
    for one in seen:
        one.check()


def test_what_is_not_to_be_sent_any_more_is_not_sent(house: House):
    house.look()
    house.call()
    house.look()
    house.keep = ["llm_tokens_total"]
    house.restart()
    assert house.look().points == {}
    assert house.queue.counters() == {}


def test_a_series_that_rests_for_a_week_ends_and_goes_on_where_it_was(house: House):
    house.look()
    key = house.call()
    house.look()
    for _ in range(8):
        sent = house.look(DAY)
        if sent.ended:
            break
    assert REQUESTS in {name for name, _ in sent.ended}
    house.restart()
    assert house.look(DAY).points == {}
    # A sum begun anew would be smaller: for a receiver a reset, and all would count again.
    house.retract(key)
    house.look(DAY)
    house.call()
    house.call()
    house.look()
    assert house.values()[-2:] == [1, 3]


def test_too_many_series_are_left_out_and_counted(house: House):
    house.most = 3
    house.keep = []
    house.restart()
    house.look()
    house.call()
    assert house.look().left_out > 0
    assert len(house.seen) == 3
    house.look()
    assert {len(points) for points in house.seen.values()} == {3}
