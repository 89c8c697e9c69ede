"""What a channel is given, and what it has to do."""

from dataclasses import dataclass
from typing import Any, Protocol

from tui_monitor.model.alert import Alert, Change
from tui_monitor.model.clock import Micros, iso
from tui_monitor.model.errors import MonitorError

VERSION = 1
"""Of the form that receivers read; fields may be added to it."""


class ChannelError(MonitorError):
    """A notification was not delivered; it is tried again."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One change of an alert, for people. It may come twice: then its `key` is the same."""

    key: str
    alert: Alert
    """As it was after the change."""
    change: Change

    def form(self) -> dict[str, Any]:
        """The form that receivers read: times in RFC 3339, what is not known as null."""
        alert, change = self.alert, self.change
        return {
            "version": VERSION,
            "key": self.key,
            "state": change.state.value,
            "alert": {
                "id": alert.id,
                "fingerprint": alert.fingerprint,
                "rule": alert.rule,
                "severity": alert.severity.value,
                "labels": dict(alert.labels),
                "summary": alert.summary,
                "expr": alert.expr,
                "value": alert.value,
                "op": alert.op,
                "threshold": alert.threshold,
                "unit": alert.unit,
                "since": _time(alert.since),
                "fired": _time(alert.fired),
                "resolved": _time(alert.resolved),
                "acknowledged": _time(alert.acked_at),
                "acknowledged_by": alert.acked_by,
                "note": alert.note,
            },
            "change": {
                "at": _time(change.at),
                "state": change.state.value,
                "who": change.who,
                "note": change.note,
                "value": change.value,
            },
        }


def _time(at: Micros | None) -> str | None:
    return None if at is None else iso(at)


class Channel(Protocol):
    """One way to tell people."""

    async def send(self, notification: Notification) -> None:
        """Deliver one notification; it may be cancelled at any time. Raises `ChannelError`."""
        ...


class Row(Protocol):
    """Where a channel says how it is doing."""

    def running(self, detail: str | None = None) -> None:
        """It works."""
        ...

    def heard(self, records: int = 0) -> None:
        """So many notifications were delivered."""
        ...

    def failed(self, error: str, detail: str) -> None:
        """It is broken; `detail` says what comes next."""
        ...

    def off(self, why: str) -> None:
        """It is not set up."""
        ...
