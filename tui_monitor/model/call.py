"""The call: one row per model call, from whatever source."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, get_args

from tui_monitor.model.clock import Micros

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""
MAX_MONEY = 10_000 * NANO
"""Nano-dollars of one call; the sum of 900,000 such calls still fits into 64 bits."""

Status = Literal["success", "error", "cancelled", "unknown"]
CostStatus = Literal["reported", "computed", "unpriced", "free", "subscription"]
ErrorCategory = Literal[
    "auth", "billing", "rate_limit", "overloaded", "server", "timeout", "network",
    "context_length", "content_filter", "not_found", "bad_request", "cancelled", "other",
]  # fmt: skip
Operation = Literal[
    "chat", "embeddings", "completion", "rerank", "search", "tool", "agent", "processing", "image"
]

STATUSES: frozenset[str] = frozenset(get_args(Status))
COST_STATUSES: frozenset[str] = frozenset(get_args(CostStatus))
ERROR_CATEGORIES: frozenset[str] = frozenset(get_args(ErrorCategory))

PROVIDER_ERRORS: frozenset[str] = frozenset({"overloaded", "server", "timeout", "network"})
"""Categories that are the provider's illness."""
OUR_ERRORS: frozenset[str] = frozenset({"auth", "billing", "rate_limit", "not_found", "bad_request"})
"""Categories that are ours, and so no sign of the provider's health."""

DIMENSIONS: tuple[str, ...] = (
    "provider", "model", "operation", "status", "error_category",
    "user", "project", "team", "key", "agent", "host", "app",
)  # fmt: skip
"""Labels that hour and day roll-ups are keyed by; `model` is the served one."""
FINE_DIMENSIONS: tuple[str, ...] = DIMENSIONS[:5]
"""Labels that minute roll-ups are keyed by."""
RAW_DIMENSIONS: tuple[str, ...] = (
    "model_requested", "api_base", "region", "environment", "session", "source", "service_tier",
    "finish_reason", "error_code", "cost_status", "batch_id", "price_source", "price_version",
    "source_key", "trace_id", "span_id", "parent_span_id", "http_status", "attempts", "stream", "batch",
)  # fmt: skip
"""Labels that only the raw calls know, besides free attributes."""


def identity_of(source: str, source_key: str) -> int:
    """What a source calls one of its calls, as 64 bits with a sign."""
    text = f"s\x00{source}\x00{source_key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


@dataclass(slots=True)
class Call:
    """One model call. `None` is unknown and never 0.

    Times are µs UTC, money nano-USD, latencies ms. `out_total` contains `reasoning`; the four input
    fields do not overlap, their sum is all input. At least one of `ts_start`, `ts_end` is set.
    """

    source: str
    source_key: str
    ts_start: Micros | None = None
    ts_end: Micros | None = None
    call_keys: tuple[str, ...] = ()
    """Identities that other sources may know too: response id, request id, `trace:span`."""

    provider: str | None = None
    api_base: str | None = None
    region: str | None = None
    model_requested: str | None = None
    model_served: str | None = None
    operation: str = "chat"

    in_uncached: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    out_total: int | None = None
    reasoning: int | None = None
    media: dict[str, Any] | None = None

    cost_reported: int | None = None
    cost_computed: int | None = None
    list_cost: int | None = None
    """What the call costs by list price, whether or not anybody pays it."""
    cost: int | None = None
    """What counts as spend: set on the write path from the fields above and `cost_status`."""
    cost_status: str = "unpriced"
    tier_estimated: bool = False
    model_guessed: bool = False
    price_source: str | None = None
    price_version: str | None = None

    status: str = "unknown"
    error_category: str | None = None
    http_status: int | None = None
    error_code: str | None = None
    finish_reason: str | None = None

    latency_ms: float | None = None
    ttft_ms: float | None = None
    queue_wait_ms: float | None = None
    attempts: int | None = None
    stream: bool | None = None
    service_tier: str | None = None
    batch: bool | None = None

    agent: str | None = None
    session: str | None = None
    user: str | None = None
    team: str | None = None
    project: str | None = None
    key: str | None = None
    host: str | None = None
    app: str | None = None
    environment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None

    batch_id: str | None = None
    """Which import brought it."""
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """16 hexadecimal digits that stand for its source and its key there; the same wherever it is kept."""
        return f"{identity_of(self.source, self.source_key) & 0xFFFF_FFFF_FFFF_FFFF:016x}"

    @property
    def booked(self) -> Micros:
        """When it counts: its end, or its start where the end is unknown."""
        instant = self.ts_end if self.ts_end is not None else self.ts_start
        assert instant is not None, "a call has a start or an end"
        return instant

    @property
    def model(self) -> str | None:
        """The model that answered, or the one asked for where that is all we know."""
        return self.model_served or self.model_requested

    @property
    def total_in(self) -> int | None:
        """All input tokens, cached or not; unknown only if every part is."""
        parts = (self.in_uncached, self.cache_read, self.cache_write_5m, self.cache_write_1h)
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all kinds; unknown only if both are."""
        if self.total_in is None and self.out_total is None:
            return None
        return (self.total_in or 0) + (self.out_total or 0)
