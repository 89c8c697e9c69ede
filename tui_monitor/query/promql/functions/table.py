"""Every function once: its types, what it is for, and where it is computed.

The parser, completion and the reference page read this table; what computes a function is imported when it
is first called, so that reading an expression needs no numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from tui_monitor.query.promql.ast import ValueType

if TYPE_CHECKING:
    from tui_monitor.query.promql.evaluate.calling import Implementation

SCALAR, VECTOR, MATRIX, STRING = ValueType.SCALAR, ValueType.VECTOR, ValueType.MATRIX, ValueType.STRING
MANY = 1_000
"""Most arguments of a function that takes any number."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. The last `optional` arguments may be left out, the last may come `repeats` times more."""

    name: str
    arguments: tuple[ValueType, ...]
    returns: ValueType
    summary: str
    module: str
    optional: int = 0
    repeats: int = 0
    experimental: bool = False
    """Whether Prometheus has it behind a feature flag only."""

    @property
    def least(self) -> int:
        """How many arguments must be given."""
        return len(self.arguments) - self.optional

    @property
    def most(self) -> int:
        """How many arguments may be given."""
        return len(self.arguments) + self.repeats

    def argument(self, index: int) -> ValueType:
        """The type of an argument."""
        return self.arguments[min(index, len(self.arguments) - 1)]

    def implementation(self) -> "Implementation":
        """What computes it."""
        return _implementation(self.module, self.name)

    def signature(self) -> str:
        """The call as the reference shows it: `round(vector, [scalar])`."""
        shown = [
            f"[{kind}]" if index >= self.least else str(kind) for index, kind in enumerate(self.arguments)
        ]
        return f"{self.name}({', '.join([*shown, *(['…'] if self.repeats else [])])})"


@cache
def _implementation(module: str, name: str) -> "Implementation":
    found = import_module(f"tui_monitor.query.promql.functions.{module}")
    return found.FUNCTIONS[name]


def _table(entries: Iterable[Function]) -> dict[str, Function]:
    return {entry.name: entry for entry in entries}


def _each(
    names: dict[str, str], arguments: tuple[ValueType, ...], module: str, *, optional: int = 0
) -> list[Function]:
    return [
        Function(name, arguments, VECTOR, summary, module, optional=optional)
        for name, summary in names.items()
    ]


def _experimental(
    names: dict[str, str],
    arguments: tuple[ValueType, ...],
    module: str,
    *,
    optional: int = 0,
    repeats: int = 0,
) -> list[Function]:
    return [
        Function(name, arguments, VECTOR, summary, module, optional, repeats, experimental=True)
        for name, summary in names.items()
    ]


_MATHS = {
    "abs": "the value without its sign",
    "ceil": "the next whole number above",
    "floor": "the next whole number below",
    "exp": "e to the power of the value",
    "sqrt": "square root",
    "ln": "natural logarithm",
    "log2": "logarithm to the base 2",
    "log10": "logarithm to the base 10",
    "sgn": "1 above 0, -1 below, 0 at 0",
    "sin": "sine of radians",
    "cos": "cosine of radians",
    "tan": "tangent of radians",
    "asin": "arcsine in radians",
    "acos": "arccosine in radians",
    "atan": "arctangent in radians",
    "sinh": "hyperbolic sine",
    "cosh": "hyperbolic cosine",
    "tanh": "hyperbolic tangent",
    "asinh": "inverse hyperbolic sine",
    "acosh": "inverse hyperbolic cosine",
    "atanh": "inverse hyperbolic tangent",
    "deg": "radians as degrees",
    "rad": "degrees as radians",
}
_CALENDAR = {
    "minute": "minute of the hour, UTC",
    "hour": "hour of the day, UTC",
    "day_of_week": "day of the week, Sunday is 0, UTC",
    "day_of_month": "day of the month, UTC",
    "day_of_year": "day of the year, UTC",
    "days_in_month": "how many days the month has, UTC",
    "month": "month of the year, UTC",
    "year": "year, UTC",
}
_OVER_TIME = {
    "avg_over_time": "mean of the samples in the range",
    "sum_over_time": "total of the samples in the range",
    "min_over_time": "least sample in the range",
    "max_over_time": "greatest sample in the range",
    "count_over_time": "how many samples there are in the range",
    "last_over_time": "newest sample in the range",
    "present_over_time": "1 for every series with a sample in the range",
    "stddev_over_time": "standard deviation of the samples in the range",
    "stdvar_over_time": "variance of the samples in the range",
}
_OVER_TIME_EXPERIMENTAL = {
    "first_over_time": "oldest sample in the range",
    "mad_over_time": "median of the distances from the median in the range",
    "ts_of_first_over_time": "time of the oldest sample in the range, in s since the epoch",
    "ts_of_last_over_time": "time of the newest sample in the range, in s since the epoch",
    "ts_of_max_over_time": "time of the last greatest sample in the range, in s since the epoch",
    "ts_of_min_over_time": "time of the last least sample in the range, in s since the epoch",
}
_COUNTERS = {
    "rate": "increase per second of a counter, extrapolated to the whole range",
    "increase": "increase of a counter, extrapolated to the whole range",
    "irate": "increase per second between the last two samples of a counter",
    "resets": "how often a counter fell in the range",
}
_GAUGES = {
    "delta": "difference between the first and the last sample of a gauge, extrapolated to the whole range",
    "idelta": "difference between the last two samples of a gauge",
    "changes": "how often the value changed in the range",
    "deriv": "slope per second by linear regression",
}
_HISTOGRAMS = {
    "histogram_avg": "mean of the observations in a native histogram",
    "histogram_count": "how many observations a native histogram has",
    "histogram_sum": "total of the observations in a native histogram",
    "histogram_stddev": "estimated standard deviation of the observations in a native histogram",
    "histogram_stdvar": "estimated variance of the observations in a native histogram",
}
_SMOOTHING = "value smoothed by its level and its trend, each weighted by a factor between 0 and 1"

