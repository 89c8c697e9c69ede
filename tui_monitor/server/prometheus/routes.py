"""The paths of Prometheus's API."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tui_monitor.server.declare import theirs
from tui_monitor.server.needs import Need
from tui_monitor.server.prometheus.federate import Federating
from tui_monitor.server.prometheus.listing import Listings
from tui_monitor.server.prometheus.running import Running

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Wellness:
    """Whether we are well, in Prometheus's words."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    @theirs("/-/healthy", Need.WELL)
    async def healthy(self, request: Request) -> Response:
        """The loop turns."""
        return PlainTextResponse("tui-monitor is healthy.\n")

    @theirs("/-/ready", Need.WELL)
    async def ready(self, request: Request) -> Response:
        """Whether data is taken."""
        why = self._collector.not_ready()
        words = f"tui-monitor is not ready: {', '.join(why)}\n" if why else "tui-monitor is ready.\n"
        return PlainTextResponse(words, 503 if why else 200)


KINDS = (Wellness, Federating, Listings)
"""What declares the paths."""


def prometheus(collector: "Collector", running: Running) -> list[object]:
    """Whose methods they are; their queries run in `running`."""
    return [Wellness(collector), Federating(collector, running), Listings(collector, running)]
