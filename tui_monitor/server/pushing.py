"""Pushed data."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NotRequired

from starlette.requests import Request
from typing_extensions import TypedDict

from tui_monitor.model.feed import Record
from tui_monitor.model.text import clean_or_none
from tui_monitor.recorder.prepare import Rejection
from tui_monitor.server import params
from tui_monitor.server.declare import Form, Group, post
from tui_monitor.server.needs import Need
from tui_monitor.server.params import RawBody, Text
from tui_monitor.server.refusal import Refusal
from tui_monitor.sources.feed import KINDS, TooMany, parse_feed

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.supervisor import Handle

_JSON = frozenset({"application/json", "text/json"})
_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_SMALL = 65_536
_FEW = 4_096
"""Bytes and values up to which a body is read on the loop: some ms, and a thread would cost more."""

_APP = Text(
    name="app",
    about="Names the application for events that do not say it themselves.",
    longest=1000,
    example="search",
)
_KEY = Text(
    name="Idempotency-Key",
    key="key",
    place="header",
    longest=200,
    about="Names the request, so that sending it again adds nothing, for events without an `id`.",
    example="batch-7",
)
_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"default": "call", "enum": [*KINDS, "", None]}},
    "additionalProperties": True,
    "description": "One event: its fields are those of its kind, and any other is an attribute.",
}
_EXAMPLE = {
    "id": "r-1",
    "provider": "openai",
    "model": "gpt-5",
    "ts_start": "2026-03-18T11:59:58.2Z",
    "ts_end": "2026-03-18T11:59:59Z",
    "input_tokens": 1500,
    "output_tokens": 200,
    "status": "success",
}
_EVENTS = RawBody(
    {
        "application/json": {"anyOf": [_EVENT, {"type": "array", "items": _EVENT}]},
        "application/x-ndjson": {"type": "string", "description": "One event a line."},
    },
    _EXAMPLE,
)
_ERRORS = {
    413: "It holds more events than `collector.queue_size`.",
    415: "The Content-Type is neither JSON nor lines of it.",
}


class Turned(TypedDict):
    """An event that was not taken."""

    index: int
    """Its place among the events of the request, from 0."""
    error: str


class Accepted(TypedDict):
    """What became of the events of a request, after the commit."""

    accepted: int
    duplicate: int
    late: NotRequired[int]
    """Corrections of calls that are no longer kept one by one."""
    rejected: list[Turned]


class Pushing:
    """Routes that take data in."""

    def __init__(self, collector: "Collector", handle: "Handle") -> None:
        self._collector = collector
        self._handle = handle
        # What is read takes many times its bytes, and more threads would only take turns.
        self._reading = asyncio.Lock()

    @post(
        "/monitor/v1/events", Need.PUSH, Group.EVENTS, Accepted, form=Form.PLAIN,
        params=(_APP, _KEY), body=_EVENTS, errors=_ERRORS,
    )  # fmt: skip
    async def events(self, app: str | None, key: str | None, request: Request) -> Accepted:
        """Take calls and the other kinds; answered when they are committed.

        What is `accepted` is on disk. With an `id` in an event, or an `Idempotency-Key`, sending it again
        changes nothing.
        """
        kind = _content_type(request)
        body = await request.body()
        if not body.strip():
            raise params.bad("the body is empty", "send a JSON object, an array of them, or one a line")
        most = self._collector.settings.collector.queue_size
        arguments = {
            "idempotency_key": clean_or_none(key, 200),
            "app": clean_or_none(app),
            "now": self._collector.clock.now(),
            "most": most,
        }
        try:
            if _small(body):
                parsed = parse_feed(body, kind, **arguments)
            else:
                async with self._reading:
                    parsed = await asyncio.to_thread(parse_feed, body, kind, **arguments)
        except TooMany as error:
            raise Refusal(
                413,
                "bad_data",
                f"{error}; {most} are the most",
                reason="size",
                hint="send them in several requests, or raise collector.queue_size",
            ) from None
        return await self._record(parsed)

    async def _record(self, parsed: Sequence[Record | Rejection]) -> Accepted:
        good = [(i, record) for i, record in enumerate(parsed) if not isinstance(record, Rejection)]
        refused = {i: record.reason for i, record in enumerate(parsed) if isinstance(record, Rejection)}
        self._collector.count_rejected(len(refused))
        counts: Accepted = {"accepted": 0, "duplicate": 0, "rejected": []}
        if good:
            receipt = await self._collector.submit([record for _, record in good])
            self._handle.heard(receipt.accepted)
            counts = {"accepted": receipt.accepted, "duplicate": receipt.duplicate, "rejected": []}
            refused |= {good[i][0]: reason for i, reason in receipt.rejected}
            if receipt.late:
                counts["late"] = receipt.late
        for reason in refused.values():
            self._handle.problem(reason)
        counts["rejected"] = rejected = [Turned(index=i, error=refused[i]) for i in sorted(refused)]
        if rejected and len(rejected) == len(parsed):
            # A sender that looks at the status alone must not take this for success.
            words = f"nothing was accepted: {rejected[0]['error']}"
            raise Refusal(400, "bad_data", words, reason="data", more={**counts})
        return counts


def _small(body: bytes) -> bool:
    """Whether reading it is soon done; its separators tell how many values there can be."""
    return len(body) <= _SMALL and body.count(b",") + body.count(b"\n") <= _FEW


def _content_type(request: Request) -> str:
    """`application/json` or `application/x-ndjson`; a body without a type is taken as JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind in _JSON:
        return "application/json"
    if kind in _LINES:
        return "application/x-ndjson"
    raise Refusal(
        415,
        "bad_data",
        "unknown Content-Type",
        reason="type",
        hint="send Content-Type: application/json, or application/x-ndjson for one object a line",
    )
