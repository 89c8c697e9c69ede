"""Native histograms in the store: sealed, thinned out, taken back, forgotten, damaged, beside floats."""

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_helpers import EVER

from tests.examples import examples
from tests.native_histograms import growing, histograms
from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import STALE, Sample
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.store import migrations
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import histogram_codec
from tui_monitor.store.series.histograms import Histograms
from tui_monitor.store.upkeep import faults

TICK = 15 * SECOND
KIND = "native_histogram"


def latencies(n: int, seed: int = 3) -> list[NativeHistogram]:
    """What a server says of its latencies every 15 s: 30 requests each time, log-normal, in schema 3."""
    rng = np.random.default_rng(seed)
    bucket = np.clip(np.round(rng.normal(0, 8, (n, 30))).astype(int) + 24, 0, 47)
    return growing([np.bincount(row, minlength=48).tolist() for row in bucket])


def fill(store: Store, bodies: list[NativeHistogram], first: int, name: str = "took", **more: str) -> None:
    store.write(
        WriteBatch(
            samples=[
                Sample(name, first + i * TICK, h, {}, KIND, more.get("batch")) for i, h in enumerate(bodies)
            ]
        )
    )


def read(store: Store, name: str = "took") -> list[NativeHistogram]:
    (series,) = store.series(name)
    return [body for _, body in dated(store.histogram_samples([series.id], EVER), series.id)]


def dated(found: dict[int, tuple[np.ndarray, Histograms]], series: int) -> list[tuple[int, NativeHistogram]]:
    if series not in found:
        return []
    times, bodies = found[series]
    return [(at, bodies.at(i)) for i, at in enumerate(times.tolist())]


@given(st.lists(histograms(), min_size=1, max_size=12))
@settings(max_examples=examples(50))
def test_chunks_come_back_as_they_were(bodies: list[NativeHistogram]) -> None:
    back = histogram_codec.decode(histogram_codec.encode(Histograms.of(bodies)))
    assert [back.at(i) for i in range(len(back))] == bodies


@given(st.lists(histograms(), min_size=1, max_size=5), st.data())
@settings(max_examples=examples(25))
def test_a_flipped_byte_is_seen(bodies: list[NativeHistogram], data: st.DataObject) -> None:
    written = bytearray(histogram_codec.encode(Histograms.of(bodies)))
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(histogram_codec.Damaged):
        histogram_codec.decode(bytes(written))


def test_a_quiet_series_takes_little_more_than_its_changes() -> None:
    bodies = latencies(1440)
    assert len(histogram_codec.encode(Histograms.of(bodies))) < 15 * 1440
    assert len(histogram_codec.encode(Histograms.of([bodies[-1]] * 1440))) < 2 * 1440


def test_sealed_as_they_come_and_read_as_before(store: Store, clock: ManualClock) -> None:
    bodies, first = latencies(1000), clock.now()
    for at in range(0, 1000, 50):
        clock.advance(50 * TICK)
        fill(store, bodies[at : at + 50], first + at * TICK)
        store.write(WriteBatch(samples=[Sample("beside", first + i * TICK, 1.0) for i in range(at, at + 50)]))
    with store._read() as conn:
        for table, most in (("histogram_chunks", 2), ("sample_times", 3), ("samples", 2 * 300)):
            assert conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] <= most, table
    assert read(store) == bodies
    (took,) = store.series("took")
    assert took.type == KIND
    assert len(store.samples([took.id], EVER)[took.id][0]) == 0
    assert len(store.histogram_samples([took.id], EVER)[took.id][0]) == 1000
    layers = {layer.name: layer for layer in store.stats(Retention(), clock.now()).layers}
    assert layers["samples"].rows == 2000


def test_one_time_has_one_value_of_either_kind(store: Store, clock: ManualClock) -> None:
    now, (one, two) = clock.now() - 2 * DAY, latencies(2)
    fill(store, [one, two], now)
    store.retain(Retention(), clock.now())
    store.write(WriteBatch(samples=[Sample("took", now, 5.0, type=KIND)]))
    store.write(WriteBatch(samples=[Sample("took", now + 2 * TICK, STALE, type=KIND)]))
    for _ in range(2):
        assert read(store) == [two], "before and after it is sealed"
        (series,) = store.series("took")
        times, values = store.samples([series.id], EVER)[series.id]
        assert times.tolist() == [now, now + 2 * TICK]
        assert values[0] == 5.0
        clock.advance(2 * DAY)
        store.retain(Retention(), clock.now())


def test_a_series_keeps_the_type_of_its_first_sample(opener: Opener, clock: ManualClock) -> None:
    store, now = opener(), clock.now()
    store.write(WriteBatch(samples=[Sample("jobs", now, 1.0, type="counter")]))
    fill(store, latencies(2), now, "took")
    store.write(WriteBatch(samples=[Sample("jobs", now + 1, 2.0), Sample("took", now + 1, STALE)]))
    for _ in range(2):
        assert {s.name: s.type for s in store.series()} == {"jobs": "counter", "took": KIND}
        store.close()
        store = opener()


