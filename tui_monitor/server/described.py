"""The description of our own API, served by itself."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.responses import Response

from tui_monitor.server.declare import Declaration, Form, Group, get
from tui_monitor.server.needs import Need


class Described:
    """The route to the OpenAPI description of all routes."""

    def __init__(self, declared: Callable[[], Sequence[Declaration]]) -> None:
        self._declared = declared
        self._written: bytes | None = None

    @get("/monitor/v1/openapi.json", Need.READ, Group.COLLECTOR, dict[str, object], form=Form.PLAIN)
    async def openapi(self) -> Response:
        """The OpenAPI 3.1 description of this API."""
        if self._written is None:
            self._written = await asyncio.to_thread(self._write)
        return Response(self._written, media_type="application/json")

    def _write(self) -> bytes:
        # Making it takes modules that nothing else needs.
        from tui_monitor.server.openapi import written

        return written(self._declared())
