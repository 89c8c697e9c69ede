"""Queries off the event loop: so many at once, so many that wait, and none whose asker has gone."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tui_monitor.server.refusal import Refusal

CLIENT_GONE = 499
"""The status of an answer that nobody waits for, as nginx and Prometheus have it."""
T = TypeVar("T")


class Running:
    """A pool of threads for the queries of all doors."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = at_once + waiting
        self._taken = 0
        self._free = asyncio.Semaphore(at_once)
        """Of those that run, and of those whose answer is not read to its end."""
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="query")

    async def run(self, request: Request, work: Callable[[threading.Event], T]) -> T:
        """What the work gives; its event is set when the asker goes. The body has been read before.

        Raises `Refusal` when too many wait already, and what the work raises.
        """
        if self._taken >= self._places:
            raise Refusal(503, "unavailable", "too many queries at once", reason="busy", retry_after=1.0)
        leaving = asyncio.create_task(_gone(request), name="asker")
        self._taken += 1
        try:
            await self._turn(leaving)
        except BaseException:
            self._taken -= 1
            leaving.cancel()
            raise
        cancel = threading.Event()
        context = copy_context()
        working = asyncio.get_running_loop().run_in_executor(self._threads, lambda: context.run(work, cancel))
        working.add_done_callback(self._ended)
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                cancel.set()
            return await working
        finally:
            cancel.set()
            working.cancel()
            leaving.cancel()

    async def _turn(self, leaving: "asyncio.Task[None]") -> None:
        """Wait for a place to run in. Raises `Refusal` where the asker leaves before there is one."""
        turn = asyncio.create_task(self._free.acquire(), name="turn")
        try:
            await asyncio.wait((turn, leaving), return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._give_back(turn)
            raise
        if not turn.done():
            self._give_back(turn)
            raise Refusal(CLIENT_GONE, "canceled", "the query was cancelled", reason="gone")

    def _give_back(self, turn: "asyncio.Task[bool]") -> None:
        def late(turn: "asyncio.Task[bool]") -> None:
            if not turn.cancelled():
                self._free.release()

        turn.add_done_callback(late)
        turn.cancel()

    def sent(self) -> None:
        """A wide answer is read to its end, or never will be."""
        self._taken -= 1
        self._free.release()

    async def next(self, parts: Iterator[bytes]) -> bytes | None:
        """The next part of an answer, made off the loop; `None` behind the last."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, parts, None)

    def _ended(self, working: asyncio.Future[T]) -> None:
        # Whoever left does not ask what became of it.
        failed = working.cancelled() or working.exception() is not None
        made = None if failed else working.result()
        if isinstance(made, Parts) and made.wide:
            made.hold(self.sent)
        else:
            self.sent()


async def while_asked(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. It is cancelled when the asker goes, who must have sent the whole request.

    Raises `Refusal` then, and what the work raises.
    """
    working = asyncio.create_task(work, name="work")
    leaving = asyncio.create_task(_gone(request), name="asker")
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Refusal(CLIENT_GONE, "canceled", "the query was cancelled", reason="gone")
        return await working
    finally:
        leaving.cancel()
        working.cancel()


async def _gone(request: Request) -> None:
    await _left(request.receive)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _nothing() -> None:
    pass


class Parts(Response):
    """An answer that is written while it is sent; a short one in one piece, with its length."""

    media_type = "application/json"

    def __init__(self, first: bytes, second: bytes | None, rest: Iterator[bytes], running: Running) -> None:
        super().__init__(first if second is None else None)
        self._begun = (first, second)
        self._rest = rest
        self._running = running
        self._let_go: Callable[[], object] = _nothing
        if second is not None:
            del self.headers["content-length"]

    @property
    def wide(self) -> bool:
        """Whether it has more than one part."""
        return self._begun[1] is not None

    def hold(self, let_go: Callable[[], None]) -> None:
        """What is done, once, when the answer takes no more memory: sent, given up or never sent."""
        loop = asyncio.get_running_loop()

        def later() -> None:
            with suppress(RuntimeError):
                # The loop may be closed.
                loop.call_soon_threadsafe(let_go)

        self._let_go = weakref.finalize(self, later)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, part = self._begun
        if part is None:
            await super().__call__(scope, receive, send)
            return
        leaving = asyncio.create_task(_left(receive), name="reader")
        try:
            await self._send(first, part, send, leaving)
        finally:
            leaving.cancel()
            self._rest = iter(())
            self._let_go()

    async def _send(
        self, first: bytes, part: bytes | None, send: Send, leaving: "asyncio.Task[None]"
    ) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        while part is not None and not leaving.done():
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await self._running.next(self._rest)
        await send({"type": "http.response.body", "body": b""})
