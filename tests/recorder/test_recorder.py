"""Group commit: nothing is acknowledged before it is durable, and one bad record hurts nobody else."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.recorder.conftest import MakeCall
from tui_monitor.config.settings import Collector
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import HOUR, ManualClock
from tui_monitor.model.errors import Busy, StoreError
from tui_monitor.model.feed import Event, Retract, Sample, Start
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.recorder import Recorder
from tui_monitor.store.api import ImportInfo, WriteBatch, WriteResult
from tui_monitor.store.database import Store


class Watched:
    """A store that notes its transactions, and fails or waits when told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.batches: list[WriteBatch] = []
        self.failure: Exception | None = None
        self.poison: str | None = None
        self.gate = threading.Event()
        self.gate.set()

    def write(self, batch: WriteBatch) -> WriteResult:
        self.gate.wait(5)
        if self.failure is not None:
            raise self.failure
        if any(call.source_key == self.poison for call in batch.calls):
            raise ZeroDivisionError("a bug nobody foresaw")
        result = self.store.write(batch)
        self.batches.append(batch)
        return result

    def begin_import(self, info: ImportInfo) -> None:
        self.store.begin_import(info)

    def undo_import(self, batch_id: str) -> int:
        return self.store.undo_import(batch_id)

    def offset(self, key: str) -> str | None:
        return self.store.offset(key)


@pytest.fixture
def watched(store: Store) -> Watched:
    return Watched(store)


@asynccontextmanager
async def recording(
    watched: Watched, preparer: Preparer, clock: ManualClock, bus: EventBus | None = None, **settings: object
) -> AsyncIterator[Recorder]:
    plain: dict[str, object] = {"flush_interval": "20ms"}
    collector = Collector.model_validate(plain | settings)
    recorder = Recorder(watched, preparer, collector, clock, bus or EventBus())
    await recorder.start()
    try:
        yield recorder
    finally:
        watched.gate.set()
        await recorder.stop()


async def test_what_is_acknowledged_is_stored(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall, tmp_path: Path
) -> None:
    async with recording(watched, preparer, clock) as recorder:
        receipt = await recorder.submit([make("a"), make("b", out_total=-1), make("a"), Retract("x", "y")])
        assert (receipt.accepted, receipt.duplicate) == (2, 1)
        ((index, reason),) = receipt.rejected
        assert (index, "negative" in reason) == (1, True)
        # Seen through another connection: it is on disk, not in a buffer of ours.
        with sqlite3.connect(tmp_path / "monitor.db") as other:
            assert other.execute("SELECT count(*) FROM calls").fetchone() == (1,)
        assert watched.store.extent().calls == 1


async def test_submitters_share_a_transaction(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock) as recorder:
        receipts = await asyncio.gather(*(recorder.submit([make(str(i))]) for i in range(50)))
    assert [r.accepted for r in receipts] == [1] * 50
    assert len(watched.batches) == 1


async def test_a_full_batch_does_not_wait_and_a_big_one_is_cut(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock, flush_interval="60s", batch_size=10) as recorder:
        receipt = await asyncio.wait_for(recorder.submit([make(str(i)) for i in range(25)]), 5)
    assert receipt.accepted == 25
    assert [len(batch.calls) for batch in watched.batches] == [10, 10, 5]


async def test_who_waits_for_an_answer_keeps_nobody_waiting(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock, flush_interval="60s") as recorder:
        many = [recorder.submit([make(f"{who}{i}") for i in range(60)]) for who in "ab"]
        receipts = await asyncio.wait_for(asyncio.gather(*many), 5)
        alone = asyncio.create_task(recorder.submit([make("c")]))
        await asyncio.sleep(0.1)
        assert not alone.done()
    assert [r.accepted for r in receipts] == [60, 60]
    assert [len(batch.calls) for batch in watched.batches] == [120, 1]


async def test_offsets_come_with_the_last_of_their_records(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock, batch_size=10) as recorder:
        await asyncio.gather(
            recorder.submit([make(f"a{i}") for i in range(15)], remember=True, offsets={"file": "150"}),
            recorder.submit([make("push")]),
        )
        await recorder.submit([], offsets={"empty": "7"})
    kept = [(batch.remember, len(batch.calls), batch.offsets) for batch in watched.batches]
    assert (True, 10, {}) in kept
    assert (True, 5, {"file": "150"}) in kept
    assert (False, 1, {}) in kept
    assert (watched.offset("file"), watched.offset("empty")) == ("150", "7")


