"""A database of an older version: copied first, brought up to date whole or not at all, and the way back."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from store_helpers import a_call, check_layers, contents, read, write

from tests.store.conftest import Opener
from tui_monitor.model.clock import MINUTE, ManualClock
from tui_monitor.model.errors import StoreError, StoreLocked
from tui_monitor.store import lock, migrations, opening
from tui_monitor.store.api import Layer
from tui_monitor.store.backup import restore
from tui_monitor.store.database import Store
from tui_monitor.store.lock import WriteLock
from tui_monitor.store.migrations import Migration, Older
from tui_monitor.store.upgrade import UPDATING, Update
from tui_monitor.store.upkeep import faults

OLDEST = frozenset({"calls", "alerts", "rollups", "feed", "imports"})
"""What the first version had."""
ROWS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    INSERT INTO calls (id, booked, series, arrived, flags, ts_end, in_uncached, out_total, cost,
    cost_computed, cost_status_t, latency, source_t, model_served_t, source_key)
    SELECT i, :start + i * 1000000, 2, :start, 2, :start + i * 1000000, 100, 10, 1000, 1000, 1, 250000, 2,
    3, 'c' || i FROM n"""
LABELS = '["openai","gpt-4o","chat","success",null'


def older(path: Path, calls: int, start: int, steps: frozenset[str] = OLDEST) -> None:
    """A database as a version with only these steps left it, with so many calls."""
    opening.create_file(path)
    conn = opening.connect_writer(path)
    conn.execute(f"PRAGMA application_id = {opening.APPLICATION_ID}")
    migrations.migrate(conn, [step for step in migrations.known() if step.name in steps])
    conn.execute("BEGIN")
    conn.executemany("INSERT INTO terms VALUES (?, ?)", [(1, "computed"), (2, "events:app"), (3, "gpt-4o")])
    conn.executemany(
        "INSERT INTO series_keys VALUES (?, ?, ?)",
        [(1, f"{LABELS}]", None), (2, f"{LABELS}{',null' * 7}]", 1)],
    )
    conn.execute(ROWS, {"count": calls, "start": start})
    conn.execute("UPDATE meta SET value = ? WHERE name = 'next_call'", (calls + 1,))
    conn.execute("UPDATE meta SET value = ? WHERE name = 'calls'", (calls,))
    conn.execute("COMMIT")
    conn.close()


def steps_of(path: Path) -> set[str]:
    conn = sqlite3.connect(path)
    try:
        return migrations.applied(conn)
    finally:
        conn.close()


def beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if ".before-" in file.name)


def broken(monkeypatch: pytest.MonkeyPatch, fail: "type[Exception] | None" = None) -> None:
    """One more step, which fails when half of it is done."""

    def up(conn: sqlite3.Connection) -> None:
        conn.execute("CREATE TABLE later (x)")
        conn.execute("DELETE FROM calls WHERE id % 2")
        if fail is not None:
            raise fail("on purpose")
        conn.execute("INSERT INTO nowhere VALUES (1)")

    known = [*migrations.known(), Migration("later", ("calls",), up)]
    monkeypatch.setattr(migrations, "known", lambda: known)


