"""The fields of a call by the names people write them with; shared by the feed, JSONL and CSV."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from tui_monitor.model.call import NANO, Call
from tui_monitor.model.providers import canonical
from tui_monitor.recorder.checks import MAX_COUNT, MAX_MONEY, Invalid, count, finite, shown
from tui_monitor.sources.times import parse_time

TEXTS: Mapping[str, str] = {
    "provider": "provider",
    "model": "model_served",
    "model_served": "model_served",
    "model_requested": "model_requested",
    **{
        name: name
        for name in (
            "operation", "status", "error_category", "error_code", "finish_reason", "service_tier",
            "api_base", "region", "agent", "session", "user", "team", "project", "key", "host", "app",
            "environment", "trace_id", "span_id", "parent_span_id", "cost_status",
        )
    },
}  # fmt: skip
"""Written name → field of `Call`."""
TIMES = {"ts": "ts_end", "ts_start": "ts_start", "ts_end": "ts_end"}
NUMBERS = ("latency_ms", "ttft_ms", "queue_wait_ms")
COUNTS = ("http_status", "attempts")
FLAGS = ("stream", "batch")
TOKENS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens",
)  # fmt: skip
MONEY = "cost_usd"
KEYS = ("response_id", "request_id", "call_key", "call_keys")
CALL_FIELDS: tuple[str, ...] = (
    *TEXTS, *TIMES, *NUMBERS, *COUNTS, *FLAGS, *TOKENS, MONEY, *KEYS, "media", "id", "kind", "attrs",
)  # fmt: skip
"""Everything that is not an attribute."""
_KNOWN = frozenset(CALL_FIELDS)
_TOKEN_NAMES = frozenset(TOKENS)
_KEY_NAMES = frozenset((*KEYS, "trace_id"))

Fields = Mapping[str, Any]


def fill(call: Call, fields: Fields, zone: tzinfo | None = None) -> Call:
    """Set a call's fields from written ones; what is `None` or empty stays unknown. Raises `Invalid`."""
    attrs: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None or value == "":
            continue
        if type(value) is str and name in TEXTS:
            setattr(call, TEXTS[name], value)
            continue
        setter = _SETTERS.get(name)
        if setter is not None:
            setter(call, name, value)
        elif name in TIMES:
            setattr(call, TIMES[name], parse_time(name, value, zone))
        elif name not in _KNOWN:
            attrs[name] = value
    if not _TOKEN_NAMES.isdisjoint(fields):
        split_tokens(call, fields)
    if not _KEY_NAMES.isdisjoint(fields):
        _identities(call, fields)
    given = fields.get("attrs")
    if isinstance(given, dict):
        attrs |= given
    call.attrs = attrs
    return call


def split_tokens(call: Call, fields: Fields) -> None:
    """Written tokens to the parts of a call: `input_tokens` holds those read from and written to a cache."""
    total, read, written, long, out, thought = [_tokens(name, fields.get(name)) for name in TOKENS]
    if long is not None and written is None:
        written = long
    if long is not None and written is not None and long > written:
        raise Invalid(f"cache_write_1h_tokens {long} is more than cache_write_tokens {written}")
    if total is not None:
        plain = total - (read or 0) - (written or 0)
        if plain < 0:
            cached = (read or 0) + (written or 0)
            raise Invalid(
                f"input_tokens {total} is less than the {cached} tokens of the cache that it contains"
            )
        call.in_uncached = plain
    call.cache_read = read
    call.cache_write_1h = long
    call.cache_write_5m = None if written is None else written - (long or 0)
    call.out_total = out
    call.reasoning = thought


def _tokens(name: str, value: Any) -> int | None:
    if value is None or (type(value) is int and 0 <= value <= MAX_COUNT):
        return value
    return None if value == "" else count(name, value)


def nano(field: str, value: Any) -> int:
    """Dollars as nano-dollars."""
    amount = finite(field, value)
    if amount < 0:
        raise Invalid(f"{field} {amount:g} is negative")
    if amount * NANO > MAX_MONEY:
        raise Invalid(f"{field} {amount:g} is larger than {MAX_MONEY // NANO} dollars")
    return round(amount * NANO)


def text(field: str, value: Any) -> str:
    """A text, or a number as one; never an object or a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    raise Invalid(f"{field} {shown(value)} is not a text")


def _set_text(call: Call, name: str, value: Any) -> None:
    setattr(call, TEXTS[name], text(name, value))


def _set_number(call: Call, name: str, value: Any) -> None:
    setattr(call, name, finite(name, value))


def _set_count(call: Call, name: str, value: Any) -> None:
    setattr(call, name, count(name, value, MAX_COUNT))


def _set_flag(call: Call, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Invalid(f"{name} {shown(value)} is neither true nor false")
    setattr(call, name, value)


def _set_cost(call: Call, name: str, value: Any) -> None:
    call.cost_reported = nano(name, value)


def _set_media(call: Call, name: str, value: Any) -> None:
    if not isinstance(value, dict) or len(value) > 32:
        raise Invalid(f"{name} {shown(value)} is not an object of counts")
    call.media = {str(unit): count(f"{name}.{unit}", number) for unit, number in value.items()}


_SETTERS: Mapping[str, Callable[[Call, str, Any], None]] = {
    **dict.fromkeys(TEXTS, _set_text),
    **dict.fromkeys(NUMBERS, _set_number),
    **dict.fromkeys(COUNTS, _set_count),
    **dict.fromkeys(FLAGS, _set_flag),
    MONEY: _set_cost,
    "media": _set_media,
}


def _identities(call: Call, fields: Fields) -> None:
    """Identities that other sources may know this call by."""
    listed = fields.get("call_keys")
    given = (*(listed if isinstance(listed, list) else ()), fields.get("call_key"))
    keys = [text("call_key", value) for value in given if value]
    family = canonical(call.provider or "")
    keys += [f"{family}:{text(n, fields[n])}" for n in ("response_id", "request_id") if fields.get(n)]
    if call.trace_id and call.span_id:
        keys.append(f"{call.trace_id}:{call.span_id}")
    call.call_keys = tuple(keys)
