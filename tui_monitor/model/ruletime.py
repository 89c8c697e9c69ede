"""How long rules take."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class RuleTime:
    """The evaluations of one rule since the start: query, states and sparks. Durations in seconds."""

    rule: str
    count: int = 0
    failed: int = 0
    last: float = 0.0
    longest: float = 0.0
    sum: float = 0.0

    @property
    def mean(self) -> float:
        """Of all of them; 0 before the first."""
        return self.sum / self.count if self.count else 0.0

    def after(self, seconds: float, *, failed: bool) -> "RuleTime":
        """With one more."""
        return replace(
            self,
            count=self.count + 1,
            failed=self.failed + failed,
            last=seconds,
            longest=max(self.longest, seconds),
            sum=self.sum + seconds,
        )
