"""Which calls keep a raw row in a flood: by the write queue for the busiest model, by the day for all.

Every rate is a power of two, so that what a low rate keeps, a higher one keeps too.
"""

import threading
from collections import Counter
from collections.abc import Sequence

from tui_monitor.config.settings import Sampling
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.feed import Record
from tui_monitor.model.sampling import SampledScope
from tui_monitor.recorder.commit import Result
from tui_monitor.store import identity
from tui_monitor.store.api import Outcome

Scope = tuple[str, str]
"""Provider and model: floods come from one program that calls one model."""
_SCOPES = 1_000
"""Scopes that are counted at a time; beyond that none of them is a flood of its own."""
_DAILY = ((0.9, 4), (0.8, 2))
"""Share of the day's rows from which 1 in so many is kept."""


class Sampler:
    """Judges the queue and the day. Any thread may ask; times are the clock's."""

    def __init__(
        self, settings: Sampling, calendar: Calendar, queue_size: int, clock: Clock, rows_today: int
    ) -> None:
        self._settings = settings
        self._calendar = calendar
        self._queue_size = queue_size
        self._clock = clock
        self._lock = threading.Lock()
        self._most = 1 << (int(1 / settings.lowest_share).bit_length() - 1)
        self._rates: dict[Scope, int] = {}
        self._kept: Counter[Scope] = Counter()
        self._full_since: float | None = None
        self._calm_since: float | None = None
        self._day = calendar.day(clock.now())
        self._rows = rows_today
        self.left_out = 0
        """Calls that got no raw row, since the start."""

    def look(self, queued: int) -> None:
        """Judge the day, and the queue with so many records in it."""
        with self._lock:
            now = self._clock.now()
            if not self._day[0] <= now < self._day[1]:
                self._day, self._rows = self._calendar.day(now), 0
            if self._settings.queue_mark is not None:
                self._judge(self._clock.monotonic(), queued / self._queue_size, self._settings.queue_mark)

    def rates(self, records: Sequence[Record]) -> list[int]:
        """For each record as in `WriteBatch.rates`; at one rate a call is always judged the same."""
        found: list[int] = []
        rows = self._rows
        for record in records:
            rate = self._rate(record, rows) if isinstance(record, Call) else 1
            rows += rate > 0
            found.append(rate)
        return found

    def _rate(self, call: Call, rows: int) -> int:
        if call.status != "success" or call.batch_id is not None:
            return 1
        one_in = max(self._rates.get(_scope(call), 1), self._of_day(rows))
        kept = one_in == 1 or identity.source_hash(call.source, call.source_key) % one_in == 0
        return one_in if kept else -one_in

    def count(self, records: Sequence[Record], rates: Sequence[int], results: Sequence[Result]) -> None:
        """Take note of what became of records that were given these rates."""
        with self._lock:
            for record, rate, result in zip(records, rates, results, strict=True):
                if result is not Outcome.STORED or not isinstance(record, Call):
                    continue
                if rate < 0:
                    self.left_out += 1
                    continue
                self._rows += 1
                if self._settings.queue_mark is not None and record.status == "success":
                    scope = _scope(record)
                    if scope in self._kept or len(self._kept) < _SCOPES:
                        self._kept[scope] += 1

    @property
    def scopes(self) -> tuple[SampledScope, ...]:
        """What is sampled now; by the queue where it asks for less than the day does."""
        daily = self._of_day(self._rows)
        found = [SampledScope(*scope, n) for scope, n in sorted(self._rates.items()) if n > daily]
        return (*found, SampledScope("", "", daily)) if daily > 1 else tuple(found)

    def _of_day(self, rows: int) -> int:
        wanted = self._settings.max_rows_per_day
        if wanted is None:
            return 1
        share = rows / wanted
        return min(self._most, next((one_in for above, one_in in _DAILY if share >= above), 1))

    def _judge(self, now: float, share: float, mark: float) -> None:
        if share < mark:
            self._full_since = None
        if share >= mark / 2 or not self._rates:
            self._calm_since = None
        if share >= mark:
            if self._full_since is None:
                self._full_since = now
                self._kept.clear()
            elif now - self._full_since >= self._settings.queue_after / SECOND:
                self._full_since = now
                self._less()
        elif share < mark / 2 and self._rates:
            if self._calm_since is None:
                self._calm_since = now
            back_after = self._settings.queue_back_after / SECOND
            while self._rates and now - self._calm_since >= back_after:
                self._calm_since += back_after
                self._rates = {scope: n // 2 for scope, n in self._rates.items() if n > 2}

    def _less(self) -> None:
        """Halve the rows of the model that most of them were of."""
        for scope, _ in self._kept.most_common():
            rate = self._rates.get(scope, 1)
            if rate < self._most:
                self._rates = {**self._rates, scope: rate * 2}
                break
        self._kept.clear()


def _scope(call: Call) -> Scope:
    return call.provider or "", call.model or ""
