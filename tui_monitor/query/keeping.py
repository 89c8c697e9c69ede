"""Answers that are kept for as long as they hold: until something that they rest on has changed.

An answer about the past outlives what is written today. One that looks at this moment or beyond is kept for a
minute at most, and only while nothing new arrives where it looked.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from tui_monitor.model.clock import Clock
from tui_monitor.query.noting import Asked, Noting, Rests, ask
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.api import Reader

MOST = 1_000
"""Answers that are kept."""
ROOM = 64_000_000
"""Bytes of them, about."""
LARGEST = ROOM // 4
"""Bytes of one that is kept."""
OPEN_SECONDS = 60.0
"""How long one is kept that looks at this moment or beyond."""


@dataclass(slots=True)
class _Kept:
    answer: Any
    size: int
    rests: Rests
    checked: int
    """The newest version of which it is known that the answer holds."""
    until: float | None
    """On the monotonic clock."""


class Keeping:
    """The answers of one engine, whoever asks. Any thread may; nobody may change what they get."""

    def __init__(self, reader: Reader, recent: RecentFacts, clock: Clock) -> None:
        self._reader = reader
        self._recent = recent
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0
        self._asked: dict[Asked, Hashable] = {}
        self._asked_at: int | None = None
        self.hits = 0
        """Questions that were answered as before."""
        self.misses = 0

    def noting(self) -> Noting:
        """What an evaluation reads through, so that its answer can be kept."""
        return Noting(self._reader, self._recent)

    def get(self, key: Hashable) -> Any | None:
        """The answer, if it still holds. Raises `StoreError`."""
        found = self._holding(key)
        with self._lock:
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
        return found

    def _holding(self, key: Hashable) -> Any | None:
        with self._lock:
            kept = self._answers.get(key)
        if kept is None:
            return None
        version = self._reader.version()
        if version < kept.rests.version:
            # Who asks looks at an earlier moment; to the others it may hold.
            return None
        late = kept.until is not None and self._clock.monotonic() > kept.until
        if late or not (kept.checked == version or self._holds(kept.rests, kept.checked, version)):
            with self._lock:
                if self._answers.get(key) is kept:
                    self._drop(key)
            return None
        kept.checked = version
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
        return kept.answer

    def keep(self, key: Hashable, answer: Any, rests: Rests, size: int) -> None:
        """Keep an answer of so many bytes, if nothing changed while it was made. Raises `StoreError`."""
        if size > LARGEST:
            return
        version = self._reader.version()
        if version != rests.version and not self._holds(rests, rests.version, version):
            return
        until = None
        if rests.momentary or (rests.end is not None and rests.end >= self._clock.now()):
            until = self._clock.monotonic() + OPEN_SECONDS
        with self._lock:
            if key in self._answers:
                self._drop(key)
            self._answers[key] = _Kept(answer, size, rests, version, until)
            self._size += size
            while len(self._answers) > MOST or self._size > ROOM:
                self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        self._size -= self._answers.pop(key).size

    def _holds(self, rests: Rests, checked: int, version: int) -> bool:
        """Whether what an answer rests on is as it was at `checked`; `version` is the one of this moment."""
        if rests.momentary or self._reader.changed(checked, rests.parts):
            return False
        return all(self._answered(asked, version) == was for asked, was in rests.asked)

    def _answered(self, asked: Asked, version: int) -> Hashable:
        """The answer to a small question, asked once at each version."""
        with self._lock:
            if self._asked_at != version:
                self._asked_at = version
                self._asked.clear()
            if asked in self._asked:
                return self._asked[asked]
        found = ask(self._reader, asked)
        with self._lock:
            if self._asked_at == version:
                self._asked[asked] = found
        return found
