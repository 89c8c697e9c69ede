"""A reader that notes what is read through it: what the answer rests on."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Event, EventKind, SampleType, Start
from tui_monitor.model.timerange import Span
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.api import (
    Extent,
    Facts,
    Holding,
    ImportInfo,
    LabelTest,
    Layer,
    Measure,
    Part,
    PartKind,
    Reader,
    SeriesInfo,
    StoredCall,
)
from tui_monitor.store.where import EVERY, Where, go_on

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.store.series.histograms import Histograms
    from tui_monitor.store.series.sampled import Afford, Choose, Sampled, Steps

_EVER = Span(-(1 << 62), 1 << 62)


@dataclass(frozen=True, slots=True)
class Asked:
    """A small question whose answer may change without any part that was read; cheap to ask again."""

    what: str
    of: str | Micros | None = None


def ask(reader: Reader, asked: Asked) -> Hashable:
    """Its answer at this moment. Raises `StoreError`."""
    match asked:
        case Asked("first"):
            return reader.extent().first
        case Asked("any"):
            return reader.extent().calls > 0
        case Asked("after", int(instant)):
            last = reader.extent().last
            return last is not None and last > instant
        case Asked("series", str() | None as name):
            return reader.series_stamp(name)
        case Asked("values", str(label)):
            return tuple(reader.label_values(label))
        case Asked("labels"):
            return tuple(reader.label_names())
    raise ValueError(asked)


@dataclass(frozen=True, slots=True)
class Rests:
    """What an answer rests on."""

    version: int
    """Of the database, before anything was read."""
    parts: tuple[Part, ...]
    asked: tuple[tuple[Asked, Hashable], ...]
    """Small questions and what was answered."""
    momentary: bool = False
    """Whether it rests on what holds at this moment only, like which calls are under way."""

    @property
    def end(self) -> Micros | None:
        """The last instant that was looked at."""
        return max((part.span.end for part in self.parts), default=None)


@dataclass(frozen=True, slots=True)
class NotedFacts:
    """Recent facts; that they are looked at is noted."""

    noting: "Noting"
    recent: RecentFacts

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str], check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """As `Recent`."""
        self.noting.note(_kind(layer), span)
        return self.recent.facts(version, layer, span, labels, measures, histograms, where, check)


class Noting:
    """A `Reader` and its recent facts, for one evaluation. Of each kind the whole span read is noted."""

    def __init__(self, reader: Reader, recent: RecentFacts) -> None:
        self._reader = reader
        self._recent = recent
        self._seen = reader.version()
        self._spans: dict[PartKind, Span] = {}
        self._asked: dict[Asked, Hashable] = {}
        self._extent: Extent | None = None
        self._sampled = False
        self._momentary = False

    @property
    def seen(self) -> int:
        """The version before anything was read."""
        return self._seen

    @property
    def recent(self) -> "NotedFacts":
        """The recent facts, noted too."""
        return NotedFacts(self, self._recent)

    def rests(self) -> Rests:
        """What everything read so far rests on. Raises `StoreError`."""
        parts = tuple(Part(kind, span) for kind, span in sorted(self._spans.items()))
        rests = Rests(self._seen, parts, tuple(self._asked.items()), self._momentary)
        if self._extent is None or not self._sampled:
            return rests
        # Whether any call is booked behind the end matters to the planner (see `Planner`), and to what it
        # chooses where single calls are but a sample. Elsewhere what it chooses gives the same answer.
        ends = [part.span.end for part in parts if part.kind in ("raw", "cells")]
        instant, last = max(ends, default=0), self._extent.last
        after = (Asked("after", instant), last is not None and last > instant)
        return Rests(rests.version, parts, (*rests.asked, after), self._momentary)

    def note(self, kind: PartKind, span: Span) -> None:
        """Something of this kind in this span is looked at."""
        known = self._spans.get(kind, span)
        self._spans[kind] = Span(min(known.start, span.start), max(known.end, span.end))

    def facts(
        self, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure] = (), where: Mapping[str, str] | None = None,
        check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """As `Reader`."""
        self.note(_kind(layer), span)
        return self._reader.facts(layer, span, labels, measures, histograms, where, check)

    def moment(self) -> AbstractContextManager[None]:
        """As `Reader`."""
        return self._reader.moment()

    def version(self) -> int:
        """As `Reader`."""
        return self._reader.version()

    def changed(self, version: int, parts: Collection[Part]) -> bool:
        """As `Reader`."""
        return self._reader.changed(version, parts)

    def holdings(self) -> Mapping[Layer, Holding]:
        """As `Reader`. What goes from a layer, or is left out by sampling, changes the layer at that time."""
        found = self._reader.holdings()
        self._sampled = self._sampled or bool(found[Layer.RAW].sampled)
        return found

    def extent(self) -> Extent:
        """As `Reader`."""
        found = self._extent = self._reader.extent()
        self._asked |= {Asked("first"): found.first, Asked("any"): found.calls > 0}
        return found

    def calls(
        self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on, below: int | None = None
    ) -> Iterator[tuple[Call, int]]:
        """As `Reader`."""
        self.note("raw", span)
        return self._reader.calls(span, where, check, below)

    def count_calls(self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on) -> int:
        """As `Reader`."""
        self.note("raw", span)
        return self._reader.count_calls(span, where, check)

    def one_call(self, id: str) -> StoredCall:
        """As `Reader`."""
        self.note("raw", _EVER)
        return self._reader.one_call(id)

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        """As `Reader`."""
        self._ask(Asked("values", label))
        return self._reader.label_values(label, limit)

    def label_names(self) -> list[str]:
        """As `Reader`."""
        found = self._reader.label_names()
        self._asked[Asked("labels")] = tuple(found)
        return found

    def series(
        self, name: str | None = None, matching: Sequence[LabelTest] = (), most: int = -1
    ) -> list[SeriesInfo]:
        """As `Reader`."""
        self._ask(Asked("series", name))
        return self._reader.series(name, matching, most)

    def series_stamp(self, name: str | None) -> tuple[int, int]:
        """As `Reader`."""
        return self._reader.series_stamp(name)

    def samples(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, np.ndarray]]":
        """As `Reader`."""
        self.note("samples", span)
        return self._reader.samples(ids, span)

    def sampled(self, name: str, span: Span, choose: "Choose", afford: "Afford | None" = None) -> "Sampled":
        """As `Reader`."""
        self._ask(Asked("series", name))
        self.note("samples", span)
        return self._reader.sampled(name, span, choose, afford)

    def sampled_in(self, ids: Sequence[int], span: Span) -> set[int]:
        """As `Reader`."""
        self.note("samples", span)
        return self._reader.sampled_in(ids, span)

    def sample_names(self) -> list[str]:
        """As `Reader`."""
        self._ask(Asked("series"))
        return self._reader.sample_names()

    def sample_labels(self, metric: str | None = None) -> list[str]:
        """As `Reader`."""
        self._ask(Asked("series", metric))
        return self._reader.sample_labels(metric)

    def sample_label_values(self, label: str, metric: str | None = None) -> list[str]:
        """As `Reader`."""
        self._ask(Asked("series", metric))
        return self._reader.sample_label_values(label, metric)

    def sample_type(self, metric: str) -> SampleType | None:
        """As `Reader`."""
        self._ask(Asked("series", metric))
        return self._reader.sample_type(metric)

    def sample_steps(self, ids: Sequence[int], span: Span) -> "dict[int, Steps]":
        """As `Reader`."""
        self.note("samples", span)
        return self._reader.sample_steps(ids, span)

    def histogram_samples(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, Histograms]]":
        """As `Reader`."""
        self.note("samples", span)
        return self._reader.histogram_samples(ids, span)

    def histogram_steps(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, Histograms]]":
        """As `Reader`."""
        self.note("samples", span)
        return self._reader.histogram_steps(ids, span)

    def events(self, kind: EventKind, span: Span, limit: int = 100_000) -> list[Event]:
        """As `Reader`."""
        self.note("events", span)
        return self._reader.events(kind, span, limit)

    def latest_event(self, kind: EventKind, *keys: str) -> list[Event]:
        """As `Reader`."""
        self.note("events", _EVER)
        return self._reader.latest_event(kind, *keys)

    def offset(self, key: str) -> str | None:
        """As `Reader`."""
        self._momentary = True
        return self._reader.offset(key)

    def starts(self, since: Micros) -> list[Start]:
        """As `Reader`."""
        self._momentary = True
        return self._reader.starts(since)

    def imports(self) -> list[ImportInfo]:
        """As `Reader`."""
        self._momentary = True
        return self._reader.imports()

    def _ask(self, asked: Asked) -> None:
        # Before it is read: what comes between the two is then noticed.
        if asked not in self._asked:
            self._asked[asked] = ask(self._reader, asked)


def _kind(layer: Layer) -> PartKind:
    return "raw" if layer is Layer.RAW else "cells"
