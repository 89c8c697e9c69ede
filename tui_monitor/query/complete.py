"""Ways to go on with a query that is being typed."""

import re
from collections.abc import Iterable, Iterator

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.query import catalog
from tui_monitor.query.language import AGGREGATES, RANGES, quote, spelled
from tui_monitor.query.metrics import LABEL_ALIASES, Metric, Sampled, Source
from tui_monitor.query.result import Completion
from tui_monitor.store.api import Reader

MAX_OFFERED = 100

_COMMENT = re.compile(r"#[^\n]*")
_WORD = re.compile(r"[A-Za-z0-9_:.]*$", re.ASCII)
_METRIC_BEFORE = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*\{[^{}]*$", re.ASCII)
_VALUE = re.compile(r'([A-Za-z_:][\w:]*)\s*(?:=~|!~|!=|=)\s*(["\']?)([^"\']*)$', re.ASCII)
_SELECTED = re.compile(
    r"([A-Za-z_:][\w:]*)\s*(?:\{[^{}]*\})?\s*((?:\[[^\]]*\]|offset\s+\w+|by\s*\([^)]*\)|\s|[\w.]+)*)\s[\w.]*$",
    re.ASCII,
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_EVENT_LABELS: dict[Source, tuple[str, ...]] = {
    "starts": ("provider", "model", "operation", "app", "source"),
    "cache": ("name", "source"),
    "rate_limit": ("name", "key", "limit_type", "source"),
    "score": ("name", "model", "prompt_type", "user_category", "source"),
    "progress": ("name", "state", "unit", "source"),
}


def complete(text: str, cursor: int, reader: Reader) -> list[Completion]:
    """Ways to go on at the cursor, best first: those that begin with the word typed, then those that hold it.

    Raises `StoreError`.
    """
    before = text[: max(0, cursor)]
    if len(before) > 10_000:
        return []
    found = list(_offers(_COMMENT.sub(_blank, before), reader))
    return found[:MAX_OFFERED]


def _blank(comment: re.Match[str]) -> str:
    return " " * len(comment[0])


def _offers(before: str, reader: Reader) -> Iterator[Completion]:
    inside = _opened(before)
    if inside == "[":
        yield from _matching(_word(before), RANGES.items(), "duration", end="]")
    elif inside == "{":
        yield from _in_braces(before, reader)
    elif inside == "by":
        metric = _FIRST_METRIC.search(before)
        yield from _labels(before, metric[1] if metric else "", reader)
    else:
        yield from _outside(before, reader)


_FIRST_METRIC = re.compile(r"([A-Za-z_:][\w:]*)\s*(?:\{[^{}]*\})?[^{}]*$", re.ASCII)
_BY_OPEN = re.compile(r"\bby\s*\([^()]*$")


def _opened(before: str) -> str:
    """The bracket the cursor is in: `[`, `{`, `by` or none."""
    bare = _QUOTED.sub(lambda m: "_" * len(m[0]), before)
    brace, bracket = bare.rfind("{") > bare.rfind("}"), bare.rfind("[") > bare.rfind("]")
    if brace:
        return "{"
    if bracket:
        return "["
    return "by" if _BY_OPEN.search(bare) else ""


def _word(before: str) -> str:
    match = _WORD.search(before)
    return match[0] if match else ""


def _in_braces(before: str, reader: Reader) -> Iterator[Completion]:
    owner = _METRIC_BEFORE.search(_QUOTED.sub(lambda m: "_" * len(m[0]), before))
    metric = owner[1] if owner else ""
    value = _VALUE.search(before)
    if value is None:
        yield from _labels(before, metric, reader)
        return
    label, opened, typed = value.groups()
    for known in _ordered(typed, _label_values(metric, label, reader)):
        text = quote(known)
        yield Completion(text, len(typed) + len(opened), "value")


def _labels(before: str, metric: str, reader: Reader) -> Iterator[Completion]:
    names = _label_names(metric, reader)
    yield from _matching(_word(before), ((spelled(name), "") for name in names), "label")


def _label_names(metric: str, reader: Reader) -> list[str]:
    found = catalog.find(metric, reader) if metric else None
    if isinstance(found, Sampled):
        return sorted({name for series in reader.series(metric) for name in series.labels})
    if found is not None and found.source != "calls":
        return list(_EVENT_LABELS[found.source])
    return list(dict.fromkeys([*DIMENSIONS, *reader.label_names()]))


def _label_values(metric: str, label: str, reader: Reader) -> list[str]:
    found = catalog.find(metric, reader) if metric else None
    if isinstance(found, Sampled):
        return sorted({s.labels[label] for s in reader.series(metric) if label in s.labels})
    return reader.label_values(LABEL_ALIASES.get(label, label))


def _outside(before: str, reader: Reader) -> Iterator[Completion]:
    word = _word(before)
    selected = _SELECTED.search(_QUOTED.sub(lambda m: "_" * len(m[0]), before))
    metric = catalog.find(selected[1], reader) if selected else None
    if re.search(r"\boffset\s+[\w.]*$", before):
        yield from _matching(
            word, (("1h", "an hour ago"), ("1d", "a day ago"), ("7d", "a week ago")), "duration"
        )
        return
    if metric is not None:
        yield from _after(word, metric)
        return
    metrics = ((name, _help(catalog.find(name, reader))) for name in catalog.names(reader))
    yield from _matching(word, metrics, "metric")
    if word:
        yield from _matching(word, AGGREGATES.items(), "function", end="(")


def _after(word: str, metric: Metric | Sampled) -> Iterator[Completion]:
    """What may follow a metric: its aggregates, a grouping, an offset."""
    known = [(name, text) for name, text in AGGREGATES.items() if metric.allows(name)]
    first = [pair for pair in known if pair[0] == metric.default_aggregate]
    rest = [pair for pair in known if pair[0] != metric.default_aggregate]
    yield from _matching(word, [*first, *rest], "function")
    yield from _matching(word, [("by(", "one value for each value of a label")], "keyword")
    yield from _matching(word, [("offset ", "the same, some time ago")], "keyword")


def _help(found: Metric | Sampled | None) -> str:
    return found.help if found else ""


def _matching(
    word: str, offers: Iterable[tuple[str, str]], kind: str, *, end: str = ""
) -> Iterator[Completion]:
    described = dict(offers)
    for name in _ordered(word, described):
        yield Completion(name + end, len(word), kind, described[name])  # type: ignore[arg-type]


def _ordered(word: str, names: Iterable[str]) -> list[str]:
    """Names that begin with the word, then those that hold it."""
    folded = word.lower()
    found = [name for name in names if folded in name.lower()]
    return sorted(found, key=lambda name: not name.lower().startswith(folded))
