"""An import from its files to its summary."""

import gc
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, Micros, to_datetime
from tui_monitor.model.feed import Event, Record, Retract, Sample, Start
from tui_monitor.recorder.checks import EARLIEST
from tui_monitor.sources.fields import TEXTS
from tui_monitor.sources.imports.api import (
    FileSummary,
    ImportFailure,
    ImportOptions,
    ImportSummary,
    OnProgress,
    Progress,
    Sink,
    Written,
)
from tui_monitor.sources.imports.files import open_text
from tui_monitor.sources.imports.reading import Reader, Records, detect, reader
from tui_monitor.sources.imports.sinks import BATCH, DrySink
from tui_monitor.sources.imports.table import AnyFormat, format_named
from tui_monitor.store.api import ImportInfo


def new_batch_id(now: Micros) -> str:
    """A name for an import: when it was, and four digits against two in one second."""
    return f"{to_datetime(now):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def run_import(
    paths: Sequence[Path],
    format: str | None,
    options: ImportOptions,
    sink: Sink,
    progress: OnProgress | None = None,
    batch_id: str | None = None,
) -> ImportSummary:
    """Read files into a sink. Blocking, and in bounded memory whatever the size.

    `batch_id` names the import, so that it can be taken back; a new name is made where it is None.
    `format` is found by the files themselves where it is None. Raises `ImportFailure` before anything is
    stored when a file is missing, a folder, binary or of another format, and `StoreError` when the sink
    cannot be written; what was stored by then stays, and the same import again goes on from there.
    """
    forms = [format_named(format) if format else detect(path) for path in paths]
    if not forms:
        raise ImportFailure("no file to import")
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
    marks = _Marks(summary.batch_id, shift, options.labels)
    files = tuple(str(path) for path in paths)
    sink.begin(ImportInfo(summary.batch_id, options.now, files, summary.format, 0, shift))
    with _patient_gc():
        for path, read in zip(paths, readers, strict=True):
            _import_file(path, read, sink, summary, meter, marks)
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


def _check_times(forms: Sequence[AnyFormat], options: ImportOptions) -> None:
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
    forms: Sequence[AnyFormat],
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
                    instant = _instant(record)
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


def _instant(record: Record) -> Micros | None:
    if isinstance(record, Call):
        return record.ts_end if record.ts_end is not None else record.ts_start
    return None if isinstance(record, Retract) else record.ts


def _import_file(
    path: Path, read: Reader, sink: Sink, summary: ImportSummary, meter: _Meter, marks: "_Marks"
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
    told.rejections.sort()
    meter.file_done(path)


def _store(part: Records, sink: Sink, summary: ImportSummary, told: FileSummary, marks: "_Marks") -> None:
    for index, record in enumerate(part.records):
        part.records[index] = marks.put(record)
    written = sink.write(part.records)
    for index, reason in written.rejected:
        told.reject(part.numbers[index], reason)
    summary.stored += written.stored
    summary.known += written.known
    summary.corrected += written.corrected
    summary.late += written.late
    if summary.unpriced is not None:
        summary.unpriced = None if written.unpriced is None else summary.unpriced + written.unpriced
    for label, times in written.overflow.items():
        summary.overflow[label] = summary.overflow.get(label, 0) + times
    _sum_up(part.records, written, summary)


class _Marks:
    """What an import adds to each record: its name, the shift, and labels where there are none."""

    def __init__(self, batch_id: str, shift: Micros, labels: Mapping[str, str]) -> None:
        self._batch_id = batch_id
        self._shift = shift
        self._labels = [(TEXTS[name], value) for name, value in labels.items() if name in TEXTS]
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

    def _put_beside(self, record: Sample | Event | Start | Retract) -> Record:
        """What is no call is made anew."""
        if isinstance(record, Retract):
            return record
        ts = record.ts + self._shift
        if isinstance(record, Start):
            return replace(record, ts=ts)
        return replace(record, ts=ts, batch_id=self._batch_id)


def _sum_up(records: Sequence[Record], written: Written, summary: ImportSummary) -> None:
    refused = {index for index, _ in written.rejected}
    taken = [r for i, r in enumerate(records) if i not in refused] if refused else records
    calls = [record for record in taken if isinstance(record, Call)]
    summary.input_tokens = _sum_known(summary.input_tokens, [call.total_in for call in calls])
    summary.output_tokens = _sum_known(summary.output_tokens, [call.out_total for call in calls])
    instants = [instant for record in taken if (instant := _instant(record)) is not None]
    if instants:
        low, high = min(instants), max(instants)
        summary.first = low if summary.first is None else min(summary.first, low)
        summary.last = high if summary.last is None else max(summary.last, high)


def _sum_known(before: int | None, values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return (before or 0) + sum(known) if known else before
