"""The store's interface: what is written in one transaction, and what the query engine reads.

Readers get *facts*: rows with an end time, labels, sums and histograms. A raw call is a fact of one call,
a roll-up cell a fact of many, so one aggregation serves every layer.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from tui_monitor.model.call import DIMENSIONS, FINE_DIMENSIONS, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros
from tui_monitor.model.feed import Event, EventKind, Retract, Sample, SampleType, Start
from tui_monitor.model.once import Once
from tui_monitor.model.timerange import Span
from tui_monitor.store.acts import Done
from tui_monitor.store.sampleapi import SampleAnswers
from tui_monitor.store.where import EVERY, Where, go_on

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.model.columns import CallColumns


class Layer(StrEnum):
    """Where facts about calls are kept, finest first."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


CELL: Mapping[Layer, Micros] = {Layer.MINUTE: MINUTE, Layer.HOUR: HOUR, Layer.DAY: DAY}
"""Length of one cell. Minute and hour cells are `(k·w, (k+1)·w]`, aligned to the epoch.
Day cells are local calendar days `[midnight, midnight)` of the zone they were cut in."""

LAYER_LABELS: Mapping[Layer, frozenset[str] | None] = {
    Layer.RAW: None,
    Layer.MINUTE: frozenset(FINE_DIMENSIONS),
    Layer.HOUR: frozenset(DIMENSIONS),
    Layer.DAY: frozenset(DIMENSIONS),
}
"""Labels a layer is keyed by; raw calls know every label and attribute."""

Measure = Literal[
    "calls", "input", "cache_read", "cache_write", "output", "reasoning",
    "cost", "list_cost", "unpriced", "unpriced_tokens",
    "latency", "ttft", "queue_wait",
]  # fmt: skip
MEASURES: tuple[Measure, ...] = get_args(Measure)
"""Integers: counts, tokens, nano-USD, and µs for the three latencies."""
HISTOGRAMS: tuple[Measure, ...] = ("latency", "ttft", "queue_wait")
"""Measures kept as log-bucket histograms too; bucketed in **milliseconds**."""


@dataclass(slots=True)
class LabelColumn:
    """A dictionary-coded label: `values[codes[row]]`; `None` is unknown."""

    codes: "np.ndarray"
    values: list[str | None]


@dataclass(slots=True)
class Numbers:
    """One measure over the rows of some facts.

    `total` is the sum over the calls where it is known (int64), `known` in how many it is (int64).
    `low` and `high` are the extremes of single calls (float64, NaN where nothing is known), where a layer
    keeps them: raw for every measure, roll-ups for the histograms.
    """

    total: "np.ndarray"
    known: "np.ndarray"
    low: "np.ndarray | None" = None
    high: "np.ndarray | None" = None


@dataclass(slots=True)
class Histogram:
    """Sparse histograms of many rows: row `row[i]` has `count[i]` values in bucket `bucket[i]`."""

    row: "np.ndarray"
    bucket: "np.ndarray"
    count: "np.ndarray"


@dataclass(slots=True)
class Facts:
    """Rows of one layer in one span, in no particular order."""

    layer: Layer
    end: "np.ndarray"
    """Booking time of a raw call, or the last instant that the cell covers; int64 µs."""
    labels: dict[str, LabelColumn]
    numbers: dict[str, Numbers]
    histograms: dict[str, Histogram]
    weight: "np.ndarray | None" = None
    """Of raw calls: how many each stands for, int64; the numbers and histograms count it as often already."""

    def __len__(self) -> int:
        return len(self.end)


