"""An import whose rows a running collector writes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tui_monitor.model.feed import Record
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.sources.imports.api import Written
from tui_monitor.store.api import ImportInfo

_ROWS = 2_000
"""Rows in one request: a few megabytes."""


class SocketSink:
    """A sink of `run_import` behind a collector's socket. Blocking; use it as `with`, where no loop runs.

    What the collector says to it is raised as `MonitorError`; a store that fails there as `StoreError`.
    """

    def __init__(self, path: Path) -> None:
        self._client = SocketClient(path)
        self._loop = asyncio.Runner()
        self._batch = ""

    def __enter__(self) -> "SocketSink":
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.close())
        self._loop.close()

    def begin(self, info: ImportInfo) -> None:
        """Note the import."""
        self._batch = info.batch_id
        self._loop.run(self._client.begin_import(info))

    def write(self, records: Sequence[Record]) -> Written:
        """Hand rows over; durable on return. What is corrected counts as stored: the collector knows."""
        written = Written(unpriced=None)
        for start in range(0, len(records), _ROWS):
            part = records[start : start + _ROWS]
            _add(written, self._loop.run(self._client.record(self._batch, part)), start)
        return written


def _add(written: Written, told: dict[str, Any], start: int) -> None:
    written.stored += told["accepted"]
    written.known += told["duplicate"]
    written.late += told["late"]
    written.rejected += [(start + rejected["index"], rejected["error"]) for rejected in told["rejected"]]
