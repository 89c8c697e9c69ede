"""States and severities that every face shows in the same words."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad; ordered by `rank`."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info … 2 for critical."""
        return ("info", "warning", "critical").index(self.value)


SEVERITY_ALIASES = {"low": "info", "medium": "warning", "high": "critical"}


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    RESOLVED = "resolved"


class Health(StrEnum):
    """A provider's state."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


class SourceState(StrEnum):
    """A way in, or a loop of the collector."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    OFF = "off"
