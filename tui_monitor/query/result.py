"""What a query answers."""

from dataclasses import dataclass, field
from typing import Any, Literal

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.timerange import Span

Labels = tuple[tuple[str, str], ...]
"""Sorted (name, value) pairs; hashable."""


_PER_TIME, _PER_LABEL = 40, 120
"""Bytes of a number in a tuple, and of a label."""


def labels_of(**labels: str) -> Labels:
    """Sorted pairs of keyword labels."""
    return tuple(sorted(labels.items()))


@dataclass(frozen=True, slots=True)
class Series:
    """One answer: labels, and values at the times of the result. `None` is no data, never 0."""

    labels: Labels
    values: tuple[float | None, ...]

    @property
    def value(self) -> float | None:
        """The only value of an instant answer, or the last of a range."""
        return self.values[-1] if self.values else None

    @property
    def mean(self) -> float:
        """Over the values that it has; minus infinity without any."""
        known = [value for value in self.values if value is not None and value == value]
        return sum(known) / len(known) if known else float("-inf")

    def label(self, name: str, default: str = "") -> str:
        """The value of one label."""
        return dict(self.labels).get(name, default)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a query.

    `times` are the instants of the values, µs UTC: one for an instant query, the step ends for a range.
    """

    query: str
    kind: Literal["vector", "matrix"]
    times: tuple[Micros, ...]
    series: tuple[Series, ...]
    unit: str = ""
    metric: str = ""
    warnings: tuple[str, ...] = ()
    span: Span | None = None
    """What was looked at, for an answer over a range of time."""
    layers: tuple[str, ...] = ()
    """Where it came from: `hour`, `minute`, `raw`, `samples`, `events`; or the remote server's kind."""
    approximate: bool = False
    """Whether a remote server extrapolated it from samples: shown as `≈`."""
    bounds: str = ""
    """Unit of the bounds in `le` where the series are buckets of a histogram: their values are counts."""

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        labels = sum(len(series.labels) for series in self.series)
        return 500 + _PER_TIME * len(self.times) * (1 + len(self.series)) + _PER_LABEL * labels

    def by(self, label: str) -> dict[str, float]:
        """Value per label value, for an instant answer grouped by one label; without the unknown ones."""
        return {s.label(label): s.value for s in self.series if s.value is not None}

    @property
    def scalar(self) -> float | None:
        """The value of an answer that has one series at most."""
        return self.series[0].value if len(self.series) == 1 else None

    def ranked(self, now: "Result") -> "list[Series]":
        """The series of an answer over time, those of the largest value in the instant answer `now` first.

        Those without a value there follow by their mean: steps are of unequal weight, so a mean of sums or
        quantiles over them ranks less well.
        """
        values = {series.labels: series.value for series in now.series}

        def rank(series: Series) -> tuple[bool, float, Labels]:
            value = values.get(series.labels)
            known = value is not None and value == value
            return not known, -(value if value is not None and known else series.mean), series.labels

        return sorted(self.series, key=rank)

    def prometheus(self) -> dict[str, Any]:
        """The `data` object of Prometheus's HTTP API: values as text, times in s, no data left out."""

        def point(t: Micros, value: float) -> list[Any]:
            return [t / SECOND, repr(value) if not float(value).is_integer() else str(int(value))]

        rows: list[dict[str, Any]] = []
        for series in self.series:
            labels = dict(series.labels)
            points = [point(t, v) for t, v in zip(self.times, series.values, strict=True) if v is not None]
            if not points:
                continue
            key, value = ("value", points[-1]) if self.kind == "vector" else ("values", points)
            rows.append({"metric": labels, key: value})
        return {"resultType": self.kind, "result": rows}


@dataclass(frozen=True, slots=True)
class After:
    """Where a list of calls goes on: behind the call of that number, which was booked at that instant.

    What comes later has a greater number, and what is taken back changes none: so no call is told twice.
    """

    booked: Micros
    number: int


@dataclass(frozen=True, slots=True)
class CallList:
    """Calls that pass a filter, the newest first."""

    query: str
    filter: str
    """The filter as it was read."""
    span: Span
    calls: tuple[Call, ...]
    after: After | None = None
    """Where the next ones begin; `None` where these were the last."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Calls around one that have the same value of a label, the nearest first."""

    label: str
    """`session`, `trace_id`, `user` or `project`; empty for any call."""
    value: str
    before: tuple[Call, ...] = ()
    after: tuple[Call, ...] = ()


CompletionKind = Literal["metric", "label", "value", "function", "keyword", "duration"]


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on: `text` replaces the `length` characters before the cursor."""

    text: str
    length: int
    kind: CompletionKind
    help: str = field(default="", compare=False)
