"""Facts read lately, kept while nothing of their time changes.

One view asks for p50, p95 and p99 of the same calls, and a second later for almost the same hours again.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Layer, Measure, Part, Reader

MAX_ROWS = 200_000
"""Rows kept in all; their columns take some 20 MB."""
_LARGEST = MAX_ROWS // 2

_Key = tuple[
    Layer, Span, tuple[str, ...], tuple[Measure, ...], tuple[Measure, ...], tuple[tuple[str, str], ...]
]


class Recent(Protocol):
    """Facts, perhaps from memory."""

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str],
    ) -> Facts:  # fmt: skip
        """`Reader.facts`; `version` is the one the asker saw. Raises `StoreError`."""
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
    """A reader's facts, the latest ones from memory. Any thread may ask; nobody may change what they get."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, _Read] = OrderedDict()
        self._rows = 0

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str],
    ) -> Facts:  # fmt: skip
        """As `Recent`."""
        key = (layer, span, tuple(labels), tuple(measures), tuple(histograms), tuple(sorted(where.items())))
        with self._lock:
            read = self._kept.get(key)
        if read is not None and self._holds(read, version):
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
            return read.facts
        facts = self._reader.facts(layer, span, labels, measures, histograms, where)
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
            if self._reader.changed(read.version, (read.part,)):
                return False
            read.checked = version
        return True

    def _drop(self, key: _Key) -> None:
        read = self._kept.pop(key, None)
        if read is not None:
            self._rows -= _weight(read.facts)


def _weight(facts: Facts) -> int:
    """Rows, with those of the histograms; an empty answer weighs something too."""
    return 1 + len(facts) + sum(len(spread.row) // 4 for spread in facts.histograms.values())
