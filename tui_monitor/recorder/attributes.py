"""Free attributes of a call: cleaned, flattened and bounded; never the text of a prompt or an answer."""

from typing import Any

import orjson

from tui_monitor.model.text import clean
from tui_monitor.recorder.checks import MAX_COUNT, Invalid, count, finite

MAX_ATTRIBUTES = 64
MAX_NAME = 64
MAX_JSON = 1024
"""Characters kept of a list or a deeply nested object."""
_DEPTH = 4

CONTENT = frozenset({
    "prompt", "prompts", "messages", "message", "input", "inputs", "output", "outputs", "completion",
    "completions", "response", "content", "text", "system", "system_prompt", "system_instructions",
    "tools", "choices", "question", "answer",
})  # fmt: skip
"""Names under which people send what was said; dropped, unless it is a mere number."""
COUNTS = frozenset({"size_bytes", "chunk_count", "embedding_dimensions", "result_count"})
NUMBERS = frozenset({"avg_similarity", "top_similarity"})
TEXTS = frozenset({"document_id", "document_name", "file_type", "folder", "search_strategy"})
"""Attributes with a type of their own."""


def prepare_attributes(attrs: dict[str, Any]) -> dict[str, Any]:
    """The attributes as they are stored. Raises `Invalid` for a known one of the wrong type."""
    kept: dict[str, Any] = {}
    _flatten("", attrs, kept, 0)
    return kept


def _flatten(prefix: str, attrs: dict[Any, Any], kept: dict[str, Any], depth: int) -> None:
    for raw, value in attrs.items():
        if value is None or len(kept) >= MAX_ATTRIBUTES:
            continue
        name = prefix + clean(str(raw), MAX_NAME)
        if not name or len(name) > MAX_NAME:
            continue
        if isinstance(value, dict) and depth < _DEPTH and name not in CONTENT:
            _flatten(f"{name}.", value, kept, depth + 1)
            continue
        value = _value(name, value)
        if value is not None:
            kept[name] = value


def _value(name: str, value: Any) -> Any:
    if name in COUNTS:
        return count(name, value, MAX_COUNT * 1000)
    if name in NUMBERS:
        return finite(name, value)
    if isinstance(value, str):
        return None if name in CONTENT else clean(value) or None
    if isinstance(value, bool | int | float):
        if name in TEXTS:
            return str(value)
        # What does not fit the database's integers, and NaN, is no number anybody can use.
        return value if isinstance(value, bool) or abs(value) < 1 << 63 else None
    return None if name in CONTENT else _dumped(name, value)


def _dumped(name: str, value: Any) -> str | None:
    try:
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (orjson.JSONEncodeError, UnicodeDecodeError):
        raise Invalid(f"{name} cannot be written as JSON") from None
    return clean(text, MAX_JSON)
