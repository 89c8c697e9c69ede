"""A call by the names people write: what `fields.fill` reads, the other way round."""

from typing import Any

from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import iso
from tui_monitor.sources import fields

_PLAIN = (
    "model_requested", "operation", "status", "error_category", "error_code", "http_status", "finish_reason",
    "latency_ms", "ttft_ms", "queue_wait_ms", "attempts", "stream", "batch", "service_tier", "api_base",
    "region", "agent", "session", "user", "team", "project", "key", "host", "app", "environment", "trace_id",
    "span_id", "parent_span_id", "cost_status",
)  # fmt: skip
COLUMNS: tuple[str, ...] = (
    "id", "origin", "ts_start", "ts_end", "provider", "model", *fields.TOKENS, fields.MONEY, "list_cost_usd",
    "price_source", "price_version", *_PLAIN, "call_keys", "media", "attrs",
)  # fmt: skip
"""Every name that `written` gives, in order. `origin` is the source; money is exact, in dollars."""


def written(call: Call) -> dict[str, Any]:
    """The call as a flat object; `None` is unknown. `input_tokens` holds those of the cache too."""
    return {
        "id": call.source_key,
        "origin": call.source,
        "ts_start": _time(call.ts_start),
        "ts_end": _time(call.ts_end),
        "provider": call.provider,
        "model": call.model_served,
        "input_tokens": call.total_in,
        "cache_read_tokens": call.cache_read,
        "cache_write_tokens": _sum(call.cache_write_5m, call.cache_write_1h),
        "cache_write_1h_tokens": call.cache_write_1h,
        "output_tokens": call.out_total,
        "reasoning_tokens": call.reasoning,
        fields.MONEY: _dollars(call.cost),
        "list_cost_usd": _dollars(call.list_cost),
        "price_source": call.price_source,
        "price_version": call.price_version,
        **{name: getattr(call, name) for name in _PLAIN},
        "call_keys": list(call.call_keys) or None,
        "media": call.media,
        "attrs": call.attrs or None,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else iso(at)


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _dollars(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO
