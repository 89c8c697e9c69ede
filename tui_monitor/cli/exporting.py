"""Calls written to a file, some at a time: JSON lines, CSV, Parquet."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tui_monitor.model.call import Call
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.sources.written import COLUMNS, written

Rows = Sequence[dict[str, Any]]
Write = Callable[[Rows], None]
_BATCH = 5_000
_NESTED = frozenset(("call_keys", "media", "attrs"))
_TIMES = frozenset(("ts_start", "ts_end"))
_FLAGS = frozenset(("stream", "batch"))
_FLOATS = frozenset(("cost_usd", "list_cost_usd", "latency_ms", "ttft_ms", "queue_wait_ms"))
_INTEGERS = frozenset(
    (*(name for name in COLUMNS if name.endswith("_tokens")), "http_status", "attempts", "sample_weight")
)  # fmt: skip


WEIGHT = "sample_weight"
"""The last column: how many calls a row stands for, where only a sample of them is kept."""
_NAMES = (*COLUMNS, WEIGHT)


def export(
    calls: Iterable[tuple[Call, int]],
    form: str,
    target: Path | None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write calls, with how many each stands for, in one of `FORMS`; how many rows there were.

    Without a target they go to standard output. A file appears under its name when it is whole. Raises
    `UsageError` for what cannot be written so, and `MonitorError` where writing fails.
    """
    count = 0
    try:
        with _opened(target) as file, FORMS[form](file) as write:
            for rows in _batches(calls):
                write(rows)
                count += len(rows)
                if progress is not None:
                    progress(count)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = target or "standard output"
        raise MonitorError(f"cannot write {where}: {error.strerror}", hint="check the disk") from error
    return count


def _batches(calls: Iterable[tuple[Call, int]]) -> Iterator[Rows]:
    rows: list[dict[str, Any]] = []
    for call, weight in calls:
        rows.append(written(call) | {WEIGHT: weight})
        if len(rows) == _BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


@contextmanager
def _opened(target: Path | None) -> Iterator[BinaryIO]:
    if target is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if os.path.lexists(target):
        raise UsageError(f"{target} exists already", hint="name another file, or remove that one first")
    part = target.with_name(target.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        os.replace(part, target)
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def _jsonl(file: BinaryIO) -> Iterator[Write]:
    def write(rows: Rows) -> None:
        # What is unknown is left out, as the feed wants it, and so is what is usual.
        known = (
            {n: value for n, value in row.items() if value is not None and (n != WEIGHT or value > 1)}
            for row in rows
        )
        file.write(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in known))

    yield write


@contextmanager
def _csv(file: BinaryIO) -> Iterator[Write]:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(_NAMES)

    def write(rows: Rows) -> None:
        writer.writerows([[_cell(row[name]) for name in _NAMES] for row in rows])

    try:
        yield write
        text.flush()
    finally:
        # The file belongs to the caller.
        text.detach()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return value


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    try:
        import pyarrow as pa  # pyright: ignore[reportMissingImports]
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow", hint="pip install 'tui-monitor[parquet]', or choose csv or jsonl"
        ) from None
    if not file.seekable():
        raise UsageError("Parquet cannot be written to a pipe", hint="name a file with --out")
    schema = pa.schema([(name, _arrow_type(pa, name)) for name in _NAMES])

    def write(rows: Rows) -> None:
        columns = {name: [_arrow_value(name, row[name]) for row in rows] for name in _NAMES}
        writer.write_table(pa.table(columns, schema=schema))

    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield write


def _arrow_type(pa: Any, name: str) -> Any:
    if name in _TIMES:
        return pa.timestamp("us", tz="UTC")
    if name in _INTEGERS:
        return pa.int64()
    if name in _FLOATS:
        return pa.float64()
    return pa.bool_() if name in _FLAGS else pa.string()


def _arrow_value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        from datetime import datetime

        return datetime.fromisoformat(value)
    return orjson.dumps(value).decode() if name in _NESTED else value


FORMS: dict[str, Callable[[BinaryIO], AbstractContextManager[Write]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
}
"""What calls can be written as."""
