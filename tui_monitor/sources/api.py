"""What a source is: something that runs beside others, hands over records, and says how it fares."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from tui_monitor.config.settings import Agents, Collector, Consent, Probes, StatusPages
from tui_monitor.model.clock import Clock
from tui_monitor.model.feed import Record
from tui_monitor.recorder.recorder import Receipt


class SourceSettings(Protocol):
    """What sources read of the configuration."""

    @property
    def collector(self) -> Collector:
        """How data is gathered."""
        ...

    @property
    def consent(self) -> Consent:
        """What the person allowed."""
        ...

    @property
    def agents(self) -> Agents:
        """Logs of coding agents."""
        ...

    @property
    def probes(self) -> Probes:
        """What is probed."""
        ...

    @property
    def status_pages(self) -> StatusPages:
        """Whose word is asked for."""
        ...

    def database_path(self) -> Path:
        """Where the database lies."""
        ...


class SourceContext(Protocol):
    """What a source is given by whoever runs it.

    The runner keeps the source's state, counts its records and errors, and remembers the last of each.
    """

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""
        ...

    @property
    def settings(self) -> SourceSettings:
        """The configuration."""
        ...

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        """Store records; returns after commit. Raises `Busy` and `StoreError` as `Recorder.submit` does."""
        ...

    async def offsets(self, prefix: str) -> dict[str, str]:
        """Where this source left off: its keys that begin so, with what it stored under them.

        Stored by `submit(offsets=…)` in the transaction of the records; an empty text removes a key.
        """
        ...

    async def providers_used(self) -> frozenset[str]:
        """Providers that were called in the last 30 days. Raises `StoreError`."""
        ...

    def progress(self, done: float | None, total: float | None = None) -> None:
        """How far a long piece of work is, in any unit; `None` when it is over."""
        ...

    def lag(self, seconds: float | None) -> None:
        """How old the newest record was when it was stored; below 0 where it was of the future."""
        ...

    def expect(self, seconds: float) -> None:
        """The next call of this comes within so long, or it hangs, and is shown so until it comes."""
        ...

    def running(self, detail: str | None = None) -> None:
        """It works; `detail` is a few words on what it does."""
        ...

    def paused(self, why: str) -> None:
        """It waits for something it needs."""
        ...

    def off(self, why: str) -> None:
        """There is nothing for it to do, and that is as it should be."""
        ...

    def problem(self, error: str) -> None:
        """Something went wrong that does not stop it: counted and shown."""
        ...


class Source(Protocol):
    """One way in. `run` goes on until it is cancelled; after an exception it is started again.

    A `UsageError` says that the settings are wrong: it is shown, and nothing is tried again.
    """

    @property
    def name(self) -> str:
        """How it is called on the screen and in settings."""
        ...

    async def run(self, ctx: SourceContext) -> None:
        """Gather and hand over until cancelled."""
        ...


@runtime_checkable
class Choosy(Protocol):
    """What a source may have besides: a word on whether it runs at all with these settings.

    Asked when it is started, and again after the settings have changed, when every source is started anew.
    """

    def off(self, settings: SourceSettings) -> str:
        """Why it does not run, with what to do about it; empty when it does. Must not block."""
        ...


def why_off(source: Source, settings: SourceSettings) -> str:
    """Why a source does not run with these settings; empty when it does."""
    return source.off(settings) if isinstance(source, Choosy) else ""
