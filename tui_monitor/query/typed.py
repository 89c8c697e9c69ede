"""Where in a query that is being typed the cursor stands: what is open around it, what stands before it."""

import re
from dataclasses import dataclass, field

from tui_monitor.query.language import is_aggregate
from tui_monitor.query.promql.ast import AGGREGATIONS
from tui_monitor.query.promql.functions.table import TABLE

TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*(?:"|\\?$)|'(?:[^'\\\n]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$))
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:.]*)
      | (?P<number>\$?[0-9][A-Za-z0-9_.]*%?)
      | (?P<match>=~|!~|!=|==|=)
      | (?P<sign>>=|<=|.)""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
GROUPINGS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
"""Words with labels in brackets behind them."""
_OPERATIONS = frozenset({"and", "or", "unless", "atan2"})
COMPARISONS = frozenset({"==", "!=", ">", ">=", "<", "<="})
OPERATORS = frozenset("+-*/%^") | COMPARISONS
_METRIC = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*(?=[\[{])")
_MIDDLE = re.compile(r"(?<=[(\s])([A-Za-z_:][A-Za-z0-9_:]*)")


@dataclass(slots=True)
class Typed:
    """The cursor's place."""

    word: str = ""
    """What is being typed, without its opening quote."""
    quoted: bool = False
    """Whether it stands in quotes."""
    open: list[str] = field(default_factory=list)
    """Brackets around the cursor: `{`, `[`, `labels` of a grouping, or `(`; of a call the function's name."""
    metric: str = ""
    """The metric of the selector around or before the cursor."""
    seen: str = ""
    """The last metric before the cursor, wherever it stands."""
    selected: bool = False
    """Whether an operand stands before the cursor, so that an operator or a suffix follows."""
    called: bool = False
    """Whether that operand is a call or stands in brackets, so that no suffix of the short form follows."""
    aggregated: bool = False
    """Whether it is an aggregation, which may be grouped."""
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
            self._close()
        elif self.inside in ("labels", "["):
            pass
        elif kind == "name":
            self._name(text)
        elif kind in ("number", "text"):
            self.selected, self.called = True, True
        elif kind in ("sign", "match"):
            self._operand_follows()
        self.last = text

    def _name(self, text: str) -> None:
        if text in GROUPINGS or text in ("offset", "bool"):
            return
        if text.lower() in _OPERATIONS:
            self._operand_follows()
        elif not self.selected:
            self.aggregated = text in AGGREGATIONS or is_aggregate(text)
            if not self.aggregated and text not in TABLE:
                self.metric, self.selected, self.called = text, True, False
                self.seen = text

    def _operand_follows(self) -> None:
        self.metric, self.selected, self.called, self.aggregated = "", False, False, False

    def _open(self, bracket: str) -> None:
        if bracket == "(":
            named = self.last if self.last in TABLE or self.last in AGGREGATIONS or self.aggregated else "("
            bracket = "labels" if self.last in GROUPINGS else named
            if bracket != "labels":
                self.selected, self.called, self.aggregated = False, False, False
        self.open.append(bracket)
        self.label, self.valued = "", False

    def _close(self) -> None:
        closed = self.open.pop() if self.open else ""
        if closed == "{":
            self.selected = True
        elif closed not in ("", "[", "labels"):
            self.selected, self.called = True, True
            self.aggregated = closed in AGGREGATIONS or is_aggregate(closed)

    def _in_braces(self, kind: str, text: str) -> None:
        if kind == "match":
            self.valued = True
        elif kind == "name" or (kind == "text" and not self.valued):
            self.label = text.strip("\"'`")
            if not self.metric and kind == "text" and self.last == "{":
                self.metric = self.label
        elif text == ",":
            self.label, self.valued = "", False


def typed(text: str, cursor: int) -> Typed:
    """Where the cursor stands in a text. What follows it is looked at for a metric only."""
    place = Typed()
    found = [(m.lastgroup or "", m[0]) for m in TOKEN.finditer(text[:cursor])]
    kind, last = found[-1] if found else ("", "")
    if kind == "text" and (len(last) == 1 or last[-1] != last[0]):
        place.word, place.quoted = last[1:], True
        found.pop()
    elif kind in ("name", "number"):
        place.word = last
        found.pop()
    for kind, token in found:
        if kind != "blank":
            place.take(kind, token)
    if place.inside == "labels" and not place.metric:
        # `sum by(|) (rate(requests[5m]))`: what is grouped stands behind.
        place.metric = _metric_in(text[cursor:]) or place.seen
    if place.inside == "[" and place.word.startswith(":"):
        place.word, place.last = place.word[1:], ":"
    return place


def _metric_in(text: str) -> str:
    names = [*_METRIC.findall(text), *_MIDDLE.findall(text)]
    words = TABLE.keys() | AGGREGATIONS.keys() | GROUPINGS
    return next((name for name in names if name not in words), "")
