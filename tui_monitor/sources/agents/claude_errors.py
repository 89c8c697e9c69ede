"""What Claude Code writes into a transcript when a call failed: never kept, only understood."""

import re
from typing import Any

from tui_monitor.model.call import ErrorCategory
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.sources.agents.values import items, table

_STATUS = re.compile(r"API Error:?\s*\(?(\d{3})\b")
_TYPE = re.compile(r'"type"\s*:\s*"([a-z_]{3,40}_error)"')
_LIMIT = re.compile(r"usage limit reached(?:\|(\d{9,11}))?", re.IGNORECASE)
_LOOKED_AT = 2_000
"""Characters of a message that are looked at."""

_KINDS: dict[str, ErrorCategory] = {
    "overloaded_error": "overloaded",
    "rate_limit_error": "rate_limit",
    "rate_limit": "rate_limit",
    "api_error": "server",
    "server_error": "server",
    "timeout_error": "timeout",
    "authentication_error": "auth",
    "authentication_failed": "auth",
    "permission_error": "auth",
    "billing_error": "billing",
    "not_found_error": "not_found",
    "request_too_large": "context_length",
    "invalid_request_error": "bad_request",
    "invalid_request": "bad_request",
}
"""Types of errors of the API, and those that newer transcripts name on the line."""
_WORDS: tuple[tuple[str, ErrorCategory], ...] = (
    ("prompt is too long", "context_length"),
    ("credit balance", "billing"),
    ("invalid api key", "auth"),
    ("/login", "auth"),
    ("oauth", "auth"),
    ("limit reached", "rate_limit"),
    ("hit your limit", "rate_limit"),
    ("overloaded", "overloaded"),
    ("aborted", "cancelled"),
    ("timed out", "timeout"),
    ("timeout", "timeout"),
    ("connection", "network"),
    ("fetch failed", "network"),
    ("usage policy", "content_filter"),
)


def message_text(line: Any) -> str:
    """The beginning of what an error line says."""
    content = table(line.get("message")).get("content")
    if isinstance(content, str):
        return content[:_LOOKED_AT]
    texts = (table(part).get("text") for part in items(content))
    return next((text[:_LOOKED_AT] for text in texts if isinstance(text, str)), "")


def understood(line: Any) -> tuple[ErrorCategory, int | None, str | None]:
    """Category, HTTP status and the API's name of the error, as far as the line tells."""
    text = message_text(line)
    status = _STATUS.search(text)
    http = int(status[1]) if status and 400 <= int(status[1]) < 600 else None
    named = line.get("error")
    kinds = [named] if isinstance(named, str) else []
    kinds += _TYPE.findall(text)
    code = next((kind for kind in kinds if kind in _KINDS), None)
    words = text.lower()
    by_words: ErrorCategory | None = next((kind for word, kind in _WORDS if word in words), None)
    category: ErrorCategory | None = _KINDS[code] if code else None
    if category in (None, "bad_request") and by_words is not None:
        category = by_words
    if category is None and http is not None and http >= 500:
        category = "server"
    return category or "other", http, code


def limit_reset(line: Any) -> Micros | None:
    """When a usage limit that was reached ends, where the line says so; µs UTC."""
    found = _LIMIT.search(message_text(line))
    return int(found[1]) * SECOND if found and found[1] else None
