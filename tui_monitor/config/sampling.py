"""Settings of what is kept one by one when calls come in floods."""

from pydantic import Field

from tui_monitor.config.fields import Duration, Section
from tui_monitor.model.clock import MINUTE, SECOND


class Sampling(Section):
    """When only a sample of single calls is kept; sums, rates and quantiles count every call. Off unless set.

    Failed calls, and calls from files, are always kept.
    """

    queue_mark: float | None = Field(default=None, gt=0, lt=1)
    """Share of `collector.queue_size` above which the write queue counts as flooded, like 0.5. Unset: the
    queue never makes it sample."""
    queue_after: Duration = 5 * SECOND
    """How long the queue stays above the mark until the busiest model is sampled, and until each halving."""
    queue_back_after: Duration = MINUTE
    """How long the queue stays below half the mark before each step back."""
    max_rows_per_day: int | None = Field(default=None, ge=100)
    """Single calls pushed in a day of `general.timezone` that you want kept: above 80 % of it half of
    the successful ones is kept, above 90 % a quarter. It is no hard limit. Unset: any number."""
    lowest_share: float = Field(default=0.125, gt=0, le=1)
    """Never keep less than this share of a model's calls."""

    @property
    def on(self) -> bool:
        """Whether anything can make it sample."""
        return self.queue_mark is not None or self.max_rows_per_day is not None
