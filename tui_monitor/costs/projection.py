"""Where a period's spend ends if it goes on like this."""

from tui_monitor.costs.periods import Part
from tui_monitor.costs.views import Projection
from tui_monitor.model.clock import Micros
from tui_monitor.model.units import age

_LEAST_SHARE = 24
"""A projection begins when a 24th of the period has passed: an hour of a day, 31 hours of a long month.
Before that one burst would be multiplied by more than 24."""


def linear(spent: float | None, part: Part) -> float | None:
    """spent ÷ elapsed × length, in the unit of `spent`.

    The straight-line or run-rate forecast of bookkeeping and FinOps: what was spent per unit of time so
    far, over the whole period. It knows no weekends and no trend. Unknown without spend, and in the first
    24th of the period.
    """
    length = part.end - part.start
    if spent is None or part.elapsed * _LEAST_SHARE < length:
        return None
    return spent / part.elapsed * length


def project(spent: float | None, part: Part) -> tuple[Projection | None, str]:
    """The projection, or why there is none."""
    amount = linear(spent, part)
    if amount is not None:
        return Projection(amount), ""
    if spent is None:
        return None, ""
    needed = (part.end - part.start) // _LEAST_SHARE
    return None, f"no projection yet: {age(part.elapsed)} of the {part.kind} passed, {age(needed)} needed"


def used_up(spent: float | None, amount: float, part: Part) -> Micros | None:
    """When `amount` is spent at the present rate, if that is still to come in this period, µs UTC."""
    if linear(spent, part) is None or not spent or spent >= amount:
        return None
    instant = part.start + round(amount / spent * part.elapsed)
    return instant if instant < part.end else None
