"""Many calls made fit to be stored at once: labels once for all calls that share them, numbers by columns.

What would be refused, and whatever is not plain, is left to `Preparer.prepare`, which says why.
"""

from dataclasses import dataclass, replace

import numpy as np

from tui_monitor.model.call import MAX_MONEY, Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.columns import UNKNOWN, CallColumns, PerModel, numbered
from tui_monitor.pricing.book import PriceBook
from tui_monitor.pricing.columns import NotAlike, PaidModels, price
from tui_monitor.recorder.checks import EARLIEST, MAX_COUNT, MAX_LATENCY_MS
from tui_monitor.recorder.prepare import Preparer

_TIMES = ("ts_start", "ts_end")
_TOKENS = ("in_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "out_total", "reasoning")
_ONE = "-"
"""A key for the call that stands for all with its labels."""


@dataclass(slots=True)
class Prepared:
    """Calls as they are stored."""

    calls: CallColumns
    rows: np.ndarray
    """Where they stood among those that were given; the others are not plain."""


class ColumnPreparer:
    """Prepares many calls at once; what it made of their models, it remembers for the next."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer
        self._labelled: PerModel[Call] = PerModel()
        self._ways: PaidModels = PerModel()

    def prepare(self, calls: CallColumns, others: int) -> Prepared | None:
        """Clean, check and price. `None` where nothing is plain.

        `others` is how many calls come beside these and go through `Preparer.prepare`.
        """
        preparer = self._preparer
        prices = preparer.prices
        if not isinstance(prices, PriceBook):
            return None
        rows = np.flatnonzero(_fine(calls, preparer.latest()))
        if not preparer.has_room(calls.models, others + len(calls) - len(rows)):
            return None
        rows, labelled = self._with_labels(calls, rows)
        if not len(rows):
            return None
        try:
            return Prepared(price(prices, _with_latency(labelled), self._ways), rows)
        except NotAlike:
            return None

    def _with_labels(self, calls: CallColumns, rows: np.ndarray) -> tuple[np.ndarray, CallColumns]:
        """Those of the rows whose labels are taken as they are, with their labels cleaned."""
        model = calls.model[rows]
        used = numbered(model)[0].tolist() if len(rows) else []
        models = list(calls.models)
        refused: list[int] = []
        for number in used:
            known = self._labelled.get(models[number])
            if known is None:
                moment = int(calls.booked[rows[model == number][0]])
                known = self._label(models[number], moment)
            if known is None:
                # Each of its rows is told or counted for itself.
                refused.append(number)
            else:
                models[number] = known
        if refused:
            rows = rows[~np.isin(model, refused)]
        taken = calls if len(rows) == len(calls) else calls.take(rows)
        return rows, replace(taken, models=models).used()

    def _label(self, model: Call, moment: Micros) -> Call | None:
        preparer = self._preparer
        before = preparer.overflow.copy()
        call = replace(model, source_key=_ONE, ts_end=moment, attrs=dict(model.attrs))
        prepared = preparer.prepare(call)
        if not isinstance(prepared, Call) or preparer.overflow != before:
            preparer.overflow.clear()
            preparer.overflow.update(before)
            return None
        return self._labelled.put(model, replace(prepared, source_key="", ts_end=None))


def _fine(calls: CallColumns, latest: Micros) -> np.ndarray:
    """Whose numbers are within the limits of `Preparer`."""
    good = calls.booked != UNKNOWN
    for name in _TIMES:
        good &= _within(calls, name, EARLIEST, latest)
    start, end = (calls.integer(name) for name in _TIMES)
    good &= (start == UNKNOWN) | (end == UNKNOWN) | (end >= start)
    for name in _TOKENS:
        good &= _within(calls, name, 0, MAX_COUNT)
    out, thought = calls.integer("out_total"), calls.integer("reasoning")
    good &= (out == UNKNOWN) | (thought <= out)
    good &= _within(calls, "cost_reported", 0, MAX_MONEY)
    for length in calls.lengths.values():
        good &= np.isnan(length) | ((length >= 0) & (length <= MAX_LATENCY_MS))
    return good


def _within(calls: CallColumns, name: str, low: int, high: int) -> np.ndarray:
    column = calls.integer(name)
    return (column == UNKNOWN) | ((column >= low) & (column <= high))


def _with_latency(calls: CallColumns) -> CallColumns:
    """The latency is the time from start to end where nobody said another."""
    if not all(name in calls.integers for name in _TIMES):
        return calls
    start, end = (calls.integers[name] for name in _TIMES)
    known = calls.lengths.get("latency_ms")
    if known is None:
        known = np.full(len(calls), np.nan)
    told = np.isnan(known) & (start != UNKNOWN) & (end != UNKNOWN) & (end > start)
    length = np.where(told, end - start, 0) / 1000
    return replace(calls, lengths={**calls.lengths, "latency_ms": np.where(told, length, known)})
