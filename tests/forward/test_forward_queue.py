"""The queue on disk: bounded, a place for each receiver, and as it was after a crash."""

import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.examples import examples
from tui_monitor.forward.queue import Counter, Queue, QueueError, path_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_for(tmp_path / "monitor.db")


def bodies(queue: Queue, receiver: str) -> list[bytes]:
    """What a receiver takes until nothing waits."""
    taken = []
    while (batch := queue.next(receiver)) is not None:
        taken.append(batch.body)
        queue.done(receiver, batch)
    return taken


def test_what_was_queued_is_there_after_a_crash(path: Path):
    queue = Queue(path, 1_000, ["a"])
    queue.put([(1, 2, b"one"), (2, 3, b"two")], {"x": Counter(1.0, 2.5, 7)}, {"settled": 5})
    # Nothing is closed: a process that is killed closes nothing either.
    again = Queue(path, 1_000, ["a"])
    assert (again.counters(), again.marks()) == ({"x": Counter(1.0, 2.5, 7)}, {"settled": 5})
    assert again.standing("a").waiting_samples == 5
    assert bodies(again, "a") == [b"one", b"two"]
    standing = again.standing("a")
    assert (standing.sent, standing.waiting_bytes, standing.oldest) == (5, 0, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_oldest_go_first_and_are_counted(path: Path):
    queue = Queue(path, 10, ["quick", "slow"])
    queue.put([(1, 1, b"aaaa"), (2, 2, b"bbbb")], {}, {})
    assert bodies(queue, "quick") == [b"aaaa", b"bbbb"]
    queue.put([(3, 4, b"cccc")], {}, {})
    assert queue.standing("slow").lost == 1
    assert queue.standing("quick").lost == 0
    assert bodies(queue, "slow") == [b"bbbb", b"cccc"]


def test_a_request_under_way_that_had_to_go_is_not_counted_twice(path: Path):
    queue = Queue(path, 5, ["a"])
    queue.put([(1, 1, b"aaaa")], {}, {})
    under_way = queue.next("a")
    queue.put([(2, 1, b"bbbb")], {}, {})
    assert under_way is not None
    queue.done("a", under_way)
    standing = queue.standing("a")
    assert (standing.sent, standing.lost, standing.waiting_samples) == (0, 1, 1)


def test_a_new_receiver_gets_what_waits_and_an_old_one_is_forgotten(path: Path):
    queue = Queue(path, 1_000, ["old"])
    queue.put([(1, 1, b"one")], {}, {})
    queue.close()
    assert bodies(Queue(path, 1_000, ["new"]), "new") == [b"one"]
    with pytest.raises(QueueError):
        queue.next("old")


def test_a_damaged_file_is_set_aside(path: Path):
    path.write_bytes(b"no database at all" * 100)
    queue = Queue(path, 1_000, ["a"])
    assert queue.set_aside is not None
    assert queue.set_aside.read_bytes().startswith(b"no database")
    queue.put([(1, 1, b"one")], {}, {})
    assert bodies(queue, "a") == [b"one"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(QueueError, match="cannot be opened"):
        Queue(tmp_path / "none" / "q", 10, ["a"])


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens, each receiver gets every request once, in order, or is told that it is lost."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "q"
        self.names = ["a", "b"]
        self.queue = Queue(self.path, 50, self.names)
        self.put = 0
        self.got: dict[str, list[int]] = {name: [] for name in self.names}

    @rule(size=st.integers(1, 60))
    def queued(self, size: int) -> None:
        self.put += 1
        self.queue.put([(self.put, 1, b"x" * size)], {}, {"n": self.put})

    @rule(name=st.sampled_from("ab"), refused=st.booleans())
    def taken(self, name: str, refused: bool) -> None:
        batch = self.queue.next(name)
        if batch is not None:
            self.got[name].append(batch.newest)
            self.queue.done(name, batch, refused=int(refused))

    @rule()
    def opened_again(self) -> None:
        self.queue.close()
        self.queue = Queue(self.path, 50, self.names)

    @invariant()
    def nothing_is_unknown(self) -> None:
        with sqlite3.connect(self.path) as conn:
            assert conn.execute("SELECT ifnull(sum(size), 0) FROM batches").fetchone()[0] <= 50
        conn.close()
        for name in self.names:
            standing = self.queue.standing(name)
            assert standing.sent + standing.refused == len(self.got[name])
            assert standing.sent + standing.refused + standing.lost + standing.waiting_samples == self.put
            assert self.got[name] == sorted(set(self.got[name]))

    def teardown(self) -> None:
        self.queue.close()
        self.folder.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=examples(15), stateful_step_count=20)


def test_a_counter_that_cannot_be_read_stops_no_other(tmp_path: Path):
    queue = Queue(tmp_path / "q", 1_000, ["a"])
    queue.put([], {name: Counter(1.0, 2.0, 3) for name in ("good", "bad")}, {})
    queue.close()
    with sqlite3.connect(tmp_path / "q") as conn:
        conn.execute("UPDATE counters SET base = x'00ff' WHERE series = 'bad'")
    conn.close()
    queue = Queue(tmp_path / "q", 1_000, ["a"])
    assert queue.counters() == {"good": Counter(1.0, 2.0, 3)}
    queue.close()


def test_a_full_disk_leaves_what_was_queued(tmp_path: Path):
    queue = Queue(tmp_path / "q", 10**8, ["a"])
    queue._conn.execute("PRAGMA max_page_count = 50")
    queue.put([(1, 1, b"one")], {}, {"n": 1})
    with pytest.raises(QueueError, match="full"):
        queue.put([(2, 1, b"x" * 10**6)], {"s": Counter(1.0, 2.0, 3)}, {"n": 2})
    assert (queue.marks(), queue.counters(), queue.standing("a").waiting_samples) == ({"n": 1}, {}, 1)
    queue.put([(3, 1, b"three")], {}, {"n": 3})
    assert (queue.marks(), queue.standing("a").waiting_samples) == ({"n": 3}, 2)
    queue.close()
