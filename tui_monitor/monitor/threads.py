"""Questions to a database on a few threads, so that no loop waits for it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from tui_monitor.store.api import Reader

_THREADS = 3

P = ParamSpec("P")
T = TypeVar("T")


class InThreads:
    """Asks a reader, each question from one moment of the database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="monitor")

    async def _in_thread(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of `ask`, all of it from one moment of the database."""

        def answer() -> T:
            with self._reader.moment():
                return ask(*args, **kwargs)

        # Who asks is known there too.
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, answer)

    async def _until_cancelled(self, ask: Callable[[threading.Event], T]) -> T:
        """The answer of a question that ends early where nobody waits for it any more."""
        cancel = threading.Event()
        try:
            return await self._in_thread(ask, cancel)
        finally:
            cancel.set()
