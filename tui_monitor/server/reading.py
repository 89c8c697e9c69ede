"""What is read over HTTP: whether we are well, and the views that every other face shows too."""

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.states import SourceState
from tui_monitor.query.result import Result
from tui_monitor.server import params
from tui_monitor.server.refusal import answer, success

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Reading:
    """Routes that change nothing."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._monitor = collector.monitor

    async def live(self, _request: Request) -> Response:
        """The loop turns."""
        return answer({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Whether pushed data is taken now."""
        why = self._collector.not_ready()
        if why:
            return answer(
                {"status": "starting", "reasons": list(why)}, status=503, headers={"Retry-After": "1"}
            )
        return answer({"status": "ok"})

    async def health(self, _request: Request) -> Response:
        """How the collector's parts are: 200 while it takes data, whatever one source does."""
        why = self._collector.not_ready()
        sources = {row.name: row.state.value for row in self._collector.rows()}
        broken = sorted(name for name, state in sources.items() if state == SourceState.FAILED)
        status = "starting" if why else "degraded" if broken else "ok"
        body = {"status": status, "reasons": list(why), "broken": broken, "sources": sources}
        return answer(body, status=503 if why else 200)

    async def status(self, _request: Request) -> Response:
        """One look at everything."""
        return success(await self._monitor.status())

    async def collector(self, _request: Request) -> Response:
        """The collector itself, for the commands and screens beside it."""
        return success(self._collector.status())

    async def sources(self, _request: Request) -> Response:
        """Every source, door and loop, and how it is doing."""
        return success(self._collector.rows())

    async def snapshot(self, request: Request) -> Response:
        """The dashboard's frame."""
        return success(await self._monitor.snapshot(params.shown(request)))

    async def costs(self, request: Request) -> Response:
        """Spend by a dimension in a calendar period."""
        by = params.text(request, "by", "model")
        period = params.choice(request, "period", "month", PERIODS)
        view = await self._monitor.costs(by, period)
        return success(view, view.warnings)

    async def alerts(self, request: Request) -> Response:
        """Open alerts, and with `resolved=1` those that ended today."""
        return success(await self._monitor.alerts(resolved=params.flag(request, "resolved")))

    async def query(self, request: Request) -> Response:
        """An answer in Prometheus's form: at one `time`, or over a `range` in about `points` steps."""
        text = params.text(request, "query")
        if "range" in request.query_params:
            points = params.number(request, "points", 100, 1, params.MAX_POINTS)
            result = await self._monitor.query_range(text, params.shown(request), points)
        else:
            result = await self._monitor.query(text, at=params.instant(request, "time"))
        # Millions of points take a second to write down.
        return await asyncio.to_thread(_answer, result)


def _answer(result: Result) -> Response:
    return success({**result.prometheus(), "unit": result.unit}, result.warnings)
