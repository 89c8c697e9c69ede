"""Disks that are full, break or lie, and clocks that jump: what was taken stays, and the rest is said."""

import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from store_helpers import a_call, check_layers, contents, read, total, write

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock, from_datetime
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.cells import cell_span, day_cell, day_of
from tui_monitor.store.checkup import check_up
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits
from tui_monitor.store.upkeep import faults

PACKED = Limits(rows=100, head=0, age=0, identities=0)


def some(clock: ManualClock, count: int, prefix: str = "c") -> list[Call]:
    return [
        a_call(f"{prefix}{n}", clock.now() - n * MINUTE, latency_ms=1.5 * n, user=f"u{n % 7}")
        for n in range(count)
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system of its own can be mounted here by nobody but root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Every write beyond that many bytes of a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refusal(do: Callable[[], object]) -> str:
    """Why it is refused; empty where it is done. No other error comes."""
    try:
        do()
    except StoreError as error:
        return error.message
    return ""


def fill(store: Store, clock: ManualClock) -> list[Call]:
    """Write until the disk is full; what was taken."""
    taken: list[Call] = []
    for number in range(1_000):
        batch = some(clock, 100, f"b{number}-")
        why = refusal(partial(write, store, *batch))
        if why:
            assert "disk" in why
            return taken
        taken += batch
    raise AssertionError("the disk did not become full")


def test_a_full_disk_takes_nothing_and_loses_nothing(small_disk: Path, clock: ManualClock) -> None:
    store = Store.open(small_disk / "m.db", write=True, clock=clock)
    taken = fill(store, clock)
    assert taken
    # What reads goes on; what packs may not.
    check_layers(store, taken)
    for upkeep in (lambda: store.seal(clock.now(), PACKED), lambda: store.retain(Retention(), clock.now())):
        why = refusal(upkeep)
        assert not why or "disk" in why
    assert total(read(store, Layer.RAW)) == len(taken)
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
    more = some(clock, 100, "more")
    write(store, *more)
    store.seal(clock.now(), PACKED)
    check_layers(store, [*taken, *more])
    store.close()
    assert faults(small_disk / "m.db") == []


def test_a_write_that_fails_while_calls_are_sealed(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = opener()
    calls = some(clock, 1_000)
    write(store, *calls)
    store.close()
    store = opener()
    with files_end_at(24_000), pytest.raises(StoreError, match="disk"):
        store.seal(clock.now(), PACKED)
    check_layers(store, calls)
    assert store.seal(clock.now(), PACKED).segments
    check_layers(store, calls)
    store.close()
    assert faults(path) == []


def test_a_write_that_fails_beside_packing_is_answered_as_written(
    opener: Opener, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is acknowledged, though the segment that was due could not be made."""
    store = opener()
    store._limits = PACKED
    conn = store._writing.conn

    def full(*_: object) -> None:
        conn.execute("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr("tui_monitor.store.sealing.seal_some", full)
    calls = some(clock, 150)
    assert {o.value for o in write(store, *calls).calls} == {"stored"}
    check_layers(store, calls)


def sealed(opener: Opener, clock: ManualClock) -> list[Call]:
    """Three segments of calls, closed."""
    store = opener()
    calls = some(clock, 300)
    write(store, *calls)
    store.seal(clock.now(), PACKED)
    store.close()
    return calls


def flip(path: Path, segment: int, column: str) -> None:
    """Change a byte of the file where a column of a segment lies."""
    conn = sqlite3.connect(path)
    (blob,) = conn.execute(
        "SELECT data FROM segment_columns WHERE segment = ? AND name = ?", (segment, column)
    ).fetchone()
    conn.close()
    content = bytearray(path.read_bytes())
    at = content.find(blob[:40])
    assert at > 0
    content[at + 30] ^= 0x10
    path.write_bytes(content)


def test_a_flipped_byte_in_a_segment_is_found_named_and_set_aside(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    calls = sealed(opener, clock)
    flip(path, 200, "latency")
    (named,) = faults(path)
    assert "'latency' of segment 200 (calls 101 to 200)" in named
    store = opener()
    # The question that needs it says so; others go on.
    with pytest.raises(StoreError, match="segment 200"):
        read(store, Layer.RAW)
    assert total(read(store, Layer.HOUR)) == 300
    first = Span(calls[99].booked - 1, clock.now())
    assert total(read(store, Layer.RAW, first)) == 100
    # A correction of a call in it, and whatever else comes.
    again, fresh = a_call("c150", calls[150].booked, out_total=99), a_call("new", clock.now())
    assert [o.value for o in write(store, again, fresh).calls] == ["late", "stored"]
    (aside,) = store.set_aside()
    assert (aside.segment, aside.calls) == (200, 100)
    # Sums have all of them, single calls those that can be read, and the gap is known.
    assert total(read(store, Layer.DAY)) == 301
    assert total(read(store, Layer.RAW)) == 201
    assert not store.holdings()[Layer.RAW].complete(Span(calls[199].booked - 1, calls[100].booked))
    assert store.holdings()[Layer.RAW].complete(first)
    assert store.rebuild_rollups(mend=True).wrong == 0
    store.retain(Retention(), clock.now())
    store.seal(clock.now(), PACKED)
    # What was sent before is not counted again, and nothing of the segment was deleted.
    write(store, *calls)
    assert total(read(store, Layer.DAY)) == 301
    with store._read() as conn:
        (kept,) = conn.execute("SELECT count(*) FROM segment_columns WHERE segment = -200").fetchone()
        assert kept > 10
    store.close()
    assert any("set aside" in fault for fault in faults(path))
    assert "set aside" in check_up(path, 5.0).set_aside[0]


def test_looking_only_names_damage_and_leaves_the_file(
    opener: Opener, path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = opener()
    calls = [a_call(f"c{n}", clock.now() - n * HOUR, latency_ms=1.5 * n) for n in range(300)]
    write(store, *calls)
    store.seal(clock.now(), PACKED)
    store.close()
    for column in ("booked", "latency"):
        flip(path, 200, column)
    before = path.read_bytes()
    store = opener(write=False)
    report = store.rebuild_rollups(mend=False)
    store.close()
    (named,) = report.damaged
    assert "'booked' of segment 200" in named
    # Calls 101 to 200 are gone for this; the days that have none of them were compared.
    (span,) = report.not_compared
    apart = [call for call in calls if not span.start <= call.booked < span.end]
    assert span.start <= calls[199].booked
    assert span.end > calls[100].booked
    assert 100 < report.calls == len(apart) < 200
    assert report.wrong == 0
    assert path.read_bytes() == before
    assert not caplog.records
    store = opener()
    assert store.rebuild_rollups(mend=False).damaged == report.damaged
    assert store.set_aside() == []
    store.rebuild_rollups(mend=True)
    assert "its 100 single calls are set aside in the database, and nothing is deleted" in caplog.text
    store.close()


def test_looking_only_goes_on_beside_a_broken_page(opener: Opener, path: Path, clock: ManualClock) -> None:
    sealed(opener, clock)
    with sqlite3.connect(path) as conn:
        (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segment_columns'").fetchone()
    conn.close()
    whole = path.read_bytes()
    broken = whole[: (page - 1) * 4096] + b"\xa5" * 4096 + whole[page * 4096 :]
    path.write_bytes(broken)
    report = opener(write=False).rebuild_rollups(mend=False)
    assert "a page of the file is damaged" in report.damaged[0]
    assert report.not_compared
    assert path.read_bytes() == broken


@pytest.mark.parametrize("step", ["retain", "seal", "reprice", "rebuild", "correct"])
def test_upkeep_goes_on_beside_a_damaged_segment(
    opener: Opener, path: Path, clock: ManualClock, step: str
) -> None:
    calls = sealed(opener, clock)
    for column in ("booked", "series", "latency"):
        flip(path, 200, column)
    store = opener()
    clock.advance(100 * DAY if step == "retain" else HOUR)
    match step:
        case "retain":
            store.retain(Retention(), clock.now())
        case "seal":
            write(store, *(a_call(call.source_key, call.booked, out_total=7) for call in calls))
            store.seal(clock.now(), PACKED)
        case "reprice":
            store.reprice(calls[-1].booked, lambda call: None)
        case "rebuild":
            store.rebuild_rollups(mend=True)
        case _:
            write(store, *(a_call(call.source_key, call.booked, out_total=7) for call in calls))
    assert [found.segment for found in store.set_aside()] == [200]
    assert total(read(store, Layer.DAY)) == 300
    raw = 0 if step == "retain" else 200
    assert total(read(store, Layer.RAW)) == raw


def hours_of(path: Path, clock: ManualClock) -> None:
    store = Store.open(path, write=False, clock=clock)
    try:
        contents(read(store, Layer.HOUR))
    finally:
        store.close()


def test_a_broken_page_of_any_table_is_found_and_never_crashes(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    sealed(opener, clock)
    store = opener()
    store.write(WriteBatch(samples=[Sample("cpu", clock.now() - n * MINUTE, 1.0) for n in range(50)]))
    store.close()
    conn = sqlite3.connect(path)
    pages = conn.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
    conn.close()
    whole = path.read_bytes()
    for name, page in pages:
        copy = tmp_path / "copies" / name / "m.db"
        copy.parent.mkdir(parents=True)
        broken = whole[: (page - 1) * 4096] + b"\xa5" * 4096 + whole[page * 4096 :]
        copy.write_bytes(broken)
        found: list[str] = []
        why = refusal(lambda file=copy, into=found: into.extend(faults(file)))
        assert found or "damaged" in why or "not a database" in why, name
        why = refusal(partial(hours_of, copy, clock))
        assert not why or str(copy) in why
        assert copy.read_bytes() == broken, name


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused_and_left(
    opener: Opener, path: Path, clock: ManualClock, share: float
) -> None:
    sealed(opener, clock)
    whole = path.read_bytes()
    path.write_bytes(whole[: round(len(whole) * share)])
    for writes in (True, False):
        with pytest.raises(StoreError, match="damaged"):
            opener(write=writes)
    assert path.read_bytes() == whole[: round(len(whole) * share)]


@pytest.mark.parametrize("share", [0.0, 0.31, 0.77, 0.999])
def test_a_truncated_log_gives_whole_transactions_up_to_there(
    opener: Opener, path: Path, clock: ManualClock, tmp_path: Path, share: float
) -> None:
    opener().close()
    store = opener()
    batches = [some(clock, 20, f"{number}-") for number in range(10)]
    for batch in batches:
        write(store, *batch)
    cut = tmp_path / "cut" / "m.db"
    cut.parent.mkdir()
    shutil.copy(path, cut)
    log = path.with_name(path.name + "-wal").read_bytes()
    cut.with_name("m.db-wal").write_bytes(log[: round(len(log) * share)])
    again = Store.open(cut, write=True, clock=clock)
    whole, rest = divmod(again.extent().calls, 20)
    assert rest == 0
    assert whole < len(batches)
    check_layers(again, [call for batch in batches[:whole] for call in batch])
    # What its senders send again is complete.
    write(again, *(call for batch in batches for call in batch))
    check_layers(again, [call for batch in batches for call in batch])
    again.close()


def test_a_clock_that_steps_back_an_hour_loses_nothing(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    before = some(clock, 120, "before")
    write(store, *before)
    store.seal(clock.now(), PACKED)
    clock.advance(-HOUR)
    after = some(clock, 120, "after")
    assert {o.value for o in write(store, *after).calls} == {"stored"}
    assert {o.value for o in write(store, *before).calls} == {"duplicate"}
    assert store.retain(Retention(), clock.now()).total == 0
    store.seal(clock.now(), PACKED)
    check_layers(store, [*before, *after])
    for _ in range(3):
        clock.advance(HOUR)
        assert store.retain(Retention(), clock.now()).calls == 0
    check_layers(store, [*before, *after])
    assert store.rebuild_rollups(mend=False).wrong == 0


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_days_on_which_summer_time_begins_and_ends(
    opener: Opener, clock: ManualClock, day: tuple[int, int, int], hours: int
) -> None:
    zone = "Europe/Berlin"
    store = opener(zone=zone)
    noon = from_datetime(datetime(*day, 12, tzinfo=UTC))
    clock.advance(noon + DAY - clock.now())
    calls = [a_call(f"c{n}", noon - 36 * HOUR + n * 20 * MINUTE) for n in range(3 * 72)]
    write(store, *calls)
    span = cell_span(Layer.DAY, day_cell(0, day_of(noon, zone)), zone)
    assert span.end - span.start == hours * HOUR
    check_layers(store, calls, zone)
    inside = sum(span.start < call.booked <= span.end for call in calls)
    assert inside == hours * 3
    assert total(read(store, Layer.DAY, span)) == inside
    store.seal(clock.now(), PACKED)
    assert store.rebuild_rollups(mend=True).wrong == 0
    check_layers(store, calls, zone)
