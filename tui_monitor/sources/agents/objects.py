"""JSON objects out of lines that somebody wrote in a hurry: cut, glued together, or with half a character."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tui_monitor.sources.agents.api import Block

_TRIES = 200
"""Places in a broken line at which another object may begin."""
_CUT = "a line is cut off or no JSON object"
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
    return (found, None) if isinstance(found, dict) else (None, _CUT)


def _broken(line: bytes, wanted: Callable[[Object], bool]) -> tuple[Object | None, str | None]:
    try:
        # Half a pair of surrogates, or bytes that are no UTF-8, are in what was said, not in the figures.
        found = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        pass
    else:
        return (found, None) if isinstance(found, dict) else (None, _CUT)
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
    return None, _CUT


def misshapen(block: Block) -> list[tuple[int, str]]:
    """Lines that cannot be JSON objects by their first or last character: (offset, reason).

    Counting characters is quick, so nothing is parsed to find that all is well.
    """
    data = block.data
    ends = data.count(b"\n") + (not data.endswith(b"\n"))
    opened = data.count(b"\n{") + data.startswith(b"{")
    closed = data.count(b"}\n") + data.endswith(b"}")
    if opened == ends == closed:
        return []
    found: list[tuple[int, str]] = []
    for offset, line in block.lines():
        line = line.strip()
        if not (line.startswith(b"{") and line.endswith(b"}")):
            found.append((offset, _CUT))
    return found
