"""Ways to go on with a query that is being typed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.query import catalog
from tui_monitor.query.known import KNOWN
from tui_monitor.query.language import AGGREGATES, RANGES, is_aggregate, is_plain, quote, spelled
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Sampled, Source
from tui_monitor.query.result import Completion
from tui_monitor.store.api import Reader

MAX_OFFERED = 100
_MAX_LENGTH = 10_000
"""Characters before the cursor."""

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*(?:"|\\?$)|'(?:[^'\\\n]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$))
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:.]*)
      | (?P<number>\$?[0-9][A-Za-z0-9_.]*%?)
      | (?P<match>=~|!~|!=|==|=)
      | (?P<sign>.)""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
_OFFSETS = (("1h", "an hour ago"), ("1d", "a day ago"), ("7d", "a week ago"))
_EVENT_LABELS: dict[Source, tuple[str, ...]] = {
    "starts": ("provider", "model", "operation", "app", "source"),
    "cache": ("name", "app", "source"),
    "rate_limit": ("name", "key", "limit_type", "source"),
    "score": ("name", "model", "prompt_type", "user_category", "source"),
    "progress": ("name", "state", "unit", "source"),
}

CompletionKind = Literal["metric", "label", "value", "function", "keyword", "duration"]


def complete(text: str, cursor: int, reader: Reader) -> list[Completion]:
    """Ways to go on at the cursor, best first: those that begin with the word typed, then those that hold it.

    Raises `StoreError`.
    """
    before = text[: max(0, cursor)]
    if len(before) > _MAX_LENGTH:
        return []
    return list(_offers(_read(before), reader))[:MAX_OFFERED]


@dataclass(slots=True)
class _Place:
    """Where in a query the cursor stands."""

    word: str = ""
    """What is being typed, without its opening quote."""
    quoted: bool = False
    """Whether it stands in quotes."""
    open: list[str] = field(default_factory=list)
    """Brackets around the cursor: `{`, `[`, `by` or `(`."""
    metric: str = ""
    """The metric of the selector around or before the cursor."""
    selected: bool = False
    """Whether an operand stands before the cursor, so that an operator or a suffix follows."""
    label: str = ""
    valued: bool = False
    """In braces: whether the label and its operator stand there, so that a value follows."""
    last: str = ""
    """The token before."""

    @property
    def inside(self) -> str:
        """The innermost bracket."""
        return self.open[-1] if self.open else ""

    def take(self, kind: str, text: str) -> None:
        """Go past one token."""
        if self.inside == "{" and text != "}":
            self._in_braces(kind, text)
        elif text in ("{", "[", "("):
            self._open(text)
        elif text in ("}", "]", ")"):
            closed = self.open.pop() if self.open else ""
            self.selected = self.selected or closed in ("{", "(")
        elif kind == "name" and self.inside != "by" and not self.selected:
            if not is_aggregate(text) and text != "by":
                self.metric, self.selected = text, True
        elif kind == "number":
            self.selected = True
        elif kind in ("sign", "match") and self.inside not in ("by", "["):
            self.metric, self.selected = "", False
        self.last = text

    def _open(self, bracket: str) -> None:
        if bracket == "(":
            bracket = "by" if self.last == "by" else "("
            if bracket == "(":
                self.selected = False
        self.open.append(bracket)
        self.label, self.valued = "", False

    def _in_braces(self, kind: str, text: str) -> None:
        if kind == "match":
            self.valued = True
        elif kind == "name" or (kind == "text" and not self.valued):
            self.label = text.strip("\"'`")
            if not self.metric and kind == "text" and self.last == "{":
                self.metric = self.label
        elif text == ",":
            self.label, self.valued = "", False


def _read(before: str) -> _Place:
    place = _Place()
    found = [(m.lastgroup or "", m[0]) for m in _TOKEN.finditer(before)]
    kind, text = found[-1] if found else ("", "")
    if kind == "text" and (len(text) == 1 or text[-1] != text[0]):
        place.word, place.quoted = text[1:], True
        found.pop()
    elif kind in ("name", "number"):
        place.word = text
        found.pop()
    for kind, text in found:
        if kind != "blank":
            place.take(kind, text)
    return place


def _offers(place: _Place, reader: Reader) -> Iterator[Completion]:
    if place.inside == "[":
        yield from _matching(place.word, RANGES.items(), "duration", end="]")
    elif place.inside == "{" and place.valued:
        length = len(place.word) + place.quoted
        for value in _ordered(place.word, _label_values(place.metric, place.label, reader)):
            yield Completion(quote(value), length, "value")
    elif place.inside in ("{", "by"):
        names = ((spelled(name), "") for name in _label_names(place.metric, reader))
        yield from _matching(place.word, names, "label")
    elif place.last == "offset":
        yield from _matching(place.word, _OFFSETS, "duration")
    elif place.selected:
        yield from _after(place, reader)
    else:
        metrics = ((_metric(name), _help(name)) for name in catalog.names(reader))
        yield from _matching(place.word, metrics, "metric")
        if place.word:
            yield from _matching(place.word, AGGREGATES.items(), "function", end="(")


def _after(place: _Place, reader: Reader) -> Iterator[Completion]:
    """What may follow a metric: its aggregates, a grouping, an offset."""
    metric = catalog.find(place.metric, reader) if place.metric else None
    if metric is None:
        return
    known = [(name, text) for name, text in AGGREGATES.items() if metric.allows(name)]
    known.sort(key=lambda pair: pair[0] != metric.default_aggregate)
    yield from _matching(place.word, known, "function")
    yield from _matching(place.word, [("by(", "one value for each value of a label")], "keyword")
    yield from _matching(place.word, [("offset ", "the same, some time ago")], "keyword")


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


def _metric(name: str) -> str:
    """A metric as it is written: in braces and quotes where it is no plain word."""
    return name if is_plain(name) else f"{{{quote(name)}}}"


def _help(name: str) -> str:
    found = BY_NAME.get(name) or KNOWN.get(name)
    return found.help if found else ""


def _matching(
    word: str, offers: Iterable[tuple[str, str]], kind: CompletionKind, *, end: str = ""
) -> Iterator[Completion]:
    described = dict(offers)
    for name in _ordered(word, described):
        yield Completion(name + end, len(word), kind, described[name])


def _ordered(word: str, names: Iterable[str]) -> list[str]:
    """Names that begin with the word, then those that hold it."""
    folded = word.lower()
    found = [name for name in names if folded in name.lower()]
    return sorted(found, key=lambda name: not name.lower().startswith(folded))
