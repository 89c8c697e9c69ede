"""What is new since the last look, as requests: metrics of calls, and samples as they are stored."""

import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence

from tui_monitor.config.forwarding import Forward
from tui_monitor.forward.amounts import shown
from tui_monitor.forward.counters import SETTLED, Counters
from tui_monitor.forward.queue import Queue
from tui_monitor.forward.wire import Line, Value, packed, plain_labels
from tui_monitor.model.clock import DAY, HOUR, MINUTE, MS, Micros
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.exported import INSTANCE_LABEL, INTERVAL, JOB
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.storage import Hints, Source
from tui_monitor.query.promql.values import STALE_BITS, SeriesSet

AT_ONCE = 5_000
"""Samples in one request at most."""
_LATE: Micros = 5 * MINUTE
"""How late a sample may be stored and still be sent, where its series has no newer one."""
_AHEAD: Micros = MINUTE
"""How far ahead of the clock a mark may be; beyond that the clock was set back, and not waited for."""
_BACK: Micros = DAY
"""How far back samples are looked for after a stop."""
_SAMPLES, _CALLS = "samples", "calls"
"""The marks up to which samples were looked for, and calls."""


class Gatherer:
    """Puts what is new into the queue. One thread at a time."""

    def __init__(self, settings: Forward, engine: LocalEngine, samples: Source, queue: Queue) -> None:
        """Reads where the queue left off. Raises `QueueError`."""
        self._settings = settings
        self._samples = samples
        self._queue = queue
        marks = queue.marks()
        self._counters = Counters(
            engine, taker(settings), settings.max_series, queue.counters(), marks.get(SETTLED),
            natives=settings.native_histograms,
        )  # fmt: skip
        self._looked: Micros | None = marks.get(_SAMPLES)
        self._counted: Micros = marks.get(_CALLS, 0)
        self._floor: Micros = 0
        self._newest: dict[Labels, Micros] = {}
        self._matchers = _matchers(settings)
        self._added = {"job": JOB, INSTANCE_LABEL: socket.gethostname(), **settings.labels}
        self._labels: dict[Labels, tuple[tuple[str, str], ...]] = {}
        self.left_out = 0
        """Series that were not sent at the last look, because there are too many."""

    def look(self, now: Micros) -> int:
        """Queue what is new at an instant (µs); how many samples that are.

        Raises `QueryError`, `StoreError` and `QueueError`; then the next look makes up for it.
        """
        at = now // INTERVAL * INTERVAL
        self._set_back(now, at)
        if len(self._labels) > 4 * self._settings.max_series:
            self._labels.clear()
        marks: dict[str, Micros] = {}
        lines: list[Line] = []
        left_out, counted = 0, None
        if self._settings.calls and at > self._counted:
            counted = self._counters.look(at)
            marks |= {SETTLED: counted.settled, _CALLS: at}
            left_out += counted.left_out
            lines += [
                self._line(name, of, [(when, shown(amount)) for when, amount in points])
                for (name, of), points in counted.points.items()
            ]
            lines += [self._line(name, of, [(at, STALE_BITS)]) for name, of in counted.ended]
        newest: dict[Labels, Micros] = {}
        if self._settings.samples:
            found, newest, more = self._stored(now)
            lines += found
            left_out += more
            marks[_SAMPLES] = now
        lines, twice = _different(lines)
        batches = [_batch(some) for some in _parts(lines)]
        self._queue.put(batches, {} if counted is None else counted.changed, marks)
        if counted is not None:
            self._counters.keep(counted)
            self._counted = at
        if self._settings.samples:
            self._looked = now
            self._newest.update(newest)
        self.left_out = left_out + twice
        return sum(samples for _, samples, _ in batches)

    def _set_back(self, now: Micros, at: Micros) -> None:
        """Go on from here where the clock was ahead."""
        if self._counted > at + _AHEAD:
            self._counted = at - INTERVAL
        if self._looked is not None and self._looked > now + _AHEAD:
            self._looked = self._floor = now - INTERVAL
            self._newest = {of: newest for of, newest in self._newest.items() if newest <= now}

    def _stored(self, now: Micros) -> tuple[list[Line], dict[Labels, Micros], int]:
        """Samples that were not sent yet, the newest of each series, and how many series had no room."""
        if self._looked is None:
            self._looked = self._floor = now - INTERVAL
        elif not self._floor:
            self._floor = self._looked
        self._newest = {of: at for of, at in self._newest.items() if at > now - HOUR}
        start = max(self._looked, now - _BACK) - _LATE
        found = self._samples.select(self._matchers, start, now, Hints())
        lines: list[Line] = []
        newest: dict[Labels, Micros] = {}
        room, left_out = self._settings.max_series - len(self._newest), 0
        for row, of in enumerate(found.labels):
            after = self._newest.get(of)
            points = _points(found, row, self._floor if after is None else after)
            if not self._settings.native_histograms:
                points = [point for point in points if not isinstance(point[1], NativeHistogram)]
            if not points:
                continue
            if after is None and room <= 0:
                left_out += 1
                continue
            room -= after is None
            newest[of] = points[-1][0]
            lines.append(Line(self._whole(of), points))
        return lines, newest, left_out

    def _line(self, name: str, of: Labels, points: Sequence[tuple[Micros, Value]]) -> Line:
        return Line(self._whole(((NAME, name), *of)), points)

    def _whole(self, of: Labels) -> tuple[tuple[str, str], ...]:
        """The labels as they are sent."""
        known = self._labels.get(of)
        if known is None:
            known = self._labels[of] = plain_labels([*of, *self._added.items()])
        return known


