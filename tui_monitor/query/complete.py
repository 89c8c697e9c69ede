"""Ways to go on with a query or a filter that is being typed: for the query line, and for shells."""

from collections.abc import Iterator
from typing import Protocol

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.feed import SampleType
from tui_monitor.query.filters import complete as filters
from tui_monitor.query.known import KNOWN, unit_of_name
from tui_monitor.query.language import AGGREGATES, RANGES, is_plain, quote, spelled
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Metric, Sampled, Source
from tui_monitor.query.offering import matching, ordered
from tui_monitor.query.promql.ast import AGGREGATIONS, WITH_PARAM
from tui_monitor.query.promql.functions.table import TABLE, Function
from tui_monitor.query.result import Completion
from tui_monitor.query.typed import COMPARISONS, GROUPINGS, OPERATORS, Typed, typed

MAX_LENGTH = 10_000
MAX_OFFERED = 100
MAX_VALUES = 1_000
"""Values of a label that are looked at."""

_OFFSETS = (("1h", "an hour ago"), ("1d", "a day ago"), ("7d", "a week ago"))
_STEPS = (("1m", "each minute"), ("5m", "every 5 minutes"), ("1h", "each hour"))
_AT = (("start()", "the beginning of the range"), ("end()", "the end of the range"))
_GROUPING = (
    ("by(", "one value for each value of a label"),
    ("without(", "one value for each set of the other labels"),
)
_MATCHING = (
    ("on(", "both sides meet where these labels are equal"),
    ("ignoring(", "both sides meet where all other labels are equal"),
)
_MANY = (
    ("group_left(", "many on the left meet one on the right"),
    ("group_right(", "one on the left meets many on the right"),
)
_OPERATIONS = (
    ("offset ", "the same, some time ago"),
    ("and ", "what has the same labels on the right too"),
    ("or ", "and what the left lacks"),
    ("unless ", "what has no such labels on the right"),
    ("@ ", "at one instant"),
)
_BOOL = (("bool ", "1 or 0, and nothing is left out"),)
_EVENT_LABELS: dict[Source, tuple[str, ...]] = {
    "starts": ("provider", "model", "operation", "app", "source"),
    "cache": ("name", "app", "source"),
    "rate_limit": ("name", "key", "limit_type", "source"),
    "score": ("name", "model", "prompt_type", "user_category", "source"),
    "progress": ("name", "state", "unit", "source"),
}


