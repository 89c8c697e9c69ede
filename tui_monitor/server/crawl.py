"""Patience with those who read slowly what they asked for."""


class Crawl:
    """Whether what is sent to somebody is read too slowly."""

    read_seconds = 20.0
    """How long that may be."""
    slowest = 512
    """Bytes per second that count as reading."""

    def __init__(self) -> None:
        self._unsent: tuple[float, int] | None = None
        """When it was looked at, and how much had not gone out."""

    @property
    def since(self) -> float | None:
        """Since when something has been waiting to be read."""
        return self._unsent[0] if self._unsent else None

    def reset(self) -> None:
        """There is room again."""
        self._unsent = None

    def too_slow(self, now: float, size: int) -> bool:
        """To be asked every few seconds, with how many bytes have not gone out."""
        if not size:
            self._unsent = None
        elif self._unsent is None:
            self._unsent = now, size
        elif now - self._unsent[0] >= self.read_seconds:
            began, before = self._unsent
            if size > max(0.0, before - self.slowest * (now - began)):
                return True
            self._unsent = now, size
        return False
