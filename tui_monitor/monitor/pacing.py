"""How often a screen looks over a thin line: as often as so many bytes a second allow."""

RATE = 1_500.0
"""Bytes per second of looking, both ways together, over a while. What keys ask for is not held up by it."""
_BURST = 4_000.0
_LONGEST = 15.0
"""Seconds that a look waits at most for bytes that may go again."""
_SELDOM = 10.0
"""Seconds between two looks where somebody tells of changes, and told of none."""


class Pace:
    """Counts bytes against time. Instants are seconds that never step back."""

    def __init__(self, interval: float, now: float, *, rate: float = RATE) -> None:
        """`interval` is the seconds between two looks that are wanted at least."""
        self._interval = interval
        self._rate = rate
        self._left = _BURST
        self._counted = now
        self._looked: float | None = None
        self._changed = True
        self.told = False
        """Whether somebody tells of every change."""

    def moved(self, size: int, now: float) -> None:
        """So many bytes went over the line."""
        self._refill(now)
        self._left = max(self._left - size, -_LONGEST * self._rate)

    def due(self, now: float) -> bool:
        """Whether it is time for a look."""
        self._refill(now)
        if self._looked is None:
            return True
        wait = self._interval if self._changed or not self.told else max(self._interval, _SELDOM)
        return now - self._looked >= wait and self._left >= 0

    def looked(self, now: float) -> None:
        """A look began."""
        self._looked, self._changed = now, False

    def changed(self) -> None:
        """There is something new to see."""
        self._changed = True

    def hurry(self) -> None:
        """The next look is due at once: somebody waits for it."""
        self._looked = None

    def _refill(self, now: float) -> None:
        self._left = min(_BURST, self._left + (now - self._counted) * self._rate)
        self._counted = now
