"""What the doors of a collector see: requests by group and status, and connections that are open."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GROUPS: tuple[tuple[str, str], ...] = (
    ("/metrics", "metrics"),
    ("/live", "health"),
    ("/ready", "health"),
    ("/health", "health"),
    ("/-/", "health"),
    ("/monitor/v1/events", "push"),
    ("/api/v1/write", "push"),
    ("/v1/", "push"),
    ("/monitor/", "monitor"),
    ("/api/", "prometheus"),
    ("/federate", "prometheus"),
    ("/ws", "websocket"),
)
"""Beginnings of paths, the first that fits counts; what no route has is `other`."""


def group_of(path: str, status: int) -> str:
    """The group that a request counts for. A path that nobody serves makes no group of its own."""
    if status == 404:
        return "other"
    return next((group for start, group in GROUPS if path.startswith(start)), "other")


class Traffic:
    """Counts since the start. All methods belong to the collector's loop."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        """Requests that were answered, by group and HTTP status."""
        self.merged = 0
        """Messages to WebSocket clients that stand for several, because the client reads slowly."""
        self._open: dict[str, Callable[[], int]] = {}

    def answered(self, path: str, status: int) -> None:
        """Count a request."""
        self.requests[group_of(path, status), status] += 1

    def count(self, name: str, number: Callable[[], int]) -> None:
        """Clients of a kind are as many as `number` says, from now on."""
        self._open[name] = number

    @contextmanager
    def connections(self, name: str, count: Callable[[], int]) -> Iterator[None]:
        """Inside, so many connections of a kind are open as `count` says: `http`, `socket`."""
        self.count(name, count)
        try:
            yield
        finally:
            self._open.pop(name, None)

    def open(self) -> dict[str, int]:
        """Connections that are open now, by kind; those of WebSockets are among the others too."""
        return {name: count() for name, count in sorted(self._open.items())}
