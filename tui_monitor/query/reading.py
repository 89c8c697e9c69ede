"""Facts read lately, kept while nothing of their time changes.

One view asks for p50, p95 and p99 of the same calls, and a second later for almost the same hours again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tui_monitor.model.call import FINE_DIMENSIONS
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.query.pieces import PIECE, Joined, divided, joined
from tui_monitor.query.slicing import ordered, passing, within
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Facts, Layer, Measure, Part, Reader
from tui_monitor.store.where import go_on

MAX_ROWS = 200_000
"""Rows kept in all; their columns take some 20 MB."""
_LARGEST = MAX_ROWS // 2
_WIDE = 4
"""A row of all measures takes as much room as so many of few."""
_EACH = 64
"""Rows that take as much room as the columns of an answer without any."""

_EDGES = 64
"""Of so many ends of windows it is remembered how many calls they hold."""
_FEW = 2_000
"""Calls of which all measures may be read and kept."""
_MANY = _LARGEST // _WIDE
"""Calls of which all measures are kept at most."""
_NEW = 2 * MINUTE
"""Longest span that is read in pieces, and how far behind the newest call it may end."""
_FINE = frozenset(FINE_DIMENSIONS)

_Key = tuple[
    Layer, Span, tuple[str, ...], tuple[Measure, ...], tuple[Measure, ...], tuple[tuple[str, str], ...]
]
_Edge = tuple[Span, tuple[tuple[str, str], ...]]


class Recent(Protocol):
    """Facts, perhaps from memory."""

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str], check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """`Reader.facts`; `version` is the one the asker saw. Raises `StoreError` and what `check` raises."""
        ...


@dataclass(slots=True)
class _Read:
    facts: Facts
    part: Part
    version: int
    """Of the database, before they were read."""
    checked: int
    """The newest version of which it is known that they are as they were."""


class RecentFacts:
    """A reader's facts, the latest ones from memory. Any thread may ask; nobody may change what they get.

    Facts are kept by what was asked. Where single calls are read, a question is also answered out of more
    than it asks for, in one of three ways, which differ in what stays the same from one look to the next:

    - `_in_minute`, where a window begins: its start goes with the clock and its end is that of a minute. The
      whole minute is over and hardly changes, so it is read once for sixty looks, for all filters.
    - `_in_pieces`, up to now: the end goes with the clock and calls still come. Pieces that are over stay,
      and only the newest is read again.
    - `_at_edge`, ends that lie anywhere, as in the past or under filters that are no fine dimension: nothing
      stays but the span itself, which all questions of one look have in common, so it is read with all
      measures once. A minute or pieces around it would be read for this one look.

    Each is for few calls alone: where there are many, all measures cost more than one question needs.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, _Read] = OrderedDict()
        self._rows = 0
        self._edges: OrderedDict[_Edge, int] = OrderedDict()
        self._minutes: OrderedDict[Span, int] = OrderedDict()
        """About how many calls a minute holds, of those whose end was asked for."""
        self._news: tuple[Micros, int] = (0, 0)
        """The minute in which single calls were read last, and about how many of one minute."""
        self._joined = Joined(_MANY)

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str], check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """As `Recent`."""
        key = _key(layer, span, labels, measures, histograms, where)
        found = self._from_memory(key, version)
        if found is not None:
            return found
        if layer is Layer.RAW and span.length <= MINUTE and _FINE.issuperset(labels):
            wide = self._in_minute(version, span, where)
            if wide is None:
                wide = self._at_edge(version, span, histograms, where)
            if wide is not None:
                return _some(wide, labels, measures, histograms)
        if layer is Layer.RAW and 2 * PIECE <= span.length <= _NEW and _FINE.issuperset((*labels, *where)):
            news = self._in_pieces(span, labels, measures, histograms, where, check)
            if news is not None:
                return news
        facts = self._read(key, version, where, check)
        if layer is Layer.RAW:
            self._note(span, where, len(facts))
        return facts

    def _in_minute(self, version: int, span: Span, where: Mapping[str, str]) -> Facts | None:
        """The calls of the end of a minute, out of the whole minute.

        A window that moves on with the clock begins there, each time a little later. `None` where the span
        lies otherwise, for the first who asks, and where there are many calls.
        """
        if span.end % MINUTE or not _FINE.issuperset(where):
            return None
        whole = Span(span.end - MINUTE, span.end)
        with self._lock:
            rows = self._minutes.get(whole)
        if rows is None or rows > _LARGEST // _WIDE:
            return None
        key = _key(Layer.RAW, whole, FINE_DIMENSIONS, MEASURES, HISTOGRAMS, {})
        try:
            found = self._from_memory(key, version)
            if found is None:
                found = self._read(key, version, {}, in_order=True)
                self._note_minute(whole, len(found))
        except StoreError:
            # It may be for something that is not wanted at all.
            return None
        return within(found, span, where)

    def _in_pieces(
        self, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str], check: Callable[[], None],
    ) -> Facts | None:  # fmt: skip
        """The newest calls, of which each look asks for some more: what does not change is read once.

        `None` for calls of the past, for the first who asks in a minute, and for few or many calls.
        """
        minute, rows = self._news
        if span.end // MINUTE != minute or not _FEW < rows * span.length // MINUTE <= _MANY:
            return None
        with self._reader.moment():
            # All of it is of one state of the database.
            last, version = self._reader.extent().last, self._reader.version()
            if last is None or span.end < last - _NEW:
                return None
            before, pieces, behind = divided(span)
            try:
                whole = self._joined.of([self._piece(version, piece, check) for piece in pieces])
            except StoreError:
                # It may be for something that is not wanted at all.
                return None
            self._news = minute, len(whole) * MINUTE // (len(pieces) * PIECE)
            parts = [_some(passing(whole, where), labels, measures, histograms)]
            parts += [
                self.facts(version, Layer.RAW, rest, labels, measures, histograms, where, check)
                for rest in (before, behind)
                if rest.length
            ]
        return joined(parts)

    def _piece(self, version: int, piece: Span, check: Callable[[], None]) -> Facts:
        key = _key(Layer.RAW, piece, FINE_DIMENSIONS, MEASURES, HISTOGRAMS, {})
        found = self._from_memory(key, version)
        return self._read(key, version, {}, check) if found is None else found

    def _note(self, span: Span, where: Mapping[str, str], rows: int) -> None:
        if not where and 2 * PIECE <= span.length <= _NEW:
            self._news = span.end // MINUTE, rows * MINUTE // span.length
        with self._lock:
            self._edges[span, tuple(sorted(where.items()))] = rows
            if len(self._edges) > _EDGES:
                self._edges.popitem(last=False)
        if not where and 0 < span.length <= MINUTE and span.end % MINUTE == 0:
            self._note_minute(Span(span.end - MINUTE, span.end), rows * MINUTE // span.length)

    def _note_minute(self, whole: Span, rows: int) -> None:
        with self._lock:
            # The end of a minute says little of a burst at its beginning.
            self._minutes[whole] = max(rows, self._minutes.get(whole, 0))
            if len(self._minutes) > _EDGES:
                self._minutes.popitem(last=False)

    def _at_edge(
        self, version: int, span: Span, histograms: Sequence[Measure], where: Mapping[str, str]
    ) -> Facts | None:
        """All measures of the calls at the end of windows, which many questions of one look have in common.

        `None` for the first who asks, since perhaps nobody comes after, and where there are many.
        """
        with self._lock:
            rows = self._edges.get((span, tuple(sorted(where.items()))))
        if rows is None or rows > _FEW:
            return None
        key = _key(Layer.RAW, span, FINE_DIMENSIONS, MEASURES, histograms, where)
        try:
            found = self._from_memory(key, version)
            return self._read(key, version, where) if found is None else found
        except StoreError:
            # It may be for something that is not wanted at all.
            return None

    def _from_memory(self, key: _Key, version: int) -> Facts | None:
        with self._lock:
            read = self._kept.get(key)
        if read is None or not self._holds(read, version):
            return None
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
        return read.facts

    def _read(
        self, key: _Key, version: int, where: Mapping[str, str], check: Callable[[], None] = go_on, *,
        in_order: bool = False,
    ) -> Facts:  # fmt: skip
        layer, span, labels, measures, histograms, _ = key
        facts = self._reader.facts(layer, span, labels, measures, histograms, where, check)
        if in_order:
            facts = ordered(facts)
        part = Part("raw" if layer is Layer.RAW else "cells", span)
        with self._lock:
            self._drop(key)
            if len(facts) <= _LARGEST:
                self._kept[key] = _Read(facts, part, version, version)
                self._rows += _weight(facts)
                while self._rows > MAX_ROWS:
                    self._drop(next(iter(self._kept)))
        return facts

    def _holds(self, read: _Read, version: int) -> bool:
        if version < read.version:
            # Who asks looks at an earlier moment.
            return False
        if read.checked < version:
            if self._reader.changed(read.checked, (read.part,)):
                return False
            read.checked = version
        return True

    def _drop(self, key: _Key) -> None:
        read = self._kept.pop(key, None)
        if read is not None:
            self._rows -= _weight(read.facts)


def _key(
    layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
    histograms: Sequence[Measure], where: Mapping[str, str],
) -> _Key:  # fmt: skip
    return layer, span, tuple(labels), tuple(measures), tuple(histograms), tuple(sorted(where.items()))


def _some(
    facts: Facts, labels: Sequence[str], measures: Sequence[Measure], histograms: Sequence[Measure]
) -> Facts:
    """Facts with no more than was asked for."""
    return replace(
        facts,
        labels={name: facts.labels[name] for name in labels},
        numbers={name: facts.numbers[name] for name in measures},
        histograms={name: facts.histograms[name] for name in histograms},
    )


def _weight(facts: Facts) -> int:
    """Rows, more of those with many columns and of histograms, and the columns themselves."""
    wide = _WIDE if len(facts.numbers) == len(MEASURES) else 1
    return _EACH + wide * len(facts) + sum(len(spread.row) // 4 for spread in facts.histograms.values())
