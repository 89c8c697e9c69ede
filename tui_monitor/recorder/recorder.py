"""Group commit: many submitters, one writing thread, and nobody is told "taken" before it is durable."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tui_monitor.config.settings import Collector
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.errors import Busy, MonitorError, StoreError
from tui_monitor.model.feed import Record, Sample
from tui_monitor.recorder.announce import announce
from tui_monitor.recorder.commit import Result, commit
from tui_monitor.recorder.prepare import Preparer, Rejection
from tui_monitor.recorder.sampling import Sampler
from tui_monitor.recorder.stats import Minute, RecorderStats
from tui_monitor.store.api import Outcome, Writer

log = logging.getLogger(__name__)

_STOPPED = "the collector stopped before this was written"
STOP_S = 2.0
"""Longest time that `stop` waits for what is queued."""
_WORTH = 100
"""Rows for which a transaction is worth its price even if more could still come."""
_QUIET_S = 0.01
"""When that many wait and nothing came for so long, whoever sends is waiting for the answer."""


@dataclass(slots=True)
class Receipt:
    """What became of submitted records, after commit."""

    accepted: int = 0
    """Stored, corrected or merged."""
    duplicate: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """(index in what was submitted, reason)."""
    late: int = 0
    """Corrections of calls whose raw row is gone: counted, not applied."""
    corrected: int = 0
    """Those of `accepted` that were known with other content."""

    def note(self, index: int, result: Result) -> None:
        """Count one result."""
        if result is Outcome.STORED:
            self.accepted += 1
        elif isinstance(result, Rejection):
            self.rejected.append((index, result.reason))
        elif result is Outcome.DUPLICATE:
            self.duplicate += 1
        elif result is Outcome.LATE:
            self.late += 1
        else:
            self.accepted += 1
            self.corrected += result is Outcome.CORRECTED


@dataclass(slots=True, eq=False)
class _Job:
    records: Sequence[Record]
    remember: bool
    offsets: Mapping[str, str]
    future: "asyncio.Future[Receipt]"
    arrived: float
    """Monotonic seconds of the clock."""
    deadline: float
    """Seconds of the loop's time at which it is written, with others or alone."""
    receipt: Receipt = field(default_factory=Receipt)
    error: MonitorError | None = None


_Entry = tuple[_Job, int, Record]


