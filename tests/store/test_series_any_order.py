"""Samples written, sealed, thinned out, taken back, reopened in any order: as a plain dictionary has them."""

import math
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER

from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.feed import Sample, is_stale
from tui_monitor.model.histogram import CUSTOM, CounterReset, NativeHistogram
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store

BASE = 1_773_835_200_000_000
LONGEST = 2 * HOUR
STALE = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]


@dataclass(frozen=True)
class Kept:
    """A sample as the model has it."""

    bits: bytes
    batch: str | None
    until: int
    """Its time, or the hour in which it came late."""


times = st.integers(0, 15).map(lambda n: n * 17 * MINUTE) | st.integers(0, 5 * HOUR)
BODIES = [
    NativeHistogram(3, 5.0, 1.5, 0.001, 1.0, ((-2, 1.0), (4, 2.0)), ((0, 1.0),)),
    NativeHistogram(3, 9.0, 2.5, 0.001, 1.0, ((-2, 1.0), (3, 4.0), (4, 2.0)), ((0, 1.0),)),
    NativeHistogram(1, 0.75, math.nan, 0.0, 0.5, ((9, 0.25),), reset=CounterReset.GAUGE),
    NativeHistogram(CUSTOM, 3.0, 9.0, positive=((0, 1.0), (2, 2.0)), bounds=(1.0, 2.5)),
]
values = st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e300, math.inf, -0.0, math.nan, STALE, *BODIES])
sample = st.tuples(st.sampled_from("ab"), times, values, st.sampled_from([None, None, "load"]))
step = st.one_of(
    st.tuples(st.just("write"), st.lists(sample, max_size=12)),
    st.tuples(st.just("write"), st.lists(sample, max_size=12)),
    st.tuples(st.sampled_from(["seal", "retain", "undo", "reopen"]), st.none()),
    st.tuples(st.just("advance"), st.sampled_from([MINUTE, 90 * MINUTE, 3 * HOUR, 25 * HOUR])),
)


@contextmanager
def small_chunks() -> Iterator[None]:
    with ExitStack() as stack:
        for module in ("chunks", "sealing", "steps"):
            stack.enter_context(patch(f"tui_monitor.store.series.{module}.MOST", 7))
            stack.enter_context(patch(f"tui_monitor.store.series.{module}.LONGEST", LONGEST))
        stack.enter_context(patch("tui_monitor.store.series.sealing.FULL", 3))
        stack.enter_context(patch("tui_monitor.store.series.sealing.STEP", 16))
        stack.enter_context(patch("tui_monitor.store.series.sealing._MANY", 20))
        yield


