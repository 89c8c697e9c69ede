"""Samples that are kept unpacked: whatever happens to the store, they are those that are read one by one."""

import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER
from test_series_any_order import small_chunks

from tests.examples import examples
from tests.native_histograms import growing
from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store import backup
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series.cached import SampleCache
from tui_monitor.store.series.sampled import Sampled

BASE = 1_773_835_200_000_000
TICK = 15 * SECOND


def every(series, memo):
    """All series of a name are asked for."""
    return np.arange(len(series))


def points(sampled: Sampled, span: Span = EVER) -> dict[tuple[str, int], bytes]:
    """Every sample in the span, by its series' labels and its time."""
    found: dict[tuple[str, int], bytes] = {}
    for grid in sampled.grids:
        for row, values in zip(grid.rows.tolist(), grid.values, strict=True):
            for at, value in zip(grid.times.tolist(), values.tolist(), strict=True):
                if span.start < at <= span.end:
                    key = (str(sampled.series[row].labels), at)
                    assert key not in found
                    found[key] = struct.pack("<d", value)
    return found


def one_by_one(store: Store, name: str, span: Span = EVER) -> dict[tuple[str, int], bytes]:
    return {
        (str(info.labels), at): struct.pack("<d", value)
        for info in store.series(name)
        for times, values in store.samples([info.id], span).values()
        for at, value in zip(times.tolist(), values.tolist(), strict=True)
    }


def same(store: Store, *spans: Span) -> None:
    for name in ("load", "other"):
        for span in (*spans, EVER):
            sampled = store.sampled(name, span, every)
            if not sampled.histograms:
                assert points(sampled, span) == one_by_one(store, name, span)


def scrape(store: Store, at: int, hosts: str, batch: str | None = None) -> None:
    samples = [Sample("load", at, float(at % 97), {"host": host}, batch_id=batch) for host in hosts]
    store.write(WriteBatch(samples=[*samples, Sample("other", at, 1.0)]))


hosts = st.sampled_from(["ab", "ab", "ab", "a", "abc"])
step = st.one_of(
    st.tuples(st.just("scrape"), hosts),
    st.tuples(st.just("scrape"), hosts),
    st.tuples(st.just("late"), hosts),
    st.tuples(st.sampled_from(["seal", "retain", "undo", "reopen", "import"]), st.just("a")),
    st.tuples(st.just("pause"), st.just("a")),
)


@given(st.lists(step, min_size=2, max_size=20))
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow])
def test_what_is_kept_follows_every_change(history: list[tuple[str, str]]) -> None:
    clock = ManualClock(BASE)
    with tempfile.TemporaryDirectory() as folder, small_chunks():
        path = Path(folder) / "x.db"
        store = Store.open(path, write=True, clock=clock)
        viewer = Store.open(path, write=False, clock=clock)
        try:
            for what, detail in history:
                if what == "reopen":
                    store.close()
                    store = Store.open(path, write=True, clock=clock)
                else:
                    happen(store, clock, what, detail)
                now = clock.now()
                same(store, Span(now - 2 * TICK, now), Span(now - 40 * MINUTE, now + DAY))
                same(viewer)
        finally:
            viewer.close()
            store.close()


def happen(store: Store, clock: ManualClock, what: str, detail: str) -> None:
    clock.advance(TICK)
    match what:
        case "scrape":
            scrape(store, clock.now(), detail)
        case "late":
            scrape(store, clock.now() - 3 * TICK, detail)
        case "import":
            scrape(store, clock.now(), detail, "load")
        case "seal":
            store._writing.seal_samples(EVER.end)
        case "retain":
            store.retain(Retention.model_validate({"samples": "1d", "samples_steps": "400d"}), clock.now())
        case "pause":
            clock.advance(25 * HOUR)
        case "undo":
            store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
            store.undo_import("load")


def test_what_comes_behind_is_read_alone(store: Store, clock: ManualClock) -> None:
    first = clock.now() - DAY
    for tick in range(300):
        scrape(store, first + tick * TICK, "ab")
    before = store.sampled("load", EVER, every)
    (grid,) = before.grids
    memo = before.memo
    memo["mine"] = 1
    scrape(store, first + 300 * TICK, "ab")
    after = store.sampled("load", EVER, every)
    assert after.grids[0].times.tolist() == [first + tick * TICK for tick in range(301)]
    assert (after.memo is memo, grid.values.shape) == (True, (2, 300))
    # A late one changes what is in the middle.
    store.write(WriteBatch(samples=[Sample("load", first + 10 * TICK, -1.0, {"host": "a"})]))
    later = store.sampled("load", EVER, every)
    assert later.memo is not memo
    assert points(later) == one_by_one(store, "load")


