"""Sealed calls answer as if they were not, whatever happens to them before, after and meanwhile."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, check_layers, contents, read, total, write

from tests.examples import examples
from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.store import blobs
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Facts, ImportInfo, Layer, WriteBatch
from tui_monitor.store.blobs import UNKNOWN, Damaged
from tui_monitor.store.checkup import check_up
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits
from tui_monitor.store.upkeep import faults

TINY = Limits(rows=3, head=0, age=0, identities=0)
START = 1_780_000_000_000_000
LABELS = (
    "provider", "user", "source", "session", "batch_id", "stream", "attempts", "source_key",
    "document_id", "n",
)  # fmt: skip


def seal(store: Store, clock: ManualClock, rows: int = 16) -> None:
    store.seal(clock.now(), Limits(rows=rows, head=0, age=0, identities=0))


def counted(store: Store, table: str) -> int:
    with store._read() as conn:
        return conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


calls = st.builds(
    Call,
    source=st.sampled_from(["litellm", "events:app", "import"]),
    source_key=st.sampled_from(["a", "b", "c", "d", "é\x00"]),
    ts_start=maybe(st.integers(START - 3 * DAY, START)),
    ts_end=st.integers(START - 3 * DAY, START),
    call_keys=st.lists(st.sampled_from(["k1", "k2", "k3"]), max_size=2, unique=True).map(tuple),
    provider=st.sampled_from(["openai", None]),
    user=st.sampled_from(["u", "v", None]),
    session=st.sampled_from(["s", None]),
    status=st.sampled_from(["success", "error"]),
    in_uncached=maybe(st.integers(0, 2**62)),
    cache_read=maybe(st.just(0)),
    out_total=maybe(st.integers(-5, 9)),
    cost=maybe(st.integers(0, 2**40)),
    cost_computed=maybe(st.integers(0, 2**40)),
    cost_status=st.sampled_from(["reported", "unpriced"]),
    latency_ms=maybe(st.sampled_from([0.5, 1.0, 250.0, 251.0])),
    attempts=maybe(st.integers(0, 3)),
    stream=st.sampled_from([None, True, False]),
    batch_id=st.sampled_from([None, "load"]),
    attrs=st.dictionaries(
        st.sampled_from(["document_id", "n"]), st.sampled_from(["x", 1, 2.5, "u"]), max_size=2
    ),
)


@dataclass
class Step:
    """What happens; sealing only in one of the two."""

    calls: list[Call] = field(default_factory=list)
    retracts: list[Retract] = field(default_factory=list)
    remember: bool = False
    seal: int = 0
    wait: int = 0
    then: str = ""


retracts = st.builds(Retract, st.sampled_from(["litellm", "import"]), st.sampled_from(["a", "b"]))
steps = st.lists(
    st.builds(
        Step,
        st.lists(calls, max_size=5),
        st.lists(retracts, max_size=2),
        st.booleans(),
        st.integers(0, 3),
        st.sampled_from([0, 0, HOUR, DAY, 200 * DAY]),
        st.sampled_from(["", "", "", "retain", "reprice", "forget", "undo", "mend"]),
    ),
    min_size=1,
    max_size=7,
)


def rows_of(facts: Facts) -> list[tuple[object, ...]]:
    """Every raw call as one tuple, in any order."""
    columns: list[list[object]] = [facts.end.tolist()]
    columns += [[c.values[code] for code in c.codes.tolist()] for c in facts.labels.values()]
    for numbers in facts.numbers.values():
        columns += [numbers.total.tolist(), numbers.known.tolist()]
    spread: dict[int, list[object]] = {row: [] for row in range(len(facts))}
    for name, found in facts.histograms.items():
        for row, bucket, count in zip(
            found.row.tolist(), found.bucket.tolist(), found.count.tolist(), strict=True
        ):
            spread[row].append((name, bucket, count))
    columns.append([tuple(spread[row]) for row in range(len(facts))])
    return sorted(zip(*columns, strict=True), key=repr)


SPANS = (EVER, Span(START - 2 * DAY, START - DAY), Span(START - DAY, START - HOUR))
WHERE = (
    {},
    {"user": "u"},
    {"provider": ""},
    {"session": "s"},
    {"session": ""},
    {"n": "1"},
    {"batch_id": "load", "stream": ""},
)


def same(one: Store, other: Store) -> None:
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        assert contents(read(one, layer)) == contents(read(other, layer))
    for span in SPANS:
        for where in WHERE:
            found = [s.facts(Layer.RAW, span, LABELS, MEASURES, HISTOGRAMS, where) for s in (one, other)]
            assert rows_of(found[0]) == rows_of(found[1])
        found = [list(s.raw_calls(span)) for s in (one, other)]
        assert found[0] == found[1]
        assert one.raw_count(span) == other.raw_count(span) == len(found[0])
    assert one.extent() == other.extent()
    assert one.holdings() == other.holdings()
    for label in LABELS:
        # A segment holds the labels of calls that left it until it is made anew.
        assert set(one.label_values(label)) >= set(other.label_values(label)), label
    sessions = [counted_rows(s, "SELECT first, last, calls FROM sessions") for s in (one, other)]
    assert sessions[0] == sessions[1]
    assert one.imports() == other.imports()
    assert one.rebuild_rollups(mend=False) == other.rebuild_rollups(mend=False)


def counted_rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store._read() as conn:
        return conn.execute(sql).fetchall()


def apply(store: Store, step: Step, clock: ManualClock) -> object:
    done = store.write(WriteBatch(step.calls, retracts=step.retracts, remember=step.remember))
    match step.then:
        case "retain":
            report = store.retain(Retention.model_validate({"raw": "100d", "minute": "100d"}), clock.now())
            # A segment holds the labels of calls that left it until it is made anew.
            return done, replace(report, labels=0)
        case "reprice":
            return done, store.reprice(START - DAY, lambda call: setattr(call, "cost", call.out_total))
        case "forget":
            return done, store.forget("user", "u", "me")
        case "undo":
            try:
                return done, store.undo_import("load")
            except Exception as error:
                return done, str(error).replace(str(store.path), "")
        case "mend":
            return done, store.rebuild_rollups(mend=True)
        case _:
            return done


@given(steps)
@settings(max_examples=examples(5), suppress_health_check=[HealthCheck.too_slow])
def test_sealed_or_not_is_the_same(history: list[Step]) -> None:
    clock = ManualClock(START)
    with tempfile.TemporaryDirectory() as folder:
        stores = [
            Store.open(Path(folder) / name, write=True, clock=clock) for name in ("sealed.db", "plain.db")
        ]
        try:
            for store in stores:
                store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
            for step in history:
                results = [apply(store, step, clock) for store in stores]
                assert results[0] == results[1]
                if step.seal:
                    stores[0].seal(clock.now(), Limits(rows=step.seal, head=0, age=0, identities=0))
                clock.advance(step.wait or 1)
            same(*stores)
            stores[0].seal(clock.now(), Limits(rows=1, head=0, age=0, identities=0))
            assert counted(stores[0], "calls") == 0
            same(*stores)
            assert faults(stores[0].path) == []
        finally:
            for store in stores:
                store.close()


@given(
    st.lists(
        st.sampled_from([UNKNOWN, UNKNOWN + 1, -1, 0, 1, 255, 256, 2**63 - 1])
        | st.integers(-(2**63), 2**63 - 1)
    )
)
def test_any_integers_come_back(values: list[int]) -> None:
    column = np.array(values, dtype=np.int64)
    for steps in (False, True):
        assert blobs.unpack_integers(blobs.pack_integers(column, steps=steps)).tolist() == values


@given(st.lists(st.none() | st.text(max_size=5)))
def test_any_texts_come_back(values: list[str | None]) -> None:
    column = blobs.unpack_texts(blobs.pack_texts(values))
    assert column.at(np.arange(len(values))) == values


def fill(store: Store, clock: ManualClock, count: int = 100) -> list[Call]:
    made = [
        a_call(
            f"c{i}",
            clock.now() - i * MINUTE,
            call_keys=(f"k{i}",),
            user=f"u{i % 3}",
            attrs={"document_id": f"d{i % 7}"},
        )
        for i in range(count)
    ]
    write(store, *made, remember=True)
    return made


def test_a_flipped_byte_is_named_and_never_a_number(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    fill(store, clock)
    seal(store, clock)
    store.close()
    conn = sqlite3.connect(path)
    number, blob = conn.execute("SELECT segment, data FROM segment_columns WHERE name = 'booked'").fetchone()
    for at in (0, 5, len(blob) - 1):
        broken = bytearray(blob)
        broken[at] ^= 0x10
        conn.execute(
            "UPDATE segment_columns SET data = ? WHERE segment = ? AND name = 'booked'", (broken, number)
        )
        conn.commit()
        again = opener()
        named = f"'booked' of segment {number} .*damaged"
        with pytest.raises(StoreError, match=named):
            again.facts(Layer.RAW, EVER, (), MEASURES)
        with pytest.raises(StoreError, match=named):
            list(again.raw_calls(EVER))
        assert any("'booked'" in fault for fault in faults(path))
        assert contents(read(again, Layer.DAY)), "roll-ups are whole"
        again.close()


def test_a_damaged_run_is_named(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    made = fill(store, clock)
    seal(store, clock)
    store.close()
    conn = sqlite3.connect(path)
    for number, blob in conn.execute("SELECT id, data FROM identity_chunks").fetchall():
        conn.execute(
            "UPDATE identity_chunks SET data = ? WHERE id = ?", (blob[:-1] + bytes([blob[-1] ^ 1]), number)
        )
    conn.commit()
    conn.close()
    with pytest.raises(StoreError, match=r"run .* of packed identities is damaged"):
        write(opener(), *made)
    assert faults(path)
    with pytest.raises(Damaged):
        blobs.unseal(b"")


def test_sealed_calls_are_known_again_and_change(store: Store, clock: ManualClock) -> None:
    made = fill(store, clock)
    seal(store, clock)
    assert counted(store, "identities") == 0
    assert {o.value for o in write(store, *made, remember=True).calls} == {"duplicate"}
    made[5] = a_call("c5", clock.now() - 5 * MINUTE, call_keys=("k5",), out_total=77)
    assert [o.value for o in write(store, made[5]).calls] == ["corrected"]
    merged = a_call("x", clock.now() - 7 * MINUTE, source="litellm", call_keys=("k7",), attrs={"more": 1})
    assert [o.value for o in write(store, merged).calls] == ["merged"]
    taken = store.write(WriteBatch(retracts=[Retract("events:app", "c9")]))
    assert [o.value for o in taken.retracts] == ["retracted"]
    assert store.raw_count(EVER) == 99
    seal(store, clock, 4)
    assert store.raw_count(EVER) == 99
    assert counted(store, "calls") <= 1


def test_whole_segments_go_with_their_time(store: Store, clock: ManualClock) -> None:
    made = fill(store, clock)
    seal(store, clock)
    clock.advance(91 * DAY)
    fresh = a_call("fresh", clock.now())
    write(store, fresh)
    assert store.retain(Retention(), clock.now()).calls == 100
    assert (counted(store, "segments"), counted(store, "segment_columns")) == (0, 0)
    assert {o.value for o in write(store, *made, remember=True).calls} == {"duplicate"}
    seal(store, clock, 1)
    assert {o.value for o in write(store, *made, remember=True).calls} == {"duplicate"}
    assert total(read(store, Layer.RAW)) == 1
    clock.advance(310 * DAY)
    assert store.retain(Retention(), clock.now()).identities == 200
    assert {o.value for o in write(store, made[0]).calls} == {"stored"}


def test_a_person_is_forgotten_in_segments_too(store: Store, path: Path, clock: ManualClock) -> None:
    write(
        store,
        *(a_call(str(i), clock.now(), user="secret-ada", attrs={"who": "secret-ada"}) for i in range(40)),
    )
    seal(store, clock)
    with store._read() as conn:
        before = [blob for (blob,) in conn.execute("SELECT data FROM segment_columns WHERE name = 'attrs'")]
    done = store.forget("user", "secret-ada", "me")
    assert (done.calls, done.attributes) == (40, 40)
    assert store.label_values("user") == store.label_values("who") == []
    data = path.read_bytes()
    assert not any(blob in data for blob in before)


def test_a_checkup_knows_the_newest_sealed_call(store: Store, path: Path, clock: ManualClock) -> None:
    fill(store, clock, 20)
    seal(store, clock, 20)
    assert counted(store, "calls") == 0
    assert check_up(path, 5).newest == clock.now()
    stats = store.stats(Retention(), clock.now() + HOUR)
    assert (stats.layers[0].rows, stats.layers[0].last, stats.layers[0].rows_per_day) == (20, clock.now(), 20)


def test_the_row_table_stays_small_while_much_is_written(store: Store, clock: ManualClock) -> None:
    store._limits = Limits(rows=100, head=400, age=HOUR, identities=100)
    for start in range(0, 3_000, 100):
        write(store, *(a_call(f"c{i}", clock.now()) for i in range(start, start + 100)))
    assert counted(store, "calls") <= 700
    assert store.raw_count(EVER) == 3_000
    reader = Store.open(store.path, write=False, clock=clock)
    assert total(read(reader, Layer.RAW)) == 3_000
    reader.close()


SEALER = """
import sys, threading
from pathlib import Path
from store_helpers import a_call
from tui_monitor.model.clock import ManualClock
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits
path, start = Path(sys.argv[1]), int(sys.argv[2])
store = Store.open(path, write=True, clock=ManualClock(start))
limits = Limits(rows=40, head=0, age=0, identities=0)
def seal():
    while True:
        store.seal(start, limits)
