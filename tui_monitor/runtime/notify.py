"""What a service manager is told of the collector, by the protocol of sd_notify(3)."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping

from tui_monitor.model.text import clean

log = logging.getLogger(__name__)

_SOCKET, _WATCHDOG, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_EVERY_S = 20.0
"""Longest time between two signs of life."""
_OFTEN_S = 0.05
"""Shortest time between two."""
_SHARE = 3
"""Signs of life for each time-out of the watchdog, so that one that is late costs nothing."""
_EXTENDED_S = 90.0
"""How long one more sign of life lets a start take."""
_SEND_S = 1.0
_STATUS = 200


class Notifier:
    """Tells the manager that started us how we are; does nothing where none asked. Raises nothing."""

    def __init__(self, address: str | None = None, watchdog: float | None = None) -> None:
        self._address = address
        self._watchdog = watchdog
        self._ready = False

    @classmethod
    def taken(cls, environ: MutableMapping[str, str]) -> "Notifier":
        """From the environment, out of which it is taken: programs that we start are not asked."""
        address = environ.pop(_SOCKET, "")
        limit, meant = environ.pop(_WATCHDOG, ""), environ.pop(_WATCHDOG_PID, "")
        ours = meant in ("", str(os.getpid()))
        watchdog = int(limit) / 1_000_000 if ours and limit.isdigit() and int(limit) else None
        return cls(address if address.startswith(("/", "@")) else None, watchdog)

    @property
    def asked(self) -> bool:
        """Whether anybody wants to know."""
        return self._address is not None

    @property
    def watched(self) -> bool:
        """Whether we are ended where signs of life fail to come."""
        return self.asked and self._watchdog is not None

    def ready(self) -> None:
        """The start is over."""
        self._ready = True
        self._tell("READY=1", "STATUS=collecting")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` says that it is over."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """We have begun to end."""
        self._tell("STOPPING=1", "STATUS=ending")

    def failed(self, why: str) -> None:
        """We cannot start; `why` stays to be read when we are gone."""
        self._tell(f"STATUS={clean(why, _STATUS)}")

    async def keep(self, words: Callable[[], str]) -> None:
        """Give signs of life until cancelled, with `words` on how it goes.

        They come from the event loop, so that they fail to come where it no longer turns.
        """
        if not self.asked:
            return
        every = _EVERY_S if self._watchdog is None else min(_EVERY_S, self._watchdog / _SHARE)
        while True:
            told = [f"STATUS={_said(words)}"]
            if self._watchdog is not None:
                told.append("WATCHDOG=1")
            if not self._ready:
                # Bringing a large database up to date takes as long as it takes.
                told.append(f"EXTEND_TIMEOUT_USEC={round(_EXTENDED_S * 1_000_000)}")
            self._tell(*told)
            await asyncio.sleep(max(_OFTEN_S, every))

    def _tell(self, *told: str) -> None:
        if self._address is None:
            return
        # `@` is an address without a file; the kernel writes it with a zero byte.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(_SEND_S)
                sock.sendto("\n".join(told).encode(), address)
        except OSError as error:
            log.warning("the service manager was not told %s: %s", told[-1], error)


def _said(words: Callable[[], str]) -> str:
    try:
        return clean(words(), _STATUS)
    except Exception:
        # What is said must not keep the sign of life from being given.
        log.exception("how the collector does could not be said")
        return "collecting"
