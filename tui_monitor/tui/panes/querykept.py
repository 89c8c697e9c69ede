"""What of the Query pane outlives the window: the queries that were asked."""

from typing import Any

from tui_monitor.config import kept, places
from tui_monitor.tui.widgets.recall import REMEMBERED

_LONGEST = 4_000
"""Characters of a query that is remembered; each file stays well below what is read of it."""


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
