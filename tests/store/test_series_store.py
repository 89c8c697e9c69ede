"""Sealing, damage, old databases, selecting by labels, and what stays of old samples."""

import math
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from store_helpers import EVER

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import STALE, Sample, is_stale
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.regex import Pattern
from tui_monitor.store import migrations
from tui_monitor.store.api import ImportInfo, LabelTest, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.upkeep import faults

TICK = 15 * SECOND


def fill(store: Store, first: int, count: int, *names: str, every: int = TICK, kind: str = "gauge") -> None:
    """Samples 0, 1, 2 … of some series, as one write for each instant does."""
    for at in range(0, count, 100):
        samples = [
            Sample(name, first + i * every, float(i), type=kind)  # type: ignore[arg-type]
            for i in range(at, min(count, at + 100)) for name in names
        ]  # fmt: skip
        store.write(WriteBatch(samples=samples))


def rows(store: Store, table: str) -> int:
    with store._read() as conn:
        return conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def values(store: Store, name: str, span: Span = EVER) -> list[float]:
    (series,) = store.series(name)
    return store.samples([series.id], span)[series.id][1].tolist()


def test_samples_are_sealed_as_they_come_and_read_as_before(store: Store, clock: ManualClock) -> None:
    first = clock.now()
    for at in range(0, 1000, 50):
        clock.advance(50 * TICK)
        fill(store, first + at * TICK, 50, "a", "b")
    assert rows(store, "sample_chunks") == 2, "one each, added to each time"
    assert rows(store, "sample_times") == 1
    assert rows(store, "samples") < 2 * 300
    (a, b) = store.series()
    inside = Span(first + 100 * TICK, first + 900 * TICK)
    found = store.samples([a.id, b.id], inside)
    expected = [float(i % 50) for i in range(101, 901)]
    assert found[a.id][1].tolist() == found[b.id][1].tolist() == expected
    assert found[a.id][0].tolist() == [first + i * TICK for i in range(101, 901)]


def test_what_no_number_holds_survives_chunks(store: Store, clock: ManualClock) -> None:
    odd = [STALE, math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1e308]
    for sealed in (False, True):
        store.write(WriteBatch(samples=[Sample("x", clock.now() + i, v) for i, v in enumerate(odd)]))
        if sealed:
            clock.advance(2 * DAY)
            store.retain(Retention(), clock.now())
            assert rows(store, "samples") == 0
        (series,) = store.series("x")
        found = store.samples([series.id], EVER)[series.id][1]
        assert found.tobytes() == np.array(odd).tobytes()
        assert [is_stale(v) for v in found.tolist()] == [True] + [False] * 7


