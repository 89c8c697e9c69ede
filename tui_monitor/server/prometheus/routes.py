"""The paths of Prometheus's API."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tui_monitor.server.prometheus.federate import Federating
from tui_monitor.server.prometheus.listing import Listings
from tui_monitor.server.prometheus.running import Running

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_BOTH = ("GET", "POST")
"""Long queries come as forms."""


def prometheus(collector: "Collector", running: Running) -> list[Route]:
    """The routes; their queries run in `running`."""
    asking, federating = Listings(collector, running), Federating(collector, running)

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("tui-monitor is healthy.\n")

    async def ready(_request: Request) -> Response:
        why = collector.not_ready()
        words = f"tui-monitor is not ready: {', '.join(why)}\n" if why else "tui-monitor is ready.\n"
        return PlainTextResponse(words, 503 if why else 200)

    return [
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/federate", federating.federate),
        Route("/api/v1/query", asking.query, methods=_BOTH),
        Route("/api/v1/query_range", asking.query_range, methods=_BOTH),
        Route("/api/v1/query_exemplars", asking.exemplars, methods=_BOTH),
        Route("/api/v1/format_query", asking.format_query, methods=_BOTH),
        Route("/api/v1/series", asking.series, methods=_BOTH),
        Route("/api/v1/labels", asking.labels, methods=_BOTH),
        Route("/api/v1/label/{name}/values", asking.label_values),
        Route("/api/v1/metadata", asking.metadata),
        Route("/api/v1/rules", asking.rules),
        Route("/api/v1/status/buildinfo", asking.buildinfo),
    ]