async def test_one_poisonous_record_loses_no_neighbour(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    watched.poison = "13"
    async with recording(watched, preparer, clock) as recorder:
        receipt = await recorder.submit([make(str(i)) for i in range(40)], offsets={"file": "9"})
    assert receipt.accepted == 39
    ((index, reason),) = receipt.rejected
    assert (index, "nobody foresaw" in reason) == (13, True)
    assert watched.store.extent().calls == 39
    assert watched.offset("file") == "9"


async def test_a_full_disk_acknowledges_nothing_and_passes(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock) as recorder:
        watched.failure = StoreError("cannot write monitor.db: the disk is full")
        with pytest.raises(StoreError, match="disk is full"):
            await recorder.submit([make("a")])
        assert "disk is full" in recorder.stats.last_error
        assert recorder.stats.accepted == 0
        watched.failure = None
        assert (await recorder.submit([make("a")])).accepted == 1
        assert recorder.stats.last_error == ""


async def test_a_really_full_database(
    store: Store, watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    conn = store._writing.conn
    pages = conn.execute("PRAGMA page_count").fetchone()[0]
    async with recording(watched, preparer, clock) as recorder:
        await asyncio.to_thread(conn.execute, f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError):
            await recorder.submit([make(str(i), session=f"s{i}" * 30) for i in range(900)])
        assert store.extent().calls == 0
        await asyncio.to_thread(conn.execute, "PRAGMA max_page_count = 1000000")
        receipt = await recorder.submit([make(str(i), session=f"s{i}" * 30) for i in range(900)])
    assert receipt.accepted == 900


async def test_a_full_queue_sends_pushers_away(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    watched.gate.clear()
    async with recording(watched, preparer, clock, queue_size=1000, batch_size=100) as recorder:
        first = asyncio.create_task(recorder.submit([make(f"a{i}") for i in range(900)]))
        await asyncio.sleep(0.05)
        assert recorder.stats.queued == 900
        with pytest.raises(Busy) as caught:
            await recorder.submit([make(f"b{i}") for i in range(200)])
        assert caught.value.retry_after >= 1
        watched.gate.set()
        assert (await first).accepted == 900
        assert (await recorder.submit([make(f"c{i}") for i in range(1500)])).accepted == 1500


async def test_stop_writes_what_waits_and_takes_nothing_more(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock, flush_interval="60s") as recorder:
        waiting = [asyncio.create_task(recorder.submit([make(str(i))])) for i in range(20)]
        await asyncio.sleep(0)
        # Long before the next flush would be due.
        await asyncio.wait_for(recorder.stop(), 30)
        assert [task.result().accepted for task in waiting] == [1] * 20
        with pytest.raises(Busy):
            await recorder.submit([make("late")])
    assert watched.store.extent().calls == 20


async def test_a_submitter_that_goes_away_harms_nobody(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    async with recording(watched, preparer, clock) as recorder:
        gone = asyncio.create_task(recorder.submit([make("gone")]))
        stays = asyncio.create_task(recorder.submit([make("stays")]))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).accepted == 1
        assert (await recorder.submit([make("next")])).accepted == 1


async def test_stats(watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall) -> None:
    async with recording(watched, preparer, clock) as recorder:
        assert (recorder.stats.lag_ms, recorder.stats.rate) == (None, 0)
        clock.advance(120_000_000)
        await recorder.submit([make("a"), make("a"), make("b", status="?")])
        stats = recorder.stats
        assert (stats.accepted, stats.duplicates, stats.rejected, stats.queued) == (1, 1, 1, 0)
        assert stats.rate == 3 / 60
        assert stats.lag_ms == 0
        clock.advance(61_000_000)
        assert (recorder.stats.rate, recorder.stats.lag_ms) == (0, None)


async def test_the_bus_hears_of_each_commit_once(
    watched: Watched, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    bus = EventBus()
    listener = bus.listen()
    now = clock.now()
    async with recording(watched, preparer, clock, bus) as recorder:
        await recorder.submit([
            make("a"), make("b", status="error", error_category="server"), make("old", ts_end=now - HOUR),
            Start("events", "s", now, "openai", "gpt-5"), Sample("depth", now, 4.0, {"name": "x", "ts": "y"}),
            Event("progress", now, "events", "p", "bench", 3, {"total": "9", "state": "running"}),
            Event("progress", now, "events", "q", "evaluation of x", 9, {"total": "9", "state": "done"}),
        ])  # fmt: skip
        heard = [(event.event, event.data) for event in listener.drain()]
        await recorder.submit([make("a")])
        assert listener.drain() == []
        await recorder.submit([make("a", out_total=77), make("c", call_keys=("k",))])
        await recorder.submit([make("c", source="other", call_keys=("k",))])
        again = [(event.event, event.data.get("calls")) for event in listener.drain()]
    ended = ("request_completed", 1)
    assert again == [ended, ("data_changed", None), ("data_changed", None)], (
        "corrected or merged is not ended"
    )
    names = [name for name, _ in heard]
    assert names == [
        "request_completed", "request_failed", "request_started", "metric_recorded", "benchmark_progress",
        "evaluation_completed", "data_changed",
    ]  # fmt: skip
    data = dict(heard)
    assert data["request_completed"]["calls"] == 1
    assert data["request_failed"]["error_category"] == "server"
    assert data["metric_recorded"]["metric"] == "depth"


async def test_a_series_too_many_is_rejected_alone(
    store: Store, preparer: Preparer, clock: ManualClock, tmp_path: Path
) -> None:
    small = Store.open(tmp_path / "small.db", write=True, clock=clock, max_series=2)
    try:
        async with recording(Watched(small), preparer, clock) as recorder:
            receipt = await recorder.submit([Sample(f"m{i}", clock.now(), 1.0) for i in range(4)])
    finally:
        small.close()
    assert receipt.accepted == 2
    assert [index for index, _ in receipt.rejected] == [2, 3]
    assert all("max_series" in reason for _, reason in receipt.rejected)
