"""Text from outside: made harmless before it is stored or shown."""

import re
from typing import Any

MAX_TEXT = 256
"""Characters kept of one name or label value."""

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ZERO_WIDTH = "\u200b\u2060\ufeff"
# C0 and DEL, C1, line and paragraph separators, bidi controls, zero-width characters, surrogates.
_UNSAFE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}{_ZERO_WIDTH}\ud800-\udfff]")
# The same without tab and line feed, which texts of more than one line have.
_CONTROLS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}{_ZERO_WIDTH}\ud800-\udfff]")
_SPACES = re.compile("[\t\n\r\x0b\x0c\u2028\u2029]+")


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """The text without control, bidi or zero-width characters and outer spaces, cut to `limit` characters.

    White-space controls become one space. A cut text ends in an ellipsis, so that it is visible as cut.
    """
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text.strip()
    # A 10 MB string must not be scanned whole to keep 256 characters of it.
    text = text[: limit * 4]
    text = _UNSAFE.sub("", _SPACES.sub(" ", text)).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_or_none(text: str | None, limit: int = MAX_TEXT) -> str | None:
    """`clean`, with an empty result as unknown."""
    if text is None:
        return None
    return clean(text, limit) or None


def without_controls(data: Any) -> Any:
    """What was read from JSON, with names and texts as `clean` has them, but whole, and with their lines."""
    if isinstance(data, str):
        return _CONTROLS.sub("", data)
    if isinstance(data, list):
        return [without_controls(one) for one in data]
    if isinstance(data, dict):
        return {without_controls(name): without_controls(one) for name, one in data.items()}
    return data
