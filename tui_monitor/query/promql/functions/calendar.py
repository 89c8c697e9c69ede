"""Parts of dates, UTC."""

from collections.abc import Callable

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.selecting import seconds
from tui_monitor.query.promql.functions.maths import with_values
from tui_monitor.query.promql.values import Vector

_Part = Callable[[np.ndarray], np.ndarray]
_MOST = 9.2e18
"""Seconds that a date can be away: what 64 bits hold."""
_CYCLE = 146_097 * 86_400
"""Seconds of 400 years, after which the calendar repeats, days of the week too."""


def _part(part: _Part) -> Implementation:
    def applied(call: Calling) -> Vector:
        if not len(call):
            now = seconds(call.context.instants)[None, :]
            return Vector([()], _of(part, now), np.ones(now.shape, dtype=bool))
        floats = call.vector().floats()
        return with_values(floats, _of(part, floats.values))

    return applied


def _of(part: _Part, values: np.ndarray) -> np.ndarray:
    known = np.abs(values) <= _MOST
    whole = np.floor(np.where(known, values, 0.0)).astype(np.int64)
    cycles, inside = np.divmod(whole, _CYCLE)
    found = part(inside.astype("datetime64[s]"))
    if part is _year:
        found = found + cycles * 400
    return np.where(known, found.astype(np.float64), np.nan)


def _since(unit: str, of: str) -> _Part:
    """How many units have passed since the greater unit began."""

    def part(instants: np.ndarray) -> np.ndarray:
        begun = instants.astype(f"datetime64[{of}]").astype(f"datetime64[{unit}]")
        return (instants.astype(f"datetime64[{unit}]") - begun).astype(np.int64)

    return part


def _from_one(part: _Part) -> _Part:
    return lambda instants: part(instants) + 1


def _weekday(instants: np.ndarray) -> np.ndarray:
    # 1970 began on a Thursday.
    return (instants.astype("datetime64[D]").astype(np.int64) + 4) % 7


def _days_in_month(instants: np.ndarray) -> np.ndarray:
    month = instants.astype("datetime64[M]")
    return ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)


def _year(instants: np.ndarray) -> np.ndarray:
    return instants.astype("datetime64[Y]").astype(np.int64) + 1970


FUNCTIONS: dict[str, Implementation] = {
    "minute": _part(_since("m", "h")),
    "hour": _part(_since("h", "D")),
    "day_of_week": _part(_weekday),
    "day_of_month": _part(_from_one(_since("D", "M"))),
    "day_of_year": _part(_from_one(_since("D", "Y"))),
    "days_in_month": _part(_days_in_month),
    "month": _part(_from_one(_since("M", "Y"))),
    "year": _part(_year),
}
"""By name."""
