"""Where a period's spend ends if it goes on like this."""

from collections.abc import Sequence
from dataclasses import replace

from tui_monitor.costs.interval import spread
from tui_monitor.costs.periods import Part
from tui_monitor.costs.views import Projection
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.units import age

_LEAST_SHARE = 24
"""A projection begins when a 24th of the period is recorded: an hour of a day, 31 hours of a long month.
Before that one burst would be multiplied by more than 24."""


def _recorded(part: Part, first: Micros | None) -> Micros:
    """How long the part has been recorded, µs: since it began, or since the first call there ever was."""
    return part.at - max(part.start, part.start if first is None else first)


def linear(spent: float | None, part: Part, first: Micros | None = None) -> float | None:
    """spent + spent ÷ recorded × rest, in the unit of `spent`.

    The straight-line or run-rate forecast of bookkeeping and FinOps: what was spent per unit of time so
    far, over the rest of the period. It knows no weekends and no trend. `first` is when recording began: a
    period that was joined midway is not taken for one that cost nothing before. Unknown without spend, and
    while less than a 24th of the period is recorded.
    """
    recorded = _recorded(part, first)
    if spent is None or recorded * _LEAST_SHARE < part.end - part.start:
        return None
    return spent + spent / recorded * (part.end - part.at)


def project(spent: float | None, part: Part, first: Micros | None = None) -> tuple[Projection | None, str]:
    """The projection, or why there is none."""
    amount = linear(spent, part, first)
    if amount is not None:
        return Projection(amount), ""
    if spent is None:
        return None, ""
    recorded, needed = _recorded(part, first), (part.end - part.start) // _LEAST_SHARE
    return None, f"no projection yet: {age(recorded)} of the {part.kind} recorded, {age(needed)} needed"


def bounded(
    projection: Projection, spent: float, part: Part, days: Sequence[tuple[Micros, float | None]],
    calendar: Calendar, first: Micros | None = None,
) -> Projection:  # fmt: skip
    """The projection with its interval, from the days of the part as (midnight, spend) that are over.

    A day on which recording began is none of them. What is spent is spent: the interval begins there.
    """
    whole = [
        cost or 0.0
        for start, cost in days
        if calendar.day(start)[1] <= part.at and (first is None or first <= start)
    ]
    half = spread(whole, (part.end - part.at) / DAY)
    if half is None:
        return projection
    return replace(projection, low=max(spent, projection.amount - half), high=projection.amount + half)


def used_up(spent: float | None, amount: float, part: Part, first: Micros | None = None) -> Micros | None:
    """When `amount` is spent at the present rate, if that is still to come in this period, µs UTC."""
    if linear(spent, part, first) is None or not spent or spent >= amount:
        return None
    instant = part.at + round((amount - spent) / spent * _recorded(part, first))
    return instant if instant < part.end else None
