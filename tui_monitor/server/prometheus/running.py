"""Queries off the event loop: so many at once, so many that wait, and none whose asker has gone."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tui_monitor.server.refusal import Refusal

T = TypeVar("T")


class Running:
    """A pool of threads for the queries of all doors."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = at_once + waiting
        self._taken = 0
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="query")

    async def run(self, request: Request, work: Callable[[threading.Event], T]) -> T:
        """What the work gives; its event is set when the asker goes. The body has been read before.

        Raises `Refusal` when too many wait already, and what the work raises.
        """
        if self._taken >= self._places:
            raise Refusal(503, "unavailable", "too many queries at once", reason="busy", retry_after=1.0)
        cancel = threading.Event()
        self._taken += 1
        working = asyncio.get_running_loop().run_in_executor(self._threads, work, cancel)
        working.add_done_callback(self._ended)
        leaving = asyncio.create_task(_gone(request), name="asker")
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                cancel.set()
            return await working
        finally:
            cancel.set()
            working.cancel()
            leaving.cancel()

    async def next(self, parts: Iterator[bytes]) -> bytes | None:
        """The next part of an answer, made off the loop; `None` behind the last."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, parts, None)

    def _ended(self, working: asyncio.Future[T]) -> None:
        self._taken -= 1
        if not working.cancelled():
            # Whoever left does not ask what became of it.
            working.exception()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Parts(Response):
    """An answer that is written while it is sent; a short one in one piece, with its length."""

    media_type = "application/json"

    def __init__(self, first: bytes, second: bytes | None, rest: Iterator[bytes], running: Running) -> None:
        super().__init__(first if second is None else None)
        self._begun = (first, second)
        self._rest = rest
        self._running = running
        if second is not None:
            del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, part = self._begun
        if part is None:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        while part is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await self._running.next(self._rest)
        await send({"type": "http.response.body", "body": b""})
