"""The metrics of calls and events as `/metrics` serves them: counters that never fall, over restarts too.

They are counted as what is forwarded is (`forward.counters`), by few labels, on the same grid of 15 s; how
far each was served is kept in a file of its own beside the database. Scrapes between two instants of the grid
get the same numbers, and so do those after an instant where no call came or changed.
"""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.forward.counters import SETTLED, Counters, Series
from tui_monitor.forward.queue import Queue
from tui_monitor.health.exposed import Family, Reading
from tui_monitor.model.clock import MINUTE, Clock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.timerange import Span
from tui_monitor.query.exported import EXPORTED, INTERVAL
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.metrics import BY_NAME
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.derived import IN_SECONDS, LISTED, Form
from tui_monitor.query.timing import asked_by
from tui_monitor.runtime import told
from tui_monitor.store.api import Part, Reader

MOST = 20_000
"""Series that are served, buckets too; those beyond are left out and counted."""
_STANDS: Micros = MINUTE
"""How long the last look stands for one that takes long."""
_EVER = Span(-(1 << 62), 1 << 62)
_PARTS = (Part("raw", _EVER), Part("cells", _EVER))
_BY = ("provider", "model", "operation")
_MORE = {"llm_requests_total": ("status",), "llm_errors_total": ("error_type",)}
_ALL = "llm_tokens_total"
"""The sum of two others: who adds up what is scraped would count it twice."""
_ACTIVE = "llm_requests_active"
_BUCKET, _COUNT = str(Form.BUCKET), str(Form.COUNT)


def labels_of(name: str) -> tuple[str, ...]:
    """The labels of a metric that is served, `le` aside."""
    return told.LABELS.get(name) or (*_BY, *_MORE.get(name, ()))


def _is_asked(form: Form) -> bool:
    # How many there are stands in the last bucket.
    return form not in (Form.NATIVE, Form.COUNT)


_ASKED = frozenset(
    found.name for found in LISTED if found.name in EXPORTED and found.name != _ALL and _is_asked(found.form)
)
_HISTOGRAMS = tuple(name.removesuffix(_BUCKET) for name in sorted(_ASKED) if name.endswith(_BUCKET))
_COUNTERS = tuple(found.name for found in LISTED if found.name in _ASKED and found.form is Form.COUNTER)


def _about(name: str) -> str:
    """What the metric is."""
    short = next((short for short, long in IN_SECONDS.items() if long == name), name)
    return BY_NAME[short].help


FAMILIES: tuple[Family, ...] = (
    *(Family(name, "counter", _about(name)) for name in _COUNTERS),
    *(Family(name, "histogram", _about(name)) for name in _HISTOGRAMS),
    Family(_ACTIVE, "gauge", _about(_ACTIVE)),
    *told.FAMILIES,
)
"""What is served of calls, in this order."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What one look gave."""

    readings: tuple[Reading, ...] = ()
    series: int = 0
    left_out: int = 0
    error: str = ""
    """Why there are none; empty where there are."""


def path_for(database: Path) -> Path:
    """Where it is kept how far each counter of a database was served."""
    return database.with_name(f"{database.name}-metrics")


class DerivedMetrics:
    """The metrics of one collector's calls. Any thread may look; one looks at a time."""

    def __init__(self, engine: LocalEngine, reader: Reader, clock: Clock, database: Path) -> None:
        """Nothing is opened before the first look."""
        self._engine = engine
        self._reader = reader
        self._clock = clock
        self._path = path_for(database)
        self._lock = threading.Lock()
        self._queue: Queue | None = None
        self._counters: Counters | None = None
        self._looked: tuple[Micros, int] | None = None
        """The instant of the last look, and the version of the data before it."""
        self._found: tuple[Reading, ...] = ()
        self._left_out = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._looking: asyncio.Future[Derived] | None = None
        self._last: tuple[Micros, Derived] = (-_STANDS, Derived())
        """When the last look was, and what it gave."""
        self._cancel = threading.Event()

    def look(self) -> Derived:
        """Everything at the newest instant of the grid. Blocks; raises nothing that is expected."""
        with self._lock, asked_by("metrics"):
            try:
                at = self._clock.now() // INTERVAL * INTERVAL
                self._update(at)
                said, more = told.told(self._reader, at)
                readings = (*self._found, *self._active(), *said)
            except MonitorError as error:
                return Derived(error=error.message)
            self._last = at, Derived(readings, len(readings), self._left_out + more)
            return self._last[1]

    async def look_within(self, seconds: float) -> Derived:
        """As `look`; one that takes longer goes on, and what the last one found stands for it.

        That is for a minute; then, and before the first look has ended, nothing is known.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().run_in_executor(self._thread, self.look)
        await asyncio.wait((self._looking,), timeout=seconds)
        if self._looking.done():
            return self._looking.result()
        at, found = self._last
        return found if self._clock.now() - at <= _STANDS else Derived(error="they are being counted")

    def close(self) -> None:
        """Close the file; a look that is under way ends without an answer, a later one opens it again."""
        self._cancel.set()
        with self._lock:
            self._cancel.clear()
            if self._queue is not None:
                self._queue.close()
            self._queue = self._counters = self._looked = None

    def _update(self, at: Micros) -> None:
        if self._looked is not None and not self._differs(at):
            return
        version = self._reader.version()
        counters, queue = self._opened()
        sent = counters.look(at)
        # Before it is served: after a crash it goes on from there.
        queue.put((), sent.changed, {SETTLED: sent.settled})
        counters.keep(sent)
        self._left_out = sent.left_out
        last = {series: points[-1][1] for series, points in sent.points.items()}
        self._found = tuple(
            _readings((of, value) for of, value in last.items() if isinstance(value, float | int))
        )
        self._looked = (at, version)

    def _differs(self, at: Micros) -> bool:
        """Whether another look may find something else than the last."""
        assert self._looked is not None
        before, version = self._looked
        if at == before:
            return False
        last = self._reader.extent().last
        # Calls may be booked behind the instant at which they were there already.
        behind = last is not None and last > min(before, at)
        return behind or self._reader.changed(version, _PARTS)

    def _opened(self) -> tuple[Counters, Queue]:
        if self._counters is None or self._queue is None:
            queue = Queue(self._path, 0, ())
            self._counters = Counters(
                self._engine, _ASKED.__contains__, MOST, queue.counters(), queue.marks().get(SETTLED),
                by=lambda name: labels_of(name.removesuffix(_BUCKET)), ends=False, cancel=self._cancel,
            )  # fmt: skip
            self._queue = queue
        return self._counters, self._queue

    def _active(self) -> Iterable[Reading]:
        by = ", ".join(labels_of(_ACTIVE))
        found = self._engine.instant(f'sum by ({by}) ({_ACTIVE}{{job=""}})', self._clock.now())
        for series in found.series:
            if series.value is not None:
                yield Reading(
                    _ACTIVE, series.value, {name: text for name, text in series.labels if name != NAME}
                )


def _readings(found: Iterable[tuple[Series, float]]) -> Iterable[Reading]:
    for (name, labels), value in found:
        given = dict(labels)
        family = next((stem for stem in _HISTOGRAMS if name.startswith(f"{stem}_")), name)
        yield Reading(family, value, given, name.removeprefix(family))
        if given.get("le") == "+Inf":
            yield Reading(
                family, value, {label: text for label, text in given.items() if label != "le"}, _COUNT
            )
