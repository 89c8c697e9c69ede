"""The table of metrics: what each is made of. Engine, completion and the documentation read it.

Numbers of calls are sums of the store's measures; `divisor` turns their integers into the metric's unit.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tui_monitor.model.call import NANO, OUR_ERRORS, PROVIDER_ERRORS
from tui_monitor.model.feed import SampleType
from tui_monitor.query.language import quantile_of
from tui_monitor.store.api import Measure


class Kind(StrEnum):
    """What a metric is, and so how it may be put together."""

    COUNT = "count"
    """How many calls or events."""
    AMOUNT = "amount"
    """Something each call has: tokens, money. Adds up."""
    LATENCY = "latency"
    """A length of time that each call has; kept as histograms."""
    RATIO = "ratio"
    """One sum divided by another."""
    SCORE = "score"
    """A value that each event has; does not add up."""
    ACTIVE = "active"
    """How many calls are under way."""


Source = Literal["calls", "starts", "cache", "rate_limit", "score", "progress"]
"""Where a metric comes from: calls, calls that began, or events of a kind."""

AGGREGATES_OF: dict[Kind, tuple[str, ...]] = {
    Kind.COUNT: ("sum", "count", "rate"),
    Kind.AMOUNT: ("sum", "avg", "min", "max", "count", "rate", "pNN"),
    Kind.LATENCY: ("avg", "sum", "min", "max", "count", "pNN"),
    Kind.RATIO: ("avg", "sum"),
    Kind.SCORE: ("avg", "min", "max", "count", "pNN"),
    Kind.ACTIVE: ("sum", "count"),
}
"""Aggregates that have a meaning; the default one first unless the metric names its own."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over calls: of these measures, over the calls whose outcome is one of those asked for.

    An empty set asks for nothing. `without` are error categories that are left out.
    """

    measures: tuple[Measure, ...] = ("calls",)
    statuses: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @property
    def by_outcome(self) -> bool:
        """Whether only some outcomes are counted."""
        return bool(self.statuses or self.categories or self.without)

    def takes(self, status: str, category: str) -> bool:
        """Whether a call of this outcome counts."""
        return (
            (not self.statuses or status in self.statuses)
            and (not self.categories or category in self.categories)
            and category not in self.without
        )


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what it means, its unit, and what it is made of."""

    name: str
    help: str
    kind: Kind
    unit: str = ""
    sum: Sum = Sum()
    over: Sum | None = None
    """Denominator of a ratio."""
    divisor: int = 1
    source: Source = "calls"
    names: tuple[str, ...] = ()
    """Of events: those that count, all if empty; of the numerator in a ratio."""
    default: str = ""
    long: str = ""
    """The name under which it is scraped elsewhere, where that means the same in the same unit."""
    elapsed: bool = False
    """Of events: the value is the time since the first of the same name, not what the event says."""
    money: bool = False
    """Whether a call without a price lacks it."""

    @property
    def aggregates(self) -> tuple[str, ...]:
        """Aggregates that have a meaning; `pNN` stands for every quantile."""
        return AGGREGATES_OF[self.kind]

    @property
    def default_aggregate(self) -> str:
        """What is answered where none is named."""
        return self.default or self.aggregates[0]

    def allows(self, how: str) -> bool:
        """Whether the aggregate has a meaning."""
        return ("pNN" if quantile_of(how) is not None else how) in self.aggregates


_ERROR = frozenset({"error"})
_JUDGED = frozenset({"success", "error"})
_SUCCESS = frozenset({"success"})
_NOT_THEIRS = OUR_ERRORS | {"cancelled"}


def _amount(name: str, measures: tuple[Measure, ...], text: str, long: str = "") -> Metric:
    return Metric(name, text, Kind.AMOUNT, "tokens", Sum(measures), long=long)


def _latency(name: str, measure: Measure, text: str) -> Metric:
    return Metric(name, text, Kind.LATENCY, "ms", Sum((measure,)), divisor=1_000)


