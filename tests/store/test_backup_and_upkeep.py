"""Copies made while others write, the way back, damage that is found, and roll-ups made anew."""

import os
import signal
import threading
from pathlib import Path

import pytest
from store_helpers import EVER, a_call, contents, read, write

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.errors import StoreError, StoreLocked
from tui_monitor.store.api import Layer
from tui_monitor.store.backup import backup, restore
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by, holder
from tui_monitor.store.upkeep import faults

Opener = type(Store.open)


def fill(store: Store, clock: ManualClock, count: int = 200) -> None:
    calls = [
        a_call(str(n), clock.now() - n * MINUTE, user=f"u{n % 3}", latency_ms=10.0 + n) for n in range(count)
    ]
    write(store, *calls, remember=True)


def test_a_copy_is_one_moment_while_somebody_writes(
    store: Store, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    fill(store, clock, 3_000)
    end = threading.Event()
    written = [0]

    def go_on() -> None:
        while not end.is_set():
            write(store, a_call(f"late{written[0]}", clock.now()))
            written[0] += 1

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        steps: list[tuple[int, int]] = []
        made = backup(path, tmp_path / "copy.db", lambda done, total: steps.append((done, total)))
    finally:
        end.set()
        writer.join()
    assert steps
    assert steps[-1][0] == steps[-1][1]
    copy = Store.open(tmp_path / "copy.db", write=True, clock=clock)
    try:
        assert 3_000 <= made.calls == copy.extent().calls <= store.extent().calls
        assert copy.rebuild_rollups(mend=False).wrong == 0
    finally:
        copy.close()
    assert faults(tmp_path / "copy.db") == []
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0


def test_a_copy_never_replaces_a_file(store: Store, path: Path, clock: ManualClock, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        backup(path, target)
    assert target.read_text() == "mine"


def test_a_folder_that_is_not_there_leaves_nothing(store: Store, path: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.write_text("no folder")
    with pytest.raises(StoreError, match="cannot"):
        backup(path, locked / "copy.db")


def test_the_way_back_sets_aside_what_was_there(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    store = opener()
    fill(store, clock, 10)
    backup(path, tmp_path / "copy.db")
    write(store, a_call("later", clock.now()))
    with pytest.raises(StoreLocked):
        restore(tmp_path / "copy.db", path)
    store.close()

    aside = restore(tmp_path / "copy.db", path)

    assert aside is not None
    assert opener(write=False).extent().calls == 10
    old = Store.open(aside, write=False, clock=clock)
    assert old.extent().calls == 11
    old.close()


def killed_after_a_backup(store: Store, clock: ManualClock, folder: Path) -> Path:
    """A database with a call in its log that the backup (copy.db) has not, as after a kill."""
    fill(store, clock, 10)
    backup(store.path, folder / "copy.db")
    write(store, a_call("in the log", clock.now()))
    # The file and its log as they are now, under a name that nobody holds.
    killed = folder / "killed" / "monitor.db"
    killed.parent.mkdir()
    for suffix in ("", "-wal"):
        source = store.path.with_name(store.path.name + suffix)
        killed.with_name(killed.name + suffix).write_bytes(source.read_bytes())
    return killed


def test_a_log_that_was_not_folded_in_goes_with_the_old_file(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    killed = killed_after_a_backup(opener(), clock, tmp_path)

    aside = restore(tmp_path / "copy.db", killed)

    assert aside is not None
    for file, calls in ((killed, 10), (aside, 11)):
        again = Store.open(file, write=True, clock=clock)
        assert again.extent().calls == calls
        again.close()


@pytest.mark.parametrize("step", ["replace", "link"])
@pytest.mark.parametrize("time", [1, 2])
def test_killed_on_the_way_back_it_is_the_old_database_or_the_new_one(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path, step: str, time: int
) -> None:
    killed = killed_after_a_backup(opener(), clock, tmp_path)
    if not (child := os.fork()):
        real, times = getattr(os, step), iter(range(time - 1))

        def last(*names: Path) -> None:
            if next(times, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*names)

        setattr(os, step, last)
        restore(tmp_path / "copy.db", killed)
        os._exit(0)
    _, status = os.waitpid(child, 0)

    whole = status == 0
    assert whole == ((step, time) == ("link", 2))
    again = Store.open(killed, write=True, clock=clock)
    assert again.extent().calls == (10 if whole else 11)
    again.close()
    aside = restore(tmp_path / "copy.db", killed)
    assert aside is not None
    old = Store.open(aside, write=False, clock=clock)
    assert old.extent().calls == (10 if whole else 11)
    old.close()
    assert len(list(killed.parent.glob("*before-restore-?"))) == (2 if whole else 1)


def test_who_looks_on_sees_what_was_put_back(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    store = opener()
    fill(store, clock, 10)
    backup(path, tmp_path / "copy.db")
    viewer = opener(write=False)
    assert viewer.facts(Layer.RAW, EVER, ["provider"], ["calls"]).labels["provider"].values == ["openai"]
    write(store, a_call("x", clock.now(), provider="left out"))
    before = viewer.version()
    store.close()
    restore(tmp_path / "copy.db", path)
    store = opener()
    write(store, a_call("y", clock.now(), provider="another"))
    # The numbers of label sets mean something else now, and what was kept of before is not asked again.
    for _ in range(2):
        labels = viewer.facts(Layer.RAW, EVER, ["provider"], ["calls"]).labels["provider"]
        assert set(labels.values) == {"openai", "another"}
    assert viewer.version() > before


def test_through_a_link_the_lock_holds_and_the_link_stays(
    store: Store, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    fill(store, clock)
    copy, link = tmp_path / "copy.db", tmp_path / "elsewhere" / "monitor.db"
    link.parent.mkdir()
    link.symlink_to(path)
    backup(path, copy)
    write(store, a_call("later", clock.now()))
    assert held_by(link) == holder(link) == os.getpid()
    with pytest.raises(StoreLocked):
        restore(copy, link)
    store.close()
    aside = restore(copy, link)
    assert aside == path.with_name("monitor.db.before-restore-1")
    assert link.is_symlink()
    again = Store.open(link, write=True, clock=clock)
    assert again.extent().calls == 200
    again.close()


def test_an_empty_file_is_no_copy(store: Store, path: Path, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="holds no data"):
        restore(tmp_path / "empty.db", path)


def test_a_damaged_copy_is_refused_and_nothing_changes(
    store: Store, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    fill(store, clock, 2_000)
    copy = tmp_path / "copy.db"
    backup(path, copy)
    data = bytearray(copy.read_bytes())
    data[40_960:45_056] = b"\xff" * 4096
    copy.write_bytes(data)
    assert faults(copy)
    with pytest.raises(StoreError, match="damaged"):
        restore(copy, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_wrong_and_missing_cells_are_found_and_mended(store: Store, clock: ManualClock) -> None:
    fill(store, clock)
    before = {layer: contents(read(store, layer)) for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY)}
    conn = store._writing.conn
    conn.execute("UPDATE minute SET cost = cost + 1 WHERE key = (SELECT min(key) FROM minute)")
    conn.execute("DELETE FROM hour WHERE key = (SELECT max(key) FROM hour)")
    conn.execute("UPDATE day SET latency_high = latency_high + 1 WHERE key = (SELECT max(key) FROM day)")

    looked = store.rebuild_rollups(mend=False)
    assert looked.wrong == 3
    assert store.rebuild_rollups(mend=True).wrong == 3

    assert store.rebuild_rollups(mend=False).wrong == 0
    assert before == {layer: contents(read(store, layer)) for layer in before}


def test_cells_whose_calls_are_gone_are_left_alone_and_named(store: Store, clock: ManualClock) -> None:
    fill(store, clock)
    clock.advance(8 * DAY)
    write(store, *(a_call(f"new{n}", clock.now() - n * MINUTE) for n in range(5)))
    before = contents(read(store, Layer.HOUR))
    store.retain(Retention.model_validate({"raw": "7d"}), clock.now())

    report = store.rebuild_rollups(mend=True)

    assert report.calls == 5
    assert report.wrong == 0
    assert report.gone
    hours = next(layer for layer in report.layers if layer.layer == "hour")
    assert hours.left > 0
    assert hours.checked == len(before) - hours.left
    assert contents(read(store, Layer.HOUR)) == before


def test_minutes_that_were_dropped_are_not_made_again(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 5)
    clock.advance(2 * HOUR)
    store.retain(Retention.model_validate({"minute": "1h"}), clock.now())
    report = store.rebuild_rollups(mend=True)
    assert report.wrong == 0
    assert contents(read(store, Layer.MINUTE)) == {}


def test_sizes_add_up_and_the_pace_is_that_of_the_last_days(store: Store, clock: ManualClock) -> None:
    fill(store, clock, 140)
    clock.advance(HOUR)
    stats = store.stats(Retention(size=1_000_000_000), clock.now())
    raw = stats.layers[0]
    assert (raw.name, raw.rows, raw.last) == ("raw", 140, clock.now() - HOUR)
    # All of them within the first day.
    assert raw.rows_per_day == 140
    assert sum(layer.bytes or 0 for layer in stats.layers) <= stats.file_bytes + stats.wal_bytes
    assert stats.growth_per_day is not None
    assert stats.cap_reached is not None
    days = (stats.cap_reached - clock.now()) / DAY
    assert days == pytest.approx((1_000_000_000 - stats.used_bytes) / stats.growth_per_day)


def test_nothing_known_is_no_growth(store: Store, clock: ManualClock) -> None:
    stats = store.stats(Retention(), clock.now())
    assert (stats.layers[0].rows, stats.layers[0].first, stats.layers[0].rows_per_day) == (0, None, None)
    assert (stats.growth_per_day, stats.cap_reached) == (None, None)


def test_space_is_given_back(store: Store, path: Path, clock: ManualClock) -> None:
    write(store, *(a_call(str(n), clock.now(), attrs={"text": "x" * 2_000}) for n in range(4_000)))
    store.compact()
    clock.advance(8 * DAY)
    with store._writing.transaction():
        store._writing.conn.execute("DELETE FROM calls")
    done = store.compact()
    assert done.after < done.before / 2
    assert path.stat().st_size == done.after
