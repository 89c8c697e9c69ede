"""What is changed over HTTP: pushed data, and the acknowledgements of alerts."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.alert import Alert
from tui_monitor.model.feed import Record
from tui_monitor.model.text import clean, clean_or_none
from tui_monitor.recorder.prepare import Rejection
from tui_monitor.server import params
from tui_monitor.server.refusal import Refusal, answer, success
from tui_monitor.sources.feed import TooMany, parse_feed

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


class Pushing:
    """Routes that change something."""

    def __init__(self, collector: "Collector", handle: "Handle") -> None:
        self._collector = collector
        self._handle = handle
        # What is read takes many times its bytes, and more threads would only take turns.
        self._reading = asyncio.Lock()

    async def events(self, request: Request) -> Response:
        """Take calls and the other kinds; the answer is given when they are committed."""
        kind = _content_type(request)
        body = await request.body()
        if not body.strip():
            raise params.bad("the body is empty", "send a JSON object, an array of them, or one a line")
        key = clean_or_none(request.headers.get("idempotency-key"), 200)
        app = clean_or_none(request.query_params.get("app"))
        now = self._collector.clock.now()
        most = self._collector.settings.collector.queue_size
        arguments = {"idempotency_key": key, "app": app, "now": now, "most": most}
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

    async def acknowledge(self, request: Request) -> Response:
        """Say that somebody takes care of an alert: `{"who": …, "note": …}`."""
        data = await params.json_object(request)
        who, note = params.who(request, params.word(data, "who")), clean(params.word(data, "note"), 500)
        return _alert(await self._collector.monitor.acknowledge(request.path_params["id"], who, note))

    async def unacknowledge(self, request: Request) -> Response:
        """Take it back: `{"who": …}`."""
        who = params.who(request, params.word(await params.json_object(request), "who"))
        return _alert(await self._collector.monitor.unacknowledge(request.path_params["id"], who))

    async def _record(self, parsed: Sequence[Record | Rejection]) -> Response:
        good = [(i, record) for i, record in enumerate(parsed) if not isinstance(record, Rejection)]
        refused = {i: record.reason for i, record in enumerate(parsed) if isinstance(record, Rejection)}
        self._collector.count_rejected(len(refused))
        counts = {"accepted": 0, "duplicate": 0}
        if good:
            receipt = await self._collector.submit([record for _, record in good])
            self._handle.heard(receipt.accepted)
            counts = {"accepted": receipt.accepted, "duplicate": receipt.duplicate}
            refused |= {good[i][0]: reason for i, reason in receipt.rejected}
            if receipt.late:
                counts["late"] = receipt.late
        for reason in refused.values():
            self._handle.problem(reason)
        rejected = [{"index": i, "error": refused[i]} for i in sorted(refused)]
        if rejected and len(rejected) == len(parsed):
            # A sender that looks at the status alone must not take this for success.
            words = f"nothing was accepted: {rejected[0]['error']}"
            raise Refusal(400, "bad_data", words, reason="data", more={**counts, "rejected": rejected})
        return answer({**counts, "rejected": rejected})


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


def _alert(alert: Alert) -> Response:
    return success(alert)
