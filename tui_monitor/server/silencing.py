"""Silences over HTTP, and one alert with its history."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.alert import MATCHES, Matcher
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import parse_duration
from tui_monitor.server import params
from tui_monitor.server.refusal import success

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Silencing:
    """Routes about what keeps alerts quiet."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._monitor = collector.monitor

    async def alert(self, request: Request) -> Response:
        """One alert, by its id or the beginning of it, with its history."""
        alert = await self._monitor.alert(request.path_params["id"])
        return success({"alert": alert, "history": await self._monitor.history(alert.id)})

    async def silences(self, request: Request) -> Response:
        """Silences in force or to come, and with `ended=1` those of the last 30 days."""
        return success(await self._monitor.silences(ended=params.flag(request, "ended")))

    async def create(self, request: Request) -> Response:
        """A new one: `{"matchers": [{"name", "value", "op"}], "ends" or "for", "starts", "who", "note"}`."""
        data = await params.json_object(request)
        starts = params.moment(data, "starts")
        silence = await self._monitor.silence(
            _matchers(data.get("matchers")),
            self._ends(data, starts),
            params.who(request, params.word(data, "who")),
            clean(params.word(data, "note"), 500),
            starts=starts,
        )
        return success(silence)

    async def end(self, request: Request) -> Response:
        """End one now: `?who=NAME`."""
        who = params.who(request, request.query_params.get("who", ""))
        return success(await self._monitor.unsilence(request.path_params["id"], who))

    def _ends(self, data: dict[str, Any], starts: Micros | None) -> Micros:
        ends = params.moment(data, "ends")
        if ends is not None:
            return ends
        length = params.word(data, "for")
        if not length:
            raise params.bad("a silence needs an end", 'give "ends", a time, or "for", like "2h"')
        try:
            begin = self._collector.clock.now() if starts is None else starts
            return begin + parse_duration(length)
        except UsageError as error:
            raise params.bad(f"for: {error.message}", error.hint) from error


def _matchers(given: object) -> list[Matcher]:
    if not isinstance(given, list):
        raise params.bad("matchers must be an array", '[{"name": "provider", "value": "openai", "op": "="}]')
    return [_matcher(item) for item in given]


def _matcher(given: object) -> Matcher:
    if not isinstance(given, dict):
        raise params.bad("a matcher must be an object")
    op = params.word(given, "op", "=")
    if op not in MATCHES:
        raise params.bad(f"op must be one of {' '.join(MATCHES)}")
    return Matcher(params.word(given, "name"), params.word(given, "value"), op)
