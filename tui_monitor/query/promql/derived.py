"""Which series the calls and events make: every metric of the table under its names, in its forms.

`llm_cost_usd_total` and `cost` are the same counter, `llm_request_duration_seconds` is a native histogram
and, with `_bucket`, `_sum` and `_count` behind it, a classic one. `cost_count` is in how many calls the cost
is known. Shares like `error_rate` are no series: they are quotients of two, which a query writes as such.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui_monitor.query.metrics import BY_NAME, METRICS, Kind, Metric


class Form(StrEnum):
    """How the numbers of a metric appear as series."""

    COUNTER = "counter"
    NATIVE = "histogram"
    BUCKET = "_bucket"
    SUM = "_sum"
    COUNT = "_count"
    ACTIVE = "active"
    """A gauge, of this moment only."""
    DATED = "dated"
    """A gauge: one sample for each event, at its time."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A name, the metric that is meant, and its form."""

    name: str
    metric: Metric
    form: Form

    @property
    def has_buckets(self) -> bool:
        """Whether its samples are made of histograms."""
        return self.form in (Form.NATIVE, Form.BUCKET)


_FORMS: dict[Kind, tuple[Form, ...]] = {
    Kind.COUNT: (Form.COUNTER,),
    Kind.AMOUNT: (Form.COUNTER, Form.COUNT),
    Kind.LATENCY: (Form.NATIVE, Form.BUCKET, Form.SUM, Form.COUNT),
    Kind.ACTIVE: (Form.ACTIVE,),
    Kind.SCORE: (Form.DATED,),
    Kind.RATIO: (),
}
_CLASSIC = (Form.BUCKET, Form.SUM, Form.COUNT)
IN_SECONDS = {
    "latency": "llm_request_duration_seconds",
    "ttft": "llm_time_to_first_token_seconds",
    "queue_wait": "llm_queue_wait_seconds",
}
"""Metrics in milliseconds, and the same in seconds."""

DURATION_BOUNDS: tuple[float, ...] = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
FIRST_TOKEN_BOUNDS: tuple[float, ...] = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip


def bounds_of(metric: Metric) -> tuple[float, ...]:
    """The bounds of classic buckets in s, as OpenTelemetry's conventions for generative AI have them.

    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
    """
    return FIRST_TOKEN_BOUNDS if metric.sum.measures == ("ttft",) else DURATION_BOUNDS


def _all() -> Iterator[Derived]:
    for name, metric in BY_NAME.items():
        for form in _FORMS[metric.kind]:
            yield Derived(name + form if form in _CLASSIC else name, metric, form)


TABLE: dict[str, Derived] = {found.name: found for found in _all()}
"""All by name, the short names too."""

_LONG = {metric.long or IN_SECONDS.get(metric.name, metric.name) for metric in METRICS}
LISTED: tuple[Derived, ...] = tuple(
    found
    for found in TABLE.values()
    if found.name.removesuffix(found.form) in _LONG
    and (found.metric.kind is not Kind.AMOUNT or found.form is Form.COUNTER)
)
"""Each series once, under the name by which it is scraped elsewhere if it has one."""