def test_a_flipped_byte_names_its_chunk(opener: Opener, clock: ManualClock, path: Path) -> None:
    store = opener()
    fill(store, clock.now(), 600, "good", "bad")
    clock.advance(DAY + HOUR)
    store.retain(Retention(), clock.now())
    good, bad = store.series()
    with closing(sqlite3.connect(path)) as conn:
        for number, data in conn.execute(
            "SELECT id, value FROM sample_chunks WHERE series = ?", (bad.id,)
        ).fetchall():
            broken = bytearray(data)
            broken[len(broken) // 2] ^= 4
            conn.execute("UPDATE sample_chunks SET value = ? WHERE id = ?", (bytes(broken), number))
        conn.commit()
    assert len(store.samples([good.id], EVER)[good.id][0]) == 600
    with pytest.raises(StoreError, match=r"chunk \d+ of sample_chunks is damaged: 600 samples of bad"):
        store.samples([good.id, bad.id], EVER)
    assert [text[:5] for text in faults(path)] == ["chunk"]
    # What comes is stored all the same, and when its time is over what is damaged goes.
    fill(store, clock.now() - HOUR, 300, "good", "bad")
    assert store.retain(Retention(), clock.now()).samples == 0
    assert len(store.samples([bad.id], Span(clock.now() - HOUR, clock.now()))[bad.id][0]) == 240
    clock.advance(29 * DAY + 2 * HOUR)
    store.retain(Retention(), clock.now())
    store.samples([good.id, bad.id], EVER)


_CHILD = """
import sys
from pathlib import Path
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import sealing
sealing.FULL, sealing._MANY, sealing.STEP = 20, 1, 60
store = Store.open(Path(sys.argv[1]), write=True, clock=SystemClock())
at, base = int(sys.argv[2]), 1_773_835_200_000_000
while True:
    store.write(WriteBatch(samples=[Sample(n, base + at * 1000, float(at)) for n in "abcd"]))
    print(at, flush=True)
    at += 1
"""


def test_killed_while_sealing_nothing_is_lost_or_doubled(path: Path, opener: Opener) -> None:
    acknowledged = -1
    pick = random.Random(5)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(path), str(acknowledged + 1)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(pick.randrange(60, 160)):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        child.stdout.close()
        child.wait()
    store = opener()
    for name in "abcd":
        found = values(store, name)
        assert found in ([float(i) for i in range(acknowledged + more)] for more in (1, 2))
    assert rows(store, "sample_chunks") >= 4


def test_an_old_database_is_sealed_step_by_step(path: Path, opener: Opener, clock: ManualClock) -> None:
    before = [step for step in migrations.known() if step.name not in ("series", "native_histograms")]
    first = clock.now() - 3 * DAY
    with (
        patch.object(migrations, "known", lambda: before),
        patch("tui_monitor.store.series.sealing.Pace.due", lambda *_: False),
    ):
        old = opener()
        with old._writing.transaction():
            conn = old._writing.conn
            conn.execute(
                "INSERT INTO sample_series (name, labels, type) VALUES ('x', '{\"a\":\"b\"}', 'gauge')"
            )
            made = [(1, first + i * TICK, None if i == 7 else float(i), None, None) for i in range(12_000)]
            conn.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?)", made)
        old.close()
    store = opener()
    (series,) = store.series("x", [LabelTest("a", "b".__eq__, "b")])
    before_sealing = store.samples([series.id], EVER)[series.id]
    assert len(before_sealing[0]) == 12_000
    sealed = []
    while rows(store, "samples"):
        fill(store, clock.now(), 1, "other")
        clock.advance(DAY)
        sealed.append(rows(store, "samples"))
    assert len(sealed) >= 2
    found = store.samples([series.id], EVER)[series.id]
    assert found[0].tolist() == before_sealing[0].tolist()
    assert found[1].tobytes() == before_sealing[1].tobytes()
    assert math.isnan(found[1][7])


def test_a_selector_finds_its_series_by_their_labels(store: Store, clock: ManualClock) -> None:
    sets = [{"host": h, "core": c} for h in ("a", "b", "") for c in ("0", "1")] + [{"host": "a"}, {}]
    named = [{k: v for k, v in labels.items() if v} for labels in sets]
    store.write(WriteBatch(samples=[Sample("m", clock.now(), 1.0, labels) for labels in named]))
    store.write(WriteBatch(samples=[Sample("n", clock.now(), 1.0, {"host": "a"})]))
    for label in ("host", "core", "nothing"):
        for text in ("a", "0", "", "a|b", ".+", ".*", "x|"):
            match = Pattern(text).matches
            tests = [
                LabelTest(label, match),
                LabelTest(label, lambda v, match=match: not match(v)),
                LabelTest(label, text.__eq__, text),
                LabelTest(label, text.__ne__),
            ]
            for test in tests:
                for more in ([], [LabelTest("core", ["0", ""].__contains__)]):
                    found = [s.labels for s in store.series("m", [test, *more])]
                    passing = [
                        s.labels for s in store.series("m")
                        if all(t.accepts(s.labels.get(t.label, "")) for t in (test, *more))
                    ]  # fmt: skip
                    assert found == passing, (label, text)
    assert [s.name for s in store.series(matching=[LabelTest("host", "a".__eq__, "a")])] == ["m"] * 3 + ["n"]


def test_labels_go_with_the_last_series_that_has_them(store: Store, clock: ManualClock) -> None:
    store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
    store.write(WriteBatch(samples=[Sample("m", clock.now(), 1.0, {"a": "x", "b": "y"}, batch_id="load")]))
    store.write(WriteBatch(samples=[Sample("m", clock.now(), 1.0, {"a": "x"})]))
    assert rows(store, "sample_labels") == 2
    store.undo_import("load")
    assert rows(store, "sample_labels") == rows(store, "sample_postings") == 1