_CALLS = (
    Metric("requests", "calls that ended", Kind.COUNT, "requests", long="llm_requests_total"),
    Metric(
        "requests_active", "calls that began in the last 10 minutes and have not ended", Kind.ACTIVE,
        "requests", source="starts", long="llm_requests_active",
    ),
    Metric(
        "errors", "calls that failed", Kind.COUNT, "requests", Sum(statuses=_ERROR), long="llm_errors_total"
    ),
    Metric(
        "success_rate", "share of the calls that succeeded or failed which succeeded", Kind.RATIO, "ratio",
        Sum(statuses=_SUCCESS), Sum(statuses=_JUDGED),
    ),
    Metric(
        "error_rate", "share of the calls that succeeded or failed which failed", Kind.RATIO, "ratio",
        Sum(statuses=_ERROR), Sum(statuses=_JUDGED),
    ),
    Metric(
        "provider_error_rate",
        "share of the calls that failed through the provider, errors of ours left out",
        Kind.RATIO, "ratio",
        Sum(statuses=_ERROR, categories=PROVIDER_ERRORS), Sum(statuses=_JUDGED, without=_NOT_THEIRS),
    ),
    _latency("latency", "latency", "time from request to the end of the answer"),
    Metric(
        "llm_request_duration_seconds", "latency in seconds", Kind.LATENCY, "s", Sum(("latency",)),
        divisor=1_000_000,
    ),
    _latency("ttft", "ttft", "time to the first token"),
    Metric(
        "llm_time_to_first_token_seconds", "ttft in seconds", Kind.LATENCY, "s", Sum(("ttft",)),
        divisor=1_000_000,
    ),
    _latency("queue_wait", "queue_wait", "time a call waited before it was sent"),
    Metric(
        "llm_queue_wait_seconds", "queue_wait in seconds", Kind.LATENCY, "s", Sum(("queue_wait",)),
        divisor=1_000_000,
    ),
    _amount("tokens", ("input", "output"), "input and output tokens of all kinds", "llm_tokens_total"),
    _amount("input_tokens", ("input",), "all input tokens, cached or not", "llm_tokens_input_total"),
    _amount("output_tokens", ("output",), "all output tokens", "llm_tokens_output_total"),
    _amount(
        "reasoning_tokens", ("reasoning",), "output tokens spent on reasoning; part of output_tokens",
        "llm_tokens_reasoning_total",
    ),
    _amount(
        "cache_read_tokens", ("cache_read",), "input tokens served from the provider's cache",
        "llm_tokens_cache_read_total",
    ),
    _amount(
        "cache_write_tokens", ("cache_write",), "input tokens written to the provider's cache",
        "llm_tokens_cache_write_total",
    ),
    Metric(
        "cost", "what the calls cost; calls without a price are unknown, not free", Kind.AMOUNT, "usd",
        Sum(("cost",)), divisor=NANO, long="llm_cost_usd_total", money=True,
    ),
    Metric(
        "list_cost", "what the calls cost by list price, whether or not anybody pays it", Kind.AMOUNT, "usd",
        Sum(("list_cost",)), divisor=NANO, long="llm_list_cost_usd_total", money=True,
    ),
    Metric(
        "cache_hit_rate", "share of all input tokens that the provider's cache served", Kind.RATIO, "ratio",
        Sum(("cache_read",)), Sum(("input",)),
    ),
    Metric(
        "unpriced", "calls without a price", Kind.COUNT, "requests", Sum(("unpriced",)),
        long="llm_requests_unpriced_total",
    ),
    Metric(
        "unpriced_tokens", "tokens of the calls without a price", Kind.COUNT, "tokens",
        Sum(("unpriced_tokens",)), long="llm_tokens_unpriced_total",
    ),
)  # fmt: skip

_EVENTS = (
    Metric(
        "response_cache_hit_rate", "share of your own response cache's lookups that hit", Kind.RATIO, "ratio",
        source="cache", names=("hit",),
    ),
    Metric("cache_hits", "lookups that your response cache answered", Kind.COUNT, "", source="cache",
           names=("hit",)),
    Metric("cache_misses", "lookups that your response cache did not answer", Kind.COUNT, "", source="cache",
           names=("miss",)),
    Metric("rate_limit_denied", "requests that a rate limit refused", Kind.COUNT, "", source="rate_limit",
           names=("denied",)),
    Metric("rate_limit_allowed", "requests that a rate limit let through", Kind.COUNT, "",
           source="rate_limit", names=("allowed",)),
    Metric("llm_evaluation_score", "scores of evaluations, by name, model, prompt_type, user_category",
           Kind.SCORE, "", source="score"),
    Metric("llm_benchmark_progress", "how much of a benchmark or evaluation is done, by name", Kind.SCORE,
           "ratio", source="progress", default="max"),
    Metric("llm_benchmark_duration_seconds",
           "time from the first word of a benchmark or evaluation in the range to the last, by name",
           Kind.SCORE, "s", source="progress", default="max", elapsed=True),
)  # fmt: skip

METRICS: tuple[Metric, ...] = (*_CALLS, *_EVENTS)
BY_NAME: dict[str, Metric] = {
    **{metric.name: metric for metric in METRICS},
    **{metric.long: metric for metric in METRICS if metric.long},
}
"""Every name, the long ones too."""

LABEL_ALIASES: dict[str, str] = {"error_type": "error_category"}
"""Labels of calls under the names they are scraped with elsewhere."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A metric that is stored as samples."""

    name: str
    type: SampleType
    unit: str = ""
    help: str = ""

    @property
    def aggregates(self) -> tuple[str, ...]:
        """Aggregates that have a meaning; the default one first."""
        return SAMPLE_AGGREGATES[self.type]

    @property
    def default_aggregate(self) -> str:
        """What is answered where none is named; empty where none has a meaning."""
        return next(iter(self.aggregates), "")

    def allows(self, how: str) -> bool:
        """Whether the aggregate has a meaning."""
        return ("pNN" if quantile_of(how) is not None else how) in self.aggregates


SAMPLE_AGGREGATES: dict[SampleType, tuple[str, ...]] = {
    "gauge": ("avg", "sum", "min", "max", "last", "count", "pNN"),
    "counter": ("sum", "rate", "count"),
    "histogram": ("avg", "sum", "min", "max", "count", "pNN"),
    "native_histogram": (),
}


def adds_up(metric: Metric | Sampled, how: str) -> bool:
    """Whether the aggregate of two neighbouring windows is the sum of theirs: counts, tokens, money do."""
    if how == "count":
        return isinstance(metric, Sampled) or metric.kind is not Kind.ACTIVE
    if how != "sum":
        return False
    if isinstance(metric, Sampled):
        return metric.type != "gauge"
    return metric.kind in (Kind.COUNT, Kind.AMOUNT, Kind.LATENCY)


def unit_after(unit: str, how: str) -> str:
    """The unit of an aggregate over values of a unit."""
    if how == "rate":
        return f"{unit}/s"
    return "" if how == "count" else unit
