"""Better Stack: index.json, in the form of JSON:API."""

from collections.abc import Sequence

from tui_monitor.model.clock import Micros, from_datetime
from tui_monitor.sources.status_pages.rss import moment
from tui_monitor.sources.status_pages.word import (
    DEGRADED,
    MAINTENANCE,
    MAJOR,
    OPERATIONAL,
    Incident,
    Unreadable,
    Word,
    matches,
    objects,
    text,
    word,
    worst,
)

_STATE = {
    "operational": OPERATIONAL,
    "degraded": DEGRADED,
    "downtime": MAJOR,
    "maintenance": MAINTENANCE,
    "resolved": OPERATIONAL,
}


def read(page: object, patterns: Sequence[str], base: str, now: Micros) -> Word:
    """The word of index.json at `now` (µs UTC). Raises `Unreadable`."""
    data = page.get("data") if isinstance(page, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    state = text(attributes.get("aggregate_state")) if isinstance(attributes, dict) else ""
    if state not in _STATE:
        raise Unreadable("no aggregate_state in it")
    known: dict[str, int] = {}
    incidents: list[Incident] = []
    for item in objects(page, "included"):
        about = item.get("attributes")
        if not isinstance(about, dict):
            continue
        if item.get("type") == "status_page_resource" and matches(about.get("public_name"), patterns):
            status = _STATE.get(text(about.get("status")))
            if status is not None:
                known[text(about["public_name"])] = status
        elif item.get("type") == "status_report" and _open(about, now):
            level = _STATE.get(text(about.get("aggregate_state")), DEGRADED)
            incidents.append(Incident(level, text(about.get("title")), base))
    if known:
        level = worst(known.values())
        concerned = [one for one in incidents if level != OPERATIONAL or matches(one.title, patterns)]
        return word(level, concerned, known, False)
    return word(_STATE[state], incidents, {}, bool(patterns))


def _open(report: dict[str, object], now: Micros) -> bool:
    starts, ends = moment(text(report.get("starts_at"))), moment(text(report.get("ends_at")))
    begun = starts is None or from_datetime(starts) <= now
    return begun and (ends is None or from_datetime(ends) > now)
