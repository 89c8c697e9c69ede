"""What the write path says about itself."""

from collections import deque
from dataclasses import dataclass, field

from tui_monitor.model.sampling import SampledScope

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class RecorderStats:
    """The write path at one moment. Counts since the start."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    late: int = 0
    """Corrections of calls whose raw row is gone: counted, not applied."""
    queued: int = 0
    """Records that wait for their transaction."""
    rate: float = 0.0
    """Records other than samples taken per second over the last minute."""
    lag_ms: float | None = None
    """From arrival to commit, worst of the last minute; `None` while nothing but samples arrived."""
    overflowed_labels: int = 0
    """How often a label's value was counted as `(other)`."""
    sampling: tuple[SampledScope, ...] = ()
    """Of what only a sample of raw rows is kept now."""
    left_out: int = 0
    """Calls that got no raw row."""
    writing_s: float | None = None
    """How long the transaction under way has taken; `None` where there is none."""
    last_error: str = ""
    """The store's last failure, until a commit succeeds again."""


@dataclass(slots=True)
class _Second:
    at: int
    taken: int = 0
    lag_s: float | None = None


@dataclass(slots=True)
class Minute:
    """Records taken and the worst lag of each of the last sixty seconds."""

    _seconds: deque[_Second] = field(default_factory=lambda: deque(maxlen=WINDOW_S))

    def add(self, now: float, taken: int, lag_s: float) -> None:
        """Note a commit; `now` in monotonic seconds."""
        second = int(now)
        if not self._seconds or self._seconds[-1].at != second:
            self._seconds.append(_Second(second))
        last = self._seconds[-1]
        last.taken += taken
        last.lag_s = lag_s if last.lag_s is None else max(last.lag_s, lag_s)

    def rate(self, now: float, running_s: float) -> float:
        """Records per second over the last minute, or since the start where that is shorter."""
        window = min(WINDOW_S, max(1.0, running_s))
        return sum(s.taken for s in list(self._seconds) if s.at > now - WINDOW_S) / window

    def lag_ms(self, now: float) -> float | None:
        """The worst lag of the last minute."""
        lags = [s.lag_s for s in list(self._seconds) if s.at > now - WINDOW_S and s.lag_s is not None]
        return max(lags) * 1000 if lags else None
