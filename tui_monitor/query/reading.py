"""Facts read lately, kept while the data does not change.

One view asks for p50, p95 and p99 of the same calls, and a second later for almost the same hours again.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Layer, Measure, Reader

MAX_ROWS = 200_000
"""Rows kept in all; their columns take some 20 MB."""
_LARGEST = MAX_ROWS // 2

_Key = tuple[
    Layer, Span, tuple[str, ...], tuple[Measure, ...], tuple[Measure, ...], tuple[tuple[str, str], ...]
]


class RecentFacts:
    """A reader's facts, the latest ones from memory. Any thread may ask; nobody may change what they get."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._version: int | None = None
        self._kept: OrderedDict[_Key, Facts] = OrderedDict()
        self._rows = 0

    def facts(
        self, version: int, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure], where: Mapping[str, str],
    ) -> Facts:  # fmt: skip
        """`Reader.facts`; `version` is the one the asker saw. Raises `StoreError`."""
        key = (layer, span, tuple(labels), tuple(measures), tuple(histograms), tuple(sorted(where.items())))
        with self._lock:
            if self._version != version:
                self._version, self._rows = version, 0
                self._kept.clear()
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        facts = self._reader.facts(layer, span, labels, measures, histograms, where)
        with self._lock:
            # Someone may have seen newer data meanwhile: then this is not kept under it.
            if self._version == version and key not in self._kept and len(facts) <= _LARGEST:
                self._kept[key] = facts
                self._rows += _weight(facts)
                while self._rows > MAX_ROWS:
                    _, oldest = self._kept.popitem(last=False)
                    self._rows -= _weight(oldest)
        return facts


def _weight(facts: Facts) -> int:
    """Rows, with those of the histograms; an empty answer weighs something too."""
    return 1 + len(facts) + sum(len(spread.row) // 4 for spread in facts.histograms.values())
