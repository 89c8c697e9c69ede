"""JSON objects out of lines that somebody wrote in a hurry: cut, glued together, or with half a character."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson

_TRIES = 200
"""Places in a broken line at which another object may begin."""
CUT = "a line is cut off or no JSON object"
_GLUED = "a line is cut off, and the next one follows on it; that one is read"

Object = Mapping[str, Any]


def load(line: bytes, wanted: Callable[[Object], bool]) -> tuple[Object | None, str | None]:
    """The object of a line, and what is wrong with the line.

    Where a line was cut off and another one written behind it, the latter is the object if it is `wanted`.
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _broken(line, wanted)
    return (found, None) if isinstance(found, dict) else (None, CUT)


def _broken(line: bytes, wanted: Callable[[Object], bool]) -> tuple[Object | None, str | None]:
    try:
        # Half a pair of surrogates, or bytes that are no UTF-8, are in what was said, not in the figures.
        found = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        pass
    else:
        return (found, None) if isinstance(found, dict) else (None, CUT)
    at = 0
    for _ in range(_TRIES):
        at = line.find(b'{"', at + 1)
        if at < 0:
            break
        try:
            found = orjson.loads(memoryview(line)[at:])
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict) and wanted(found):
            return found, _GLUED
    return None, CUT


def misshapen(line: bytes) -> str | None:
    """Why a line cannot be a JSON object, by its first and last character; nothing is parsed for that."""
    if line[:1] == b"{" and line[-1:] == b"}":
        return None
    line = line.strip()
    return None if line.startswith(b"{") and line.endswith(b"}") else CUT
