"""The settings over HTTP, without a secret."""

import asyncio
from typing import TYPE_CHECKING

from tui_monitor.config.shown import Shown, shown
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Configured:
    """The route to the settings."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    @get("/monitor/v1/config", Need.READ, Group.COLLECTOR, list[Shown])
    async def config(self) -> list[Shown]:
        """Every setting that holds at this moment. Of a secret it is told only whether it is set."""
        return await asyncio.to_thread(shown, self._collector.settings)
