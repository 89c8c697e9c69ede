"""What arrives beside calls: cache results, rate limits, starts, samples, scores, progress, marks."""

from dataclasses import dataclass, field
from struct import Struct
from typing import Literal

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.histogram import NativeHistogram

SampleType = Literal["counter", "gauge", "histogram", "native_histogram"]
"""Samples of a `histogram` are single observations, those of a `native_histogram` are counts of many."""


_FLOAT = Struct("<d")
_STALE = bytes.fromhex("020000000000f07f")
STALE: float = _FLOAT.unpack(_STALE)[0]
"""As a value: the series ended here. Prometheus's staleness marker, a NaN with bits of its own."""


def is_stale(value: float) -> bool:
    """Whether a value is the staleness marker, and no other NaN."""
    return value != value and _FLOAT.pack(value) == _STALE


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a series, or `STALE`: then it ended here."""

    name: str
    ts: Micros
    value: float | NativeHistogram
    """A native histogram where the type says so. Of type `histogram` it is one observation."""
    labels: dict[str, str] = field(default_factory=dict)
    type: SampleType = "gauge"
    batch_id: str | None = None
    """Which import brought it."""


EventKind = Literal["cache", "rate_limit", "score", "progress", "mark"]


@dataclass(frozen=True, slots=True)
class Event:
    """A dated fact that is no call. Which fields mean what depends on `kind`:

    - cache: `name` = hit | miss, `value` = saved USD, `labels.saved_tokens`
    - rate_limit: `name` = allowed | denied, `value` = remaining, `labels` = key, limit_type, limit, reset_s
    - score: `name` = what was scored, `value` = the score, `labels` = model, prompt_type, user_category, call
    - progress: `name` = what runs, `value` = done, `labels` = total, unit, state
    - mark: `name` = the text; drawn on charts
    """

    kind: EventKind
    ts: Micros
    source: str
    source_key: str
    name: str
    value: float | None = None
    labels: dict[str, str] = field(default_factory=dict)
    batch_id: str | None = None
    """Which import brought it."""


@dataclass(frozen=True, slots=True)
class Start:
    """A call that began and is not yet reported as ended; forgotten after ten minutes."""

    source: str
    source_key: str
    ts: Micros
    provider: str | None = None
    model: str | None = None
    operation: str = "chat"
    app: str | None = None


@dataclass(frozen=True, slots=True)
class Retract:
    """Takes a call back out of every layer."""

    source: str
    source_key: str


Record = Call | Sample | Event | Start | Retract
"""Anything the write path takes."""
