"""Calls dropped from segments leave behind what calls dropped one by one do."""

import tempfile
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, read, total, write

from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.store import calls as stored
from tui_monitor.store import identity, marks, packs, runs, segments
from tui_monitor.store.api import ImportInfo, Layer, Outcome
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits

SMALL = Limits(rows=8, head=0, age=0, identities=0)
RAW = Retention.model_validate({"raw": "10d", "minute": "400d"})
texts = st.none() | st.sampled_from(["m", "100%", "it's", 'a"b', "%s", "ünï", ""])
known = st.builds(
    dict,
    provider=texts, model_served=texts, session=texts, user=texts, trace_id=texts, api_base=texts,
    call_keys=st.lists(st.sampled_from(["k1", "k'2"]), max_size=2, unique=True).map(tuple),
    in_uncached=st.none() | st.integers(0, 2**40), http_status=st.sampled_from([None, 200, 500]),
    latency_ms=st.sampled_from([None, 0.0, 0.1, 250.0, 1234.567]),
    media=st.sampled_from([None, {"images": 2}]),
    batch=st.sampled_from([None, True, False]), stream=st.sampled_from([None, True, False]),
    attrs=st.sampled_from([{}, {"note": "100% 'x'"}, {"b": 1.5, "a": [1, None]}]),
)  # fmt: skip


@given(st.lists(known, min_size=4, max_size=20))
@example([{"session": "", "call_keys": ()}] * 4)
@example([{"session": "", "call_keys": ()}, *[{"call_keys": ()}] * 3])
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow])
def test_identities_from_columns_are_those_of_single_calls(spec: list[dict]) -> None:
    clock = ManualClock(1_774_738_800_000_000)
    # Keys of their own, so that none merge.
    calls = [
        a_call(
            f"c{n}'%",
            clock.now() + n,
            **{**fields, "call_keys": tuple(f"{n}{k}" for k in fields["call_keys"])},
        )
        for n, fields in enumerate(spec)
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "x.db", write=True, clock=clock)
        try:
            write(store, *calls, remember=True)
            store.seal(clock.now(), Limits(rows=len(calls), head=0, age=0, identities=0))
            with store._read() as conn:
                (segment,) = segments.every(conn)
                found = marks.entries(segment, np.arange(len(calls)))
        finally:
            store.close()
    day = clock.now() // DAY
    wanted: dict[int, int] = {}
    for call in calls:
        own, *keys = identity.hashes(call)
        wanted[own] = packs.gone(day, identity.content_mark(call))
        wanted |= {key: packs.gone(day, None) for key in keys}
    assert dict(zip(found.hashes.view(np.int64).tolist(), found.values.tolist(), strict=True)) == wanted


def filled(store: Store, clock: ManualClock) -> list[Call]:
    """Twenty sealed calls, an hour apart and remembered; three of them of two sources, four of an import."""
    store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
    calls: list[Call] = []
    for n in range(20):
        batch = "load" if n % 5 == 0 else None
        calls.append(a_call(f"c{n}", clock.now(), call_keys=(f"k{n}",), batch_id=batch, in_uncached=n))
        write(store, calls[-1], remember=True)
        if n % 8 == 1:
            write(store, a_call(f"d{n}", clock.now(), source="litellm", call_keys=(f"k{n}",)))
        clock.advance(HOUR)
    store.seal(clock.now(), SMALL)
    return calls


def test_a_segment_goes_in_part_and_then_whole(store: Store, clock: ManualClock) -> None:
    start = clock.now()
    calls = filled(store, clock)
    later = start + 10 * DAY + 5 * HOUR
    clock.advance(later - clock.now())
    assert store.retain(RAW, later).calls == 6
    assert sorted(read(store, Layer.RAW).end.tolist()) == [call.booked for call in calls[6:]]
    assert write(store, *calls, remember=True).calls == [Outcome.DUPLICATE] * 20
    changed = [a_call(f"c{n}", start + n * HOUR, call_keys=(f"k{n}",), in_uncached=99) for n in (2, 9)]
    assert write(store, *changed).calls == [Outcome.LATE, Outcome.CORRECTED]
    assert write(store, a_call("new", later, call_keys=("k3",))).calls == [Outcome.LATE]
    assert total(read(store, Layer.HOUR)) == 20
    clock.advance(11 * DAY)
    assert store.retain(RAW, clock.now()).calls == 14
    with store._read() as conn:
        for table in ("calls", "parts", "segments", "segment_columns"):
            assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
        assert conn.execute("SELECT gone FROM imports").fetchone() == (4,)
    assert [span.end for span in store.holdings()[Layer.RAW].gone] == [calls[-1].booked]
    assert set(write(store, *calls, remember=True).calls) == {Outcome.DUPLICATE, Outcome.LATE}
    assert total(read(store, Layer.HOUR)) == 20


def test_pushed_calls_are_forgotten_with_their_segment(store: Store, clock: ManualClock) -> None:
    calls = [a_call(f"c{n}", clock.now() + n, call_keys=(f"k{n}",)) for n in range(8)]
    write(store, *calls)
    store.seal(clock.now(), Limits(rows=8, head=0, age=0))
    clock.advance(11 * DAY)
    assert store.retain(RAW, clock.now()).calls == 8
    with store._read() as conn:
        assert conn.execute("SELECT count(*) FROM identities").fetchone() == (0,)
        assert list(stored.booked_in(conn, EVER)) == []
    assert write(store, *calls).calls == [Outcome.STORED] * 8