def test_fifty_thousand_calls_of_the_first_version_answer_the_same(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    start = clock.now() - 1_000 * MINUTE
    older(path, 50_000, start)
    assert steps_of(path) == OLDEST
    signs: list[tuple[str, float]] = []

    store = opener(update=Update(told=lambda what, share: signs.append((what, share))))

    assert store.updated is not None
    assert set(store.updated.steps) == {step.name for step in migrations.known()} - OLDEST
    # The calls of then, and sums that are made of them as those of then would have been.
    store.rebuild_rollups(mend=True)
    store.seal(clock.now())
    raw = read(store, Layer.RAW)
    assert len(raw) == 50_000
    assert int(raw.numbers["cost"].total.sum()) == 50_000_000
    assert sum(row[0][0][0] for row in contents(read(store, Layer.DAY)).values()) == 50_000
    # The copy is what was there, and nobody else may read it.
    copy = store.updated.copy
    assert copy is not None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert steps_of(copy) == OLDEST
    assert sqlite3.connect(copy).execute("SELECT count(*), sum(cost) FROM calls").fetchone() == (
        50_000, 50_000_000,
    )  # fmt: skip
    shares = [share for _, share in signs]
    assert shares == sorted(shares)
    assert signs[0][0] == "copying it first"
    assert f"of {len(store.updated.steps)}, {store.updated.steps[-1]}" in signs[-1][0]


def test_the_way_back(opener: Opener, path: Path, clock: ManualClock) -> None:
    older(path, 10, clock.now())
    store = opener()
    assert store.updated is not None
    assert store.updated.copy is not None
    assert f"db restore {store.updated.copy}" in store.updated.words
    store.close()
    restore(store.updated.copy, path)
    assert steps_of(path) == OLDEST


def test_a_new_database_needs_no_copy(opener: Opener, path: Path) -> None:
    assert opener().updated is None
    assert beside(path) == []


def test_only_so_many_copies_are_kept_and_no_others_go(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    last = migrations.known()[-1].name
    path.parent.mkdir(parents=True)
    theirs = path.with_name(f"{path.name}.before-restore-1")
    theirs.touch()
    for number in range(4):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        older(path, 5, clock.now())
        opener(update=Update(copies=2)).close()
        assert len(beside(path)) == 1 + min(number + 1, 2)
    assert beside(path)[-1] == theirs.name or theirs.name in beside(path)
    assert all(name.startswith((f"{path.name}.before-{last}-", theirs.name)) for name in beside(path))


def test_without_copies_none_is_made(opener: Opener, path: Path, clock: ManualClock) -> None:
    older(path, 5, clock.now())
    store = opener(update=Update(copies=0))
    assert store.updated is not None
    assert store.updated.copy is None
    assert beside(path) == []


@pytest.mark.parametrize("fail", [None, ValueError], ids=["in SQLite", "in ours"])
def test_a_step_that_fails_leaves_everything_as_it_was(
    opener: Opener,
    path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    fail: type[Exception] | None,
) -> None:
    older(path, 100, clock.now())
    with monkeypatch.context() as patched:
        broken(patched, fail)
        with pytest.raises(StoreError, match=r"step 'later' failed .* it is as it was"):
            opener()
    assert steps_of(path) == OLDEST
    assert sqlite3.connect(path).execute("SELECT count(*) FROM calls").fetchone() == (100,)
    assert beside(path) == []
    assert len(read(opener(), Layer.RAW)) == 100


def test_too_little_room_is_said_in_numbers_before_anything_is_done(
    opener: Opener, path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(path, 100, clock.now())
    real = os.statvfs(path.parent)
    full = os.statvfs_result((*real[:2], real.f_blocks, 1, 1, *real[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    with pytest.raises(StoreError, match=r"too little room .* MiB are needed .* are free") as error:
        opener()
    assert "update_copies = 0" in (error.value.hint or "")
    assert beside(path) == []
    assert steps_of(path) == OLDEST


def test_a_damaged_one_is_not_brought_up_to_date(opener: Opener, path: Path, clock: ManualClock) -> None:
    older(path, 2_000, clock.now())
    conn = sqlite3.connect(path)
    (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls_booked'").fetchone()
    conn.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"not brought up to date.*damaged"):
        opener()
    assert path.read_bytes()[4096:] == content[4096:]
    assert steps_of(path) == OLDEST
    assert beside(path) == []


def test_an_older_process_that_holds_it_is_named(opener: Opener, path: Path, clock: ManualClock) -> None:
    older(path, 5, clock.now())
    held = WriteLock.take(path)
    try:
        with pytest.raises(StoreLocked, match=f"process {os.getpid()} is writing .*, since .* older") as e:
            opener()
        assert "collect --stop" in (e.value.hint or "")
        assert e.value.owner == os.getpid()
        held.tell(UPDATING)
        for writes in (True, False):
            with pytest.raises(StoreLocked, match=f"process {os.getpid()} is bringing .* up to date"):
                opener(write=writes)
        assert lock.holder(path) == lock.held_by(path) == os.getpid()
    finally:
        held.release()
    opener().close()


def test_who_looks_on_while_a_newer_version_takes_over_is_told(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    store = opener()
    write(store, a_call("a", clock.now()))
    looking = opener(write=False)
    assert looking.extent().calls == 1
    store.close()
    conn = opening.connect_writer(path)
    migrations.migrate(conn, [Migration("tomorrow", (), lambda c: c.execute("DROP TABLE calls"))])  # type: ignore[arg-type, return-value]
    conn.close()
    with pytest.raises(StoreError, match=r"newer version .*tomorrow") as error:
        looking.extent()
    assert "update tui-monitor" in (error.value.hint or "")


def test_what_is_sorted_for_an_index_does_not_stay_in_memory(path: Path, clock: ManualClock) -> None:
    older(path, 1, clock.now())
    conn = opening.connect_writer(path)
    stores: list[int] = []

    def up(conn: sqlite3.Connection) -> None:
        stores.append(conn.execute("PRAGMA temp_store").fetchone()[0])

    migrations.migrate(conn, [Migration("later", (), up)])
    assert stores == [0]
    assert conn.execute("PRAGMA temp_store").fetchone() == (2,)
    conn.close()


def test_after_it_the_layers_of_a_full_version_are_the_same(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    """The last step alone missing: everything that was written with the others is there."""
    store = opener()
    calls = [a_call(f"c{i}", clock.now() - i * MINUTE, user=f"u{i % 3}") for i in range(300)]
    write(store, *calls)
    store.close()
    conn = sqlite3.connect(path)
    conn.executescript("DROP TABLE audit; DELETE FROM migrations WHERE name = 'audit'")
    conn.close()
    again = opener()
    assert again.updated is not None
    assert again.updated.steps == ("audit",)
    check_layers(again, calls)


def test_copies_that_killed_attempts_left_do_not_pile_up(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    older(path, 5, clock.now())
    last = migrations.known()[-1].name
    for number in range(1, 5):
        path.with_name(f"{path.name}.before-{last}-{number}").touch()
    store = opener(update=Update(copies=2))
    assert store.updated is not None
    assert store.updated.copy is not None
    assert len(beside(path)) == 2
    assert store.updated.copy.name in beside(path)


def test_a_store_of_now_is_opened_as_it_is(opener: Opener, path: Path) -> None:
    opener().close()
    signs: list[str] = []
    again: Store = opener(update=Update(told=lambda what, _: signs.append(what)))
    assert (again.updated, signs, beside(path)) == (None, [], [])


def test_an_older_database_is_not_called_damaged(path: Path, clock: ManualClock) -> None:
    older(path, 5, clock.now())
    with pytest.raises(Older, match="older version") as caught:
        faults(path)
    assert "collect once" in (caught.value.hint or "")
    with sqlite3.connect(path) as conn:
        (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()
    content = path.read_bytes()
    path.write_bytes(content[: (page - 1) * 4096] + b"\xa5" * 4096 + content[page * 4096 :])
    assert faults(path)
