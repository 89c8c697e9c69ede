"""An import carried out: through the collector that runs, or into the database where none does."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tui_monitor.cli.context import Context
from tui_monitor.cli.updating import tell_updated, update
from tui_monitor.config import places
from tui_monitor.model.feed import Record
from tui_monitor.sources.imports.api import ImportOptions, ImportSummary, Progress, Sink, Written
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    from tui_monitor.monitor.remote import SocketClient
    from tui_monitor.recorder.prepare import Preparer

_SENT_AT_ONCE = 1_000
"""Records of one request at most."""
_BODY = 4_000_000
"""Bytes of one request, where the collector takes as much."""
_KIND = 32
"""Bytes that a record's line has besides its fields, at most."""


class SocketSink:
    """Gives the rows to a running collector."""

    def __init__(self, client: "SocketClient", loop: asyncio.Runner, max_body: int) -> None:
        self._client = client
        self._loop = loop
        self._max_body = max_body
        self._batch_id = ""

    def begin(self, info: ImportInfo) -> None:
        """Note the import there."""
        self._batch_id = info.batch_id
        self._loop.run(self._client.begin_import(info))

    def write(self, records: Sequence[Record]) -> Written:
        """Store records there; durable on return. The collector prices them, and does not say which."""
        written = Written(unpriced=None)
        part: list[int] = []
        size = 0
        for index, record in enumerate(records):
            length = len(orjson.dumps(record)) + _KIND
            if length > self._max_body:
                written.rejected.append((index, f"larger than server.max_body, {self._max_body} bytes"))
                continue
            if part and (len(part) == _SENT_AT_ONCE or size + length > min(_BODY, self._max_body)):
                self._send(records, part, written)
                part, size = [], 0
            part.append(index)
            size += length
        if part:
            self._send(records, part, written)
        return written

    def _send(self, records: Sequence[Record], part: Sequence[int], written: Written) -> None:
        answer = self._loop.run(self._client.record(self._batch_id, [records[index] for index in part]))
        written.stored += answer["accepted"] - answer["corrected"]
        written.corrected += answer["corrected"]
        written.known += answer["duplicate"]
        written.late += answer["late"]
        written.rejected += [(part[each["index"]], each["error"]) for each in answer["rejected"]]


def run_here_or_there(
    context: Context, paths: Sequence[Path], options: ImportOptions, batch: str | None
) -> ImportSummary:
    """Read the files into wherever the database is written. Raises `ImportFailure` and `StoreError`."""
    from tui_monitor.sources.imports import run_import

    with _sink(context) as sink, _progress(context) as progress:
        return run_import(paths, context.args.format, options, sink, progress, batch)


@contextmanager
def _sink(context: Context) -> Iterator[Sink]:
    from tui_monitor.monitor.remote import SocketClient

    if context.args.dry_run:
        from tui_monitor.sources.imports import DrySink

        yield DrySink(preparer(context))
        return
    with asyncio.Runner() as loop:
        client = SocketClient(places.socket_path(context.database))
        try:
            if loop.run(client.alive()):
                yield SocketSink(client, loop, context.settings.server.max_body)
                return
        finally:
            loop.run(client.close())
    with _store_sink(context) as sink:
        yield sink


@contextmanager
def _store_sink(context: Context) -> Iterator[Sink]:
    from tui_monitor.sources.imports import StoreSink
    from tui_monitor.store.database import Store

    settings = context.settings
    store = Store.open(
        context.database,
        write=True,
        clock=context.clock,
        zone=settings.calendar().zone,
        synchronous=settings.database.synchronous,
        max_series=settings.collector.max_series,
        update=update(context),
    )
    try:
        tell_updated(context, store)
        made = preparer(context)
        made.seed(store)
        store.price_merged(made.prices.price)
        yield StoreSink(store, made)
    finally:
        store.close()


def preparer(context: Context) -> "Preparer":
    """What makes rows ready to be stored, prices and all."""
    from tui_monitor.pricing.book import PriceBook
    from tui_monitor.recorder.prepare import Preparer
    from tui_monitor.recorder.veil import Veil

    settings = context.settings
    prices, veil = PriceBook.load(settings.prices), Veil.load(settings.privacy)
    return Preparer(settings.collector, prices, context.clock, veil)


@contextmanager
def _progress(context: Context) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on standard error, where a person looks at it."""
    if not sys.stderr.isatty() or context.out.plain or context.out.ascii:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
    )
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, rows="")

        def show(progress: Progress) -> None:
            what = "measuring" if progress.measuring else "reading"
            rows = f"{progress.rows:,} rows"
            bar.update(
                task, completed=progress.done, total=progress.total or None, description=what, rows=rows
            )

        yield show
