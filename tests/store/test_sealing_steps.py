"""A step of sealing takes as long with many series as with few, and who waits to write comes between two."""

import threading
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tui_monitor.model.clock import DAY, SECOND, ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import sealing
from tui_monitor.store.turns import TurnLock

EACH = 4


@pytest.fixture(autouse=True)
def short_steps() -> Iterator[None]:
    with patch.multiple(sealing, LOOK=100, SERIES=5, FULL=20):
        yield


def fill(store: Store, clock: ManualClock, series: int) -> None:
    """A few samples of so many series, none of them sealed."""
    now = clock.now()
    with patch.object(sealing.Pace, "due", lambda *_: False):
        store.write(
            WriteBatch(samples=[
                Sample(f"s{n}", now + i * SECOND, float(i)) for n in range(series) for i in range(EACH)
            ])
        )  # fmt: skip


def rows(store: Store) -> int:
    return store._writing.conn.execute("SELECT count(*) FROM samples").fetchone()[0]


def instructions(store: Store, until: int) -> list[int]:
    """What SQLite does for each step of going through all series."""
    done, found, after = 0, list[int](), 0

    def count() -> None:
        nonlocal done
        done += 1

    store._writing.conn.set_progress_handler(count, 1)
    while after is not None:
        done = 0
        after = store._writing.seal_samples(until, after).after
        found.append(done)
    store._writing.conn.set_progress_handler(None, 0)
    return found


def test_a_look_is_bounded(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 60)
    few = instructions(store, 0)
    fill(store, clock, 1200)
    many = instructions(store, 0)
    assert len(many) >= 1200 * EACH // sealing.LOOK > len(few)
    assert max(many) < 1.5 * max(few)
    assert rows(store) == 1200 * EACH, "nothing was due"


def test_sealing_what_is_old_is_bounded(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 15)
    few = instructions(store, clock.now() + DAY)
    assert rows(store) == 0
    clock.advance(DAY)
    fill(store, clock, 300)
    many = instructions(store, clock.now() + DAY)
    assert len(many) >= 300 // sealing.SERIES
    assert max(many) < 3 * max(few)
    assert rows(store) == 0


def test_writes_go_on_where_the_last_step_ended(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 52)
    clock.advance(2 * DAY)
    left = []
    for _ in range(12):
        store.write(WriteBatch(samples=[Sample("new", clock.now(), 1.0)]))
        clock.advance(SECOND)
        left.append(rows(store))
    assert left[:3] == [52 * EACH + n - 5 * EACH * n for n in (1, 2, 3)]
    assert left[-1] == 12, "only the new ones"


def test_after_all_were_sealed_writes_take_no_steps(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 52)
    clock.advance(2 * DAY)
    store._writing.seal_all_samples(clock.now())
    assert rows(store) == 0
    with patch.object(sealing, "seal_some") as step:
        store.write(WriteBatch(samples=[Sample("new", clock.now(), 1.0)]))
    step.assert_not_called()


def test_who_waits_comes_before_who_just_had_it() -> None:
    lock, order = TurnLock(), list[str]()

    def wait() -> None:
        with lock:
            order.append("waited")

    with lock:
        other = threading.Thread(target=wait)
        other.start()
        while not lock._next.locked():
            pass
    for _ in range(3):
        with lock:
            order.append("again")
    other.join()
    assert order[0] == "waited"