def test_few_series_of_many_are_read_alone(store: Store, clock: ManualClock) -> None:
    at = clock.now() - HOUR
    scrape(store, at, "abcdefghijklmnopqrstuvwxyz")
    found = store.sampled("load", EVER, lambda series, memo: np.array([3]))
    assert [grid.rows.tolist() for grid in found.grids] == [[3]]
    assert sum(len(grid.rows) for grid in store.sampled("load", EVER, every).grids) == 26


def test_a_span_before_what_is_kept_is_read_too(store: Store, clock: ManualClock) -> None:
    first = clock.now() - HOUR
    for minute in range(60):
        scrape(store, first + minute * MINUTE, "ab")
    for since in (50, 10, 30):
        span = Span(first + since * MINUTE, first + 55 * MINUTE)
        assert points(store.sampled("load", span, every), span) == one_by_one(store, "load", span)


def test_a_longer_span_adds_to_what_is_kept(store: Store, clock: ManualClock) -> None:
    first = clock.now() - HOUR
    for minute in range(50):
        scrape(store, first + minute * MINUTE, "ab" if minute < 20 else "abc")
    cache, seen = SampleCache(), []
    with store._read() as conn:
        for since in (45, 30, 10, -5):
            span = Span(first + since * MINUTE, first + 48 * MINUTE)
            found = cache.sampled(conn, "load", span, every)
            assert points(found, span) == one_by_one(store, "load", span)
            seen.append(sorted(len(grid.rows) for grid in found.grids))
    assert seen == [[3], [3], [1, 2], [1, 2]]


def test_who_sees_an_older_moment_takes_nothing_from_the_others(store: Store, clock: ManualClock) -> None:
    first = clock.now() - HOUR
    for minute in range(50):
        scrape(store, first + minute * MINUTE, "ab")
    cache = SampleCache()
    with store._read() as older:
        older.execute("SELECT count(*) FROM samples").fetchone()
        scrape(store, first + 50 * MINUTE, "ab")
        with store._read() as newer:
            cache.sampled(newer, "load", Span(first + 40 * MINUTE, first + HOUR), every)
            cache.sampled(older, "load", Span(first + 10 * MINUTE, first + HOUR), every)
            span = Span(first + 20 * MINUTE, first + HOUR)
            assert points(cache.sampled(newer, "load", span, every), span) == one_by_one(store, "load", span)


def test_names_asked_for_longest_ago_make_room(store: Store, clock: ManualClock) -> None:
    for tick in range(100):
        at = clock.now() - HOUR + tick * TICK
        samples = [Sample(name, at, 1.0, {"n": str(n)}) for name in "xyz" for n in range(9)]
        store.write(WriteBatch(samples=samples))
    cache = SampleCache(room=50_000)
    with store._read() as conn:
        for name in "xyzxyz":
            assert sum(grid.values.size for grid in cache.sampled(conn, name, EVER, every).grids) == 900
            assert cache.taken <= 50_000


def test_native_histograms_are_told(opener: Opener, clock: ManualClock) -> None:
    store, at = opener(), clock.now() - HOUR
    scrape(store, at, "ab")
    assert not store.sampled("load", EVER, every).histograms
    (body,) = growing([[1, 2, 3]])
    store.write(WriteBatch(samples=[Sample("load", at + TICK, body, {"host": "a"}, "native_histogram")]))
    assert store.sampled("load", EVER, every).histograms


@pytest.mark.parametrize("back", [True, False])
def test_an_older_backup_is_another_database(
    opener: Opener, clock: ManualClock, tmp_path: Path, back: bool
) -> None:
    store, at = opener(), clock.now() - HOUR
    scrape(store, at, "ab")
    viewer = Store.open(store.path, write=False, clock=clock)
    copy = tmp_path / "copy.db"
    backup.backup(store.path, copy)
    scrape(store, at + TICK, "ab")
    same(viewer)
    store.close()
    if back:
        backup.restore(copy, viewer.path)
    store = opener()
    scrape(store, at + 2 * TICK, "a")
    same(viewer)
    viewer.close()
