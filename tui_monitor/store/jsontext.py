"""JSON as it is stored: compact, with sorted keys, so that equal values are equal texts."""

import json
from typing import Any

import orjson


def to_json(value: Any) -> str:
    """The value as JSON; what has no JSON form stands as text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(value, default=str, sort_keys=True, separators=(",", ":"))
