"""Where imported rows go when this process writes: straight into the store, or nowhere for a dry run."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.columns import UNKNOWN, CallColumns
from tui_monitor.model.feed import Record
from tui_monitor.recorder.columns import ColumnPreparer
from tui_monitor.recorder.commit import commit
from tui_monitor.recorder.prepare import Preparer, Rejection
from tui_monitor.sources.imports.api import Written
from tui_monitor.store.api import ColumnWriter, ImportInfo, Outcome, Writer

BATCH = 10_000
"""Rows of one transaction."""


class ImportWriter(Writer, ColumnWriter, Protocol):
    """A store that takes calls one by one and many at once."""


class StoreSink:
    """Writes into an open store. Blocking: in a thread of its own or where nothing else runs."""

    def __init__(self, store: ImportWriter, preparer: Preparer) -> None:
        self._store = store
        self._preparer = preparer
        self._columns = ColumnPreparer(preparer)

    def begin(self, info: ImportInfo) -> None:
        """Note the import."""
        self._store.begin_import(info)

    def write(self, records: Sequence[Record]) -> Written:
        """Prepare and commit; identities outlive the raw rows, so that the file can come again."""
        written = Written()
        good = _prepared(self._preparer, records, written)
        for start in range(0, len(good), BATCH):
            part = good[start : start + BATCH]
            results = commit(self._store, [record for _, record in part], remember=True)
            for (index, _), result in zip(part, results, strict=True):
                _note(written, index, result)
        return written

    def write_columns(self, calls: CallColumns, others: int) -> tuple[Written, np.ndarray]:
        """Store what is plain; a mask of it."""
        taken = np.zeros(len(calls), dtype=bool)
        prepared = self._columns.prepare(calls, others)
        if prepared is None:
            return Written(), taken
        fresh = self._store.write_columns(prepared.calls)
        taken[prepared.rows] = fresh
        unpriced = (prepared.calls.integer("cost") == UNKNOWN) & fresh
        return Written(stored=int(fresh.sum()), unpriced=int(unpriced.sum())), taken


class DrySink:
    """Checks and prices every row and stores none."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer

    def begin(self, info: ImportInfo) -> None:
        """Nothing is noted."""

    def write(self, records: Sequence[Record]) -> Written:
        """Count what would be taken; whether it is known already only the store can tell."""
        written = Written()
        written.stored = len(_prepared(self._preparer, records, written))
        return written


def _prepared(preparer: Preparer, records: Sequence[Record], written: Written) -> list[tuple[int, Record]]:
    good: list[tuple[int, Record]] = []
    unpriced = 0
    before = preparer.overflow.copy()
    for index, record in enumerate(records):
        prepared = preparer.prepare(record)
        if isinstance(prepared, Rejection):
            written.rejected.append((index, prepared.reason))
            continue
        good.append((index, prepared))
        if isinstance(prepared, Call) and prepared.cost is None:
            unpriced += 1
    written.unpriced = unpriced
    written.overflow = dict(preparer.overflow - before)
    return good


def _note(written: Written, index: int, result: Outcome | Rejection) -> None:
    if result is Outcome.STORED or result is Outcome.MERGED:
        written.stored += 1
    elif result is Outcome.DUPLICATE:
        written.known += 1
    elif result is Outcome.CORRECTED:
        written.corrected += 1
    elif isinstance(result, Rejection):
        written.rejected.append((index, result.reason))
    elif result is Outcome.LATE:
        written.late += 1
