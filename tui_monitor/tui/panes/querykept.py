"""What of the Query pane outlives the window: the queries that were asked, and those that are pinned."""

from dataclasses import dataclass
from typing import Any

from tui_monitor.config import kept, places
from tui_monitor.tui.widgets.recall import REMEMBERED

_LONGEST = 4_000
"""Characters of a query that is remembered; each file stays well below what is read of it."""
MOST_PINS = 12
"""Queries that are pinned at once: each of them asks."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned query, drawn as a chart or listed as a table."""

    text: str
    table: bool = False


def asked_before() -> list[str]:
    """What was asked here, the newest last. Blocks."""
    return _texts(kept.read(places.asked_file()))


def remember_asked(text: str) -> None:
    """Put a query at the end, once. Blocks."""
    if len(text) <= _LONGEST:
        kept.change(
            places.asked_file(),
            lambda known: [*(one for one in _texts(known) if one != text), text][-REMEMBERED:],
        )


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value.strip()]


def pins() -> tuple[Pin, ...]:
    """The pinned queries, the oldest first. Blocks."""
    return _pins(kept.read(places.pinned_file()))


def pin(wanted: Pin) -> bool:
    """Pin a query, or change how one that is pinned is shown; False where it has no room. Blocks."""
    room = len(wanted.text) <= _LONGEST

    def become(values: list[Any]) -> list[Any]:
        nonlocal room
        known = _pins(values)
        there = any(one.text == wanted.text for one in known)
        room = room and (there or len(known) < MOST_PINS)
        if there:
            known = tuple(wanted if one.text == wanted.text else one for one in known)
        elif room:
            known = (*known, wanted)
        return [_written(one) for one in known]

    kept.change(places.pinned_file(), become)
    return room


def unpin(text: str) -> None:
    """Pin a query no longer. Blocks."""
    kept.change(
        places.pinned_file(), lambda values: [_written(one) for one in _pins(values) if one.text != text]
    )


def _written(one: Pin) -> dict[str, Any]:
    return {"query": one.text, "table": one.table}


def _pins(values: list[Any]) -> tuple[Pin, ...]:
    found: dict[str, Pin] = {}
    for value in values:
        text = value.get("query") if isinstance(value, dict) else None
        if isinstance(text, str) and text.strip():
            found.setdefault(text, Pin(text, value.get("table") is True))
    return tuple(found.values())[:MOST_PINS]
