"""The collector's own loops: sources, rules, retention, and samples of itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.alerts.channels.sender import Sender
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config.load import Settings
from tui_monitor.model.clock import DAY, MINUTE, SECOND, Clock, Micros
from tui_monitor.model.errors import Busy, StoreError
from tui_monitor.model.feed import Record
from tui_monitor.model.sampling import words
from tui_monitor.model.timerange import format_duration
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.runtime import own
from tui_monitor.runtime.supervisor import Handle, Worker
from tui_monitor.sources.api import Source, why_off
from tui_monitor.store.alerts import AlertStore

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

RETENTION_DELAY: Micros = MINUTE
"""Nothing is tidied up while the program is starting."""
_SEALED_EVERY: Micros = MINUTE
_PATIENCE_S = 300.0
"""Longest time that a round of a loop takes where nothing hangs, beside its rest."""
_RETAINED_WITHIN_S = 6 * 3600.0
"""The same where a large database is tidied up."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a source is given: the write path, and its own row."""

    clock: Clock
    settings: Settings
    collector: "Collector"
    handle: Handle

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        """Store records and count them. Raises `Busy` and `StoreError`."""
        receipt = await self.collector.submit(records, remember=remember, offsets=offsets)
        self.handle.heard(receipt.accepted)
        for _, reason in receipt.rejected:
            self.handle.problem(reason)
        return receipt

    async def offsets(self, prefix: str) -> dict[str, str]:
        """Where the source left off, for every key that begins so."""
        return await asyncio.to_thread(self.collector.store.offsets, prefix)

    async def providers_used(self) -> frozenset[str]:
        """Providers that were called in the last 30 days."""
        used = await self.collector.monitor.query("requests{} [30d] sum by(provider)")
        return frozenset(series.label("provider") for series in used.series if series.value)

    def progress(self, done: float | None, total: float | None = None) -> None:
        """How far a long piece of work is."""
        self.handle.progress(done, total)

    def lag(self, seconds: float | None) -> None:
        """How old the newest record was when it was stored."""
        self.handle.lag(seconds)

    def expect(self, seconds: float) -> None:
        """The next call of this comes within so long, or it hangs."""
        self.handle.expect(seconds)

    def running(self, detail: str | None = None) -> None:
        """It works."""
        self.handle.running(detail)

    def paused(self, why: str) -> None:
        """It waits for something it needs."""
        self.handle.paused(why)

    def off(self, why: str) -> None:
        """There is nothing for it to do."""
        self.handle.off(why)

    def problem(self, error: str) -> None:
        """Something went wrong that does not stop it."""
        self.handle.problem(error)


def source_worker(collector: "Collector", source: Source) -> Worker:
    """A source under supervision."""

    async def run(handle: Handle) -> None:
        await source.run(Context(collector.clock, collector.settings, collector, handle))

    return Worker(source.name, run, why_off(source, collector.settings), "source")


def alerts_worker(collector: "Collector", evaluator: Evaluator) -> Worker:
    """Evaluates the rules on their grid, and at once when they have changed."""

    async def run(handle: Handle) -> None:
        while True:
            handle.expect(_PATIENCE_S + 2 * collector.settings.alerts.interval / SECOND)
            await evaluator.run_once()
            rules = evaluator.view().rules
            broken = [rule for rule in rules if rule.error and rule.enabled]
            if broken:
                handle.problem(f"{broken[0].name}: {broken[0].error}")
            handle.heard(1)
            handle.running(_rules(len(rules), len(broken)))
            await evaluator.rest()

    return Worker("alerts", run)


def channel_worker(collector: "Collector", name: str, store: AlertStore) -> Worker:
    """Tells one channel of alerts."""
    sender = Sender(name, store, lambda: collector.settings.alerts, collector.clock, collector.bus)
    return Worker(sender.title, sender.run)


def retention_worker(collector: "Collector") -> Worker:
    """Deletes what is too old and packs what is old: a while after the start, then daily and each minute."""

    async def run(handle: Handle) -> None:
        handle.running("runs once a day")
        await asyncio.sleep(RETENTION_DELAY / SECOND)
        # A clock that is set back by a year must not put it off for a year.
        due = collector.clock.monotonic()
        while True:
            now = collector.clock.now()
            handle.expect(_RETAINED_WITHIN_S)
            if collector.clock.monotonic() >= due:
                await asyncio.to_thread(collector.store.retain, collector.settings.retention, now)
                handle.heard()
                due = collector.clock.monotonic() + DAY / SECOND
            await asyncio.to_thread(collector.store.seal, now)
            handle.expect(_PATIENCE_S)
            await asyncio.sleep(_SEALED_EVERY / SECOND)

    return Worker("retention", run)


def own_samples_worker(collector: "Collector") -> Worker:
    """Writes how the collector is doing, so that it can be charted and alerted on like anything else."""

    async def run(handle: Handle) -> None:
        while True:
            interval = collector.settings.collector.interval
            handle.expect(_PATIENCE_S + 2 * interval / SECOND)
            sampled = words(collector.status().sampling)
            handle.running(f"every {format_duration(interval)}" + (f"; {sampled}" if sampled else ""))
            samples = own.samples(collector, collector.clock.now())
            try:
                await collector.submit(samples)
                handle.heard(len(samples))
            except (Busy, StoreError) as error:
                # They say nothing new about a write path that is stuck: its own state does.
                handle.problem(error.message)
            await asyncio.sleep(interval / SECOND)

    return Worker("collector", run)


def _rules(count: int, broken: int) -> str:
    text = f"{count} rule{'' if count == 1 else 's'}"
    return f"{text}, {broken} broken" if broken else text
