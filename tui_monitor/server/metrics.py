"""`/metrics`: what calls amount to, and how the collector is doing, for whoever scrapes it."""

import threading
from collections.abc import Iterator
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


class Metrics:
    """The route; what it reads of calls is read in `running`."""

    def __init__(self, collector: "Collector", running: Running) -> None:
        self._collector = collector
        self._running = running

    @theirs("/metrics", Need.SCRAPE)
    async def metrics(self, request: Request) -> Response:
        """Every metric at this moment. What cannot be read of calls is left out, and said so."""
        asked = form_of(request.headers.get("accept", ""))
        # No name here needs quotes.
        form = Form(openmetrics=asked.openmetrics)
        readings = list(own.readings(self._collector))

        def work(_cancel: threading.Event) -> bytes:
            found = self._collector.derived.look()
            return exposition(FAMILIES, [*readings, *found.readings, *_about(found)], form)

        text = await self._running.run(request, work)
        return Response(text, media_type=form.media_type)


def _about(found: derived.Derived) -> Iterator[Reading]:
    yield Reading("tui_monitor_derived_up", float(not found.error), {})
    yield Reading("tui_monitor_derived_series", found.series, {})
    yield Reading("tui_monitor_derived_series_left_out", found.left_out, {})