@dataclass(frozen=True, slots=True)
class SampledSpan:
    """A span (by booking time) in which some calls got no raw row; every sum counts them."""

    span: Span
    calls: int
    """How many got none."""
    one_in: int
    """Where fewest were kept, it was 1 in so many."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one layer still holds. `gone` are spans (by booking time) in which some of it was dropped."""

    layer: Layer
    gone: tuple[Span, ...] = ()
    zone: str | None = None
    """For the day layer: the zone its days are cut in."""
    sampled: tuple[SampledSpan, ...] = ()
    """For the raw layer: where it holds a sample, whose facts are weighted."""

    def complete(self, span: Span) -> bool:
        """Whether nothing of this span was dropped, or left out by sampling."""
        return not self.dropped_in(span) and not self.sampled_in(span)

    def dropped_in(self, span: Span) -> bool:
        """Whether something of this span was dropped."""
        return any(max(hole.start, span.start) < min(hole.end, span.end) for hole in self.gone)

    def sampled_in(self, span: Span) -> tuple[SampledSpan, ...]:
        """Where in this span only a sample is held."""
        return tuple(s for s in self.sampled if max(s.span.start, span.start) < min(s.span.end, span.end))


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series of samples."""

    id: int
    name: str
    labels: Mapping[str, str]
    type: SampleType


@dataclass(frozen=True, slots=True)
class LabelTest:
    """What a selector asks of one label of a series; a label that is not there is empty."""

    label: str
    accepts: Callable[[str], bool]
    """Whether a value passes."""
    equals: str = ""
    """The only value that passes, where there is but one and it is known."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is: calls ever counted, and first and last booking time (µs UTC)."""

    calls: int
    first: Micros | None
    last: Micros | None


@dataclass(frozen=True, slots=True)
class ImportInfo:
    """One import: what was loaded, when, and what came of it."""

    batch_id: str
    started: Micros
    files: tuple[str, ...]
    format: str
    stored: int
    shift_us: Micros = 0
    undone: Micros | None = None


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call with what the database knows besides."""

    call: Call
    arrived: Micros
    """When it was stored, or last brought up to date."""
    stands_for: int = 1
    """How many calls its row counts for, where only a sample of them is kept."""
    told_by: tuple[Call, ...] = ()
    """What each source said of it, in the order they came, where several did."""


PartKind = Literal["raw", "cells", "samples", "events"]
"""Single calls, their sums, samples, dated facts."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Something that an answer rests on: what there is of one kind in a span of time."""

    kind: PartKind
    span: Span


class Outcome(StrEnum):
    """What became of one record."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CORRECTED = "corrected"
    """The same identity with other content: replaced."""
    MERGED = "merged"
    """Another source's view of a call that is known already."""
    LATE = "late"
    """A correction of a call whose raw row is gone: counted, not applied."""
    RETRACTED = "retracted"
    MISSING = "missing"
    """A retraction of a call that is not known."""


@dataclass(slots=True)
class WriteBatch:
    """What goes into one transaction. Calls are cleaned, normalised and priced already."""

    calls: list[Call] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    retracts: list[Retract] = field(default_factory=list)
    offsets: dict[str, str] = field(default_factory=dict)
    """Where a source goes on after a restart: its own key → its own text, kept in the same transaction.
    An empty text removes the key."""
    done: Done | None = None
    """The act of which it all comes."""
    remember: bool = False
    """Whether identities outlive the raw rows (files, polls, imports; not pushed calls)."""
    rates: list[int] = field(default_factory=list)
    """For each call: 1 keeps its raw row; n > 1 keeps it as one of n like it; −n leaves it out, as one of
    those n. Empty is all 1. It holds for successful calls that are new and that no other source tells of."""


@dataclass(slots=True)
class WriteResult:
    """One outcome per record, in the order of each list."""

    calls: list[Outcome] = field(default_factory=list)
    events: list[Outcome] = field(default_factory=list)
    retracts: list[Outcome] = field(default_factory=list)
    samples_rejected: list[int] = field(default_factory=list)
    """Indexes of samples that would have made one series too many."""

    def count(self, *outcomes: Outcome) -> int:
        """How many records ended in one of these."""
        return sum(o in outcomes for o in (*self.calls, *self.events, *self.retracts))