threading.Thread(target=seal, daemon=True).start()
done = store.extent().calls
while True:
    calls = [a_call(f"c{i}", start + i * 1000, call_keys=(f"k{i}",)) for i in range(done, done + 50)]
    again = [a_call(f"c{i}", start + i * 1000, call_keys=(f"k{i}",)) for i in range(max(done - 100, 0), done)]
    store.write(WriteBatch(calls=calls))
    assert not any(o.value != "duplicate" for o in store.write(WriteBatch(calls=again)).calls)
    done += 50
    print(done, flush=True)
"""


def sealed_already(path: Path) -> bool:
    """Whether another process has made a segment."""
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("SELECT count(*) FROM segments").fetchone()[0] > 0


def test_killed_while_sealing_nothing_is_lost_or_twice(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    start = clock.now()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    for commits in (3, 9, 14):
        command = [sys.executable, "-c", SEALER, str(path), str(start)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            acknowledged = [int(child.stdout.readline()) for _ in range(commits)]
            while not sealed_already(path):
                acknowledged.append(int(child.stdout.readline()))
            child.send_signal(signal.SIGKILL)
            acknowledged += [int(n) for n in child.stdout.read().split()]
        store = opener()
        stored = store.extent().calls
        assert stored in (acknowledged[-1], acknowledged[-1] + 50)
        made = [a_call(f"c{i}", start + i * 1000, call_keys=(f"k{i}",)) for i in range(stored)]
        check_layers(store, made)
        assert store.rebuild_rollups(mend=False).wrong == 0
        assert {o.value for o in write(store, *made).calls} == {"duplicate"}
        store.close()
        assert faults(path) == []


def test_rows_of_an_older_version_are_sealed_bit_by_bit(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    store = opener()
    made = fill(store, clock)
    store.close()
    conn = sqlite3.connect(path)
    conn.executescript(
        """DROP TABLE segments; DROP TABLE segment_columns; DROP TABLE identity_runs;
        DROP TABLE identity_chunks; DELETE FROM migrations WHERE name IN ('segments', 'stamps');
        ALTER TABLE minute_blocks DROP COLUMN stamp; ALTER TABLE hour_blocks DROP COLUMN stamp;
        ALTER TABLE day_blocks DROP COLUMN stamp"""
    )
    conn.close()
    again = opener()
    before = rows_of(again.facts(Layer.RAW, EVER, LABELS, MEASURES, HISTOGRAMS))
    again.seal(clock.now() + 2 * HOUR, Limits(rows=30))
    assert (counted(again, "segments"), counted(again, "calls")) == (3, 10)
    assert rows_of(again.facts(Layer.RAW, EVER, LABELS, MEASURES, HISTOGRAMS)) == before
    check_layers(again, made)
