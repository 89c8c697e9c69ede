"""What people decided and a collector elsewhere has to do: in order, each once, whatever the line does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tui_monitor.model.errors import Busy, MonitorError, StoreError
from tui_monitor.model.once import Once
from tui_monitor.monitor.line import Line, LineLost

T = TypeVar("T")
MOST = 100
"""Decisions that may wait."""
_TRIES = 8
"""How often one is sent over a line that stands, but brings no answer."""
_AGAIN_SECONDS = 0.25
_LONGEST_SECONDS = 10.0


class Decisions:
    """Sends one after the other. Whoever decides waits here for what becomes of it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._turn = asyncio.Lock()
        self._waiting: dict[str, str] = {}

    async def do(self, words: str, act: Callable[[Once], Awaitable[T]], once: Once) -> T:
        """What the act over there answers, or raises. `words` say what waits.

        While the line is down it waits, and afterwards it is asked for under the same name, `once`: what was
        done already is not done again. Raises `MonitorError` where too many wait.
        """
        if len(self._waiting) >= MOST:
            raise MonitorError(
                f"{MOST} decisions wait for the line, and no more can",
                hint="wait until the line is back",
            )
        self._waiting[once.key] = words
        self._tell()
        try:
            # The lock is fair: they go in the order in which they were decided.
            async with self._turn:
                return await self._through(act, once)
        finally:
            del self._waiting[once.key]
            self._tell()

    async def _through(self, act: Callable[[Once], Awaitable[T]], once: Once) -> T:
        for tried in range(_TRIES):
            await self._line.up.wait()
            try:
                return await act(once)
            except (LineLost, Busy, StoreError) as error:
                # Whether it was done is not known; asking again finds out.
                if tried == _TRIES - 1:
                    raise
                seconds = error.retry_after if isinstance(error, Busy) else 2**tried * _AGAIN_SECONDS
            await asyncio.sleep(min(seconds, _LONGEST_SECONDS))
        raise AssertionError("it was answered, or raised")

    def _tell(self) -> None:
        self._line.waits(tuple(self._waiting.values()))