class Reader(SampleAnswers, Protocol):
    """What the query engine asks. Thread-safe: any number of threads may read at once.

    Every method may raise `StoreError`.
    """

    def moment(self) -> AbstractContextManager[None]:
        """All that this thread asks within sees the database as it is at the first question.

        What one view shows together must come from one moment: a total and its parts, spend and its calls.
        """
        ...

    def version(self) -> int:
        """Changes whenever a commit, of this process or another, changed what a query could see."""
        ...

    def changed(self, version: int, parts: Collection[Part]) -> bool:
        """Whether something of these parts changed, or may have, after the database had that version."""
        ...

    def holdings(self) -> Mapping[Layer, Holding]:
        """What each layer still holds."""
        ...

    def extent(self) -> Extent:
        """How much there is, and from when to when."""
        ...

    def facts(
        self, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure] = (), where: Mapping[str, str] | None = None,
        check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """Rows of a layer whose time lies in `span`: for roll-ups, cells that lie in it *whole*.

        `labels` may name any attribute for the raw layer. `where` keeps the rows whose labels of that
        layer equal these values, so that the store can read less. `check` is called between pieces of
        work, and what it raises ends the reading.
        """
        ...

    def calls(
        self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on, below: int | None = None
    ) -> Iterator[tuple[Call, int]]:
        """Raw calls booked in the span that pass, the newest first, as they are at this moment.

        With each comes its number, by which calls of one instant are ordered: the latest to arrive is the
        first. Of those at the end of the span only calls with a number less than `below` are told.
        They are read as they are asked for; whoever stops before the end closes the iterator. `check` is
        called between pieces of work, and what it raises ends the reading.
        """
        ...

    def count_calls(self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on) -> int:
        """How many raw calls booked in the span pass; `check` as above."""
        ...

    def one_call(self, id: str) -> StoredCall:
        """One raw call by its `Call.id`, by `SOURCE:SOURCE_KEY`, or by what any source calls it.

        Raises `NotFound` where there is none, or its row is no longer kept.
        """
        ...

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        """Known values of a label of calls, sorted."""
        ...

    def label_names(self) -> list[str]:
        """Labels and free attributes that calls carry, sorted."""
        ...

    def events(self, kind: EventKind, span: Span, limit: int = 100_000) -> list[Event]:
        """Dated facts in the span, oldest first."""
        ...

    def starts(self, since: Micros) -> list[Start]:
        """Calls that began after `since` and have not been reported as ended."""
        ...

    def imports(self) -> list[ImportInfo]:
        """Imports, newest first."""
        ...

    def offset(self, key: str) -> str | None:
        """What a source keeps under a key of its own."""
        ...

    def latest_event(self, kind: EventKind, *keys: str) -> list[Event]:
        """The newest event for each set of values of these labels (of `name` where a key is "name")."""
        ...


class ColumnWriter(Protocol):
    """What takes many calls at once."""

    def write_columns(self, calls: "CallColumns") -> "np.ndarray":
        """Store those that nothing is known of, in one transaction; a mask of them. Durable on return.

        Raises `StoreError`; then none is stored.
        """
        ...


class Writer(Protocol):
    """What the write path asks. One process at a time; one thread at a time."""

    def write(self, batch: WriteBatch) -> WriteResult:
        """Store a batch in one transaction; durable on return. On `StoreError` nothing is stored."""
        ...

    def begin_import(self, info: ImportInfo) -> None:
        """Note an import before its rows arrive."""
        ...

    def undo_import(self, batch_id: str, once: Once | None = None) -> int:
        """Take an import back out of every layer; the number of calls taken out.

        Raises `NotFound` when there is no such import, `MonitorError` when some of its raw calls are gone.
        """
        ...

    def offset(self, key: str) -> str | None:
        """Where a source left off."""
        ...

    def offsets(self, prefix: str) -> dict[str, str]:
        """Where sources left off, for every key that begins so."""
        ...
