"""What the server answered, as series: texts cleaned, no data as `None`."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.text import clean
from tui_monitor.query.engines.prometheus.trouble import RemoteError
from tui_monitor.query.result import Labels

_WARNINGS = 5
_LONGEST = 200
_LABEL_LENGTH = 1_000
HISTOGRAMS = "histograms are not shown as numbers: ask for histogram_quantile(0.95, …) of them"


@dataclass(frozen=True, slots=True)
class Answered:
    """Values by labels, in the server's order; each as long as there are instants."""

    rows: Mapping[Labels, tuple[float | None, ...]]
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values."""
        return sum(map(len, self.rows.values()))


def answered(found: Mapping[str, Any], place: str, times: Sequence[Micros]) -> Answered:
    """The answer to `query` (of one instant) or `query_range` (of evenly spaced ones).

    Raises `RemoteError` for what is not in Prometheus's form.
    """
    warnings = [_text(one) for key in ("warnings", "infos") for one in found.get(key) or ()]
    try:
        data = found["data"]
        rows, histograms = _rows(data["resultType"], data["result"], times)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise RemoteError(
            f"{place} answers with what is not Prometheus's form",
            hint="is query.prometheus.url the address of a Prometheus-compatible server?",
        ) from None
    if histograms:
        warnings.append(HISTOGRAMS)
    return Answered(rows, tuple(warnings[:_WARNINGS]))


def _rows(
    kind: str, result: Any, times: Sequence[Micros]
) -> tuple[dict[Labels, tuple[float | None, ...]], bool]:
    if kind == "scalar":
        return {(): (_number(result[1]),)}, False
    if kind not in ("vector", "matrix"):
        raise ValueError(kind)
    rows: dict[Labels, tuple[float | None, ...]] = {}
    histograms = False
    for one in result:
        histograms = histograms or "histogram" in one or "histograms" in one
        points = one.get("values") if kind == "matrix" else [one["value"]] if "value" in one else None
        if points:
            rows[_labels(one["metric"])] = _placed(points, times)
    return rows, histograms


def _placed(points: Iterable[Sequence[Any]], times: Sequence[Micros]) -> tuple[float | None, ...]:
    if len(times) == 1:
        return (_number(next(iter(points))[1]),)
    first, step = times[0], times[1] - times[0]
    values: list[float | None] = [None] * len(times)
    for at, text in points:
        index = round((float(at) * SECOND - first) / step)
        if 0 <= index < len(values):
            values[index] = _number(text)
    return tuple(values)


def _labels(metric: Mapping[str, Any]) -> Labels:
    """Sorted; a label may hold whatever somebody sent there."""
    return tuple(
        sorted((_text(name, _LABEL_LENGTH), _text(of, _LABEL_LENGTH)) for name, of in metric.items())
    )


def _number(text: Any) -> float | None:
    """NaN and what is without bounds are no data, as everywhere outside of PromQL."""
    value = float(text)
    return value if math.isfinite(value) else None


def _text(value: Any, longest: int = _LONGEST) -> str:
    return clean(str(value), longest)
