"""How often a screen looks over a thin line: as often as so many bytes a second allow."""

RATE = 1_500.0
"""Bytes per second of looking, both ways together, over a while. What keys ask for is not held up by it."""
_BURST = 4_000.0
_LONGEST = 15.0
"""Seconds that a look waits at most."""


class Pace:
    """Counts bytes against time. Instants are seconds that never step back."""

    def __init__(self, interval: float, now: float, *, rate: float = RATE) -> None:
        """`interval` is the seconds between two looks that are wanted at least."""
        self._interval = interval
        self._rate = rate
        self._left = _BURST
        self._counted = now
        self._looked: float | None = None

    def moved(self, size: int, now: float) -> None:
        """So many bytes went over the line."""
        self._refill(now)
        self._left = max(self._left - size, -_LONGEST * self._rate)

    def due(self, now: float) -> bool:
        """Whether it is time for a look."""
        self._refill(now)
        if self._looked is None:
            return True
        return now - self._looked >= self._interval and self._left >= 0

    def looked(self, now: float) -> None:
        """A look began."""
        self._looked = now

    def hurry(self) -> None:
        """The next look is due: something is known to have changed."""
        self._looked = None

    def _refill(self, now: float) -> None:
        self._left = min(_BURST, self._left + (now - self._counted) * self._rate)
        self._counted = now
