"""Takes what waits for a channel to it: at least once, in order for each alert, again after a failure."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_monitor.alerts.channels.api import ChannelError, Notification, Row
from tui_monitor.alerts.channels.table import CHANNELS
from tui_monitor.config.settings import Alerts
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import DAY, MINUTE, SECOND, Clock, Micros
from tui_monitor.model.units import age

if TYPE_CHECKING:
    from tui_monitor.alerts.channels.api import Channel
    from tui_monitor.store.alerts import AlertStore
    from tui_monitor.store.outbox import Notice

log = logging.getLogger(__name__)

FIRST_WAIT = 5 * SECOND
LONGEST_WAIT = 15 * MINUTE
KEPT = DAY
"""How long a notification is tried."""
_LOOK = MINUTE
"""How often settings are looked at where nothing happens."""


def wait_after(attempts: int) -> Micros:
    """How long to wait after so many failures: twice as long each time, a random share less."""
    full = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 20))
    return round(full * random.uniform(0.7, 1.0))


class Sender:
    """One channel's postman. What it carries is stored, so that nothing is lost when it is stopped.

    `settings` gives those of now. A notification that was under way at a stop is sent again.
    """

    def __init__(
        self, name: str, store: "AlertStore", settings: Callable[[], Alerts], clock: Clock, bus: EventBus
    ) -> None:
        self.title = CHANNELS[name].title
        self._name = name
        self._kind = CHANNELS[name]
        self._store = store
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._woken = asyncio.Event()
        self._broken = False

    async def run(self, row: Row) -> None:
        """Deliver until it is cancelled. Raises `StoreError`."""
        listener = self._bus.listen("alert_update", size=1)
        listener.wake = self._woken.set
        try:
            while True:
                self._woken.clear()
                channel = self._kind.make(self._settings())
                if channel is None:
                    row.off(f"{self._kind.setting} is not set")
                    await self._rest(_LOOK)
                else:
                    await self._rest(await self._round(channel, row))
        finally:
            listener.close()

    async def _round(self, channel: "Channel", row: Row) -> Micros:
        """Try what is due; how long there is nothing to do then, µs."""
        given_up = await self._store.give_up(self._clock.now() - KEPT)
        if given_up:
            log.warning("%d notifications could not be delivered within a day", given_up)
        notices = await self._store.due_notices(self._name, self._clock.now(), LONGEST_WAIT)
        for notice in notices:
            await self._try(channel, notice, row)
        waiting = await self._store.waiting(self._name)
        if not self._broken or not waiting.count:
            row.running(f"{waiting.count} waiting" if waiting.count else "nothing waits")
        if waiting.due is None:
            return _LOOK
        return min(_LOOK, max(0, waiting.due - self._clock.now()))

    async def _try(self, channel: "Channel", notice: "Notice", row: Row) -> None:
        try:
            await channel.send(Notification(notice.key, notice.alert, notice.change))
        except ChannelError as error:
            self._broken = True
            wait = wait_after(notice.attempts + 1)
            await self._store.put_off(notice, self._clock.now() + wait, error.message)
            log.warning("%s: %s; again in %s", self.title, error.message, age(wait))
            row.failed(error.message, f"tries again in {age(wait)}")
        else:
            self._broken = False
            await self._store.delivered(notice)
            row.heard(1)

    async def _rest(self, wait: Micros) -> None:
        try:
            async with asyncio.timeout(wait / SECOND):
                await self._woken.wait()
        except TimeoutError:
            pass
