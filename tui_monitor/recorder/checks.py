"""What a record must be: limits, enumerations and their other spellings, and how a breach is worded."""

import difflib
import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from tui_monitor.model.call import COST_STATUSES, ERROR_CATEGORIES, STATUSES, Call, Operation
from tui_monitor.model.clock import DAY, Micros, iso
from tui_monitor.model.feed import Sample, is_stale
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.model.text import MAX_TEXT, clean

OPERATIONS: frozenset[str] = frozenset(get_args(Operation))
OPERATION_ALIASES = {
    "embedding": "embeddings",
    "text_completion": "completion",
    "chat_completion": "chat",
    "generate_content": "chat",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "images": "image",
    "image_generation": "image",
}
STATUS_ALIASES = {
    "ok": "success",
    "succeed": "success",
    "succeeded": "success",
    "completed": "success",
    "fail": "error",
    "failed": "error",
    "failure": "error",
    "canceled": "cancelled",
    "pending": "unknown",
}
ENUMERATIONS: Mapping[str, tuple[frozenset[str], Mapping[str, str]]] = {
    "operation": (OPERATIONS, OPERATION_ALIASES),
    "status": (STATUSES, STATUS_ALIASES),
    "cost_status": (COST_STATUSES, {}),
    "error_category": (ERROR_CATEGORIES, {"canceled": "cancelled"}),
}
"""Field → its values, and other spellings that mean one of them."""

EARLIEST: Micros = 946_684_800_000_000
"""2000-01-01: what is older is a wrong unit or a broken clock."""
MAX_COUNT = 10**12
"""Tokens of one call; far above any context, low enough for sums to stay whole."""
_NUMBERS = (float, int)
MAX_LATENCY_MS = 366 * DAY / 1000
"""A year, in ms."""
_STATUS_CATEGORY = {
    401: "auth", 402: "billing", 403: "auth", 404: "not_found", 408: "timeout", 413: "context_length",
    429: "rate_limit", 499: "cancelled", 503: "overloaded", 504: "timeout", 529: "overloaded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was not taken, and why: the reason names the field and its value."""

    reason: str


class Invalid(Exception):
    """A field that cannot be taken; the text is the reason."""


def shown(value: Any) -> str:
    """A value from outside, short and harmless, for a message."""
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list | tuple):
        return "[…]"
    return clean(repr(value[:80] if isinstance(value, str | bytes) else value), 60)


def enumerated(field: str, value: Any) -> str:
    """A value of an enumeration in its canonical spelling."""
    known, aliases = ENUMERATIONS[field]
    name = clean(value).lower() if isinstance(value, str) else None
    name = aliases.get(name, name) if name else None
    if name in known:
        return name
    raise Invalid(f"{field} {shown(value)} is none of {', '.join(sorted(known))}{nearest(value, known)}")


def nearest(value: Any, known: Collection[str]) -> str:
    """`; did you mean …?`, where something is near."""
    near = difflib.get_close_matches(str(value)[:64].lower(), known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def count(field: str, value: Any, highest: int = MAX_COUNT) -> int:
    """A whole number from 0 to `highest`."""
    if type(value) is int:
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    else:
        raise Invalid(f"{field} {shown(value)} is not a whole number")
    if number < 0:
        raise Invalid(f"{field} {number} is negative")
    if number > highest:
        raise Invalid(f"{field} {shown(value)} is larger than {highest}")
    return number


def length_ms(field: str, value: Any) -> float:
    """A length of time in ms."""
    if type(value) is float and 0 <= value <= MAX_LATENCY_MS:
        return value
    number = finite(field, value)
    if number < 0:
        raise Invalid(f"{field} {number:g} is negative")
    if number > MAX_LATENCY_MS:
        raise Invalid(f"{field} {number:g} is longer than a year")
    return number


def finite(field: str, value: Any) -> float:
    """A number that is neither NaN nor infinite."""
    if type(value) not in _NUMBERS:
        raise Invalid(f"{field} {shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise Invalid(f"{field} {shown(value)} is too large") from None
    if not math.isfinite(number):
        raise Invalid(f"{field} is {number}")
    return number


def instant(field: str, value: Any, latest: Micros) -> Micros:
    """A time between 2000 and `latest`, µs UTC."""
    if type(value) is not int:
        raise Invalid(f"{field} {shown(value)} is not a time")
    if value < EARLIEST:
        raise Invalid(f"{field} {_when(value)} is before 2000")
    if value > latest:
        raise Invalid(f"{field} {_when(value)} lies too far in the future")
    return value


def _when(value: Micros) -> str:
    try:
        return iso(value)
    except (OverflowError, ValueError, OSError):
        return shown(value)


def key(field: str, value: Any) -> str:
    """An identity: as it is where it is plain, else a digest of it, so that different ones stay different."""
    if not isinstance(value, str):
        raise Invalid(f"{field} {shown(value)} is not a text")
    if not value or value.isspace():
        raise Invalid(f"{field} is empty")
    if len(value) <= MAX_TEXT and value.isascii() and value.isprintable():
        return value
    return "sha256:" + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def sample_value(name: str, sample: Sample) -> float | NativeHistogram:
    """The value, where it is one of that type of samples. The end of a series goes with every type."""
    value = sample.value
    if isinstance(value, float) and is_stale(value):
        return value
    if isinstance(value, NativeHistogram) != (sample.type == "native_histogram"):
        raise Invalid(
            f"value of {name} is {'no' if sample.type == 'native_histogram' else 'a'} native histogram"
        )
    if isinstance(value, NativeHistogram):
        try:
            value.check()
        except ValueError as error:
            raise Invalid(f"value of {name}: {error}") from None
        return value
    number = finite(f"value of {name}", value)
    if sample.type == "counter" and number < 0:
        raise Invalid(f"value of counter {name} {number:g} is negative")
    return number


def complete(call: Call) -> None:
    """What the HTTP status and the category tell about each other, where a field is unknown."""
    if call.status == "success":
        return
    http = call.http_status
    if call.status == "unknown":
        if call.error_category is not None:
            call.status = "cancelled" if call.error_category == "cancelled" else "error"
        elif http is not None and http >= 200:
            call.status = "success" if http < 400 else "cancelled" if http == 499 else "error"
    if call.status == "error" and call.error_category is None and http is not None and http >= 400:
        fallback = "server" if http >= 500 else "bad_request"
        call.error_category = _STATUS_CATEGORY.get(http, fallback)
