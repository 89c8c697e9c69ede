"""An import from its files to its summary."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.recorder.checks import EARLIEST
from tui_monitor.sources.imports.agents import AgentLogs, read_logs
from tui_monitor.sources.imports.api import (
    ColumnSink,
    FileSummary,
    ImportFailure,
    ImportOptions,
    ImportSummary,
    OnProgress,
    Progress,
    Sink,
)
from tui_monitor.sources.imports.chunks import Chunk
from tui_monitor.sources.imports.files import open_text
from tui_monitor.sources.imports.lane import chunks, has_columns
from tui_monitor.sources.imports.reading import Reader, Records, detect, reader
from tui_monitor.sources.imports.sinks import BATCH, DrySink
from tui_monitor.sources.imports.storing import Marks, instant_of, new_batch_id, store, store_columns
from tui_monitor.sources.imports.table import FileFormat, format_named
from tui_monitor.store.api import ImportInfo


def run_import(
    paths: Sequence[Path],
    format: str | None,
    options: ImportOptions,
    sink: Sink,
    progress: OnProgress | None = None,
    batch_id: str | None = None,
) -> ImportSummary:
    """Read files, or folders of an agent's logs, into a sink. Blocking, and in bounded memory.

    `batch_id` names the import, so that it can be taken back; a new name is made where it is None.
    `format` is found by the files themselves where it is None. Raises `ImportFailure` before anything is
    stored when a file is missing, a folder, binary or of another format, and `StoreError` when the sink
    cannot be written; what was stored by then stays, and the same import again goes on from there.
    """
    if not paths:
        raise ImportFailure("no file to import")
    named = format_named(format) if format else None
    if isinstance(named, AgentLogs):
        return _import_logs(paths, named, options, sink, progress, batch_id)
    forms = [named or detect(path) for path in paths]
    _check_times(forms, options)
    readers = [reader(form, path, options) for form, path in zip(forms, paths, strict=True)]
    meter = _Meter(paths, progress, passes=2 if options.rebase is not None else 1)
    shift = 0
    if options.rebase is not None:
        shift = options.rebase - _newest(paths, readers, forms, options, meter)
    names = list(dict.fromkeys(form.name for form in forms))
    summary = ImportSummary(
        batch_id or new_batch_id(options.now),
        ", ".join(names),
        shift_us=shift,
        began=(options.start or 0) + shift if forms[0].relative else None,
        dry_run=isinstance(sink, DrySink),
    )
    marks = Marks(summary.batch_id, shift, options.labels)
    files = tuple(str(path) for path in paths)
    sink.begin(ImportInfo(summary.batch_id, options.now, files, summary.format, 0, shift))
    with _patient_gc():
        for path, form, read in zip(paths, forms, readers, strict=True):
            if isinstance(sink, ColumnSink) and has_columns(form, path, options):
                _import_columns(path, chunks(form, path, options), sink, summary, meter, marks)
            else:
                _import_file(path, read, sink, summary, meter, marks)
    return summary


def _import_logs(
    paths: Sequence[Path], form: AgentLogs, options: ImportOptions, sink: Sink,
    progress: OnProgress | None, batch_id: str | None,
) -> ImportSummary:  # fmt: skip
    summary = ImportSummary(
        batch_id or new_batch_id(options.now), form.name, dry_run=isinstance(sink, DrySink)
    )
    marks = Marks(summary.batch_id, 0, options.labels)
    portions = read_logs(form, paths, options, summary, progress)
    files = tuple(str(path) for path in paths)
    sink.begin(ImportInfo(summary.batch_id, options.now, files, form.name, 0))
    with _patient_gc():
        for records, reject in portions:
            store(records, sink, summary, marks, reject)
    # Copies that were known already would be summed again: the store knows better.
    summary.input_tokens = summary.output_tokens = None
    return summary


@contextmanager
def _patient_gc() -> Iterator[None]:
    """Rows make no cycles, and looking for some among ten thousand of them takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _check_times(forms: Sequence[FileFormat], options: ImportOptions) -> None:
    relative = [form.name for form in forms if form.relative]
    absolute = [form.name for form in forms if not form.relative]
    if relative and options.start is None and options.rebase is None:
        raise ImportFailure(
            f"times of {relative[0]} count from the start of the trace",
            hint="say when that was with --start TIME, or --rebase now to let it end now",
        )
    if relative and absolute:
        raise ImportFailure(
            f"times of {relative[0]} count from the start of the trace, those of {absolute[0]} are dates",
            hint="import them one after the other",
        )
    if absolute and options.start is not None:
        raise ImportFailure(f"times of {absolute[0]} are dates already", hint="shift them with --rebase now")


