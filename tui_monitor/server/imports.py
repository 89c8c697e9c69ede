"""Imports beside a running collector: the command reads the files, the collector writes."""

from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.call import Call
from tui_monitor.server import params
from tui_monitor.server.refusal import answer, success
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_CALLS = TypeAdapter(list[Call])
_INFO = TypeAdapter(ImportInfo)


class Imports:
    """Routes that only the same user may take, through the socket."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    async def begin(self, request: Request) -> Response:
        """Note an import before its rows arrive; the body is an `ImportInfo`."""
        try:
            info = _INFO.validate_json(await request.body())
        except ValidationError as error:
            raise params.bad(f"not an import: {_first(error)}") from None
        await self._collector.begin_import(info)
        return success({"batch_id": info.batch_id})

    async def calls(self, request: Request) -> Response:
        """Rows of an import, one JSON object of a call's fields a line; answered when committed."""
        batch = request.path_params["batch"]
        try:
            rows = [orjson.loads(line) for line in (await request.body()).splitlines() if line.strip()]
            calls = _CALLS.validate_python(rows)
        except orjson.JSONDecodeError as error:
            raise params.bad(f"not one JSON object a line: {error}") from None
        except ValidationError as error:
            raise params.bad(f"not a call: {_first(error)}") from None
        for call in calls:
            call.batch_id = batch
        receipt = await self._collector.submit(calls, remember=True)
        rejected = [{"index": i, "error": reason} for i, reason in receipt.rejected]
        return answer({"accepted": receipt.accepted, "duplicate": receipt.duplicate, "rejected": rejected})

    async def undo(self, request: Request) -> Response:
        """Take an import back whole."""
        taken = await self._collector.undo_import(request.path_params["batch"])
        return success({"calls": taken})


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