def test_what_a_writer_changes_meanwhile_stays(store: Store, clock: ManualClock, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    calls = [a_call(f"c{n}", clock.now()) for n in range(8)]
    write(store, *calls, remember=True)
    store.seal(clock.now(), SMALL)
    clock.advance(11 * DAY)
    real, changed = marks.entries, []

    def interrupted(segment: segments.Segment, at: np.ndarray) -> packs.Entries:
        if not changed:
            changed.append(write(store, a_call("c3", calls[3].booked, in_uncached=7)).calls)
        return real(segment, at)

    monkeypatch.setattr(marks, "entries", interrupted)
    assert store.retain(RAW, clock.now()).calls == 7
    assert changed == [[Outcome.CORRECTED]]
    assert read(store, Layer.RAW).numbers["input"].total.tolist() == [7]
    assert total(read(store, Layer.HOUR)) == 8


def test_the_file_shrinks_in_few_transactions(store: Store, clock: ManualClock) -> None:
    write(store, *[a_call(f"c{n}", clock.now(), attrs={"x": f"{n}" * 700}) for n in range(5_000)])
    clock.advance(11 * DAY)
    store.retain(RAW, clock.now())
    with store._read() as conn:
        (free,) = conn.execute("PRAGMA freelist_count").fetchone()
    assert free > 0
    turns: list[tuple[int, int]] = []
    store.compact(lambda done, of: turns.append((done, of)))
    assert len(turns) == -(-free // 1_000)
    with store._read() as conn:
        assert conn.execute("PRAGMA freelist_count").fetchone() == (0,)


def entries(store: Store) -> int:
    """How many entries the runs of identities have."""
    with store._read() as conn:
        return runs.total(conn)


def many(store: Store, clock: ManualClock) -> list[Call]:
    """Three thousand sealed and remembered calls."""
    random = Random(1)
    calls = [a_call(f"c{n}", clock.now() + n, attrs={"x": random.randbytes(100).hex()}) for n in range(3_000)]
    write(store, *calls, remember=True)
    store.seal(clock.now(), Limits(rows=128, head=0, age=0, identities=0))
    return calls


def test_identities_do_not_grow_when_raw_calls_go_for_the_size(store: Store, clock: ManualClock) -> None:
    calls = many(store, clock)
    assert entries(store) == 3_000
    used = store.size_bytes()
    cap = used - 150_000
    report = store.retain(Retention(size=cap), clock.now())
    assert (report.too_old, report.over_cap) == (0, 0)
    assert 0 < report.calls == report.calls_for_size < 1_500
    assert cap - 40_000 < store.size_bytes() <= cap
    # One in 64 of a run may be dead.
    assert 3_000 <= entries(store) <= 3_000 * 65 / 64
    assert store._writing.conn.execute("SELECT count(*) FROM identities").fetchone() == (0,)
    assert write(store, *calls, remember=True).calls == [Outcome.DUPLICATE] * 3_000


def test_identities_of_pushed_calls_go_with_calls_that_are_too_old(store: Store, clock: ManualClock) -> None:
    calls = many(store, clock)
    clock.advance(5 * DAY)
    pushed = [a_call(f"p{n}", clock.now() + n) for n in range(100)]
    write(store, *pushed)
    store.seal(clock.now(), Limits(rows=100, head=0, age=0, identities=0))
    clock.advance(6 * DAY)
    assert store.retain(RAW, clock.now()).too_old == 3_000
    assert entries(store) == 3_100
    clock.advance(5 * DAY)
    assert store.retain(RAW, clock.now()).too_old == 100
    assert 3_000 <= entries(store) <= 3_000 * 65 / 64
    assert write(store, *calls, remember=True).calls == [Outcome.DUPLICATE] * 3_000


def test_a_cap_that_cannot_be_met_is_told(store: Store, clock: ManualClock) -> None:
    many(store, clock)
    settings_ = Retention(size=10_000)
    assert not store.stats(settings_, clock.now()).cap_unmet
    report = store.retain(settings_, clock.now())
    assert (report.calls_for_size, report.total) == (3_000, 3_000)
    assert report.over_cap == store.size_bytes() - 10_000 > 0
    assert store.stats(settings_, clock.now()).cap_unmet
    assert not store.stats(Retention(size=0), clock.now()).cap_unmet


def test_each_identity_is_counted_once(store: Store, clock: ManualClock) -> None:
    calls = many(store, clock)
    store.retain(Retention(size=store.size_bytes() - 150_000), clock.now())
    write(store, *[a_call(f"new{n}", clock.now()) for n in range(50)])
    # A record that is corrected waits anew, and is packed already.
    write(store, a_call("c2999", calls[-1].booked, in_uncached=7), remember=True)
    layers = {layer.name: layer for layer in store.stats(Retention(), clock.now()).layers}
    assert layers["identities"].rows == 3_050
    with store._read() as conn:
        texts = [conn.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("terms", "series_keys")]
    assert layers["labels"].rows == sum(texts) + 1  # the attribute's name
