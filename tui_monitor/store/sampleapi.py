"""What the query engine asks about samples: that part of `store.api.Reader`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.store.api import LabelTest, SeriesInfo
    from tui_monitor.store.series.histograms import Histograms
    from tui_monitor.store.series.sampled import Afford, Choose, Sampled, Steps


class SampleAnswers(Protocol):
    """Every method may raise `StoreError`."""

    def series(
        self, name: str | None = None, matching: "Sequence[LabelTest]" = (), most: int = -1
    ) -> "list[SeriesInfo]":
        """Sample series of that name, or all, whose labels pass every test; so many at most, -1 for all."""
        ...

    def series_stamp(self, name: str | None) -> tuple[int, int]:
        """Changes whenever a sample series of that name, or any, comes or goes."""
        ...

    def samples(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, np.ndarray]]":
        """For each series: times (int64 µs, ascending) and values (float64) in the span."""
        ...

    def sampled(self, name: str, span: Span, choose: "Choose", afford: "Afford | None" = None) -> "Sampled":
        """Series of a name with their floats in a span, quicker than one by one where asked for again.

        `choose` says by their places which are wanted; it is given all, and the `memo` of the answer. More
        series and samples than those may come. Observations of histograms are not among them.

        `afford` is told how many samples are to be read, and may raise.
        """
        ...

    def sampled_in(self, ids: Sequence[int], span: Span) -> set[int]:
        """Which of these series have any sample in the span, in whatever form it is kept."""
        ...

    def sample_names(self) -> list[str]:
        """Names of the sample series, sorted."""
        ...

    def sample_labels(self, metric: str | None = None) -> list[str]:
        """Names of the labels of sample series, sorted; of a metric those of its newest thousand series."""
        ...

    def sample_label_values(self, label: str, metric: str | None = None) -> list[str]:
        """Values of one of them, sorted; likewise."""
        ...

    def sample_type(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` where there is none of that name."""
        ...

    def sample_steps(self, ids: Sequence[int], span: Span) -> "dict[int, Steps]":
        """What stayed of samples in the span that are no longer kept one by one; nothing for most series."""
        ...

    def histogram_samples(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, Histograms]]":
        """For each series that has any: times (int64 µs, ascending) and native histograms in the span.

        Markers of the end of such a series are among its `samples`.
        """
        ...

    def histogram_steps(self, ids: Sequence[int], span: Span) -> "dict[int, tuple[np.ndarray, Histograms]]":
        """Of native histograms that are no longer kept one by one the last of each 5 minutes in the span,
        and every one before its counts began anew; in the form of `histogram_samples`.
        """
        ...
