"""What the store answers about samples: its `Reader` methods of them."""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import LabelTest, SeriesInfo
from tui_monitor.store.readers import Reading
from tui_monitor.store.series import listing, reading, steps
from tui_monitor.store.series.histograms import Histograms
from tui_monitor.store.series.sampled import Afford, Choose, Sampled, Steps, any_number


class SampleReader(Protocol):
    """For whoever has connections to read with. Methods are those of `store.api.Reader`."""

    def _read(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that sees one moment of the database."""
        ...

    def _reading(self) -> AbstractContextManager[Reading]:
        """The same, with what is known of its file."""
        ...

    def series(
        self, name: str | None = None, matching: Sequence[LabelTest] = (), most: int = -1
    ) -> list[SeriesInfo]:
        """Sample series of that name, or all, whose labels pass every test; so many at most, -1 for all."""
        with self._read() as conn:
            return reading.series(conn, name, matching, most)

    def series_stamp(self, name: str | None) -> tuple[int, int]:
        """Changes whenever a sample series of that name, or any, comes or goes."""
        with self._read() as conn:
            return listing.stamp(conn, name)

    def samples(self, ids: Sequence[int], span: Span) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """For each series: times and values in the span."""
        with self._read() as conn:
            return reading.samples(conn, ids, span)

    def sampled(self, name: str, span: Span, choose: Choose, afford: Afford | None = None) -> Sampled:
        """The chosen series of a name with their floats in a span at least."""
        with self._reading() as reading:
            return reading.samples.sampled(reading.conn, name, span, choose, afford or any_number)

    def sampled_in(self, ids: Sequence[int], span: Span) -> set[int]:
        """Which of these series have any sample in the span, in whatever form it is kept."""
        with self._read() as conn:
            return listing.sampled_in(conn, ids, span)

    def sample_names(self) -> list[str]:
        """Names of the sample series, sorted."""
        with self._read() as conn:
            return listing.names(conn)

    def sample_labels(self, metric: str | None = None) -> list[str]:
        """Names of the labels of sample series, sorted; of a metric those of its newest thousand series."""
        with self._read() as conn:
            return listing.labels(conn, metric)

    def sample_label_values(self, label: str, metric: str | None = None) -> list[str]:
        """Values of one of them, sorted; likewise."""
        with self._read() as conn:
            return listing.values(conn, label, metric)

    def sample_type(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` where there is none of that name."""
        with self._read() as conn:
            return listing.type_of(conn, metric)

    def sample_steps(self, ids: Sequence[int], span: Span) -> dict[int, Steps]:
        """For each series that has any: what stayed of samples that are no longer kept one by one."""
        with self._read() as conn:
            return steps.steps(conn, ids, span)

    def histogram_samples(self, ids: Sequence[int], span: Span) -> dict[int, tuple[np.ndarray, Histograms]]:
        """For each series that has any: times and native histograms in the span."""
        with self._read() as conn:
            return reading.histogram_samples(conn, ids, span)

    def histogram_steps(self, ids: Sequence[int], span: Span) -> dict[int, tuple[np.ndarray, Histograms]]:
        """For each series that has any: which native histograms stayed of old ones, and their times."""
        with self._read() as conn:
            return steps.histogram_steps(conn, ids, span)
