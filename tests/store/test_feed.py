"""Samples, events, starts, offsets."""

import math

from store_helpers import EVER, a_call, write

from tests.store.conftest import Opener
from tui_monitor.model.clock import MINUTE, SECOND, ManualClock
from tui_monitor.model.feed import Event, Sample, Start
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Outcome, WriteBatch
from tui_monitor.store.database import Store


def test_observations_of_one_instant_are_all_kept(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    seen = [Sample("took", now + late, value, type="histogram") for late, value in
            ((0, 1.0), (0, 2.0), (2, 4.0), (1, 3.0), (0, 2.5))]  # fmt: skip
    for _ in range(2):
        store.write(WriteBatch(samples=[*seen, Sample("depth", now, 1.0), Sample("depth", now, 9.0)]))
    took, depth = store.series()
    assert store.samples([took.id], EVER)[took.id][1].tolist() == [1.0, 2.0, 2.5, 3.0, 4.0]
    assert store.samples([depth.id], EVER)[depth.id][1].tolist() == [9.0]


def test_samples_come_back_by_series_and_time(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(
        WriteBatch(
            samples=[
                Sample("cpu", now + 2, 0.5, {"host": "a", "core": "1"}),
                Sample("cpu", now + 1, 0.25, {"core": "1", "host": "a"}),
                Sample("cpu", now + 1, 0.75, {"host": "b"}, type="counter"),
                Sample("cpu", now + 2, math.inf, {"host": "a", "core": "1"}),
                Sample("mem", now, math.nan),
            ]
        )
    )
    found = store.series("cpu")
    assert [(s.labels, s.type) for s in found] == [
        ({"core": "1", "host": "a"}, "gauge"),
        ({"host": "b"}, "counter"),
    ]
    assert len(store.series()) == 3
    data = store.samples([s.id for s in found], Span(now, now + 2))
    assert data[found[0].id][0].tolist() == [now + 1, now + 2]
    assert data[found[0].id][1].tolist() == [0.25, math.inf]
    later = store.samples([found[0].id, 99], Span(now + 1, now + 2))
    assert later[found[0].id][1].tolist() == [math.inf]
    assert later[99][1].tolist() == []
    (memory,) = store.series("mem")
    assert math.isnan(store.samples([memory.id], EVER)[memory.id][1][0])


def test_one_series_too_many_is_rejected_by_name(opener: Opener, clock: ManualClock) -> None:
    store = opener(max_series=2)
    names = ["a", "b", "c", "a", "d"]
    result = store.write(WriteBatch(samples=[Sample(n, clock.now() + i, 1.0) for i, n in enumerate(names)]))
    assert result.samples_rejected == [2, 4]
    assert [s.name for s in store.series()] == ["a", "b"]
    store.close()
    again = opener(max_series=2)
    assert again.write(WriteBatch(samples=[Sample("c", clock.now(), 1.0)])).samples_rejected == [0]


def event(source_key: str, ts: int, name: str = "hit", value: float | None = None, **labels: str) -> Event:
    """A cache event of the feed."""
    return Event("cache", ts, "events:app", source_key, name, value, labels)


def test_events_are_known_again(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    batch = WriteBatch(events=[event("a", now), event("b", now - 1, "miss"), event("a", now)])
    assert store.write(batch).events == [Outcome.STORED, Outcome.STORED, Outcome.DUPLICATE]
    assert store.write(WriteBatch(events=[event("a", now, "miss")])).events == [Outcome.CORRECTED]
    assert store.events("cache", EVER) == [event("b", now - 1, "miss"), event("a", now, "miss")]
    assert store.events("cache", Span(now - 1, now)) == [event("a", now, "miss")]
    assert store.events("cache", EVER, limit=1) == [event("a", now, "miss")]
    assert store.events("mark", EVER) == []


def test_the_newest_of_each(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(
        WriteBatch(
            events=[
                event("1", now, "hit", 1.0, key="x"),
                event("2", now + 2, "miss", 2.0, key="x"),
                event("3", now + 1, "hit", 3.0, key="y"),
                event("4", now + 1, "hit", 4.0),
            ]
        )
    )
    assert [(e.labels.get("key"), e.value) for e in store.latest_event("cache", "key")] == [
        (None, 4.0), ("x", 2.0), ("y", 3.0),
    ]  # fmt: skip
    assert [e.name for e in store.latest_event("cache", "name")] == ["hit", "miss"]


def test_a_start_is_open_until_its_call_is_there(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    starts = [Start("events:app", key, now - age * MINUTE) for key, age in (("a", 1), ("b", 2), ("old", 11))]
    store.write(WriteBatch(starts=starts))
    assert [s.source_key for s in store.starts(0)] == ["b", "a"]
    assert [s.source_key for s in store.starts(now - 90 * SECOND)] == ["a"]
    write(store, a_call("a", now))
    assert store.starts(0) == [starts[1]]
    store.write(WriteBatch(starts=[starts[0]]))
    assert store.starts(0) == [starts[1]], "a start told after its end"
    clock.advance(9 * MINUTE)
    assert store.starts(0) == []


def test_offsets_go_with_their_rows(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    assert store.offset("file") is None
    store.write(WriteBatch(calls=[a_call("a", clock.now())], offsets={"file": "10"}))
    store.write(WriteBatch(offsets={"file": "20", "other": "x"}))
    store.close()
    assert opener(write=False).offset("file") == "20"
