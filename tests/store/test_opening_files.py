"""What can be wrong with a file, one writer, and processes that are killed."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from store_helpers import EVER, a_call, check_layers, read, total, write

from tests.store.conftest import Opener
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.errors import StoreError, StoreLocked
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.database import Store


def test_what_is_written_is_there_again(opener: Opener, clock: ManualClock) -> None:
    calls = [a_call(f"c{i}", clock.now() + i, attrs={"a": i}, call_keys=(f"k{i}",)) for i in range(10)]
    first = opener()
    write(first, *calls)
    first.close()
    again = opener()
    check_layers(again, calls)
    assert [o.value for o in write(again, *calls).calls] == ["duplicate"] * 10


def test_only_the_owner_may_read(opener: Opener, path: Path) -> None:
    opener()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_reading_a_missing_file_says_how_data_gets_in(opener: Opener, path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet") as error:
        opener(write=False)
    assert "collect" in (error.value.hint or "")
    assert not path.exists()


def test_files_that_are_no_database(opener: Opener, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="directory"):
        opener()
    path.rmdir()
    path.write_bytes(b"GIF89a" + bytes(5000))
    for write_too in (True, False):
        with pytest.raises(StoreError, match="not a database") as error:
            opener(write=write_too)
        assert str(path) in error.value.message
    assert path.read_bytes() == b"GIF89a" + bytes(5000)


def test_another_programs_database_is_left_alone(opener: Opener, path: Path) -> None:
    path.parent.mkdir()
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE theirs (x)")
    conn.commit()
    conn.close()
    for write_too in (True, False):
        with pytest.raises(StoreError, match="another program"):
            opener(write=write_too)


def test_a_newer_database_is_refused(opener: Opener, path: Path) -> None:
    opener().close()
    conn = sqlite3.connect(path)
    conn.execute("INSERT INTO migrations VALUES ('tomorrow')")
    conn.commit()
    conn.close()
    for write_too in (True, False):
        with pytest.raises(StoreError, match=r"newer version .*tomorrow"):
            opener(write=write_too)


def test_an_older_database_is_upgraded_by_a_writer_only(opener: Opener, path: Path) -> None:
    opener().close()
    conn = sqlite3.connect(path)
    conn.executescript(
        "DROP TABLE alerts; DROP TABLE alert_changes; DELETE FROM migrations WHERE name = 'alerts'"
    )
    conn.close()
    with pytest.raises(StoreError, match="older version"):
        opener(write=False)
    opener().close()
    opener(write=False)


def test_a_damaged_database_is_named_and_kept(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    write(store, *(a_call(f"c{i}", clock.now() + i) for i in range(2000)))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as error:
        opener()
    assert str(path) in error.value.message
    assert "aside" in (error.value.hint or "")
    assert path.read_bytes() == content


def test_a_small_database_is_looked_at_after_a_crash(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    write(store, *(a_call(f"c{i}", clock.now() + i) for i in range(2000)))
    store.close()
    conn = sqlite3.connect(path)
    conn.execute("UPDATE meta SET value = 0 WHERE name = 'clean'")
    conn.commit()
    (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls_booked'").fetchone()
    conn.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        opener()


def test_a_full_disk_is_said_and_nothing_is_half_stored(store: Store, clock: ManualClock) -> None:
    write(store, a_call("a", clock.now()))
    conn = store._writing.conn  # a disk that is full, without filling one
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    conn.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [a_call(f"c{i}", clock.now() + i, attrs={"x": "y" * 200}) for i in range(500)]
    with pytest.raises(StoreError, match="disk is full"):
        store.write(WriteBatch(calls=big, samples=[Sample("cpu", clock.now(), 1.0)], offsets={"f": "1"}))
    assert store.offset("f") is None
    assert store.series() == []
    check_layers(store, [a_call("a", clock.now())])
    conn.execute("PRAGMA max_page_count = 1073741823")
    assert {o.value for o in write(store, *big).calls} == {"stored"}
    check_layers(store, [a_call("a", clock.now()), *big])


def test_a_number_too_large_is_refused_whole(store: Store, clock: ManualClock) -> None:
    with pytest.raises(StoreError, match="64 bits"):
        write(store, a_call("a", clock.now()), a_call("b", clock.now(), out_total=1 << 70))
    assert total(read(store, Layer.RAW)) == 0


def test_a_second_writer_is_told_who_the_first_is(opener: Opener, path: Path) -> None:
    store = opener()
    with pytest.raises(StoreLocked) as error:
        opener()
    assert error.value.owner == os.getpid()
    assert str(os.getpid()) in error.value.message
    opener(write=False)
    store.close()
    store.close()
    opener()


def test_reading_only_cannot_write(opener: Opener, clock: ManualClock) -> None:
    opener().close()
    reader = opener(write=False)
    with pytest.raises(StoreError, match="reading only"):
        write(reader, a_call("a", clock.now()))


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.extent()


READ_ONLY = """
import os, sys
from pathlib import Path
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import StoreError
from tui_monitor.store.database import Store
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
path = Path(sys.argv[1])
reader = Store.open(path, write=False, clock=SystemClock())
print(reader.extent().calls)
reader.close()
try:
    Store.open(path, write=True, clock=SystemClock())
except StoreError as error:
    print(error.message)
"""


def test_a_read_only_place_can_be_read(opener: Opener, tmp_path: Path, clock: ManualClock) -> None:
    store = opener()
    write(store, a_call("a", clock.now()))
    store.close()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    store.path.parent.chmod(0o555)
    store.path.chmod(0o444)
    done = _python(READ_ONLY, str(store.path))
    store.path.parent.chmod(0o755)
    calls, message = done.stdout.splitlines()
    assert calls == "1"
    assert "read-only" in message


WRITER = """
import sys
from pathlib import Path
from store_helpers import a_call
from tui_monitor.model.clock import ManualClock
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
path, start = Path(sys.argv[1]), int(sys.argv[2])
clock = ManualClock(start)
store = Store.open(path, write=True, clock=clock)
print("open", flush=True)
done = store.extent().calls
while True:
    numbers = range(done, done + 50)
    calls = [a_call(f"c{i}", start + i * 1000, call_keys=(f"k{i}",)) for i in numbers]
    store.write(WriteBatch(calls=calls, offsets={"file": str(done + 50)}))
    done += 50
    print(done, flush=True)
"""


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def _python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True, timeout=60)


@pytest.mark.parametrize("commits", [1, 7, 23])
def test_a_killed_writer_loses_nothing_acknowledged(
    opener: Opener, path: Path, clock: ManualClock, commits: int
) -> None:
    start = clock.now()
    command = [sys.executable, "-c", WRITER, str(path), str(start)]
    child = subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    with pytest.raises(StoreLocked) as error:
        opener()
    assert error.value.owner == child.pid
    acknowledged = 0
    for _ in range(commits):
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(n) for n in child.stdout.read().split())])
    child.wait()
    store = opener()
    stored = store.extent().calls
    assert stored in (acknowledged, acknowledged + 50)
    assert store.offset("file") == str(stored)
    calls = [a_call(f"c{i}", start + i * 1000, call_keys=(f"k{i}",)) for i in range(stored)]
    check_layers(store, calls)
    assert {o.value for o in write(store, *calls).calls} == {"duplicate"}
    assert total(read(store, Layer.RAW, EVER)) == stored
