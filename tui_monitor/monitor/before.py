"""The figures of each provider in an earlier span, for the screen and the command line to compare with."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_monitor.model.comparison import comparable
from tui_monitor.model.timerange import Span, format_duration
from tui_monitor.model.units import UNKNOWN

if TYPE_CHECKING:
    from tui_monitor.model.clock import Micros
    from tui_monitor.monitor.api import Monitor

FIGURES: Mapping[str, str] = {
    "p50_ms": "latency{{}} [{0}] p50 by(provider)",
    "p95_ms": "latency{{}} [{0}] p95 by(provider)",
    "success_rate": "success_rate{{}} [{0}] avg by(provider)",
    "requests": "requests{{}} [{0}] sum by(provider)",
    "p99_ms": "latency{{}} [{0}] p99 by(provider)",
    "error_rate": "error_rate{{}} [{0}] avg by(provider)",
    "tokens": "tokens{{}} [{0}] sum by(provider)",
}
"""Figure by provider → its query; {0} is the length of the span."""


@dataclass(frozen=True, slots=True)
class Before:
    """Figures of an earlier span by provider, in the units of `ProviderRow`; empty where not known."""

    p50_ms: Mapping[str, float] = field(default_factory=dict)
    p95_ms: Mapping[str, float] = field(default_factory=dict)
    success_rate: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)
    p99_ms: Mapping[str, float] = field(default_factory=dict)
    error_rate: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, float] = field(default_factory=dict)


async def figures_of(
    monitor: "Monitor", span: Span, first: "Micros | None", names: Sequence[str] = tuple(FIGURES)
) -> Before:
    """These figures in the span; none where it begins before the `first` call: it was not recorded whole.

    Raises `QueryError` and `StoreError`.
    """
    if not comparable(first, span):
        return Before()
    length = format_duration(span.length)

    async def one(text: str) -> Mapping[str, float]:
        found = (await monitor.query(text, at=span.end)).by("provider")
        return {name or UNKNOWN: value for name, value in found.items()}

    texts = [FIGURES[name].format(length) for name in names]
    return Before(**dict(zip(names, await asyncio.gather(*map(one, texts)), strict=True)))