def test_a_person_is_forgotten_in_chunks_and_steps_too(store: Store, clock: ManualClock) -> None:
    for day, who in ((0, "ana"), (20, "ana"), (20, "bob")):
        at = clock.now() + day * DAY
        store.write(WriteBatch(samples=[Sample("m", at + len(who), 1.0, {"user": who, "lane": "a"})]))
    clock.advance(33 * DAY)
    store.retain(Retention(), clock.now())
    assert (rows(store, "samples"), rows(store, "sample_chunks"), rows(store, "sample_steps")) == (0, 2, 1)
    assert store.forget("user", "ana", "root").series == 1
    bob, nobody = store.series()
    assert (bob.labels, nobody.labels) == ({"user": "bob", "lane": "a"}, {"lane": "a"})
    assert store.samples([nobody.id], EVER)[nobody.id][1].tolist() == [1.0]
    assert store.sample_steps([nobody.id], EVER)[nobody.id].weight.tolist() == [1.0]
    assert store.series("m", [LabelTest("user", "ana".__eq__, "ana")]) == []
    assert rows(store, "sample_labels") == 2


def test_old_counters_grow_as_they_did(store: Store, clock: ManualClock) -> None:
    now = clock.now() - clock.now() % DAY
    pick, total, seen = random.Random(3), 0.0, []
    for i in range(2 * 2880):
        total = float(pick.randrange(3)) if pick.random() < 0.003 else total + pick.randrange(9)
        seen.append(Sample("jobs_total", now - 2 * DAY + i * 30 * SECOND, total, type="counter"))
    store.write(WriteBatch(samples=seen))
    engine = LocalEngine(store, Calendar())
    spans = [(f"jobs_total [{h}h]", now - back * HOUR) for h in (1, 6, 24) for back in (1, 5)]
    before = [engine.instant(text, at).scalar for text, at in spans]
    clock.advance(33 * DAY)
    assert store.retain(Retention(), clock.now()).samples == len(seen)
    answers = [engine.instant(text, at) for text, at in spans]
    assert [a.scalar for a in answers] == pytest.approx(before)
    assert not any(a.warnings for a in answers)
    (series,) = store.series("jobs_total")
    assert len(store.sample_steps([series.id], EVER)[series.id].times) < len(seen) // 8


def test_old_gauges_and_observations_are_answered_from_steps(store: Store, clock: ManualClock) -> None:
    now = clock.now() - clock.now() % DAY
    pick = random.Random(4)
    for name, kind in (("depth", "gauge"), ("took", "histogram")):
        store.write(
            WriteBatch(
                samples=[
                    Sample(name, now - DAY + i * 30 * SECOND, round(pick.lognormvariate(0, 1), 3), type=kind)  # type: ignore[arg-type]
                    for i in range(2880)
                ]
            )
        )
    engine = LocalEngine(store, Calendar())
    exact = [f"{name} [6h] {how}" for name in ("depth", "took") for how in ("min", "max", "count")]
    exact += ["depth [6h] avg", "depth [6h] sum"]
    near = [f"took [6h] {how}" for how in ("p50", "p99", "avg", "sum")]
    before = {text: engine.instant(text, now - HOUR).scalar for text in exact + near}
    clock.advance(33 * DAY)
    store.retain(Retention(), clock.now())
    for text, value in before.items():
        after = engine.instant(text, now - HOUR)
        assert after.scalar == pytest.approx(value, rel=1e-9 if text in exact else 0.006), text
        assert bool(after.warnings) is (text in near), text
    assert engine.instant("depth [6h] p50", now - HOUR).warnings
    assert engine.instant("depth [7m] avg", now - HOUR).warnings
    assert not engine.instant("depth [1h]", clock.now()).warnings
    assert values(store, "depth") == []
    assert store.stats(Retention(), clock.now()).layers[5].name == "steps"


def test_an_import_is_taken_back_out_of_steps_too(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.begin_import(ImportInfo("load", now, ("f",), "csv", 0))
    store.write(WriteBatch(samples=[Sample("m", now + i * MINUTE, 1.0) for i in range(10)]))
    store.write(
        WriteBatch(samples=[Sample("m", now + i * MINUTE, 9.0, batch_id="load") for i in range(5, 15)])
    )
    clock.advance(40 * DAY)
    store.retain(Retention(), clock.now())
    (series,) = store.series("m")
    assert store.sample_steps([series.id], EVER)[series.id].high.max() == 9.0
    store.undo_import("load")
    steps = store.sample_steps([series.id], EVER)[series.id]
    assert (steps.weight.sum(), steps.high.max()) == (5, 1.0)
