"""The event feed: what is pushed as JSON or NDJSON, one flat object for each event."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Event, EventKind, Record, Sample, Start
from tui_monitor.model.text import clean
from tui_monitor.recorder.checks import Invalid, Rejection, finite, nearest, shown
from tui_monitor.sources.fields import fill, text
from tui_monitor.sources.times import parse_time

SOURCE = "events"


class Origin(NamedTuple):
    """Where an event comes from, and who it is when it does not say so itself."""

    key: str
    """Its identity where it has no `id`."""
    app: str | None
    now: Micros | None
    """The time of an event without one; `None` refuses it."""
    source: str = SOURCE


Parsed = Record | Rejection


class TooMany(Exception):
    """More events in one body than are taken; `count` of them."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} events in one request")
        self.count = count


def parse_feed(
    body: bytes,
    content_type: str,
    *,
    idempotency_key: str | None,
    app: str | None,
    now: Micros,
    most: int | None = None,
) -> list[Parsed]:
    """The events of a request body: an object, an array of objects, or one object per line.

    One result for each event, in order; for lines, blank ones are not counted. Events without `id` are
    identified by the idempotency key and their index, or are new each time. Raises `TooMany` for more
    events than `most`, before a record is made of the first: a record takes a hundred times its `{}`.
    """
    prefix = idempotency_key or f"new-{secrets.token_hex(8)}"
    origin = Origin("", app, now)
    return [
        parse_event(item, origin)
        if type(item) is dict and item.get("id")
        else item
        if isinstance(item, Rejection)
        else parse_event(item, origin._replace(key=f"{prefix}#{index}"))
        for index, item in enumerate(_items(body, content_type, most))
    ]


def _items(body: bytes, content_type: str, most: int | None) -> list[Any]:
    lines = "ndjson" in content_type or "jsonl" in content_type or "json-seq" in content_type
    if not lines:
        try:
            whole = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            # Several lines may be NDJSON under another name; a single broken one is just broken.
            rows = [line for line in body.splitlines() if line.strip()]
            if len(rows) < 2 or not all(row.lstrip().startswith(b"{") for row in rows):
                return [Rejection(f"not JSON: {error}")]
        else:
            return _bounded(whole, most) if isinstance(whole, list) else [whole]
    rows = _bounded([line for line in body.split(b"\n") if line.strip()], most)
    return [load_line(line) for line in rows]


def _bounded(items: list[Any], most: int | None) -> list[Any]:
    if most is not None and len(items) > most:
        raise TooMany(len(items))
    return items


def load_line(line: bytes) -> Any:
    """One line of JSON, or a rejection that says what is wrong with it."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Rejection(f"not JSON: {error}")


def parse_event(item: Any, origin: Origin) -> Parsed:
    """One event of the feed as a record."""
    try:
        if not isinstance(item, dict):
            raise Invalid(f"{shown(item)} is not an object")
        kind = item.get("kind")
        if kind is None or kind == "":
            kind = "call"
        parse = KINDS.get(kind) if isinstance(kind, str) else None
        if parse is None:
            raise Invalid(f"kind {shown(kind)} is none of {', '.join(KINDS)}{nearest(kind, KINDS)}")
        return parse(item, origin)
    except Invalid as error:
        return Rejection(str(error))


def _source(item: Mapping[str, Any], origin: Origin) -> str:
    app = item.get("app") or origin.app
    return f"{origin.source}:{clean(text('app', app), 64)}" if app else origin.source


def _key(item: Mapping[str, Any], origin: Origin) -> str:
    given = item.get("id")
    return origin.key if given is None or given == "" else text("id", given)


def _ts(item: Mapping[str, Any], origin: Origin) -> Micros:
    value = item.get("ts")
    if value is not None and value != "":
        return parse_time("ts", value)
    if origin.now is None:
        raise Invalid("ts is missing")
    return origin.now


def _call(item: dict[str, Any], origin: Origin) -> Call:
    call = fill(Call(_source(item, origin), _key(item, origin)), item)
    if call.app is None:
        call.app = origin.app
    if call.ts_start is None and call.ts_end is None:
        if origin.now is None:
            raise Invalid("ts_end is missing")
        call.ts_end = origin.now
    return call


def _start(item: dict[str, Any], origin: Origin) -> Start:
    if not item.get("id"):
        raise Invalid("id of start is missing; give it the id of the call that will follow")
    named = {name: text(name, item[name]) for name in ("provider", "model", "operation") if item.get(name)}
    app = item.get("app") or origin.app
    ts = parse_time("ts_start", item["ts_start"]) if item.get("ts_start") else _ts(item, origin)
    return Start(
        _source(item, origin), _key(item, origin), ts, **named, app=text("app", app) if app else None
    )


def _sample(item: dict[str, Any], origin: Origin) -> Sample:
    if item.get("value") is None:
        raise Invalid("value of sample is missing")
    labels = item.get("labels") or {}
    if not isinstance(labels, dict):
        raise Invalid(f"labels {shown(labels)} is not an object")
    return Sample(
        text("name", item.get("name") or ""),
        _ts(item, origin),
        finite("value", item["value"]),
        {str(name): text(f"labels.{name}", value) for name, value in labels.items() if value is not None},
        item.get("type") or "gauge",
    )


def _event(kind: EventKind, name: str, value: str | None) -> Callable[[dict[str, Any], Origin], Event]:
    """A reader of events whose name and value stand in these fields; all others become labels."""
    taken = {"kind", "id", "ts", "labels", name, value}

    def read(item: dict[str, Any], origin: Origin) -> Event:
        labels = item.get("labels") or {}
        if not isinstance(labels, dict):
            raise Invalid(f"labels {shown(labels)} is not an object")
        rest = {field: given for field, given in item.items() if field not in taken}
        if origin.app and not rest.get("app"):
            rest["app"] = origin.app
        number = item.get(value) if value is not None else None
        if kind in ("score", "progress") and number is None:
            raise Invalid(f"{value} of {kind} is missing")
        return Event(
            kind,
            _ts(item, origin),
            _source(item, origin),
            _key(item, origin),
            text(name, item.get(name) or ""),
            None if number is None else finite(value or "value", number),
            {str(k): text(str(k), v) for k, v in (labels | rest).items() if v is not None and v != ""},
        )

    return read


KINDS: Mapping[str, Callable[[dict[str, Any], Origin], Record]] = {
    "call": _call,
    "start": _start,
    "sample": _sample,
    "cache": _event("cache", "result", "saved_usd"),
    "rate_limit": _event("rate_limit", "result", "remaining"),
    "score": _event("score", "name", "value"),
    "progress": _event("progress", "name", "done"),
    "mark": _event("mark", "text", None),
}
"""The kinds of events, and how each is read."""
