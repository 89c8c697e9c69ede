"""Instatus: summary.json."""

from collections.abc import Sequence

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
)

_PAGE = {"UP": OPERATIONAL, "HASISSUES": DEGRADED, "UNDERMAINTENANCE": MAINTENANCE}
_IMPACT = {
    "OPERATIONAL": OPERATIONAL,
    "DEGRADEDPERFORMANCE": DEGRADED,
    "MINOROUTAGE": DEGRADED,
    "PARTIALOUTAGE": PARTIAL,
    "MAJOROUTAGE": MAJOR,
    "UNDERMAINTENANCE": MAINTENANCE,
}


def read(summary: object, patterns: Sequence[str]) -> Word:
    """The word of summary.json. With patterns, incidents count by their titles. Raises `Unreadable`."""
    page = summary.get("page") if isinstance(summary, dict) else None
    status = text(page.get("status")).upper() if isinstance(page, dict) else ""
    if status not in _PAGE:
        raise Unreadable("no page status in it")
    found = [
        Incident(
            _IMPACT.get(text(item.get("impact")).upper(), DEGRADED),
            text(item.get("name")),
            text(item.get("url")),
        )
        for item in objects(summary, "activeIncidents")
        if text(item.get("status")).upper() != "RESOLVED"
    ]
    fitting = [incident for incident in found if matches(incident.title, patterns)]
    if patterns and fitting:
        return word(OPERATIONAL, fitting, {}, False)
    # The page tells no components, so what is wrong with it may be wrong with them.
    return word(_PAGE[status], found, {}, bool(patterns))
