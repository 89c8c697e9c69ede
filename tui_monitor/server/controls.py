"""Steering the collector: sources, the configuration, prices."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from tui_monitor.health.views import SourceRow
from tui_monitor.model.clock import Micros
from tui_monitor.monitor.api import Reloaded
from tui_monitor.runtime.repricing import Repriced
from tui_monitor.server import params
from tui_monitor.server.declare import Group, get, post
from tui_monitor.server.named_acts import KEY, REUSED, once_of
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Body, Text

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_NAME = Text(name="name", about="The source's name, as the list of sources has it.", place="path")


@dataclass(frozen=True, slots=True)
class By:
    """Who does something."""

    who: str = ""
    """A person's name; the token's unless given."""


@dataclass(frozen=True, slots=True)
class Since:
    """From when on."""

    since: Micros
    """Calls booked at or after this instant, µs."""


class Controls:
    """Routes that steer the collector itself."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    @post(
        "/monitor/v1/sources/{name}/pause", Need.OPERATE, Group.COLLECTOR, SourceRow,
        params=(_NAME, KEY), body=Body(By, {"who": "ada"}), errors={422: REUSED},
    )  # fmt: skip
    async def pause(self, name: str, key: str | None, body: By, request: Request) -> SourceRow:
        """Let a source wait until it is resumed, over restarts too."""
        who, once = params.who(request, body.who), await once_of(request, key)
        await self._collector.pause_source(name, who, once=once)
        return self._row(name)

    @post(
        "/monitor/v1/sources/{name}/resume", Need.OPERATE, Group.COLLECTOR, SourceRow,
        params=(_NAME, KEY), body=Body(By, {"who": "ada"}), errors={422: REUSED},
    )  # fmt: skip
    async def resume(self, name: str, key: str | None, body: By, request: Request) -> SourceRow:
        """Let a paused source go on, or try a failed part again at once."""
        who, once = params.who(request, body.who), await once_of(request, key)
        await self._collector.resume_source(name, who, once=once)
        return self._row(name)

    @post(
        "/monitor/v1/reload", Need.OPERATE, Group.COLLECTOR, Reloaded,
        params=(KEY,), errors={422: f"The collector has no file to read again. {REUSED}"},
    )  # fmt: skip
    async def reload(self, key: str | None, request: Request) -> Reloaded:
        """Read the configuration again: tells what changed, and what waits for a restart."""
        return await self._collector.reload_config(once=await once_of(request, key))

    @post("/monitor/v1/reprice", Need.OWNER, Group.COLLECTOR, Repriced, body=Body(Since, {"since": 0}))
    async def reprice(self, body: Since) -> Repriced:
        """Begin to price stored calls anew."""
        return await self._collector.reprice(body.since)

    @get("/monitor/v1/reprice", Need.OWNER, Group.COLLECTOR, Repriced)
    async def repriced(self) -> Repriced:
        """How far the pricing anew is."""
        return self._collector.repricing.state

    def _row(self, name: str) -> SourceRow:
        return next(row for row in self._collector.rows() if row.name == name)
