"""The newest word on every rate limit, and on everything that reports its progress."""

import math
from contextlib import suppress

from tui_monitor.health.views import Progress, RateLimit
from tui_monitor.model.clock import DAY, HOUR, SECOND, Micros
from tui_monitor.model.feed import Event
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Reader

_LIMIT_KEPT = DAY
_PROGRESS_KEPT = HOUR
_ENDED_KEPT = DAY
_LONGEST_RESET_S = 400 * DAY / SECOND
"""What is said to be further off is a mistake of who said it; an infinite one has no time at all."""
_LOOKED_THROUGH = 2_000
"""Events that are read for the limits of one moment."""
_ENDED = frozenset({"completed", "complete", "done", "failed", "cancelled", "finished"})


def rate_limits(reader: Reader, now: Micros) -> tuple[RateLimit, ...]:
    """The newest state of each limit in the last day: denied ones first, then the fullest.

    One key has a limit of each type at each provider.
    """
    limits = [
        _limit(event)
        for event in reader.latest_event("rate_limit", "key", "limit_type", "provider")
        if _recent(event, now, _LIMIT_KEPT)
    ]
    return tuple(
        sorted(
            limits,
            key=lambda limit: (
                limit.result != "denied", left(limit), limit.key, limit.limit_type, limit.provider
            ),
        )
    )  # fmt: skip


def limits_at(reader: Reader, span: Span) -> list[RateLimit]:
    """The newest state in the span of each limit that names its provider."""
    found: dict[tuple[str, str, str], RateLimit] = {}
    for event in reader.events("rate_limit", span, _LOOKED_THROUGH):
        if event.labels.get("provider"):
            limit = _limit(event)
            found[limit.key, limit.limit_type, limit.provider] = limit
    return list(found.values())


def progress(reader: Reader, now: Micros) -> tuple[Progress, ...]:
    """What is under way: heard of in the last hour and not ended; the newest first."""
    return tuple(item for item in _told(reader, now, _PROGRESS_KEPT) if not item.over)


def finished(reader: Reader, now: Micros) -> tuple[Progress, ...]:
    """What ended in the last day, the newest first."""
    return tuple(item for item in _told(reader, now, _ENDED_KEPT) if item.over)


def _told(reader: Reader, now: Micros, kept: Micros) -> list[Progress]:
    """The newest word on everything that reported its progress lately, the newest first."""
    found = []
    for event in reader.latest_event("progress", "name"):
        state = event.labels.get("state", "")
        total = _number(event.labels.get("total"))
        done = event.value or 0.0
        over = state.lower() in _ENDED or (total is not None and done >= total)
        if _recent(event, now, kept):
            unit = event.labels.get("unit", "")
            found.append(Progress(event.name, done, total, unit, state, event.ts, over))
    return sorted(found, key=lambda item: (-item.at, item.name))


def _limit(event: Event) -> RateLimit:
    labels = event.labels
    reset_s = _number(labels.get("reset_s"))
    if reset_s is not None and not 0 <= reset_s <= _LONGEST_RESET_S:
        reset_s = None
    return RateLimit(
        key=labels.get("key", ""),
        limit_type=labels.get("limit_type", ""),
        result=event.name,
        remaining=event.value,
        limit=_number(labels.get("limit")),
        at=event.ts,
        reset_at=None if reset_s is None else event.ts + round(reset_s * SECOND),
        provider=labels.get("provider", ""),
    )


def _recent(event: Event, now: Micros, kept: Micros) -> bool:
    return now - kept < event.ts <= now + kept


def left(limit: RateLimit) -> float:
    """Share of the limit that remains; 1 where it is not known."""
    if limit.remaining is None or not limit.limit:
        return 1.0
    return limit.remaining / limit.limit


def _number(text: str | None) -> float | None:
    """A label as a finite number; anything else is unknown."""
    with suppress(TypeError, ValueError):
        value = float(text or "")
        return value if math.isfinite(value) else None
    return None
