"""Imports beside a running collector: the command reads the files, the collector writes."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Event, Record, Retract, Sample, Start
from tui_monitor.server import params
from tui_monitor.server.refusal import answer, success
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.supervisor import Handle

_INFO = TypeAdapter(ImportInfo)
_RECORDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__.lower(): TypeAdapter(kind) for kind in (Call, Sample, Event, Start, Retract)
}


class Imports:
    """Routes that only the same user may take, through the socket."""

    def __init__(self, collector: "Collector", handle: "Handle") -> None:
        self._collector = collector
        self._handle = handle

    async def begin(self, request: Request) -> Response:
        """Note an import before its rows arrive; the body is an `ImportInfo`."""
        try:
            info = _INFO.validate_json(await request.body())
        except ValidationError as error:
            raise params.bad(f"not an import: {_first(error)}") from None
        await self._collector.begin_import(info)
        return success({"batch_id": info.batch_id})

    async def records(self, request: Request) -> Response:
        """Rows of an import, one JSON object a line: `record` names its kind, the rest are its fields.

        Answered when they are committed.
        """
        records = await asyncio.to_thread(_parse, await request.body(), request.path_params["batch"])
        receipt = await self._collector.submit(records, remember=True)
        self._handle.heard(receipt.accepted)
        rejected = [{"index": i, "error": reason} for i, reason in receipt.rejected]
        counts = {name: getattr(receipt, name) for name in ("accepted", "corrected", "duplicate", "late")}
        return answer({**counts, "rejected": rejected})

    async def undo(self, request: Request) -> Response:
        """Take an import back whole."""
        taken = await self._collector.undo_import(request.path_params["batch"])
        return success({"calls": taken})


def _parse(body: bytes, batch_id: str) -> Sequence[Record]:
    """Raises `Refusal` for the whole when one line is no record: the command has checked them all."""
    records: list[Record] = []
    try:
        for line in body.splitlines():
            fields = orjson.loads(line)
            record = _RECORDS[fields["record"]].validate_python(fields)
            if isinstance(record, Call):
                record.batch_id = batch_id
            records.append(record)
    except ValidationError as error:
        raise params.bad(f"line {len(records) + 1} is no record: {_first(error)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise params.bad(f"line {len(records) + 1} is no record: {type(error).__name__}: {error}") from None
    return records


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
