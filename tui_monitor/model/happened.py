"""What happened lately, as the event log tells it; plain data."""

from dataclasses import dataclass
from typing import Any

from tui_monitor.model.clock import Micros


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something that happened."""

    id: int
    """Grows from event to event."""
    ts: Micros
    """When it happened."""
    event: str
    """Its name."""
    data: dict[str, Any]
    """What it says."""
    merged: int = 1
    """How many events it stands for."""


@dataclass(frozen=True, slots=True)
class Happened:
    """The newest events of the names that were asked for."""

    run: str = ""
    """The run of the collector whose ids these are; empty where no collector answers."""
    events: tuple[FeedEvent, ...] = ()
    """The newest first."""
    more: bool = False
    """Whether older ones are known."""
