"""Imports: what was loaded. Beside a running collector, the command reads the files, the collector writes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Event, Record, Retract, Sample, Start
from tui_monitor.server import params
from tui_monitor.server.declare import Form, Group, delete, get, post
from tui_monitor.server.named_acts import KEY, REUSED, once_of
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Body, RawBody, Text, first_problem
from tui_monitor.server.pushing import Turned
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.supervisor import Handle

_RECORDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__.lower(): TypeAdapter(kind) for kind in (Call, Sample, Event, Start, Retract)
}
_BATCH = Text(name="batch", about="The import's id, as the list of imports has it.", place="path")
_LINES = RawBody({"application/x-ndjson": {"type": "string", "description": "One record a line."}})


@dataclass(frozen=True, slots=True)
class Begun:
    """An import that may be filled."""

    batch_id: str


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back."""

    calls: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the records of a request, after the commit."""

    accepted: int
    corrected: int
    duplicate: int
    late: int
    rejected: list[Turned]


class Imports:
    """Routes about imports."""

    def __init__(self, collector: "Collector", handle: "Handle") -> None:
        self._collector = collector
        self._handle = handle

    @get("/monitor/v1/imports", Need.READ, Group.COLLECTOR, list[ImportInfo])
    async def imports(self) -> list[ImportInfo]:
        """What was imported, the newest first."""
        return await self._collector.monitor.imports()

    @post("/monitor/v1/imports", Need.OWNER, Group.COLLECTOR, Begun, body=Body(ImportInfo, required=True))
    async def begin(self, body: ImportInfo) -> Begun:
        """Note an import before its rows arrive."""
        await self._collector.begin_import(body)
        return Begun(body.batch_id)

    @post(
        "/monitor/v1/imports/{batch}/records", Need.OWNER, Group.COLLECTOR, Recorded, form=Form.PLAIN,
        params=(_BATCH,), body=_LINES,
    )  # fmt: skip
    async def records(self, batch: str, request: Request) -> Recorded:
        """Rows of an import, one JSON object a line: `record` names its kind, the rest are its fields.

        Answered when they are committed.
        """
        records = await asyncio.to_thread(_parse, await request.body(), batch)
        receipt = await self._collector.submit(records, remember=True)
        self._handle.heard(receipt.accepted)
        rejected = [Turned(index=i, error=reason) for i, reason in receipt.rejected]
        return Recorded(receipt.accepted, receipt.corrected, receipt.duplicate, receipt.late, rejected)

    @delete(
        "/monitor/v1/imports/{batch}", Need.OPERATE, Group.COLLECTOR, Undone,
        params=(_BATCH, KEY), errors={422: f"Some of its calls are no longer kept one by one. {REUSED}"},
    )  # fmt: skip
    async def undo(self, batch: str, key: str | None, request: Request) -> Undone:
        """Take an import back whole."""
        once = await once_of(request, key)
        return Undone(await self._collector.undo_import(batch, once=once))


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
        words = first_problem(error)
        raise params.bad(f"line {len(records) + 1} is no record: {words}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise params.bad(f"line {len(records) + 1} is no record: {type(error).__name__}: {error}") from None
    return records