class _Meter:
    """Progress over all files and passes."""

    def __init__(self, paths: Sequence[Path], progress: OnProgress | None, passes: int) -> None:
        self._progress = progress
        self._total = sum(path.stat().st_size for path in paths) * passes
        self._before = 0
        self.measuring = passes > 1

    def at(self, done: int, rows: int) -> None:
        """So far in the file that is read."""
        if self._progress is not None:
            self._progress(Progress(self._before + done, self._total, rows, self.measuring))

    def file_done(self, path: Path) -> None:
        """The next file follows."""
        self._before += path.stat().st_size


def _newest(
    paths: Sequence[Path],
    readers: Sequence[Reader],
    forms: Sequence[FileFormat],
    options: ImportOptions,
    meter: _Meter,
) -> Micros:
    """When the newest row is booked, leaving out those that would be rejected for their time."""
    newest: Micros | None = None
    rows = 0
    for path, read, form in zip(paths, readers, forms, strict=True):
        low, high = (0, 1 << 62) if form.relative else (EARLIEST, options.now + HOUR)
        with open_text(path) as file:
            for some in read(file):
                rows += len(some.records)
                for record in some.records:
                    instant = instant_of(record)
                    if (
                        instant is not None
                        and low <= instant <= high
                        and (newest is None or instant > newest)
                    ):
                        newest = instant
                meter.at(file.done, rows)
        meter.file_done(path)
    meter.measuring = False
    if newest is None:
        raise ImportFailure("no row with a time, so there is nothing to rebase")
    return newest


def _import_file(
    path: Path, read: Reader, sink: Sink, summary: ImportSummary, meter: _Meter, marks: Marks
) -> None:
    told = FileSummary(path)
    summary.files.append(told)
    waiting = Records()
    with open_text(path) as file:
        for some in read(file):
            told.rows += len(some.records) + len(some.bad)
            for number, reason in some.bad:
                told.reject(number, reason)
            waiting.numbers += some.numbers
            waiting.records += some.records
            while len(waiting.records) >= BATCH:
                part = Records(waiting.numbers[:BATCH], waiting.records[:BATCH])
                waiting = Records(waiting.numbers[BATCH:], waiting.records[BATCH:])
                _store(part, sink, summary, told, marks)
                meter.at(file.done, summary.rows)
        if waiting.records:
            _store(waiting, sink, summary, told, marks)
        told.error = file.error
        meter.at(file.done, summary.rows)
    meter.file_done(path)


def _import_columns(
    path: Path, found: Iterable[Chunk], sink: ColumnSink, summary: ImportSummary, meter: _Meter, marks: Marks
) -> None:
    told = FileSummary(path)
    summary.files.append(told)
    for some in found:
        told.rows += len(some.numbers) + len(some.odd) + len(some.bad)
        for number, reason in some.bad:
            told.reject(number, reason)
        left = some.odd
        if some.columns is not None:
            taken = store_columns(some.columns, len(some.odd), sink, summary, marks)
            others = np.flatnonzero(~taken).tolist()
            left = left + [(int(some.numbers[row]), some.columns.call(row)) for row in others]
            left.sort(key=lambda each: each[0])
        for at in range(0, len(left), BATCH):
            part = left[at : at + BATCH]
            numbers, records = [number for number, _ in part], [record for _, record in part]
            _store(Records(numbers, records), sink, summary, told, marks)
        told.error = some.error
        meter.at(some.done, summary.rows)
    meter.file_done(path)


def _store(part: Records, sink: Sink, summary: ImportSummary, told: FileSummary, marks: Marks) -> None:
    def reject(index: int, reason: str) -> None:
        told.reject(part.numbers[index], reason)

    store(part.records, sink, summary, marks, reject)