class Vocabulary(Protocol):
    """The names there are now. Methods raise `StoreError`, and read a few thousand rows at most."""

    def label_names(self) -> list[str]:
        """Labels and free attributes of calls."""
        ...

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        """Values of a label of calls."""
        ...

    def sample_names(self) -> list[str]:
        """Names of stored metrics."""
        ...

    def sample_labels(self, metric: str | None = None) -> list[str]:
        """Labels of the series of a stored metric."""
        ...

    def sample_label_values(self, label: str, metric: str | None = None) -> list[str]:
        """Values of one of them."""
        ...

    def sample_type(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` where nobody has sent any."""
        ...


def complete(text: str, cursor: int, words: Vocabulary) -> list[Completion]:
    """Ways to go on at the cursor, best first: those that begin with the word typed, then those that hold it.

    Raises `StoreError`.
    """
    cursor = max(0, min(cursor, len(text)))
    if cursor > MAX_LENGTH:
        return []
    # Half a character (a lone surrogate) cannot be looked up.
    text = text.encode("utf-8", "replace").decode()
    before = text[:cursor]
    if filters.is_being_typed(before):
        found = filters.offers(before, words)
    else:
        found = _offers(typed(text[: MAX_LENGTH * 2], cursor), words)
    unique: dict[str, Completion] = {}
    for one in found:
        if len(unique) >= MAX_OFFERED:
            break
        unique.setdefault(one.text, one)
    return list(unique.values())


def _offers(place: Typed, words: Vocabulary) -> Iterator[Completion]:
    if place.inside == "[":
        ranges = _STEPS if place.last == ":" else RANGES.items()
        yield from matching(place.word, ranges, "duration", end="]")
    elif place.inside == "{" and place.valued:
        length = len(place.word) + place.quoted
        for value in ordered(place.word, _label_values(place.metric, place.label, words)):
            yield Completion(quote(value), length, "value")
    elif place.inside in ("{", "labels"):
        names = ((spelled(name), "") for name in _label_names(place.metric, words))
        yield from matching(place.word, names, "label")
    elif place.last == "offset":
        yield from matching(place.word, _OFFSETS, "duration")
    elif place.last == "@":
        yield from matching(place.word, _AT, "keyword")
    elif place.selected:
        yield from _after(place, words)
    else:
        yield from _operands(place, words)


def _operands(place: Typed, words: Vocabulary) -> Iterator[Completion]:
    """Metrics, functions and aggregations; behind an operator also how both sides meet."""
    if place.aggregated:
        yield from matching(place.word, _GROUPING, "keyword")
        return
    if place.last == ")" and place.word:
        # Behind `on(…)`.
        yield from matching(place.word, _MANY, "keyword")
    if place.last in COMPARISONS and place.word:
        yield from matching(place.word, _BOOL, "keyword")
    names = list(dict.fromkeys([*BY_NAME, *words.sample_names(), *KNOWN]))
    yield from matching(place.word, ((_metric(name), _help(name)) for name in names), "metric")
    if not place.word:
        if place.last in OPERATORS or place.last in ("and", "or", "unless"):
            yield from matching("", (*_BOOL * (place.last in COMPARISONS), *_MATCHING), "keyword")
        return
    yield from matching(place.word, AGGREGATIONS.items(), "function", end="(", help_of=_aggregation)
    yield from matching(place.word, AGGREGATES.items(), "function", end="(")
    yield from matching(place.word, ((name, "") for name in TABLE), "function", end="(", help_of=_function)
    if place.last in OPERATORS:
        yield from matching(place.word, _MATCHING, "keyword")
    if not place.open and not place.last:
        yield from filters.fields(place.word, words)


def _after(place: Typed, words: Vocabulary) -> Iterator[Completion]:
    """What may follow an operand: of a metric its aggregates, of an aggregation a grouping, an operator."""
    if not place.called:
        metric = _find(place.metric, words)
        if metric is None:
            known = list(AGGREGATES.items()) if place.metric in GROUPINGS else []
        else:
            known = [(name, text) for name, text in AGGREGATES.items() if metric.allows(name)]
            known.sort(key=lambda pair: pair[0] != metric.default_aggregate)
        yield from matching(place.word, known, "function")
        yield from matching(place.word, _GROUPING[:1], "keyword")
    elif place.aggregated:
        yield from matching(place.word, _GROUPING, "keyword")
    yield from matching(place.word, _OPERATIONS, "keyword")


def _function(name: str) -> str:
    function: Function = TABLE[name]
    return f"{function.signature()}  {function.summary}"


def _aggregation(name: str) -> str:
    parameter = f"{WITH_PARAM[name]}, " if name in WITH_PARAM else ""
    return f"{name}({parameter}vector)  {AGGREGATIONS[name]}"


def _find(name: str, words: Vocabulary) -> Metric | Sampled | None:
    """The metric of that name; a derived one goes before samples of the same name."""
    metric = BY_NAME.get(name)
    if metric is not None or not name:
        return metric
    kind = words.sample_type(name)
    return KNOWN.get(name) if kind is None else Sampled(name, kind, unit_of_name(name), _help(name))


def _label_names(metric: str, words: Vocabulary) -> list[str]:
    found = _find(metric, words)
    if isinstance(found, Sampled):
        return words.sample_labels(metric)
    if found is not None and found.source != "calls":
        return list(_EVENT_LABELS[found.source])
    return list(dict.fromkeys([*DIMENSIONS, *words.label_names()]))


def _label_values(metric: str, label: str, words: Vocabulary) -> list[str]:
    if isinstance(_find(metric, words), Sampled):
        return words.sample_label_values(label, metric)
    return words.label_values(LABEL_ALIASES.get(label, label), MAX_VALUES)


def _metric(name: str) -> str:
    """A metric as it is written: in braces and quotes where it is no plain word."""
    return name if is_plain(name) else f"{{{quote(name)}}}"


def _help(name: str) -> str:
    found = BY_NAME.get(name) or KNOWN.get(name)
    return found.help if found else ""