class Recorder:
    """Takes records from any coroutine of one loop and writes them in batches on a thread of its own."""

    def __init__(
        self, store: Writer, preparer: Preparer, settings: Collector, clock: Clock, bus: EventBus,
        sampler: Sampler | None = None,
    ) -> None:  # fmt: skip
        self.sampler = sampler
        """Decides which calls keep a raw row; without one all do."""
        self._store = store
        self._preparer = preparer
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._jobs: deque[_Job] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._newest = 0.0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._counts = Receipt()
        self._rejected = 0
        self._minute = Minute()
        self._started = clock.monotonic()
        self._last_error = ""
        self._writing_since: float | None = None

    async def start(self) -> None:
        """Begin to write, or go on where that broke."""
        if self._task is not None and not self._task.done():
            return
        self._started = self._clock.monotonic()
        self._task = asyncio.create_task(self._flush(), name="recorder")

    async def keep(self) -> None:
        """Until writing ends. Raises what broke it; what waits is kept, and `start` goes on."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task.result()

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        """Store records; returns after commit.

        `remember` keeps their identities longer than the rows; `offsets` are stored in the transaction of the
        last record. Raises `Busy` when the queue is full or the recorder stops, `StoreError` when the
        database cannot be written: then nothing is acknowledged, and sending it again is safe.
        """
        if self._stopping or self._task is None:
            raise Busy("the collector is not taking records now", retry_after=5)
        if not records and not offsets:
            return Receipt()
        # What is larger than the whole queue is taken when nothing else waits, or it could never pass.
        if self._queued and self._queued + len(records) > self._settings.queue_size:
            raise Busy(f"the write queue is full: {self._queued} records wait", retry_after=self._wait_s())
        loop = asyncio.get_running_loop()
        job = _Job(
            records, remember, offsets or {}, loop.create_future(),
            self._clock.monotonic(), loop.time() + self._settings.flush_interval / SECOND,
        )  # fmt: skip
        self._jobs.append(job)
        self._newest = loop.time()
        self._queued += len(records)
        self._arrived.set()
        return await job.future

    async def stop(self, within: float = STOP_S) -> None:
        """Write what is queued and end; `within` seconds, whatever the disk does."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=within)
            for task in late:
                task.cancel()
        for job in self._jobs:
            job.error = StoreError(_STOPPED)
            _settle(job)
        self._jobs.clear()
        self._thread.shutdown(wait=False)

    @property
    def stats(self) -> RecorderStats:
        """The write path now."""
        now = self._clock.monotonic()
        sampler = self.sampler
        if sampler is not None:
            sampler.look(self._queued)
        return RecorderStats(
            accepted=self._counts.accepted,
            duplicates=self._counts.duplicate,
            rejected=self._rejected,
            late=self._counts.late,
            queued=self._queued,
            rate=self._minute.rate(now, now - self._started),
            lag_ms=self._minute.lag_ms(now),
            overflowed_labels=self._preparer.overflow.total(),
            sampling=() if sampler is None else sampler.scopes,
            left_out=0 if sampler is None else sampler.left_out,
            last_error=self._last_error,
            writing_s=None if self._writing_since is None else now - self._writing_since,
        )

    def _wait_s(self) -> float:
        now = self._clock.monotonic()
        rate = self._minute.rate(now, now - self._started)
        return min(30.0, max(1.0, round(self._queued / rate, 1))) if rate else 1.0

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._jobs or not self._stopping:
            if not self._jobs:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            due = self._jobs[0].deadline
            if self._queued >= _WORTH:
                due = min(due, self._newest + _QUIET_S)
            wait = due - loop.time()
            if wait > 0 and not self._stopping and self._queued < self._settings.batch_size:
                self._arrived.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), wait)
                continue
            await self._write(self._take())

    def _take(self) -> list[_Job]:
        jobs: list[_Job] = []
        rows = 0
        while self._jobs and (not jobs or rows + len(self._jobs[0].records) <= self._settings.batch_size):
            jobs.append(self._jobs.popleft())
            rows += len(jobs[-1].records)
        return jobs

    async def _write(self, jobs: list[_Job]) -> None:
        loop = asyncio.get_running_loop()
        self._writing_since = self._clock.monotonic()
        try:
            if self.sampler is not None:
                self.sampler.look(self._queued)
            await loop.run_in_executor(self._thread, self._work, jobs)
        except asyncio.CancelledError:
            for job in jobs:
                job.error = StoreError(_STOPPED)
            raise
        except Exception as error:
            log.exception("a batch could not be written")
            for job in jobs:
                job.error = StoreError(f"the batch could not be written: {type(error).__name__}: {error}")
        finally:
            self._writing_since = None
            try:
                self._count(jobs)
            finally:
                # Whatever breaks here, nobody waits in vain.
                for job in jobs:
                    _settle(job)

    def _count(self, jobs: list[_Job]) -> None:
        now = self._clock.monotonic()
        errors = [job.error for job in jobs if job.error is not None]
        if errors:
            self._last_error = errors[-1].message
        for job in jobs:
            self._queued -= len(job.records)
            if job.error is None:
                self._counts.accepted += job.receipt.accepted
                self._counts.duplicate += job.receipt.duplicate
                self._counts.late += job.receipt.late
                self._rejected += len(job.receipt.rejected)
                # Samples come by the clock, the host's own among them: they are not what is busy here.
                taken = sum(not isinstance(record, Sample) for record in job.records)
                if taken:
                    self._minute.add(now, taken, now - job.arrived)

    def _work(self, jobs: list[_Job]) -> None:
        """On the writing thread: prepare, commit, publish."""
        for remember in (False, True):
            entries: list[_Entry] = []
            for job in jobs:
                if job.remember == remember:
                    entries.extend(self._prepared(job))
            same = [job for job in jobs if job.remember == remember]
            self._commit_all(same, entries, remember)

    def _prepared(self, job: _Job) -> list[_Entry]:
        entries: list[_Entry] = []
        for index, prepared in enumerate(self._preparer.prepare_all(job.records)):
            if isinstance(prepared, Rejection):
                job.receipt.note(index, prepared)
            else:
                entries.append((job, index, prepared))
        return entries

    def _commit_all(self, jobs: list[_Job], entries: list[_Entry], remember: bool) -> None:
        size = self._settings.batch_size
        chunks = [entries[i : i + size] for i in range(0, len(entries), size)] or [[]]
        # Where each job's last record stands: its offsets belong there, and before that it is not done.
        ends = {job: number for number, chunk in enumerate(chunks) for job, _, _ in chunk}
        for job in jobs:
            if job.offsets:
                ends.setdefault(job, len(chunks) - 1)
        for number, chunk in enumerate(chunks):
            ending = [job for job, end in ends.items() if end == number]
            offsets = {key: text for job in ending for key, text in job.offsets.items()}
            if not chunk and not offsets:
                continue
            try:
                self._commit(chunk, remember, offsets)
            except StoreError as error:
                log.error("%s", error.message)
                # Whole jobs only: what was stored of a failed one is a duplicate when it comes again.
                for job, end in ends.items():
                    job.error = error if end >= number else job.error
                return

    def _commit(self, chunk: list[_Entry], remember: bool, offsets: Mapping[str, str]) -> None:
        records = [record for _, _, record in chunk]
        # What is read from files can wait, and grows: it is never sampled.
        sampler = None if remember else self.sampler
        rates = () if sampler is None else sampler.rates(records)
        results = commit(self._store, records, remember=remember, offsets=offsets, rates=rates)
        if sampler is not None:
            sampler.count(records, rates, results)
        self._last_error = ""
        for (job, index, _), result in zip(chunk, results, strict=True):
            job.receipt.note(index, result)
        announce(self._bus, self._clock.now(), records, results)


def _settle(job: _Job) -> None:
    """Answer the submitter, unless it went away."""
    if job.future.done():
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.receipt)
