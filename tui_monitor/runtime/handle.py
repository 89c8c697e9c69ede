"""What a worker says about itself, and the row that is made of it."""

import logging
from typing import Literal

from tui_monitor.health.views import SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.states import SourceState
from tui_monitor.model.text import clean
from tui_monitor.recorder.stats import Minute

log = logging.getLogger(__name__)

Kind = Literal["source", "door", "out", "loop"]
_DETAIL = 300
"""Characters of what is said about a state."""


class Handle:
    """What a worker says about itself; its row on the screen. Counts go on over restarts."""

    def __init__(self, name: str, clock: Clock, bus: EventBus, kind: Kind = "loop") -> None:
        self.name = name
        self.kind: Kind = kind
        self.state = SourceState.STARTING
        self._clock = clock
        self._bus = bus
        self._detail = ""
        self._records = 0
        self._errors = 0
        self._last_error = ""
        self._last_error_at: Micros | None = None
        self._last_seen: Micros | None = None
        self._since: Micros | None = None
        self._restarts = 0
        self._warning = ""
        self._progress: float | None = None
        self._lag: float | None = None
        self._minute = Minute()
        self._began = clock.monotonic()
        self._held = False
        self._due: float | None = None
        """When the next sign of life must have come, monotonic seconds."""
        self._hung: str | None = None
        """While it hangs: what it had said that it does."""
        self._broken: str | None = None
        """Since it failed and until it works again, is off or paused: why."""

    def running(self, detail: str | None = None) -> None:
        """It works; `detail` is a few words on what it does."""
        self._become(SourceState.RUNNING, detail)

    def paused(self, why: str) -> None:
        """It waits for something it needs."""
        self._become(SourceState.PAUSED, why)

    def heard(self, records: int = 0) -> None:
        """A sign of life, and how many records it brought."""
        self._records += records
        self._last_seen = self._clock.now()
        if records:
            self._minute.add(self._clock.monotonic(), records, 0.0)
        self.settle()

    def problem(self, error: str) -> None:
        """Something went wrong that does not stop it."""
        self._errors += 1
        self._last_error = clean(error, 500)
        self._last_error_at = self._clock.now()

    def warn(self, words: str) -> None:
        """What is not as it should be while it works; empty when it is again."""
        self._warning = clean(words, _DETAIL)

    def progress(self, done: float | None, total: float | None = None) -> None:
        """How far a long piece of work is, in any unit; `None` when it is over."""
        self._progress = None if done is None or not total else min(1.0, max(0.0, done / total))

    def expect(self, seconds: float | None) -> None:
        """The next call of this comes within so long, or it hangs, and is shown so until it comes.

        Said before anything that may never return: a thread that waits for a disk cannot be ended. `None`
        where it waits for others, however long that takes.
        """
        self._due = None if seconds is None else self._clock.monotonic() + seconds
        if self._hung is not None:
            self._become(SourceState.RUNNING, self._hung)

    def excuse(self, seconds: float) -> None:
        """It could not give a sign of life for so long."""
        if self._due is not None:
            self._due += seconds

    def look(self, now: float) -> None:
        """Say so where it hangs; `now` in monotonic seconds."""
        if self._due is None or now < self._due or self._held or self._hung is not None:
            return
        if self.state in (SourceState.RUNNING, SourceState.STARTING):
            log.error("%s hangs", self.name)
            doing = self._detail
            self.failed("it hangs: no sign of life in time", "goes on by itself, or with a restart of all")
            self._hung = doing

    def lag(self, seconds: float | None) -> None:
        """How old the newest record was when it was stored; below 0 where it was of the future."""
        self._lag = seconds

    def off(self, why: str) -> None:
        """It does not run, and that is as it should be."""
        self._held = False
        self._become(SourceState.OFF, why)

    def hold(self, why: str) -> None:
        """Somebody paused it: until `release` nothing else is said of its state."""
        self._progress = None
        self._become(SourceState.PAUSED, why)
        self._held = True

    def release(self) -> None:
        """It may go on."""
        self._held = False

    def starting(self) -> None:
        """It is being started."""
        self._progress = self._due = None
        self._become(SourceState.STARTING, "")

    def restarted(self) -> None:
        """It failed, and is to be started again."""
        self._restarts += 1

    def settle(self) -> None:
        """It has been going for a while without a word on how it stands."""
        if self.state is SourceState.STARTING:
            self._become(SourceState.RUNNING)

    def failed(self, error: str, detail: str) -> None:
        """It broke; `detail` says what comes next."""
        self.problem(error)
        self.broken(detail)

    def broken(self, detail: str) -> None:
        """It is still broken, by what was told already; `detail` says how it stands."""
        self._progress = None
        self._become(SourceState.FAILED, detail)

    def row(self) -> SourceRow:
        """How it is doing now."""
        now = self._clock.monotonic()
        return SourceRow(
            self.name,
            self.state,
            self._detail,
            self._records,
            self._errors,
            self._last_error,
            self._last_seen,
            kind=self.kind,
            since=self._since,
            rate=self._minute.rate(now, now - self._began) if self._records else None,
            lag_s=self._lag,
            progress=self._progress,
            restarts=self._restarts,
            pausable=self.kind == "source",
            last_error_at=self._last_error_at,
            warning=self._warning if self.state is SourceState.RUNNING else "",
        )

    def _become(self, state: SourceState, detail: str | None = None) -> None:
        detail = self._detail if detail is None else clean(detail, _DETAIL)
        if self._held or (state, detail) == (self.state, self._detail):
            return
        if state is not self.state or self._since is None:
            self._since = self._clock.now()
        self._hung = None
        self.state, self._detail = state, detail
        if self._broken is not None and state is SourceState.STARTING:
            # One more try is no news before it is known how it ends.
            return
        known, self._broken = self._broken, self._last_error if state is SourceState.FAILED else None
        if known is not None and known == self._broken:
            return
        if (known is None) is not (self._broken is None) and self.kind != "source":
            self._alarm()
        self._bus.publish(
            "source_update", self._clock.now(), source=self.name, state=state.value, detail=detail,
            last_error=self._last_error,
        )  # fmt: skip

    def _alarm(self) -> None:
        """Say that a part of the collector itself broke, or is so no more: it works, or it is off."""
        firing = self.state is SourceState.FAILED
        instead = "" if self.state is SourceState.RUNNING else self.state.value
        self._bus.publish(
            "system_alert", self._clock.now(), subject=self.name, state="firing" if firing else "resolved",
            summary=self._last_error if firing else instead, hint=self._detail,
        )  # fmt: skip
