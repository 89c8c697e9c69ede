"""One transaction for many records, and what to do when one of them spoils it for the rest."""

import sqlite3
from collections.abc import Mapping, Sequence

from tui_monitor.model.call import Call
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Event, Record, Sample, Start
from tui_monitor.recorder.checks import Rejection
from tui_monitor.store.api import Outcome, WriteBatch, Writer

_FAULTS_OF_ROWS = (
    OverflowError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""Causes of a `StoreError` that lie in what was written, not in the database."""

Result = Outcome | Rejection


def commit(
    store: Writer,
    records: Sequence[Record],
    *,
    remember: bool = False,
    offsets: Mapping[str, str] | None = None,
    rates: Sequence[int] = (),
) -> list[Result]:
    """Store prepared records in one transaction; one result for each, in order. `rates` are one for each
    too, as in `WriteBatch`, or none at all.

    When the store chokes on the batch it is halved until the record that does it stands alone, and that one
    is rejected; its neighbours are stored. Raises `StoreError` when the database itself cannot be written.
    """
    try:
        return _write(store, records, remember, offsets, rates)
    except Exception as error:
        if isinstance(error, StoreError) and not isinstance(error.__cause__, _FAULTS_OF_ROWS):
            raise
        if len(records) <= 1:
            if offsets:
                _write(store, (), remember, offsets, ())
            return [Rejection(f"cannot be stored: {error}"[:300])] * len(records)
    middle = len(records) // 2
    first = commit(store, records[:middle], remember=remember, rates=rates[:middle])
    # The offsets say that everything before them is stored, so they go with the last part.
    rest = rates[middle:]
    return first + commit(store, records[middle:], remember=remember, offsets=offsets, rates=rest)


def _write(
    store: Writer, records: Sequence[Record], remember: bool, offsets: Mapping[str, str] | None,
    rates: Sequence[int],
) -> list[Result]:  # fmt: skip
    batch = WriteBatch(remember=remember, offsets=dict(offsets or {}))
    # For each kind, where its records stood in the order they came in.
    calls: list[int] = []
    samples: list[int] = []
    events: list[int] = []
    retracts: list[int] = []
    for index, record in enumerate(records):
        if isinstance(record, Call):
            batch.calls.append(record)
            if rates:
                batch.rates.append(rates[index])
            calls.append(index)
        elif isinstance(record, Sample):
            batch.samples.append(record)
            samples.append(index)
        elif isinstance(record, Event):
            batch.events.append(record)
            events.append(index)
        elif isinstance(record, Start):
            batch.starts.append(record)
        else:
            batch.retracts.append(record)
            retracts.append(index)
    written = store.write(batch)
    results: list[Result] = [Outcome.STORED] * len(records)
    for indexes, outcomes in (
        (calls, written.calls),
        (events, written.events),
        (retracts, written.retracts),
    ):
        for index, outcome in zip(indexes, outcomes, strict=True):
            results[index] = outcome
    for number in written.samples_rejected:
        results[samples[number]] = Rejection("one sample series too many; see collector.max_series")
    return results
