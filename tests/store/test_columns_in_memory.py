"""Columns that are kept in memory are never out of date, whatever is done to what they were read from."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, contents, read, write

from tests.examples import examples
from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.store.api import ImportInfo, Layer, WriteBatch
from tui_monitor.store.backup import backup, restore
from tui_monitor.store.database import Store
from tui_monitor.store.decoded import Decoded
from tui_monitor.store.sealing import Limits
from tui_monitor.store.where import All, HasLabel, HasNumber

START = 1_780_000_000_000_000
PACK = Limits(rows=4, head=0, age=0, identities=0, cells=1)
SLOW = All((HasLabel("user", "u1".__eq__), HasNumber(("latency",), 200_000)))


@dataclass(frozen=True)
class Column:
    """Something unpacked."""

    size: int


def everything(store: Store) -> list[object]:
    """What readers are told of each layer and of single calls."""
    found: list[object] = [contents(read(store, layer)) for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY)]
    raw = read(store, Layer.RAW, labels=("user", "source_key", "n", "cost_status", "stream"))
    columns = [[c.values[code] for code in c.codes.tolist()] for c in raw.labels.values()]
    numbers = [n.total.tolist() for n in raw.numbers.values()]
    found.append(sorted(zip(raw.end.tolist(), *columns, *numbers, strict=True), key=repr))
    return [*found, list(store.calls(EVER)), list(store.calls(EVER, SLOW))]


def call(number: int, size: int, batch: str | None = None) -> Call:
    return a_call(
        f"c{number}", START + number * HOUR, user=f"u{number % 3}", latency_ms=100.0 * size, batch_id=batch,
        cost=size * 1000, attrs={"n": f"u{size}"}, call_keys=("k",) if number == 5 else (),
    )  # fmt: skip


def _write(numbers: list[int], size: int) -> Callable[[Store, ManualClock], None]:
    return lambda store, _: (write(store, *(call(n, size, "load") for n in numbers)), None)[1]


def _retract(store: Store, _: ManualClock) -> None:
    store.write(WriteBatch(retracts=[Retract("events:app", "c3")]))


def _retain(store: Store, clock: ManualClock) -> None:
    clock.advance(40 * DAY)
    kept = Retention.model_validate({"raw": "30d", "minute": "35d"})
    store.retain(kept, clock.now())


def _undo(store: Store, clock: ManualClock) -> None:
    store.begin_import(ImportInfo("more", clock.now(), ("f",), "csv", 0))
    write(store, *(call(n, 4, "more") for n in range(20, 26)))
    store.seal(clock.now(), PACK)
    everything(store)
    store.undo_import("more")


def _price(one: Call) -> None:
    one.cost = one.cost_computed = (one.cost or 0) + 1


steps = st.lists(
    st.one_of(
        st.builds(_write, st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 4)),
        st.sampled_from([
            _retract, _retain, _undo,
            lambda store, clock: store.seal(clock.now(), PACK),
            lambda store, _: store.forget("user", "u1", "me"),
            lambda store, _: store.reprice(START, _price),
            lambda store, _: store.rebuild_rollups(mend=True),
            lambda store, _: store.compact(),
        ]),
    ),
    min_size=2,
    max_size=8,
)  # fmt: skip


@settings(max_examples=examples(6), suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_warm_readers_and_the_writer_answer_as_one_that_just_came(
    done: list[Callable[[Store, ManualClock], None]],
) -> None:
    with tempfile.TemporaryDirectory() as place:
        path, clock = Path(place) / "monitor.db", ManualClock(START + 30 * DAY)
        store = Store.open(path, write=True, clock=clock)
        write(store, *(call(n, 2) for n in range(10)))
        store.seal(clock.now(), PACK)
        reader = Store.open(path, write=False, clock=clock)
        everything(reader)
        for step in done:
            step(store, clock)
            fresh = Store.open(path, write=False, clock=clock)
            expected = everything(fresh)
            fresh.close()
            assert everything(store) == expected
            assert everything(reader) == expected
            store.seal(clock.now(), PACK)
            assert everything(reader) == everything(store)
        reader.close()
        store.close()


def test_a_question_asked_again_unpacks_nothing(
    opener: Opener, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_monitor.store import blobs

    store = opener()
    write(store, *(call(n, n % 4 + 1) for n in range(30)))
    clock.advance(4000 * DAY)
    store.seal(clock.now(), PACK)
    first = everything(store)
    monkeypatch.setattr(blobs, "unseal", lambda _: pytest.fail("unpacked again"))
    assert everything(store) == first


def test_a_database_put_back_is_read_as_it_was_then(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    write(store, *(call(n, 2) for n in range(8)))
    store.seal(clock.now() + 5000 * DAY, PACK)
    before = everything(store)
    copy = backup(store.path, path.parent / "copy.db")
    write(store, *(call(n, 3) for n in range(8)))
    store.seal(clock.now() + 5000 * DAY, PACK)
    reader = opener(write=False)
    assert everything(reader) == everything(store) != before
    store.close()
    restore(copy.path, path)
    assert everything(opener(write=False)) == before


def test_room_is_bounded_and_what_was_not_asked_for_longest_goes() -> None:
    kept = Decoded(room=100_000)
    unpacked: list[int] = []

    def ask(stamp: int, size: int = 9_000) -> int:
        return kept.get(stamp, "cost", lambda: (unpacked.append(stamp), Column(size))[1]).size

    for stamp in range(1, 21):
        ask(stamp)
        ask(1)
        assert kept.taken <= 100_000
    assert unpacked == list(range(1, 21))
    ask(20)
    ask(2)
    assert unpacked[20:] == [2]
    for _ in range(2):
        ask(0)  # no stamp
        ask(99, size=50_000)  # too large
    assert unpacked[21:] == [0, 99, 0, 99]


def test_threads_share_what_is_kept() -> None:
    kept = Decoded(room=50_000)
    wrong: list[object] = []

    def ask(start: int) -> None:
        for n in range(2_000):
            stamp = (start + n) % 13 + 1
            if kept.get(stamp, "x", lambda stamp=stamp: Column(stamp * 400)).size != stamp * 400:
                wrong.append(stamp)

    threads = [threading.Thread(target=ask, args=(n * 3,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert 0 < kept.taken <= 50_000
