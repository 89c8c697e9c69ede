"""`/metrics`: what calls amount to, and how the collector is doing, for whoever scrapes it."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.health.exposed import Family, Reading
from tui_monitor.runtime import derived, own
from tui_monitor.server.declare import theirs
from tui_monitor.server.exposition import exposition
from tui_monitor.server.needs import Need
from tui_monitor.server.prometheus.forms import Form, form_of
from tui_monitor.server.prometheus.running import Running

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

FAMILIES: tuple[Family, ...] = (*derived.FAMILIES, *own.FAMILIES)
"""Everything that is served, in this order."""
_TIMEOUT = "x-prometheus-scrape-timeout-seconds"
_PATIENCE = 5.0
"""Longest wait for calls to be counted (s): a Prometheus gives up after 10 s unless it is told otherwise."""


class Metrics:
    """The route; what it reads of calls is read in `running`."""

    def __init__(self, collector: "Collector", running: Running) -> None:
        self._collector = collector
        self._running = running

    @theirs("/metrics", Need.SCRAPE)
    async def metrics(self, request: Request) -> Response:
        """Every metric at this moment. What is not counted yet, or cannot be, is left out, and said so."""
        asked = form_of(request.headers.get("accept", ""))
        # No name here needs quotes.
        form = Form(openmetrics=asked.openmetrics)
        found = await self._collector.derived.look_within(_patience(request))
        readings = [*own.readings(self._collector), *found.readings, *_about(found)]

        def work(_cancel: threading.Event) -> bytes:
            return exposition(FAMILIES, readings, form)

        text = await self._running.run(request, work)
        return Response(text, media_type=form.media_type)


def _patience(request: Request) -> float:
    """Seconds that may be spent on calls: half of what the scraper says it waits."""
    with suppress(ValueError):
        told = float(request.headers.get(_TIMEOUT, "nan")) / 2
        if 0 < told < _PATIENCE:
            return told
    return _PATIENCE


def _about(found: derived.Derived) -> Iterator[Reading]:
    yield Reading("tui_monitor_derived_up", float(not found.error), {})
    yield Reading("tui_monitor_derived_series", found.series, {})
    yield Reading("tui_monitor_derived_series_left_out", found.left_out, {})
