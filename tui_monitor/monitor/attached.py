"""A collector elsewhere, shown here: its façade on a thread that keeps the line. Loads nothing heavy."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.clock import SECOND, Clock, SystemClock
from tui_monitor.model.errors import MonitorError
from tui_monitor.monitor.hosted import Hosted, ThreadState, wait_for_either
from tui_monitor.monitor.line import Line, LineLost, LineState

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from tui_monitor.config.load import Settings
    from tui_monitor.monitor.distant import Distant
    from tui_monitor.monitor.target import Target

    Maker = Callable[
        [Target, ssl.SSLContext | None, Clock, float, Callable[[LineState], None]], tuple[Line, Distant]
    ]

_LOOK_SECONDS = 2.0
_SLEPT = 5 * SECOND
"""A clock that goes ahead by so much of the one that never steps: this host slept."""
_SHORTEST = 0.1


class AttachedThread(Hosted):
    """Asks a collector elsewhere. Its settings are this side's: how it looks here, and who one is."""

    def __init__(
        self,
        target: "Target",
        config: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        settings: "Settings | None" = None,
    ) -> None:
        super().__init__("attached", config, overrides, clock, settings)
        self._target = target
        self._line: Line | None = None

    def knock(self) -> None:
        """Try a lost line at once. Returns at once."""

        def knock() -> None:
            if self._line is not None:
                self._line.knock()

        self._post(knock)

    async def _live(self, settings: "Settings") -> None:
        # Loads the HTTP library and reads certificates: the screen is up already, and does not wait.
        clock = self._clock or SystemClock()
        make = await asyncio.to_thread(_maker)
        verify = await asyncio.to_thread(self._target.context)
        interval = max(settings.screen.update_interval / SECOND, _SHORTEST)
        line, monitor = make(self._target, verify, clock, interval, self._tell)
        try:
            self._line, self._monitor = line, monitor
            self._tell(line.state)
            self._tried.set()
            following = asyncio.create_task(_follow(line, monitor))
            try:
                await self._keep(line, monitor, clock)
            finally:
                following.cancel()
        finally:
            self._monitor = None
            await monitor.close()

    async def _keep(self, line: Line, monitor: "Distant", clock: Clock) -> None:
        """Try the line while it does not stand, until the end."""
        # Noted before each try: what sleeps while it is made leads nowhere either.
        before = _drift(clock)
        await _try(line, monitor)
        while not self._end.is_set():
            if line.state.up:
                await wait_for_either(self._end, line.down, _LOOK_SECONDS)
                now = _drift(clock)
                slept, before = now - before >= _SLEPT, now
                if not slept or not line.state.up:
                    continue
                # What was connected before leads nowhere, and nobody would hear of it for a while.
                line.failed(LineLost("slept", "this host slept"))
            else:
                await wait_for_either(self._end, line.knocked, line.begin_wait())
                before = _drift(clock)
            if not self._end.is_set():
                await _try(line, monitor)

    def _tell(self, state: LineState) -> None:
        self._become(ThreadState("attached", line=state))


async def _follow(line: Line, monitor: "Distant") -> None:
    """Hear of changes while the line stands, for ever; without anybody who tells of them looks go on."""
    while True:
        await line.up.wait()
        following = asyncio.create_task(monitor.follow())
        try:
            await line.down.wait()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _try(line: Line, monitor: "Distant") -> None:
    line.begin_try()
    try:
        await monitor.reach()
    except MonitorError:
        # The line has been told, and tells everybody; an error that is none of the line's is met again.
        pass
    finally:
        line.end_try()


def _drift(clock: Clock) -> int:
    """How far the clock is ahead of the one that stands still while the host sleeps, in µs."""
    return clock.now() - round(clock.monotonic() * SECOND)


def _maker() -> "Maker":
    from tui_monitor.monitor.distant import distant

    return distant
