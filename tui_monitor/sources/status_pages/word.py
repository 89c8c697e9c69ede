"""What a status page says at one moment, and the helpers that its readers share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OPERATIONAL, DEGRADED, PARTIAL, MAJOR, MAINTENANCE = 0, 1, 2, 3, -1
MOST = 20
"""Components and incidents of one page that are kept."""


class Unreadable(Exception):
    """What came is no status page of that format: its word is unknown, neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a page says of a provider: a level, and the incident behind it."""

    level: int
    title: str = ""
    """The incident; empty where there is none."""
    url: str = ""
    components: Mapping[str, int] = field(default_factory=dict)
    """Those that matter, with their levels."""
    drift: bool = False
    """Whether none of the components that matter was found, so that the level is the whole page's."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One that is open."""

    level: int
    title: str
    url: str = ""


def matches(name: object, patterns: Sequence[str]) -> bool:
    """Whether a name holds one of these texts, whatever the case."""
    return isinstance(name, str) and any(pattern.lower() in name.lower() for pattern in patterns)


def worst(levels: Iterable[int]) -> int:
    """The worst level; maintenance is better than trouble and worse than none."""
    order = (OPERATIONAL, MAINTENANCE, DEGRADED, PARTIAL, MAJOR)
    return max(levels, key=order.index, default=OPERATIONAL)


def word(level: int, incidents: Sequence[Incident], components: Mapping[str, int], drift: bool) -> Word:
    """A page's word; the worst incident gives the title, and no level is better than its incidents'."""
    level = worst((level, *(incident.level for incident in incidents)))
    first = max(incidents, key=lambda incident: incident.level, default=None)
    kept = dict(list(components.items())[:MOST])
    return Word(level, first.title if first else "", first.url if first else "", kept, drift)


def objects(holder: object, name: str) -> list[dict[str, Any]]:
    """The objects of a list in an object; raises `Unreadable` where it is something else."""
    if not isinstance(holder, dict):
        raise Unreadable("not an object")
    found = holder.get(name) or []
    if not isinstance(found, list):
        raise Unreadable(f"{name} is no list")
    return [item for item in found if isinstance(item, dict)]


def text(value: object) -> str:
    """A text, or nothing."""
    return value if isinstance(value, str) else ""
