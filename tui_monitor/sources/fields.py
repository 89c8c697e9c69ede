"""The fields of a call by the names people write them with; shared by the feed, JSONL and CSV."""

from collections.abc import Callable, Mapping
from typing import Any

from tui_monitor.model.call import MAX_MONEY, NANO, Call
from tui_monitor.model.providers import canonical
from tui_monitor.recorder.checks import MAX_COUNT, Invalid, count, finite, shown
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
Fields = Mapping[str, Any]


def fill(call: Call, fields: Fields) -> Call:
    """Set a call's fields from written ones; what is `None` or empty stays unknown. Raises `Invalid`."""
    attrs: dict[str, Any] = {}
    counted = keyed = False
    texts, setters = TEXTS, _SETTERS
    for name, value in fields.items():
        if value is None or value == "":
            continue
        if type(value) is str:
            field = texts.get(name)
            if field is not None:
                setattr(call, field, value)
                continue
        setter = setters.get(name)
        if setter is None:
            attrs[name] = value
        elif setter is _count_later:
            counted = True
        elif setter is _identify_later:
            keyed = True
        else:
            setter(call, name, value)
    if counted:
        split_tokens(call, fields)
    if keyed or call.trace_id is not None:
        _identities(call, fields)
    given = fields.get("attrs")
    if isinstance(given, dict):
        attrs |= given
    call.attrs = attrs
    return call


def split_tokens(call: Call, fields: Fields) -> None:
    """Written tokens to the parts of a call: `input_tokens` holds those read from and written to a cache."""
    given = [*map(fields.get, TOKENS)]
    for at, value in enumerate(given):
        if value is not None and (type(value) is not int or not 0 <= value <= MAX_COUNT):
            given[at] = None if value == "" else count(TOKENS[at], value)
    total, read, written, long, out, thought = given
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
    # Whether it is finite and no longer than a year is checked with all other fields.
    setattr(call, name, value if type(value) is float else finite(name, value))


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


def _set_time(call: Call, name: str, value: Any) -> None:
    setattr(call, TIMES[name], parse_time(name, value))


def _count_later(call: Call, name: str, value: Any) -> None:
    """Tokens mean something together only: see `split_tokens`."""


def _identify_later(call: Call, name: str, value: Any) -> None:
    """What a key means depends on the provider: see `_identities`."""


def _leave(call: Call, name: str, value: Any) -> None:
    """Read elsewhere."""


_SETTERS: Mapping[str, Callable[[Call, str, Any], None]] = {
    **dict.fromkeys(TEXTS, _set_text),
    **dict.fromkeys(TIMES, _set_time),
    **dict.fromkeys(NUMBERS, _set_number),
    **dict.fromkeys(COUNTS, _set_count),
    **dict.fromkeys(FLAGS, _set_flag),
    **dict.fromkeys(TOKENS, _count_later),
    **dict.fromkeys(KEYS, _identify_later),
    **dict.fromkeys(("id", "kind", "attrs"), _leave),
    MONEY: _set_cost,
    "media": _set_media,
}
"""Everything that is not an attribute."""


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
