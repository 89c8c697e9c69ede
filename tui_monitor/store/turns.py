"""A lock that is taken in turns."""

import threading
from types import TracebackType


class TurnLock:
    """A lock that whoever waits gets before the one who just gave it back.

    With a plain lock a loop of short transactions takes it again before a waiting thread has woken, and
    holds up a writer for as long as the whole loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = threading.Lock()
        """Held by the one who is next."""

    def acquire(self) -> None:
        """Wait for it, and hold it."""
        with self._next:
            self._lock.acquire()

    def release(self) -> None:
        """Give it to the one who is next."""
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
