"""Whether data stopped coming: judged by the pauses it made before, not by the clock alone."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.states import SourceState

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus, SourceRow

_TIMES = 3
"""How many times its longest pause it must be quiet for."""
_KNOWN = 3
"""Steps with data that a habit takes at least."""
_LEAST = 2 * MINUTE
"""A shorter silence says nothing."""
_RECORDS, _MEANS = 10, 10
"""Records that a source's mean pause is taken from, and how many such pauses make a silence."""
_LEAST_OF_SOURCE = 5 * MINUTE


def stopped(values: Sequence[float | None], step: Micros) -> int | None:
    """Index of the newest value where none came since for too long; `None` while there is nothing to say.

    `step` is µs between two values, the last of them of now. Too long is three times the longest run of steps
    without data between the first value and the newest one, and two minutes. Fewer than three values are no
    habit that could be broken.
    """
    known = [index for index, value in enumerate(values) if value is not None]
    if len(known) < _KNOWN:
        return None
    newest = known[-1]
    longest = max(after - before for before, after in pairwise(known))
    silent = len(values) - 1 - newest
    return newest if silent > _TIMES * longest and silent * step >= _LEAST else None


def silent_since(row: "SourceRow", status: "CollectorStatus", now: Micros) -> Micros | None:
    """When a running source brought its last record, where that is too long ago; else `None`.

    Too long is ten times its mean pause since the collector started, and five minutes.
    """
    if row.kind != "source" or row.state is not SourceState.RUNNING or row.records < _RECORDS:
        return None
    if row.last_seen is None or status.started is None or not status.running:
        return None
    mean = max(0, row.last_seen - status.started) / row.records
    quiet = now - row.last_seen
    return row.last_seen if quiet > max(_LEAST_OF_SOURCE, _MEANS * mean) else None
