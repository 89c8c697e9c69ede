"""How time is cut into cells, and how a cell and a label set make one key."""

from datetime import date
from functools import cache

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import CELL, Layer

DAY_BITS = 24
_DAY_ZERO = 1 << (DAY_BITS - 1)
_EPOCH = date(1970, 1, 1).toordinal()
UTC_ZONE = 1
"""The zone number of UTC, whose days are always kept."""


@cache
def _midnight(zone: str, day: int) -> Micros:
    return Calendar(zone).midnight(date.fromordinal(day + _EPOCH))


def midnight(zone: str, day: int) -> Micros:
    """The first instant of a day, counted from 1970-01-01, in a zone."""
    return day * DAY if zone == "UTC" else _midnight(zone, day)


def days_of(booked: np.ndarray, zone: str) -> np.ndarray:
    """The local day of each instant."""
    utc = booked // DAY
    if zone == "UTC" or not len(booked):
        return utc
    # A local date is the UTC date or a neighbour of it, so these midnights hold the right ones.
    days = np.unique(np.unique(utc)[:, None] + np.array([-1, 0, 1]))
    starts = np.array([midnight(zone, day) for day in days.tolist()], dtype=np.int64)
    return days[np.searchsorted(starts, booked, side="right") - 1]


def day_of(instant: Micros, zone: str) -> int:
    """The local day of one instant."""
    if zone == "UTC":
        return instant // DAY
    return Calendar(zone).day_of(instant).toordinal() - _EPOCH


def day_cell(zone: int, day: int) -> int:
    """The number of a day's cell; `zone` is the zone's number."""
    return (zone << DAY_BITS) + day + _DAY_ZERO


def split_day(cell: int) -> tuple[int, int]:
    """(zone number, day) of a day's cell."""
    return cell >> DAY_BITS, (cell & ((1 << DAY_BITS) - 1)) - _DAY_ZERO


def cells_of(layer: Layer, booked: np.ndarray) -> np.ndarray:
    """The minute or hour cell of each instant: cell `k` holds `(k·w, (k+1)·w]`."""
    return (booked - 1) // CELL[layer]


def cell_of(layer: Layer, instant: Micros) -> int:
    """The minute or hour cell of one instant."""
    return (instant - 1) // CELL[layer]


def cell_span(layer: Layer, cell: int, zone: str = "UTC") -> Span:
    """What a cell covers; `zone` is the name of a day cell's zone."""
    if layer is Layer.DAY:
        _, day = split_day(cell)
        return Span.half_open(midnight(zone, day), midnight(zone, day + 1))
    width = CELL[layer]
    return Span(cell * width, (cell + 1) * width)


def whole_cells(layer: Layer, span: Span, zone: int = UTC_ZONE, name: str = "UTC") -> range:
    """Numbers of the cells that lie whole in the span; for days, of that zone."""
    if layer is Layer.DAY:
        first, last = _whole_days(span, name)
        return range(day_cell(zone, first), day_cell(zone, last))
    width = CELL[layer]
    return range(-(-span.start // width), max(-(-span.start // width), span.end // width))


def _whole_days(span: Span, zone: str) -> tuple[int, int]:
    first = (span.start + 1) // DAY - 1
    while midnight(zone, first) <= span.start:
        first += 1
    last = (span.end + 1) // DAY + 1
    while last > first and midnight(zone, last) - 1 > span.end:
        last -= 1
    return first, max(first, last)