def taker(settings: Forward) -> Callable[[str], bool]:
    """Which names are sent."""
    keep = [re.compile(text) for text in settings.keep]
    drop = [re.compile(text) for text in settings.drop]

    def takes(name: str) -> bool:
        kept = not keep or any(pattern.fullmatch(name) for pattern in keep)
        return kept and not any(pattern.fullmatch(name) for pattern in drop)

    return takes


def _matchers(settings: Forward) -> list[Matcher]:
    found = [Matcher(label=NAME, op="=~", value="|".join(f"(?:{text})" for text in settings.keep) or ".+")]
    found += [Matcher(label=NAME, op="!~", value=text) for text in settings.drop]
    return found


def _points(found: SeriesSet, row: int, after: Micros) -> list[tuple[Micros, Value]]:
    """The samples of a series that come after an instant."""
    low, high = int(found.offsets[row]), int(found.offsets[row + 1])
    # What is sent has milliseconds: of the samples in one only the last is, and never a second time.
    low += int(found.times[low:high].searchsorted((after // MS + 1) * MS, "left"))
    times, values = found.times[low:high].tolist(), found.values[low:high].tolist()
    stale = found.is_stale()[low:high].tolist()
    natives = [None] * len(times) if found.histograms is None else found.histograms[low:high].tolist()
    points = [
        (at, STALE_BITS if ended else value if native is None else native)
        for at, value, ended, native in zip(times, values, stale, natives, strict=True)
    ]
    return list({at // MS: (at, value) for at, value in points}.values())


def _different(lines: list[Line]) -> tuple[list[Line], int]:
    """Of lines that became one series by their names only the first, and how many are not taken.

    A receiver refuses a request whole that has two samples of one series at one time.
    """
    by_labels: dict[tuple[tuple[str, str], ...], Line] = {}
    for line in lines:
        by_labels.setdefault(line.labels, line)
    return list(by_labels.values()), len(lines) - len(by_labels)


def _parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines for one request each."""
    part: list[Line] = []
    room = AT_ONCE
    for line in lines:
        points = line.points
        while points:
            part.append(Line(line.labels, points[:room]))
            points, room = points[room:], room - len(points[:room])
            if not room:
                yield part
                part, room = [], AT_ONCE
    if part:
        yield part


def _batch(lines: list[Line]) -> tuple[Micros, int, bytes]:
    newest = max(line.points[-1][0] for line in lines)
    return newest, sum(len(line.points) for line in lines), packed(lines)
