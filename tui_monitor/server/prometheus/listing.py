"""What there is to ask about: series, labels, values, metadata."""

import platform
import re
import threading
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor import __version__
from tui_monitor.query.promql import durations
from tui_monitor.query.promql.labels import value
from tui_monitor.query.promql.listing import Listing
from tui_monitor.query.promql.quoting import is_label, quoted
from tui_monitor.server.declare import theirs
from tui_monitor.server.needs import Need
from tui_monitor.server.prometheus.asked import Asked, asked, bad
from tui_monitor.server.prometheus.asking import Asking, evaluated, success
from tui_monitor.server.prometheus.writing import TRUNCATED

_ESCAPED = re.compile("_(?:([0-9a-f]{1,6})_|_)")
_LIKE = "3.0.0"
"""The release of Prometheus whose API and semantics these are: clients decide by it what to ask."""


class Listings(Asking):
    """Routes that list."""

    @theirs("/api/v1/series", Need.READ, "GET", "POST")
    async def series(self, request: Request) -> Response:
        """Label sets of the series that `match[]` takes."""
        given = await asked(request)
        if not given.all("match[]"):
            raise bad("no match[] parameter provided")
        return await self._listed(
            request, given, lambda listing: [dict(of) for of in listing.series(*self._which(given))]
        )

    @theirs("/api/v1/labels", Need.READ, "GET", "POST")
    async def labels(self, request: Request) -> Response:
        """Names of labels."""
        given = await asked(request)

        def names(listing: Listing) -> list[str]:
            selectors, start, end = self._which(given)
            if not selectors:
                return listing.names(start, end)
            return sorted({name for of in listing.series(selectors, start, end) for name, _ in of})

        return await self._listed(request, given, names)

    @theirs("/api/v1/label/{name}/values", Need.READ)
    async def label_values(self, request: Request) -> Response:
        """Values of one label."""
        given = await asked(request)
        name = _label(request.path_params["name"])

        def values(listing: Listing) -> list[str]:
            selectors, start, end = self._which(given)
            if not selectors:
                return listing.values(name, start, end)
            found = {value(of, name) for of in listing.series(selectors, start, end)}
            return sorted(found - {""})

        return await self._listed(request, given, values)

    @theirs("/api/v1/metadata", Need.READ)
    async def metadata(self, request: Request) -> Response:
        """Type, meaning and unit of metrics."""
        given = await asked(request)
        limit = given.text("limit")
        if limit and not limit.lstrip("-").isdigit():
            raise bad("limit must be a number")

        def about(cancel: threading.Event) -> Response:
            listing = self.plain.listing(self.plain.budget(cancel))
            found = evaluated(lambda: listing.about(given.text("metric") or None))
            rows = {
                name: [{"type": one.type, "help": one.help, "unit": one.unit}] for name, one in found.items()
            }
            most = int(limit) if limit else -1
            return success(rows if most < 0 else dict(list(rows.items())[:most]))

        return await self._running.run(request, about)

    @theirs("/api/v1/status/buildinfo", Need.READ)
    async def buildinfo(self, request: Request) -> Response:
        """Which API this is, and whose."""
        return success(
            {
                "version": _LIKE,
                "revision": __version__,
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": "",
                "application": f"tui-monitor {__version__} (Python {platform.python_version()})",
            }
        )

    @theirs("/api/v1/rules", Need.READ)
    async def rules(self, request: Request) -> Response:
        """None: our rules have an API of their own."""
        kind = (await asked(request)).text("type")
        if kind not in ("", "alert", "record"):
            raise bad(f'invalid parameter "type": not supported value {quoted(kind)}')
        return success({"groups": []})

    async def _listed(self, request: Request, given: Asked, find: Callable[[Listing], list[Any]]) -> Response:
        def work(cancel: threading.Event) -> Response:
            limit = given.limit()
            listing = self.plain.listing(self.plain.budget(cancel))
            found = evaluated(lambda: find(listing))
            if limit and len(found) > limit:
                return success(found[:limit], (TRUNCATED,))
            return success(found)

        return await self._running.run(request, work)

    def _which(self, given: Asked) -> tuple[list[Any], int, int]:
        """Selectors, and the range in which a series has a sample."""
        start = given.instant("start", -durations.GREATEST)
        return given.selectors(), start, given.instant("end", durations.GREATEST)


def _label(name: str) -> str:
    """The name of a label in a path; after `U__` it is written in ASCII, as Prometheus 3 has it."""
    if not is_label(name):
        raise bad(f"invalid label name: {quoted(name)}")
    return _ESCAPED.sub(_char, name[3:]) if name.startswith("U__") else name


def _char(escape: re.Match[str]) -> str:
    point = int(escape[1] or "5f", 16)
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else escape[0]
