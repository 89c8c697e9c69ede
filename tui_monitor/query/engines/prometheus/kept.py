"""Answers of the server that are asked for again: bounded by values, and by age."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from tui_monitor.model.clock import Clock
from tui_monitor.query.engines.prometheus.answers import Answered

MOST_VALUES = 1_000_000
MOST_ANSWERS = 1_000
CLOSED_FOR = 300.0
"""Seconds for which an answer about the past is kept: samples may still be on their way for a while."""


class Kept:
    """The newest answers. Any thread may ask."""

    def __init__(self, clock: Clock, open_for: float) -> None:
        """`open_for` is how many seconds an answer that reaches to the present is kept."""
        self._clock = clock
        self._open_for = open_for
        self._answers: OrderedDict[Hashable, tuple[float, Answered]] = OrderedDict()
        self._values = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answered | None:
        """The answer, unless it is too old."""
        with self._lock:
            found = self._answers.get(key)
            if found is None or self._clock.monotonic() > found[0]:
                return None
            self._answers.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, answer: Answered, *, closed: bool) -> None:
        """Keep an answer; the oldest make room. `closed` where it is about the past only."""
        until = self._clock.monotonic() + (CLOSED_FOR if closed else self._open_for)
        with self._lock:
            self._drop(key)
            self._answers[key] = (until, answer)
            self._values += answer.size
            while self._answers and (self._values > MOST_VALUES or len(self._answers) > MOST_ANSWERS):
                self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._values -= found[1].size
