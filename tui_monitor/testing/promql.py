"""The PromQL engine over series in memory, as a conformance tool drives it."""

from collections.abc import Iterable
from typing import Any, Protocol

from tui_monitor.model.clock import MS, SECOND
from tui_monitor.model.histogram import CounterReset, NativeHistogram
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.memory import MemoryStorage

_HINTS = {
    "reset": CounterReset.RESET,
    "not_reset": CounterReset.CONTINUED,
    "gauge": CounterReset.GAUGE,
}


class Series(Protocol):
    """A series as the tool loads it: samples are (ms, float or histogram)."""

    labels: dict[str, str]
    samples: list[tuple[int, Any]]


class ConformanceEngine:
    """Loads series and answers as Prometheus's HTTP API does; times are seconds."""

    def __init__(self, semantics: Semantics) -> None:
        self._storage = MemoryStorage()
        self._engine = Engine(self._storage, semantics)

    def clear(self) -> None:
        """Forget all series."""
        self._storage.clear()

    def load(self, series: Iterable[Series]) -> None:
        """Add samples to what is there."""
        for one in series:
            self._storage.add(one.labels, [(time * MS, _value(value)) for time, value in one.samples])

    def query(self, expr: str, time_s: float) -> dict[str, Any]:
        """The answer at one instant. Raises the errors of the engine."""
        return self._engine.instant(expr, round(time_s * SECOND)).api()

    def query_range(self, expr: str, start_s: float, end_s: float, step_s: float) -> dict[str, Any]:
        """The answers over a range. Raises the errors of the engine."""
        start, end, step = (round(seconds * SECOND) for seconds in (start_s, end_s, step_s))
        return self._engine.range(expr, start, end, step).api()


def _value(value: Any) -> float | NativeHistogram:
    if isinstance(value, int | float):
        return float(value)
    return NativeHistogram(
        value.schema,
        value.count,
        value.sum,
        value.zero_threshold,
        value.zero_count,
        _counts(value.pos),
        _counts(value.neg),
        tuple(value.custom),
        _HINTS.get(value.hint, CounterReset.UNKNOWN),
    )


def _counts(counts: dict[int, float]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted((index, float(count)) for index, count in counts.items() if count))


def promql_engine() -> ConformanceEngine:
    """With the semantics of Prometheus 3."""
    return ConformanceEngine(Semantics(3))


def promql_engine_v2() -> ConformanceEngine:
    """With the semantics of Prometheus 2."""
    return ConformanceEngine(Semantics(2))