def test_of_old_ones_growth_stays_what_it_was(store: Store, clock: ManualClock) -> None:
    first = clock.now() - clock.now() % DAY - DAY
    before, after = latencies(500), latencies(400, seed=8)
    fill(store, before + after, first)
    clock.advance(33 * DAY)
    assert store.retain(Retention(), clock.now()).samples == 900
    (series,) = store.series("took")
    assert read(store) == []
    kept = dated(store.histogram_steps([series.id], EVER), series.id)
    assert len(kept) < 900 // 15
    every = {first + i * TICK: h for i, h in enumerate(before + after)}
    assert all(every[at] == h for at, h in kept)
    assert (first + 499 * TICK, before[-1]) in kept, "the last before a restart"
    assert kept[-1] == (first + 899 * TICK, after[-1])
    ends = {-(-at // (5 * MINUTE)) for at in every}
    assert {-(-at // (5 * MINUTE)) for at, _ in kept} == ends
    inside = store.histogram_steps([series.id], type(EVER)(first + HOUR, first + 2 * HOUR))
    assert {at for at, _ in dated(inside, series.id)} == {
        at for at, _ in kept if first + HOUR < at <= first + 2 * HOUR
    }
    clock.advance(400 * DAY)
    store.retain(Retention(), clock.now())
    assert store.series("took") == []


def test_an_import_is_taken_back_and_a_person_forgotten(store: Store, clock: ManualClock) -> None:
    now, bodies = clock.now() - 40 * DAY, latencies(6)
    for batch in (None, "load"):
        if batch:
            store.begin_import(ImportInfo(batch, now, ("f",), "csv", 0))
        samples = [
            Sample("took", now + i * DAY * 8 + bool(batch), h, {"user": "ana"}, KIND, batch)
            for i, h in enumerate(bodies)
        ]
        store.write(WriteBatch(samples=samples))
    clock.advance(31 * DAY)
    store.retain(Retention(), clock.now())
    store.undo_import("load")
    assert store.forget("user", "ana", "root").series == 1
    (series,) = store.series("took")
    assert series.labels == {}
    found = dated(store.histogram_steps([series.id], EVER), series.id)
    found += dated(store.histogram_samples([series.id], EVER), series.id)
    assert found == [(now + i * DAY * 8, h) for i, h in enumerate(bodies)]


def test_damage_is_named(opener: Opener, clock: ManualClock, path: Path) -> None:
    store = opener()
    fill(store, latencies(300), clock.now())
    clock.advance(2 * DAY)
    store.retain(Retention(), clock.now())
    with closing(sqlite3.connect(path)) as conn:
        broken = bytearray(conn.execute("SELECT body FROM histogram_chunks").fetchone()[0])
        broken[len(broken) // 2] ^= 4
        conn.execute("UPDATE histogram_chunks SET body = ?", (bytes(broken),))
        conn.commit()
    with pytest.raises(StoreError, match=r"chunk 1 of histogram_chunks is damaged: 300 samples of took"):
        read(store)
    assert [text[:7] for text in faults(path)] == ["chunk 1"]


def test_an_old_database_takes_them_and_answers_as_before(
    path: Path, opener: Opener, clock: ManualClock
) -> None:
    later = ("native_histograms", "sample_versions")
    before = [step for step in migrations.known() if step.name not in later]
    first = clock.now() - 2 * DAY
    with patch.object(migrations, "known", lambda: before):
        old = opener()
        conn = old._writing.conn
        conn.execute("INSERT INTO sample_series (id, name, labels, type) VALUES (1, 'load', '{}', 'gauge')")
        rows = [(first + i * TICK, i / 4) for i in range(600)]
        conn.executemany("INSERT INTO samples (series, ts, value) VALUES (1, ?, ?)", rows)
        old.close()
    store, bodies = opener(), latencies(600)
    fill(store, bodies, first)
    for _ in range(2):
        (load,) = store.series("load")
        assert store.samples([load.id], EVER)[load.id][1].tolist() == [i / 4 for i in range(600)]
        assert read(store) == bodies
        store.retain(Retention(), clock.now())
    # Both have the same times, which stay as long as one of them does.
    clock.advance(29 * DAY)
    store._writing.conn.execute("DELETE FROM sample_chunks")
    assert read(store) == bodies
    store._writing.conn.execute("DELETE FROM histogram_chunks")
    assert store._writing.conn.execute("SELECT count(*) FROM sample_times").fetchone() == (0,)


def test_many_buckets_make_shorter_chunks(store: Store, clock: ManualClock) -> None:
    wide = [
        NativeHistogram(8, 900.0, 1.0, positive=tuple((j * 3 + i, 1.0) for j in range(900)))
        for i in range(40)
    ]
    with patch("tui_monitor.store.series.chunks._CELLS", 1 << 12):
        fill(store, wide, clock.now() - DAY)
        store.retain(Retention(), clock.now())
    assert read(store) == wide
    with store._read() as conn:
        assert conn.execute("SELECT max(n) FROM histogram_chunks").fetchone()[0] < 5
