"""Google's incidents.json: all incidents of years, of which the open ones count."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urljoin

from tui_monitor.model.clock import Micros, from_datetime
from tui_monitor.sources.status_pages.rss import moment
from tui_monitor.sources.status_pages.word import (
    DEGRADED,
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

_IMPACT = {"SERVICE_INFORMATION": OPERATIONAL, "SERVICE_DISRUPTION": PARTIAL, "SERVICE_OUTAGE": MAJOR}


def read(incidents: object, patterns: Sequence[str], base: str, now: Micros) -> Word:
    """The word of the list at `now` (µs UTC). Raises `Unreadable`."""
    if not isinstance(incidents, list):
        raise Unreadable("no list of incidents")
    if incidents and not any(isinstance(item, dict) and "begin" in item for item in incidents):
        raise Unreadable("its items are no incidents")
    found = [
        Incident(
            _IMPACT.get(text(item.get("status_impact")), DEGRADED),
            text(item.get("external_desc")),
            urljoin(base, text(item.get("uri"))),
        )
        for item in incidents
        if isinstance(item, dict) and _open(item, now) and _concerns(item, patterns)
    ]
    return word(OPERATIONAL, found, {}, False)


def _open(item: dict[str, Any], now: Micros) -> bool:
    end = moment(text(item.get("end")))
    return not item.get("end") or (end is not None and from_datetime(end) > now)


def _concerns(item: dict[str, Any], patterns: Sequence[str]) -> bool:
    return not patterns or any(matches(name, patterns) for name in _names(item))


def _names(item: dict[str, Any]) -> Iterator[object]:
    yield item.get("service_name")
    for product in objects(item, "affected_products"):
        yield product.get("title")
