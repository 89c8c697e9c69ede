"""What a filter can ask of a call: numbers with their units, and texts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tui_monitor.model.call import COST_STATUSES, DIMENSIONS, ERROR_CATEGORIES, RAW_DIMENSIONS, STATUSES, Call
from tui_monitor.query.filters.ast import Node, tests_of
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, METRICS, Kind
from tui_monitor.store.where import Number


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a call has, or the sum of some."""

    name: str
    help: str
    unit: str
    numbers: tuple[Number, ...]
    stored: int = 1
    """How many of what is stored make one of the unit: 1,000 µs are a millisecond."""


_STORED: dict[str, Number] = {
    "input": "input", "output": "output", "reasoning": "reasoning", "cache_read": "cache_read",
    "cache_write": "cache_write", "cost": "cost", "list_cost": "list_cost", "latency": "latency",
    "ttft": "ttft", "queue_wait": "queue_wait",
}  # fmt: skip
"""Measures of the metrics that single calls have, and what they are called there."""
_ALSO: Mapping[str, str] = {
    "latency_ms": "latency", "ttft_ms": "ttft", "queue_wait_ms": "queue_wait", "cost_usd": "cost",
    "list_cost_usd": "list_cost",
}  # fmt: skip
"""Names of the event feed, and the metrics' names."""


def _quantities() -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for metric in METRICS:
        if metric.source == "calls" and metric.kind in (Kind.AMOUNT, Kind.LATENCY):
            numbers: tuple[Number, ...] = tuple(_STORED[measure] for measure in metric.sum.measures)
            quantity = Quantity(metric.name, metric.help, metric.unit, numbers, metric.divisor)
            found |= {name: quantity for name in (metric.name, metric.long) if name}
    found |= {name: found[other] for name, other in _ALSO.items()}
    found["http_status"] = Quantity("http_status", "HTTP status of the answer", "", ("http_status",))
    found["attempts"] = Quantity("attempts", "how often it was tried", "", ("attempts",))
    return found


QUANTITIES: Mapping[str, Quantity] = _quantities()
"""Numbers by all their names."""
OFFERED: tuple[Quantity, ...] = tuple(dict.fromkeys(QUANTITIES.values()))
"""Each once."""
TEXTS: tuple[str, ...] = tuple(name for name in (*DIMENSIONS, *RAW_DIMENSIONS) if name not in QUANTITIES)
"""Texts that calls may have, besides free attributes."""
ATTRIBUTES: frozenset[str] = frozenset((
    "document_id", "document_name", "file_type", "size_bytes", "folder", "chunk_count",
    "embedding_dimensions", "result_count", "avg_similarity", "top_similarity", "search_strategy",
))  # fmt: skip
"""Free attributes that are known before the first call with one."""
MEANINGS: Mapping[str, str] = {
    "provider": "who served it", "model": "the model that answered", "operation": "chat, embeddings …",
    "status": "how it ended", "error_category": "why it failed", "user": "who asked",
    "project": "what it was for", "team": "whose it was", "key": "a short name of the API key",
    "agent": "the agent that asked", "host": "the machine that asked", "app": "the application that sent it",
    "model_requested": "the model that was asked for", "api_base": "the address that was asked",
    "region": "where it was served", "environment": "production, staging …", "session": "id of its session",
    "source": "the way in it came by", "service_tier": "the tier it was served in",
    "finish_reason": "why the answer ended", "error_code": "the provider's code of the error",
    "cost_status": "where its cost is from", "batch_id": "id of its import or batch",
    "price_source": "list its price is from", "price_version": "version of that price list",
    "source_key": "its id at the way in", "trace_id": "id of its trace", "span_id": "id of its span",
    "parent_span_id": "id of the span around it", "stream": "true if the answer was streamed",
    "batch": "true if asked in a batch", "document_id": "id of the document",
    "document_name": "name of the document", "file_type": "kind of file", "size_bytes": "size in bytes",
    "folder": "folder of the document", "chunk_count": "number of chunks",
    "embedding_dimensions": "length of the embedding", "result_count": "number of results",
    "avg_similarity": "mean similarity of the results", "top_similarity": "similarity of the best result",
    "search_strategy": "how it was searched",
}  # fmt: skip
"""What the texts and the known attributes say, in short."""
CLOSED: Mapping[str, frozenset[str]] = {
    "status": STATUSES, "error_category": ERROR_CATEGORIES, "cost_status": COST_STATUSES,
    "stream": frozenset(("true", "false")), "batch": frozenset(("true", "false")),
}  # fmt: skip
"""Texts that have one of a few values, or none."""


def label_of(name: str) -> str:
    """The label of a name: some have another one."""
    return LABEL_ALIASES.get(name, name)


def is_field(name: str) -> bool:
    """Whether every call may have it, or it is an attribute that is known from the start."""
    return name in QUANTITIES or label_of(name) in TEXTS or name in ATTRIBUTES


def is_field_only(name: str) -> bool:
    """Whether it is a field and no metric."""
    return is_field(name) and name not in BY_NAME


def texts_of(node: Node) -> list[str]:
    """Labels and attributes that a filter names, each once."""
    names = (label_of(test.name) for test in tests_of(node) if test.name not in QUANTITIES)
    return list(dict.fromkeys(names))


def text_of(call: Call, label: str) -> str:
    """A label or free attribute of a call as a text; empty where it has none."""
    value = getattr(call, label, None) if label in TEXTS else call.attrs.get(label)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def known_names(attributes: Collection[str]) -> list[str]:
    """All names that may be asked for, with the free attributes that calls have had."""
    return list(dict.fromkeys([*QUANTITIES, *TEXTS, *LABEL_ALIASES, *sorted(ATTRIBUTES), *attributes]))
