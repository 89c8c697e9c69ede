"""Statuspage v2, and what imitates it (incident.io)."""

from collections.abc import Mapping, Sequence
from typing import Any

from tui_monitor.sources.status_pages.word import (
    DEGRADED,
    MAINTENANCE,
    MAJOR,
    OPERATIONAL,
    PARTIAL,
    Incident,
    Unreadable,
    Word,
    matches,
    objects,
    text,
    word,
    worst,
)

_COMPONENT = {
    "operational": OPERATIONAL,
    "degraded_performance": DEGRADED,
    "partial_outage": PARTIAL,
    "major_outage": MAJOR,
    "full_outage": MAJOR,
    "under_maintenance": MAINTENANCE,
}
_IMPACT = {"none": OPERATIONAL, "minor": DEGRADED, "major": PARTIAL, "critical": MAJOR}
_INDICATOR = {**_IMPACT, "maintenance": MAINTENANCE}
_OVER = frozenset({"resolved", "postmortem", "completed"})


def lacks(summary: object, patterns: Sequence[str]) -> bool:
    """Whether a summary tells none of the components that matter, so that their own list is worth asking."""
    return bool(patterns) and not _components(summary, patterns)


def read(summary: object, components: object | None, patterns: Sequence[str]) -> Word:
    """The word of summary.json, with components.json where it was asked for. Raises `Unreadable`."""
    if not isinstance(summary, dict) or not isinstance(summary.get("status"), dict):
        raise Unreadable("no status in it")
    indicator = text(summary["status"].get("indicator")).lower()
    if indicator not in _INDICATOR:
        raise Unreadable("no indicator in it")
    known = _components(summary, patterns) or (_components(components, patterns) if components else {})
    drift = bool(patterns) and not known
    level = worst(known.values()) if known else _INDICATOR[indicator]
    return word(level, _incidents(summary, patterns, drift), known if patterns else {}, drift)


def _components(holder: object, patterns: Sequence[str]) -> Mapping[str, int]:
    """Components that matter by their names; groups only sum up others."""
    found: dict[str, int] = {}
    for item in objects(holder, "components"):
        status = _COMPONENT.get(text(item.get("status")).lower())
        if status is not None and not item.get("group") and matches(item.get("name"), patterns):
            found[text(item["name"])] = worst((status, found.get(text(item["name"]), OPERATIONAL)))
    return found


def _incidents(summary: dict[str, Any], patterns: Sequence[str], drift: bool) -> list[Incident]:
    """Open incidents that concern these components; one that names none counts by its title."""
    found = []
    for item in objects(summary, "incidents"):
        if text(item.get("status")).lower() in _OVER:
            continue
        names = [text(component.get("name")) for component in objects(item, "components")]
        about = names or [text(item.get("name"))]
        if patterns and not drift and not any(matches(name, patterns) for name in about):
            continue
        level = _IMPACT.get(text(item.get("impact")).lower(), DEGRADED)
        found.append(Incident(level, text(item.get("name")), text(item.get("shortlink"))))
    return found