TABLE: dict[str, Function] = _table(
    [
        *_each(_MATHS, (VECTOR,), "maths"),
        *_each(_CALENDAR, (VECTOR,), "calendar", optional=1),
        Function("time", (), SCALAR, "the instant of evaluation, in s since the epoch", "instants"),
        Function("timestamp", (VECTOR,), VECTOR, "time of each sample, in s since the epoch", "instants"),
        Function("pi", (), SCALAR, "π", "maths"),
        Function(
            "round", (VECTOR, SCALAR), VECTOR, "the nearest multiple, of 1 by default", "maths", optional=1
        ),
        Function("clamp", (VECTOR, SCALAR, SCALAR), VECTOR, "the value held between two bounds", "maths"),
        Function("clamp_min", (VECTOR, SCALAR), VECTOR, "the value, or the bound where it is less", "maths"),
        Function("clamp_max", (VECTOR, SCALAR), VECTOR, "the value, or the bound where it is more", "maths"),
        *_each(_OVER_TIME, (MATRIX,), "over_time"),
        *_experimental(_OVER_TIME_EXPERIMENTAL, (MATRIX,), "over_time"),
        Function(
            "quantile_over_time", (SCALAR, MATRIX), VECTOR, "φ-quantile of the samples in the range",
            "over_time",
        ),
        Function("absent_over_time", (MATRIX,), VECTOR, "1 where the range has no sample at all", "absence"),
        Function("absent", (VECTOR,), VECTOR, "1 where the vector is empty", "absence"),
        *_each(_COUNTERS, (MATRIX,), "rates"),
        *_each(_GAUGES, (MATRIX,), "rates"),
        Function(
            "predict_linear", (MATRIX, SCALAR), VECTOR,
            "the value so many seconds from now by linear regression", "rates",
        ),
        Function("double_exponential_smoothing", (MATRIX, SCALAR, SCALAR), VECTOR, _SMOOTHING, "rates"),
        Function(
            "holt_winters", (MATRIX, SCALAR, SCALAR), VECTOR,
            "the name of double_exponential_smoothing before Prometheus 3", "rates",
        ),
        *_each(_HISTOGRAMS, (VECTOR,), "histograms"),
        Function(
            "histogram_quantile", (SCALAR, VECTOR), VECTOR,
            "φ-quantile of classic histograms, by their le, or of native ones", "quantiles",
        ),
        Function(
            "histogram_fraction", (SCALAR, SCALAR, VECTOR), VECTOR,
            "share of the observations between two bounds", "quantiles",
        ),
        *_experimental(
            {"histogram_quantiles": "several quantiles at once; each is told in a label"},
            (VECTOR, STRING, SCALAR), "quantiles", repeats=9,
        ),
        Function("scalar", (VECTOR,), SCALAR, "the value of the only series, else NaN", "instants"),
        Function("vector", (SCALAR,), VECTOR, "the number as a series without labels", "instants"),
        Function("sort", (VECTOR,), VECTOR, "least value first, of instant queries", "sorting"),
        Function("sort_desc", (VECTOR,), VECTOR, "greatest value first, of instant queries", "sorting"),
        *_experimental(
            {
                "sort_by_label": "by labels in natural order, of instant queries",
                "sort_by_label_desc": "by labels in natural order backwards, of instant queries",
            },
            (VECTOR, STRING), "sorting", optional=1, repeats=MANY,
        ),
        Function(
            "label_replace", (VECTOR, STRING, STRING, STRING, STRING), VECTOR,
            "a label made from what a regular expression finds in another", "labels",
        ),
        Function(
            "label_join", (VECTOR, STRING, STRING, STRING), VECTOR,
            "a label made of the values of others", "labels", optional=1, repeats=MANY,
        ),
        *_experimental(
            {"info": "labels of the info series that share job and instance are added"},
            (VECTOR, VECTOR), "info", optional=1,
        ),
        Function(
            "baseline", (VECTOR, STRING), VECTOR,
            "median of what it was at the same time on each of the past days, 7 of them unless told",
            "usual", optional=1,
        ),
    ]
)  # fmt: skip
"""All functions by name."""
