"""What is asked of single calls: tests of labels and numbers, and what puts them together.

A test passes or fails. What a call does not know is an empty label, and a number that passes no test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Number = Literal[
    "input", "cache_read", "cache_write", "output", "reasoning", "cost", "list_cost",
    "latency", "ttft", "queue_wait", "http_status", "attempts",
]  # fmt: skip
"""Tokens, nano-USD, µs for the three latencies; as stored."""


@dataclass(frozen=True, slots=True)
class HasLabel:
    """A label or free attribute whose value passes."""

    label: str
    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class HasNumber:
    """A sum of numbers, as far as they are known, that lies between two others, which pass too."""

    numbers: tuple[Number, ...]
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class All:
    """Every part passes."""

    parts: tuple["Where", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part passes."""

    parts: tuple["Where", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part fails."""

    part: "Where"


Where: TypeAlias = HasLabel | HasNumber | All | Some | Not
EVERY = All(())
"""Passes every call."""


def go_on() -> None:
    """What a reader may ask between pieces of work: this lets it go on."""
