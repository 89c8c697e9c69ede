"""What is usual at this time of day."""

import numpy as np

from tui_monitor.model.clock import DAY
from tui_monitor.query.promql import durations
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.values import Vector, empty

_DAYS = 7
_FEWEST = 3
"""Days with a value below which nothing is usual."""
_MOST = 60


def days_of(call: Calling) -> int:
    """How many days are looked at. Raises `QueryError` for what is no number of days."""
    if len(call.node.args) < 2:
        return _DAYS
    length = durations.parsed(call.text(0))
    if length is None or length % DAY or not _FEWEST * DAY <= length <= _MOST * DAY:
        call.fail(f'baseline takes a number of days from "{_FEWEST}d" to "{_MOST}d"', 1)
    return length // DAY


def usual(days: list[Vector], steps: int) -> Vector:
    """The median over the days of each series at each step; histograms have none."""
    rows: dict[Labels, int] = {}
    for day in days:
        for labels in day.labels:
            rows.setdefault(labels, len(rows))
    if not rows:
        return empty(steps)
    table = np.full((len(days), len(rows), steps), np.nan)
    for number, day in enumerate(days):
        place = [rows[labels] for labels in day.labels]
        table[number, place] = np.where(day.present, day.values, np.nan)
    known = np.count_nonzero(~np.isnan(table), axis=0) >= _FEWEST
    values = np.zeros(known.shape)
    values[known] = np.nanmedian(table[:, known], axis=0)
    return Vector(list(rows), values, known).pruned()


def _baseline(call: Calling) -> Vector:
    return usual([call.vector(index) for index in range(len(call))], call.context.steps)


FUNCTIONS: dict[str, Implementation] = {"baseline": _baseline}
"""By name."""
