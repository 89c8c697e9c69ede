"""The expression tree of the whole language: PromQL's nodes, and `Summary` for the short form.

Every node knows its place in the text; equality does not look at places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from tui_monitor.model.calendar import Period
from tui_monitor.model.clock import Micros

NAME = "__name__"
"""The label that holds a metric's name."""


class ValueType(StrEnum):
    """What an expression evaluates to, by Prometheus's names."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of the text: the first (from 0), and how many."""

    start: int = 0
    length: int = 0

    @property
    def end(self) -> int:
        """The place after the last character."""
        return self.start + self.length


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has."""

    place: Place = field(default=NOWHERE, compare=False)


_OF_TIME = ("s", "m", "h", "d", "w", "y")


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number; `duration` where it was written as a length of time, then `value` is in seconds."""

    value: float
    duration: bool = False
    written: str = ""
    """As it stands in the text where it has a unit of its own: `5%`, `$0.05`, `10k`.

    A length of time that was brought into milliseconds stands as it was written too, and is no `duration`.
    """

    @property
    def unit(self) -> str:
        """The unit of `value` as results name it; empty for a plain number."""
        if self.duration:
            return "s"
        if self.written[-1:] in _OF_TIME:
            return "ms"
        return "ratio" if self.written.endswith("%") else "usd" if "$" in self.written else ""

    def _key(self) -> tuple[str, bool, str]:
        # NaN is a literal like any other, and -0 is not 0.
        return repr(self.value), self.duration, self.written

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A quoted text."""

    value: str


MatchOp = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher(Node):
    """What a selector asks of one label; a label that is not there is empty."""

    label: str
    op: MatchOp
    value: str


@dataclass(frozen=True, slots=True)
class Bound:
    """`@ start()` or `@ end()`: the first or the last instant of the query's range."""

    end: bool


At = Micros | Bound
"""The fixed instant of an `@`."""


@dataclass(frozen=True, slots=True)
class Selector(Node):
    """An instant vector selector. `name` is the metric's where it stands before or alone in the braces."""

    name: str = ""
    matchers: tuple[Matcher, ...] = ()
    offset: Micros = 0
    at: At | None = None
    edges: Literal["", "anchored", "smoothed"] = ""

    def tests(self) -> tuple[Matcher, ...]:
        """All matchers, that of the name first."""
        return (
            (Matcher(NAME, "=", self.name, place=self.place), *self.matchers) if self.name else self.matchers
        )


@dataclass(frozen=True, slots=True)
class Range(Node):
    """A range vector selector."""

    selector: Selector
    length: Micros


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """An expression at many instants; without `step` the engine's default is taken."""

    expr: "Expr"
    length: Micros
    step: Micros | None = None
    offset: Micros = 0
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Summary(Node):
    """The short form: calls, events or samples put into one value per group over a window of time.

    It stands wherever an instant vector can.
    """

    metric: str
    matchers: tuple[Matcher, ...] = ()
    window: Micros | Period | None = None
    """A length of time, a calendar period, or the default."""
    how: str = ""
    """The aggregate; the metric's own where it is empty."""
    by: tuple[str, ...] = ()
    offset: Micros = 0
    scoped: bool = field(default=False, compare=False)
    """In a rule's condition: whether the scope of the rule's budget holds for it."""
    named: Place = field(default=NOWHERE, compare=False)
    """Where the metric is named."""
    told: Place = field(default=NOWHERE, compare=False)
    """Where the aggregate is named, or else the metric."""


@dataclass(frozen=True, slots=True)
class Given(Node):
    """A word of a rule's condition, `baseline` or `budget`: what it stands for depends on the rule."""

    name: str


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """An expression in parentheses."""

    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before an expression."""

    op: Literal["+", "-"]
    expr: "Expr"


class Cardinality(StrEnum):
    """How many series of each side meet."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are matched: on these labels, or on all but them."""

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    """Labels of the one side that results carry."""


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operation on two expressions; `matching` where both are vectors."""

    op: str
    left: "Expr"
    right: "Expr"
    returns_bool: bool = False
    """Whether a comparison gives 0 or 1 instead of leaving out."""
    matching: Matching | None = None
    sign: Place = field(default=NOWHERE, compare=False)
    """Where the operator stands."""
    finite: bool = field(default=False, compare=False)
    """Whether what is no finite number is no data, as in the short form."""


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function's call."""

    function: str
    args: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """An aggregation; `grouping` are the labels to keep, or with `without` those to leave out."""

    op: str
    expr: "Expr"
    param: "Expr | None" = None
    grouping: tuple[str, ...] = ()
    without: bool = False


Expr = (
    Number | Text | Selector | Range | Summary | Given | Subquery | Paren | Unary | Binary | Call | Aggregate
)

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
SETS = frozenset({"and", "or", "unless"})
TRIMS = frozenset({"</", ">/"})
"""Cut a native histogram off above, or below, a number."""

AGGREGATIONS: dict[str, str] = {
    "sum": "total of the values",
    "avg": "mean of the values",
    "min": "least value",
    "max": "greatest value",
    "count": "how many values there are",
    "group": "1 for every group",
    "stddev": "standard deviation of the whole population",
    "stdvar": "variance of the whole population",
    "topk": "the k series of the greatest values",
    "bottomk": "the k series of the least values",
    "quantile": "φ-quantile of the values, 0 ≤ φ ≤ 1",
    "count_values": "how many series have each value, which becomes a label",
    "limitk": "some k series of each group",
    "limit_ratio": "a share of the series, the same ones whenever it is asked; below 0 the others",
}
"""Aggregations and what they give."""
WITH_PARAM: dict[str, ValueType] = {
    "topk": ValueType.SCALAR, "bottomk": ValueType.SCALAR, "quantile": ValueType.SCALAR,
    "limitk": ValueType.SCALAR, "limit_ratio": ValueType.SCALAR, "count_values": ValueType.STRING,
}  # fmt: skip
"""Aggregations that take a parameter first, and its type."""
KEYWORDS = frozenset(
    {
        "by", "without", "on", "ignoring", "group_left", "group_right",
        "bool", "offset", "and", "or", "unless", "atan2",
    }
)  # fmt: skip


def children(node: Expr) -> tuple[Expr, ...]:
    """The expressions that a node is made of, from left to right."""
    match node:
        case Range():
            return (node.selector,)
        case Subquery() | Paren() | Unary():
            return (node.expr,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.args
        case Aggregate():
            return (node.expr,) if node.param is None else (node.param, node.expr)
    return ()


def walk(node: Expr) -> Iterator[Expr]:
    """The node and all below it, from the top."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(children(node))


def with_children(node: Expr, parts: Sequence[Expr]) -> Expr:
    """The node made of other expressions, as many as `children` gives."""
    match node:
        case Subquery() | Paren() | Unary():
            return replace(node, expr=parts[0])
        case Binary():
            return replace(node, left=parts[0], right=parts[1])
        case Call():
            return replace(node, args=tuple(parts))
        case Aggregate():
            param = parts[0] if node.param is not None else None
            return replace(node, param=param, expr=parts[-1])
    return node


def bare(node: Expr) -> Expr:
    """The expression without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node
