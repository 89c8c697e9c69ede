"""Chunks in the database: columns of numbers, or native histograms, over the times of one series."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store.series import codec, histogram_codec, histograms
from tui_monitor.store.series.histograms import Histograms

MOST = 1_440
"""Samples of one chunk: six hours at 15 s."""
LONGEST = 2 * DAY
"""Between the first and the last sample of one chunk."""
_CELLS = 1 << 20
"""Counts in a chunk of histograms: each bucket of any at each time."""

Group = tuple[int | None, Micros | None]
"""What all samples of a chunk have in common: the import that brought them, and the hour they came late."""


@dataclass(slots=True)
class Points:
    """Times, ascending, and one or several numbers or a native histogram at each."""

    times: np.ndarray
    columns: tuple[np.ndarray, ...] = ()
    histograms: Histograms | None = None

    def __len__(self) -> int:
        return len(self.times)

    def take(self, chosen: np.ndarray | slice) -> "Points":
        """Some of them."""
        taken = None if self.histograms is None else self.histograms.take(chosen)
        return Points(self.times[chosen], tuple(column[chosen] for column in self.columns), taken)


def joined(parts: Sequence[Points]) -> Points:
    """All of them by time; of equal times, what was later in the parts comes later."""
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    columns = [np.concatenate(column) for column in zip(*(part.columns for part in parts), strict=True)]
    bodies = [part.histograms for part in parts if part.histograms is not None]
    found = Points(times, tuple(columns), histograms.joined(bodies) if bodies else None)
    return found if (np.diff(times) > 0).all() else found.take(np.argsort(times, kind="stable"))


@dataclass(slots=True)
class Chunk:
    """One row of a table of chunks."""

    id: int
    series: int
    start: Micros
    end: Micros
    n: int
    group: Group
    times: int
    columns: tuple[bytes, ...]


def of_histograms(conn: sqlite3.Connection, name: str = "histogram_chunks") -> "Table":
    """A table of chunks of native histograms."""
    return Table(conn, name, ("body",), histograms=True)


@dataclass(slots=True)
class Table:
    """A table of chunks over one connection, of floats where it has columns of them.

    Raises `StoreError` for a chunk that is damaged.
    """

    conn: sqlite3.Connection
    name: str = "sample_chunks"
    columns: tuple[str, ...] = ("value",)
    histograms: bool = False
    """Whether its one column has native histograms."""
    _encoded: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """Hash and bytes of times written lately: those of one scrape are the same in every series."""

    def find(self, condition: str, bound: Sequence[object]) -> list[Chunk]:
        """Chunks with `condition`, which is SQL."""
        rows = self.conn.execute(
            f"""SELECT id, series, start, end, n, batch_id_t, arrived, times, {", ".join(self.columns)}
            FROM {self.name} WHERE {condition}""",
            bound,
        )
        return [
            Chunk(
                number,
                series,
                start,
                end,
                n,
                (batch, arrived),
                times,
                tuple(c for c in columns if c is not None),
            )
            for number, series, start, end, n, batch, arrived, times, *columns in rows
        ]

    def meeting(self, series: Sequence[int], span: Span) -> list[Chunk]:
        """Chunks of these series that may have something in the span, by series and start."""
        return self.find(
            """series IN (SELECT value FROM json_each(?)) AND start > ? AND start <= ? AND end > ?
            ORDER BY series, start""",
            (json.dumps(list(series)), max(span.start - LONGEST, -(1 << 63)), span.end, span.start),
        )

    def read(self, chunks: Sequence[Chunk]) -> list[Points]:
        """What is in each of them. Series may share their arrays of times: change none in place."""
        if not chunks:
            return []
        times = self._read_times(chunks)
        found = self._read_histograms(chunks, times) if self.histograms else self._read_floats(chunks, times)
        for chunk, points in zip(chunks, found, strict=True):
            bodies = points.columns if points.histograms is None else (points.histograms,)
            if any(len(body) != len(points.times) for body in bodies):
                raise self._damaged(chunk)
        return found

    def _read_histograms(self, chunks: Sequence[Chunk], times: dict[int, np.ndarray]) -> list[Points]:
        found: list[Points] = []
        for chunk in chunks:
            try:
                body = histogram_codec.decode(chunk.columns[0])
            except (histogram_codec.Damaged, codec.Damaged) as error:
                raise self._damaged(chunk) from error
            found.append(Points(times[chunk.times], histograms=body))
        return found

    def _read_floats(self, chunks: Sequence[Chunk], times: dict[int, np.ndarray]) -> list[Points]:
        width = [len(chunk.columns) for chunk in chunks]
        flat = [column for chunk in chunks for column in chunk.columns]
        owner = [chunk for chunk in chunks for _ in chunk.columns]
        try:
            columns = iter(codec.decode_floats(flat))
        except codec.Damaged as error:
            raise self._damaged(owner[error.place]) from error
        return [
            Points(times[chunk.times], tuple(next(columns) for _ in range(many)))
            for chunk, many in zip(chunks, width, strict=True)
        ]

    def add(self, series: int, group: Group, points: Points) -> None:
        """Write points as chunks that are not too long."""
        at = 0
        while at < len(points):
            last = points.times[at] + LONGEST
            end = min(at + MOST, int(np.searchsorted(points.times, last, side="right")))
            part = points.take(slice(at, end))
            while part.histograms is not None and len(part) > 1 and part.histograms.cells() > _CELLS:
                part = part.take(slice(0, len(part) // 2))
            self._add(series, group, part)
            at += len(part)

    def delete(self, chunks: Iterable[Chunk]) -> None:
        """Take chunks out."""
        self.conn.executemany(f"DELETE FROM {self.name} WHERE id = ?", [(chunk.id,) for chunk in chunks])

    def _add(self, series: int, group: Group, points: Points) -> None:
        times = self._times_id(points.times)
        if points.histograms is not None:
            columns = [histogram_codec.encode(points.histograms)]
        else:
            columns = [codec.encode_floats(np.ascontiguousarray(column)) for column in points.columns]
        names = ", ".join(self.columns[: len(columns)])
        self.conn.execute(
            f"""INSERT INTO {self.name} (series, start, end, n, batch_id_t, arrived, times, {names})
            VALUES (?, ?, ?, ?, ?, ?, ?{", ?" * len(columns)})""",
            (series, int(points.times[0]), int(points.times[-1]), len(points), *group, times, *columns),
        )

    def _times_id(self, times: np.ndarray) -> int:
        key = times.tobytes()
        known = self._encoded.get(key)
        if known is None:
            data = codec.encode_ints(times)
            hashed = int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)
            if len(self._encoded) >= 64:
                self._encoded.clear()
            known = self._encoded[key] = (hashed, data)
        row = self.conn.execute("SELECT id FROM sample_times WHERE hash = ? AND data = ?", known).fetchone()
        return row[0] if row else self._new_times(*known)

    def _new_times(self, hashed: int, data: bytes) -> int:
        made = self.conn.execute("INSERT INTO sample_times (hash, data) VALUES (?, ?)", (hashed, data))
        assert made.lastrowid is not None
        return made.lastrowid

    def _read_times(self, chunks: Sequence[Chunk]) -> dict[int, np.ndarray]:
        wanted = {chunk.times: chunk for chunk in chunks}
        rows = self.conn.execute(
            "SELECT id, data FROM sample_times WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(wanted)),),
        ).fetchall()
        numbers = [number for number, _ in rows]
        try:
            found = dict(zip(numbers, codec.decode_ints([data for _, data in rows]), strict=True))
        except codec.Damaged as error:
            raise self._damaged(wanted[numbers[error.place]]) from error
        for number in wanted.keys() - found.keys():
            raise self._damaged(wanted[number])
        return found

    def _damaged(self, chunk: Chunk) -> StoreError:
        row = self.conn.execute(
            "SELECT name, labels FROM sample_series WHERE id = ?", (chunk.series,)
        ).fetchone()
        return StoreError(
            f"chunk {chunk.id} of {self.name} is damaged: {chunk.n:,} samples of {''.join(row or ('?',))}",
            hint="put a copy back (`tui-monitor db restore FILE`), or wait until retention takes the chunk",
        )
