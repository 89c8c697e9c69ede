"""One coding agent's logs as a source: read when the person allowed it, then tailed."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tui_monitor.config.agents import Billing
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Record, Retract
from tui_monitor.model.units import size
from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.billing import bill, billed
from tui_monitor.sources.agents.logs import Logs, bad_lines, prefix
from tui_monitor.sources.agents.tail import Slice, Tail
from tui_monitor.sources.api import SourceContext, SourceSettings

RECORDS = 2_000
"""Records that are stored at once, about: others who write wait for as many."""
_PATIENCE_S = 300.0
"""Longest time between two steps, beside the interval, where nothing hangs."""
_STEP_S = 0.1
"""Longest time that is read without looking whether to go on; seconds."""
_BIG = 4 << 20
"""Bytes from which on reading is told as progress."""
_LOOK_AGAIN_S = 5.0
"""Time between two looks for an agent that is not there."""

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """Some slices, to be stored together."""

    records: list[Record] = field(default_factory=list)
    offsets: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    bytes: int = 0
    last: bool = False
    """Whether nothing is left to be read."""


class AgentLogsSource:
    """Finds an agent's logs, reads what is there, newest files first, and then what is added."""

    def __init__(
        self, adapter: Adapter, *, environ: Mapping[str, str] | None = None, home: Path | None = None
    ) -> None:
        self.adapter = adapter
        self.name = adapter.name
        self._environ = environ
        self._home = home

    def off(self, settings: SourceSettings) -> str:
        """Why it does not run with these settings, and what to do about it; empty where it does."""
        if settings.consent.agent_logs is None:
            return "not read without consent: set consent.agent_logs = true"
        if not settings.consent.agent_logs:
            return "consent.agent_logs is false"
        only = settings.agents.only
        return "not among agents.only" if only and self.name not in only else ""

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled. Raises `StoreError`; what was not stored is read again."""
        while True:
            settings = ctx.settings
            roots = self.roots(settings)
            if not await asyncio.to_thread(_any, roots):
                ctx.off(f"no logs in {_where(roots, self._home or Path.home())}")
                await asyncio.sleep(_LOOK_AGAIN_S)
                continue
            await self._follow(ctx, settings, roots)

    def roots(self, settings: SourceSettings) -> list[Path]:
        """Where the logs may lie: the configured folders, else the usual ones."""
        configured = settings.agents.folders.get(self.name)
        if configured:
            return [path.expanduser() for path in configured]
        environ = os.environ if self._environ is None else self._environ
        return self.adapter.roots(environ, self._home or Path.home())

    async def _follow(self, ctx: SourceContext, settings: SourceSettings, roots: Sequence[Path]) -> None:
        """Read on as long as settings and folders are these."""
        saved = await ctx.offsets(prefix(self.adapter))
        thread = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        try:
            await _Reading(self.adapter, ctx, settings, roots, saved, thread).run()
        finally:
            ctx.progress(None)
            thread.shutdown(wait=False, cancel_futures=True)


class _Reading:
    """One run over the same folders with the same settings."""

    def __init__(
        self, adapter: Adapter, ctx: SourceContext, settings: SourceSettings, roots: Sequence[Path],
        saved: Mapping[str, str], thread: ThreadPoolExecutor,
    ) -> None:  # fmt: skip
        self._adapter = adapter
        self._ctx = ctx
        self._settings = settings
        self._thread = thread
        self._roots = roots
        self._logs = Logs(adapter, roots, ctx.clock, saved)
        self._billing: Billing | None = billed(adapter.name, settings.agents)
        self._storing: asyncio.Task[None] | None = None
        self._done = 0
        self._total = 0
        self._first = True
        self._ahead: dict[str, tuple[Tail, Micros]] = {}
        """Files with calls that lie too far in the future to be taken, and from when the first is not."""

    async def run(self) -> None:
        """Until the settings change or the folders are gone."""
        try:
            while self._ctx.settings is self._settings:
                await self._in_thread(self._logs.look)
                self._read_again()
                await self._read_waiting()
                for problem in self._problems():
                    self._ctx.problem(problem)
                self._ctx.running(self._detail())
                if not await self._in_thread(lambda: _any(self._roots)):
                    return
                await asyncio.sleep(self._settings.agents.interval / SECOND)
        finally:
            if self._storing is not None:
                self._storing.cancel()

    def _read_again(self) -> None:
        """What was written in the future by a clock that has been set right by now."""
        now = self._ctx.clock.now()
        for key in [key for key, (_, since) in self._ahead.items() if since <= now]:
            self._ahead.pop(key)[0].restart()

    async def _read_waiting(self) -> None:
        tails = self._logs.waiting()
        if not tails and not self._logs.forgotten:
            return
        self._done, self._total = 0, sum(tail.unread for tail in tails)
        slices = self._logs.read(tails)
        last = False
        while not last:
            batch = await self._in_thread(lambda: self._gather(slices))
            last = batch.last
            await self._stored()
            # The next is read while this one is written.
            self._storing = asyncio.create_task(self._store(batch))
        await self._stored()
        self._ctx.progress(None)
        self._first = False

    async def _stored(self) -> None:
        task, self._storing = self._storing, None
        if task is not None:
            await task

    async def _store(self, batch: Batch) -> None:
        for problem in batch.problems:
            self._ctx.problem(problem)
        while batch.records or batch.offsets:
            try:
                await self._ctx.submit(batch.records, remember=True, offsets=batch.offsets)
                break
            except Busy as busy:
                await asyncio.sleep(busy.retry_after)
        self._done += batch.bytes
        if self._total >= _BIG:
            self._ctx.progress(self._done, self._total)
            share = round(100 * min(1.0, self._done / self._total))
            what = "first read" if self._first else "reading"
            self._ctx.running(f"{what} {share} % of {size(self._total)}")
        elif not self._first and (newest := _newest(batch.records)):
            self._ctx.lag((self._ctx.clock.now() - newest) / SECOND)

    def _gather(self, slices: Iterator[Slice]) -> Batch:
        """Read for a while; on the thread."""
        batch = Batch()
        batch.offsets.update(dict.fromkeys(self._logs.forgotten, ""))
        self._logs.forgotten.clear()
        clock = self._ctx.clock
        until = clock.monotonic() + _STEP_S
        while len(batch.records) < RECORDS and clock.monotonic() < until:
            part = next(slices, None)
            if part is None:
                batch.last = True
                break
            bill(part.found.records, self._billing)
            batch.records += part.found.records
            self._note_ahead(part)
            if part.tail.key not in self._ahead:
                batch.offsets[part.tail.key] = part.place
            batch.problems += bad_lines(part)
            batch.bytes += part.bytes
            if any(isinstance(record, Retract) for record in part.found.records):
                # Within one transaction calls come before what takes them back.
                break
            # Whoever waits for the interpreter gets it between two slices.
            time.sleep(0)
        batch.problems += self._problems()
        return batch

    def _note_ahead(self, part: Slice) -> None:
        """A place is not stored behind calls that are refused now and may be taken later."""
        latest = self._ctx.clock.now() + self._settings.collector.max_future
        booked = [r.booked for r in part.found.records if isinstance(r, Call) and r.booked > latest]
        if booked:
            since = min(booked) - self._settings.collector.max_future
            known = self._ahead.get(part.tail.key)
            self._ahead[part.tail.key] = part.tail, min(since, known[1]) if known else since

    def _problems(self) -> list[str]:
        found, self._logs.problems = self._logs.problems, []
        return found

    def _detail(self) -> str:
        count = len(self._logs.files())
        words = [f"{count:,} file{'' if count == 1 else 's'}", self._billing or "subscription"]
        if self._logs.broken:
            words.append(f"{len(self._logs.broken)} unreadable")
        if self._adapter.estimate:
            words.append("local estimate")
        return ", ".join(words)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        # A file system that does not answer holds the thread for as long as it likes.
        self._ctx.expect(_PATIENCE_S + 2 * self._settings.agents.interval / SECOND)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _any(roots: Sequence[Path]) -> bool:
    return any(os.path.isdir(root) for root in roots)


def _where(roots: Sequence[Path], home: Path) -> str:
    names = [f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path) for path in roots]
    return ", ".join(names[:2]) + (" …" if len(names) > 2 else "")


def _newest(records: Sequence[Record]) -> Micros | None:
    return max((record.booked for record in records if isinstance(record, Call)), default=None)