class Model:
    """The rules, as plainly as they can be said."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, int], Kept] = {}
        self.thinned: dict[tuple[str, int], list[Kept]] = {}

    def write(self, rows: list[tuple[str, int, float | NativeHistogram, str | None]], now: int) -> None:
        for name, at, value, batch in rows:
            late = now - at > HOUR
            until = -(-now // HOUR) * HOUR if late else at
            bits = value.to_bytes() if isinstance(value, NativeHistogram) else struct.pack("<d", value)
            self.samples[name, at] = Kept(bits, batch, until)

    def undo(self) -> None:
        self.samples = {key: kept for key, kept in self.samples.items() if kept.batch is None}
        for key, old in self.thinned.items():
            self.thinned[key] = [kept for kept in old if kept.batch is None]

    def expire(self, found: dict[tuple[str, int], bytes], old: int) -> None:
        """Whole chunks go, so what is gone is seen, and must be old; much older must be gone."""
        for key in list(self.samples.keys() - found.keys()):
            kept = self.samples.pop(key)
            assert max(key[1], kept.until) <= old
            self.thinned.setdefault(key, []).append(kept)
        assert not [k for k, kept in self.samples.items() if max(k[1], kept.until) <= old - LONGEST - HOUR]


def stored(store: Store) -> dict[tuple[str, int], bytes]:
    found: dict[tuple[str, int], bytes] = {}
    for info in store.series():
        at, value = store.samples([info.id], EVER)[info.id]
        assert at.tolist() == sorted(set(at.tolist()))
        raw = value.tobytes()
        found |= {(info.name, t): raw[i * 8 : i * 8 + 8] for i, t in enumerate(at.tolist())}
        for times, bodies in store.histogram_samples([info.id], EVER).values():
            assert times.tolist() == sorted(set(times.tolist()) - set(at.tolist()))
            found |= {(info.name, t): bodies.at(i).to_bytes() for i, t in enumerate(times.tolist())}
    return found


def check(store: Store, model: Model) -> None:
    assert stored(store) == {key: kept.bits for key, kept in model.samples.items()}
    for info in store.series():
        steps = store.sample_steps([info.id], EVER).get(info.id)
        old = [(at, k) for (name, at), all_of in model.thinned.items() if name == info.name for k in all_of]
        floats = [(at, k) for at, k in old if len(k.bits) == 8]
        known = [(at, v) for at, k in floats if not math.isnan(v := struct.unpack("<d", k.bits)[0])]
        weights: dict[int, int] = {}
        for at, _ in known:
            end = -(-at // (5 * MINUTE)) * 5 * MINUTE
            weights[end] = weights.get(end, 0) + 1
        got: dict[int, float] = {}
        if steps is not None:
            stand = steps.weight > 0
            assert all(map(is_stale, steps.mean[~stand].tolist()))
            for end, weight in zip(steps.times[stand].tolist(), steps.weight[stand].tolist(), strict=True):
                got[end] = got.get(end, 0) + weight
            if known:
                extremes = (steps.low[stand].min(), steps.high[stand].max())
                assert extremes == (min(v for _, v in known), max(v for _, v in known))
        assert got == weights
        check_bodies(store, info.id, [(at, k.bits) for at, k in old if len(k.bits) > 8])


def check_bodies(store: Store, series: int, old: list[tuple[int, bytes]]) -> None:
    """Of old native histograms the last of every 5 minutes stays, and nothing that was not there."""
    kept = {
        at: bodies.at(i).to_bytes()
        for times, bodies in store.histogram_steps([series], EVER).values()
        for i, at in enumerate(times.tolist())
    }
    assert set(kept.items()) <= set(old)
    assert {-(-at // (5 * MINUTE)) for at in kept} == {-(-at // (5 * MINUTE)) for at, _ in old}


@given(st.lists(step, min_size=1, max_size=14))
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
def test_samples_follow_every_change(history: list[tuple[str, object]]) -> None:
    clock = ManualClock(BASE + HOUR)
    model = Model()
    with tempfile.TemporaryDirectory() as folder, small_chunks():
        path = Path(folder) / "x.db"
        store = Store.open(path, write=True, clock=clock)
        try:
            for what, detail in history:
                if what == "reopen":
                    store.close()
                    store = Store.open(path, write=True, clock=clock)
                else:
                    run(store, model, clock, what, detail)
                check(store, model)
        finally:
            store.close()


def run(store: Store, model: Model, clock: ManualClock, what: str, detail: object) -> None:
    if what == "write":
        assert isinstance(detail, list)
        rows = [(name, BASE + at, value, batch) for name, at, value, batch in detail]
        store.write(WriteBatch(samples=[Sample(n, at, v, batch_id=b) for n, at, v, b in rows]))
        model.write(rows, clock.now())
    elif what == "advance":
        assert isinstance(detail, int)
        clock.advance(detail)
    elif what == "seal":
        store._writing.seal_samples(EVER.end)
    elif what == "retain":
        keep = Retention.model_validate({"samples": "1d", "samples_steps": "400d"})
        store.retain(keep, clock.now())
        model.expire(stored(store), clock.now() - DAY)
    else:
        store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
        store.undo_import("load")
        model.undo()
