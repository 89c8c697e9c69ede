"""What reads as what: where a metric's name is a short form, and where it is PromQL's selector.

- A range, an aggregate or a grouping behind a metric makes it a short form wherever a vector is wanted:
  `topk(3, cost [1d] sum by(model))`. So does `sum(…)` around a range: PromQL has no meaning for either.
- A name alone, `sum(…)` around a name, and `rate(…)` of calls are short forms as long as nothing in the text
  is PromQL's alone: functions, `on` and `ignoring`, `@`, subqueries, aggregations of expressions.
"""

from collections.abc import Collection
from dataclasses import replace

from tui_monitor.query.language import AGGREGATES
from tui_monitor.query.metrics import BY_NAME
from tui_monitor.query.promql import shortform
from tui_monitor.query.promql.ast import (
    AGGREGATIONS,
    TRIMS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Paren,
    Place,
    Range,
    Selector,
    Subquery,
    Summary,
    Unary,
    ValueType,
    children,
    walk,
    with_children,
)
from tui_monitor.query.promql.cursor import Cursor
from tui_monitor.query.promql.functions.table import TABLE

MAX_LABELS = 30
"""Different labels of the short forms of one query; each is looked up call by call."""
OURS = frozenset({"baseline"})
"""Functions that Prometheus does not have: they say nothing about which language a text is in."""
_BOTH = frozenset(AGGREGATES) & frozenset(AGGREGATIONS)
"""Aggregates of both languages."""


def is_promql(node: Expr) -> bool:
    """Whether something in an expression is PromQL's alone, so that a name by itself is PromQL's too."""
    match node:
        case Selector():
            return not shortform.convertible(node)
        case Range():
            return not shortform.convertible(node.selector)
        case Subquery():
            return True
        case Call():
            if node.function in OURS:
                return any(map(is_promql, node.args))
            return not _counts_calls(node)
        case Binary():
            alone = node.matching is not None or node.op == "atan2" or node.op in TRIMS
            return alone or is_promql(node.left) or is_promql(node.right)
        case Paren() | Unary():
            return is_promql(node.expr)
        case Aggregate():
            return _aggregates_series(node)
    return False


def _aggregates_series(node: Aggregate) -> bool:
    """Whether an aggregation is of series that PromQL alone can mean."""
    inner = node.expr
    if node.op in _BOTH and not node.without and isinstance(inner, Selector | Range | Summary):
        return is_promql(inner)
    return any(map(_is_of_series, walk(inner))) or _names_series(inner)


def _is_of_series(node: Expr) -> bool:
    return isinstance(node, Subquery) or (isinstance(node, Call) and node.function not in OURS)


def _names_series(node: Expr) -> bool:
    """Whether a name without a range stands in an expression."""
    if isinstance(node, Range) and shortform.convertible(node.selector):
        return False
    return isinstance(node, Selector) or any(map(_names_series, children(node)))


def _counts_calls(node: Call) -> bool:
    """Whether it is the rate of a metric of calls, which the short form has too."""
    if node.function != "rate" or len(node.args) != 1:
        return False
    of = node.args[0]
    return isinstance(of, Range) and of.selector.name in BY_NAME and shortform.convertible(of.selector)


def resolved(cursor: Cursor, tree: Expr, spends: Collection[int] = ()) -> Expr:
    """The tree with its short forms found; `spends` is where words like `daily_spend` stand.

    Raises `QueryError`.
    """
    tree = _Resolving(cursor, not is_promql(tree), spends).vector(tree)
    labels: set[str] = set()
    for node in walk(tree):
        if isinstance(node, Summary):
            _count_labels(cursor, node, labels)
    return tree


def _count_labels(cursor: Cursor, node: Summary, labels: set[str]) -> None:
    asked = [(one.label, one.place) for one in node.matchers] + [(label, node.place) for label in node.by]
    for label, place in asked:
        labels.add(label)
        if len(labels) > MAX_LABELS:
            cursor.fail_at(f"more than {MAX_LABELS} different labels", place)


class _Resolving:
    def __init__(self, cursor: Cursor, short: bool, spends: Collection[int]) -> None:
        self._cursor = cursor
        self._short = short
        self._spends = spends

    def vector(self, node: Expr) -> Expr:
        """The expression where an instant vector or a number is wanted."""
        match node:
            case Selector():
                return self._summary(node) if self._short or self._is_spent(node) else node
            case Range():
                return self._summary(node) if shortform.convertible(node.selector) else node
            case Summary():
                return self._spent(node)
            case Aggregate():
                return self._aggregated(node)
            case Call():
                return self._called(node)
            case Paren() | Unary() | Binary() | Subquery():
                return with_children(node, [self.vector(part) for part in children(node)])
        return node

    def _called(self, node: Call) -> Expr:
        if self._short and _counts_calls(node):
            of = node.args[0]
            assert isinstance(of, Range)
            return self._of(of, "rate", node)
        takes = TABLE[node.function]
        # A function without arguments that is given some is refused later, with the place.
        ranged = [
            bool(takes.arguments) and takes.argument(index) is ValueType.MATRIX
            for index in range(len(node.args))
        ]
        given = [
            part if of_range and isinstance(part, Range) else self.vector(part)
            for part, of_range in zip(node.args, ranged, strict=True)
        ]
        return with_children(node, given)

    def _aggregated(self, node: Aggregate) -> Expr:
        inner = node.expr
        if node.op in _BOTH and not node.without and node.param is None:
            if isinstance(inner, Range) and shortform.convertible(inner.selector):
                return self._of(inner, node.op, node, node.grouping)
            if isinstance(inner, Selector) and self._short:
                return self._of(inner, node.op, node, node.grouping)
            if isinstance(inner, Summary) and not inner.how:
                return self._around(node, inner)
        return with_children(node, [self.vector(part) for part in children(node)])

    def _around(self, node: Aggregate, inner: Summary) -> Summary:
        if node.grouping and inner.by:
            self._cursor.fail_at("by(…) stands there twice", inner.place)
        by = node.grouping or inner.by
        told = Place(node.place.start, len(node.op))
        return self._spent(replace(inner, how=node.op, by=by, told=told, place=node.place))

    def _of(self, of: Selector | Range, how: str, node: Expr, by: tuple[str, ...] = ()) -> Summary:
        found = shortform.summary(self._cursor, of, how, tuple(dict.fromkeys(by)))
        told = Place(node.place.start, len(how))
        return self._spent(replace(found, told=told, place=node.place))

    def _summary(self, node: Selector | Range) -> Summary:
        return self._spent(shortform.summary(self._cursor, node))

    def _is_spent(self, node: Selector) -> bool:
        return node.place.start in self._spends

    def _spent(self, node: Summary) -> Summary:
        if node.named.start not in self._spends or node.scoped:
            return node
        return shortform.spent(self._cursor, node)
