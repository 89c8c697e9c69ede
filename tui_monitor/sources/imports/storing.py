"""What an import does with records, whatever they were read from: marks them, stores them, sums them up."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros, to_datetime
from tui_monitor.model.columns import INPUT, UNKNOWN, CallColumns, PerModel
from tui_monitor.model.feed import Event, Record, Retract, Sample, Start
from tui_monitor.sources.fields import TEXTS
from tui_monitor.sources.imports.api import ColumnSink, ImportSummary, Sink, Written


def new_batch_id(now: Micros) -> str:
    """A name for an import: when it was, and four digits against two in one second."""
    return f"{to_datetime(now):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def store(
    records: list[Record],
    sink: Sink,
    summary: ImportSummary,
    marks: "Marks",
    reject: Callable[[int, str], None],
) -> None:
    """Hand some records over. `reject` is told the index and the reason of each that was not taken."""
    for index, record in enumerate(records):
        records[index] = marks.put(record)
    written = sink.write(records)
    for index, reason in written.rejected:
        reject(index, reason)
    add(written, summary)
    _sum_up(records, written, summary)


def add(written: Written, summary: ImportSummary) -> None:
    """Count what became of some records."""
    summary.stored += written.stored
    summary.known += written.known
    summary.corrected += written.corrected
    summary.late += written.late
    if summary.unpriced is not None:
        summary.unpriced = None if written.unpriced is None else summary.unpriced + written.unpriced
    for label, times in written.overflow.items():
        summary.overflow[label] = summary.overflow.get(label, 0) + times


def store_columns(
    calls: CallColumns, others: int, sink: ColumnSink, summary: ImportSummary, marks: "Marks"
) -> np.ndarray:
    """Hand many calls over; a mask of those that were stored. The others are as they were."""
    marked = marks.put_columns(calls)
    written, taken = sink.write_columns(marked, others)
    add(written, summary)
    if taken.any():
        some = marked.take(taken)
        for name, columns in (("input_tokens", INPUT), ("output_tokens", ("out_total",))):
            known = some.sum_of_known(*columns)
            known = known[known != UNKNOWN]
            before: int | None = getattr(summary, name)
            setattr(summary, name, (before or 0) + int(known.sum()) if len(known) else before)
        _widen(summary, int(some.booked.min()), int(some.booked.max()))
    return taken


class Marks:
    """What an import adds to each record: its name, the shift, and labels where there are none."""

    def __init__(self, batch_id: str, shift: Micros, labels: Mapping[str, str]) -> None:
        self._batch_id = batch_id
        self._shift = shift
        self._labels = [(TEXTS[name], value) for name, value in labels.items() if name in TEXTS]
        self._marked: PerModel[Call] = PerModel()
        self._attributes = {name: value for name, value in labels.items() if name not in TEXTS}

    def put(self, record: Record) -> Record:
        """Calls are changed in place."""
        shift = self._shift
        if not isinstance(record, Call):
            return self._put_beside(record)
        record.batch_id = self._batch_id
        if shift:
            record.ts_start = None if record.ts_start is None else record.ts_start + shift
            record.ts_end = None if record.ts_end is None else record.ts_end + shift
        for name, value in self._labels:
            if getattr(record, name) is None:
                setattr(record, name, value)
        if self._attributes:
            record.attrs = {**self._attributes, **record.attrs}
        return record

    def put_columns(self, calls: CallColumns) -> CallColumns:
        """Many calls marked; those that were given stay as they are."""
        models = [self._marked.get(model) or self._mark(model) for model in calls.models]
        marked = replace(calls, models=models, integers=dict(calls.integers))
        for name in ("ts_start", "ts_end") if self._shift else ():
            column = calls.integers.get(name)
            if column is not None:
                marked.integers[name] = np.where(column == UNKNOWN, UNKNOWN, column + self._shift)
        return marked

    def _mark(self, model: Call) -> Call:
        marked = replace(model, attrs=dict(model.attrs))
        self.put(marked)
        return self._marked.put(model, marked)

    def _put_beside(self, record: Sample | Event | Start | Retract) -> Record:
        """What is no call is made anew."""
        if isinstance(record, Retract):
            return record
        ts = record.ts + self._shift
        if isinstance(record, Start):
            return replace(record, ts=ts)
        return replace(record, ts=ts, batch_id=self._batch_id)


def instant_of(record: Record) -> Micros | None:
    """When a record is booked; None for one that takes another back."""
    if isinstance(record, Call):
        return record.ts_end if record.ts_end is not None else record.ts_start
    return None if isinstance(record, Retract) else record.ts


def _sum_up(records: Sequence[Record], written: Written, summary: ImportSummary) -> None:
    refused = {index for index, _ in written.rejected}
    taken = [r for i, r in enumerate(records) if i not in refused] if refused else records
    calls = [record for record in taken if isinstance(record, Call)]
    summary.input_tokens = _sum_known(summary.input_tokens, [call.total_in for call in calls])
    summary.output_tokens = _sum_known(summary.output_tokens, [call.out_total for call in calls])
    instants = [instant for record in taken if (instant := instant_of(record)) is not None]
    if instants:
        _widen(summary, min(instants), max(instants))


def _widen(summary: ImportSummary, low: Micros, high: Micros) -> None:
    summary.first = low if summary.first is None else min(summary.first, low)
    summary.last = high if summary.last is None else max(summary.last, high)


def _sum_known(before: int | None, values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return (before or 0) + sum(known) if known else before
