"""Reading what a request asks: query parameters and small JSON bodies. All raise `Refusal`."""

from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request

from tui_monitor.model.clock import HOUR, SECOND, Micros, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange, parse_duration
from tui_monitor.server.refusal import Refusal

MAX_POINTS = 11_000
"""Steps of one answer over time, as in Prometheus."""
_LATEST: Micros = 32_503_680_000 * SECOND
"""The year 3000: beyond it times no longer fit where they are stored."""


def bad(error: str, hint: str | None = None) -> Refusal:
    """A request that says something it cannot mean."""
    return Refusal(400, "bad_data", error, hint=hint)


def text(request: Request, name: str, default: str | None = None) -> str:
    """One parameter; it must be there unless it has a default."""
    value = request.query_params.get(name, default)
    if value is None or (default is None and not value.strip()):
        raise bad(f"the parameter {name!r} is missing")
    return value


def who(request: Request, given: str) -> str:
    """Who acts: as the request says, else whose token it carries."""
    caller = getattr(request.state, "caller", None)
    return clean(given, 64) or (caller.name if caller else "http")


def choice(request: Request, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """A parameter that is one of some words."""
    value = request.query_params.get(name, default)
    if value not in allowed:
        raise bad(f"{name} must be one of {', '.join(allowed)}")
    return value


def flag(request: Request, name: str) -> bool:
    """Whether a parameter is 1 or true."""
    return choice(request, name, "0", ("0", "1", "false", "true")) in ("1", "true")


def number(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds."""
    value = request.query_params.get(name, str(default)).lstrip("0") or "0"
    if not (value.isascii() and value.isdigit() and low <= int(value[:12]) <= high):
        raise bad(f"{name} must be a whole number from {low} to {high}")
    return int(value)


def instant(request: Request, name: str) -> Micros | None:
    """An instant in RFC 3339 or epoch seconds; None where the parameter is not there."""
    value = request.query_params.get(name)
    if value is None:
        return None
    return _known(name, value)


def moment(data: dict[str, Any], name: str) -> Micros | None:
    """An instant in a JSON object, in RFC 3339 or epoch seconds; None where it is not there."""
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad(f"{name} must be a time")
    return _known(name, str(value))


def _known(name: str, value: str) -> Micros:
    moment = _instant(name, value)
    if not 0 <= moment <= _LATEST:
        raise bad(f"{name} is out of range", "between the years 1970 and 3000")
    return moment


def _instant(name: str, value: str) -> Micros:
    try:
        return round(float(value) * SECOND)
    except (ValueError, OverflowError):
        pass
    try:
        # An unescaped + of a zone arrives as a space.
        moment = datetime.fromisoformat(value.strip().replace(" ", "+"))
    except ValueError:
        raise bad(f"{name} is no time", "write it in RFC 3339 or as seconds since 1970") from None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def shown(request: Request) -> TimeRange:
    """The time range a view is asked for: `range`, and `end` unless it moves with the clock."""
    length = request.query_params.get("range")
    try:
        return TimeRange(parse_duration(length) if length else HOUR, instant(request, "end"))
    except UsageError as error:
        raise bad(f"range: {error.message}", error.hint) from error


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty one."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad(f"the body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise bad("the body must be a JSON object")
    return value


def word(data: dict[str, Any], name: str, default: str = "") -> str:
    """A text field of a JSON object."""
    value = data.get(name, default)
    if not isinstance(value, str):
        raise bad(f"{name} must be a text")
    return value
