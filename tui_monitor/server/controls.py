"""What the same user may ask of a running collector through its socket: sources, and the configuration."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.text import clean
from tui_monitor.server import params
from tui_monitor.server.refusal import success

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Controls:
    """Routes that steer the collector itself."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    async def pause(self, request: Request) -> Response:
        """Let a source wait until it is resumed: `{"who": …}`."""
        name = request.path_params["name"]
        await self._collector.pause_source(name, await _who(request))
        return self._row(name)

    async def resume(self, request: Request) -> Response:
        """Let a paused source go on, or try a failed one again at once: `{"who": …}`."""
        name = request.path_params["name"]
        await self._collector.resume_source(name, await _who(request))
        return self._row(name)

    async def reload(self, _request: Request) -> Response:
        """Read the configuration again."""
        return success(await self._collector.reload_config())

    async def reprice(self, request: Request) -> Response:
        """Begin to price the calls booked at or after an instant anew: `{"since": µs}`."""
        since = (await params.json_object(request)).get("since")
        if not isinstance(since, int):
            raise params.bad("since must be an instant in µs")
        return success(await self._collector.reprice(since))

    async def repriced(self, _request: Request) -> Response:
        """How far that is."""
        return success(self._collector.repricing.state)

    def _row(self, name: str) -> Response:
        return success(next(row for row in self._collector.rows() if row.name == name))


async def _who(request: Request) -> str:
    return clean(params.word(await params.json_object(request), "who"), 64) or "somebody"
