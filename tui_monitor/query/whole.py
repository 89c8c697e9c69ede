"""Whole PromQL through the façade: what the short form cannot say, asked of calls and samples alike."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.ast import Aggregate, Node
from tui_monitor.query.catalog import names
from tui_monitor.query.context import Context
from tui_monitor.query.language import nearest
from tui_monitor.query.metrics import BY_NAME, Kind
from tui_monitor.query.parser import parse
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import Aggregate as ByRank
from tui_monitor.query.promql.ast import Call, Expr, Matcher, Selector, ValueType, bare, walk
from tui_monitor.query.promql.calls import DerivedCalls
from tui_monitor.query.promql.derived import TABLE
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import Limits
from tui_monitor.query.promql.parser import parsed
from tui_monitor.query.promql.storage import Asked, Hints, Joined, Source
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.query.promql.typecheck import NAMES, type_of
from tui_monitor.query.promql.units import unit_of
from tui_monitor.query.promql.values import Scalar, SeriesSet, Vector
from tui_monitor.query.result import Result, Series

_ONLY_WHOLE = re.compile(r"\(|@|(?:or|and|unless|on|ignoring|group_left|group_right|without|atan2)\b")
"""Where the short form ends and PromQL goes on: such a text was meant to be PromQL."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Answers PromQL in the form of the short form's answers."""

    limits: Limits = field(default_factory=Limits)
    semantics: Semantics = field(default_factory=Semantics)

    def instant(self, context: Context, at: Micros, cancel: threading.Event | None) -> Result:
        """The answer at one instant. Raises `QueryError`, `StoreError` and the errors of `limits`."""
        tree = checked(context.text)
        return _result(
            context, tree, self._engine(context).instant(context.text, at, cancel=cancel), "vector"
        )

    def over(self, context: Context, instants: np.ndarray, cancel: threading.Event | None) -> Result:
        """The answer at ascending instants; otherwise as `instant`."""
        tree = checked(context.text)
        answer = self._engine(context).over(context.text, instants, cancel=cancel)
        return _result(context, tree, answer, "matrix")

    def _engine(self, context: Context) -> Engine:
        storage = Joined((DerivedCalls(context), _Noted(StoredSamples(context.reader), context)))
        return Engine(storage, self.semantics, self.limits)


@dataclass(frozen=True, slots=True)
class _Noted:
    """A source of samples; that it was read is noted."""

    source: Source
    context: Context

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> SeriesSet:
        """As `Source`."""
        found = self.source.select(matchers, start, end, hints)
        if len(found):
            self.context.layers.add("samples")
            self.context.spans.append(Span(start, end))
        return found

    def answer(self, asked: Asked) -> Vector | None:
        """As `Source`."""
        return self.source.answer(asked)


def read(text: str) -> Node | None:
    """The tree of a query in the short form; `None` for one in PromQL, whose types are right.

    What both languages read is the short form, but for `rate(metric[5m])` of what is no metric of calls:
    that is PromQL's, a rate of each series. Raises `QueryError`: of the language that read on further.
    """
    try:
        node = parse(text)
    except QueryError as error:
        try:
            tree = parsed(text)
        except QueryError as other:
            further = other.position > error.position or _ONLY_WHOLE.match(text, error.position)
            raise (other if further else error) from None
        check(tree, text)
        return None
    return None if _is_function(node, text) else node


def _is_function(node: Node, text: str) -> bool:
    if not isinstance(node, Aggregate) or node.how != "rate" or node.of.metric in BY_NAME or node.by:
        return False
    if node.place.position > node.of.place.position:
        return False
    try:
        checked(text)
    except QueryError:
        return False
    return True


def checked(text: str) -> Expr:
    """The tree of a query that gives numbers. Raises `QueryError`."""
    tree = parsed(text)
    check(tree, text)
    return tree


def check(tree: Expr, text: str) -> None:
    """Raise `QueryError` for types that do not fit, and for what gives no numbers."""
    kind = type_of(tree)
    if kind not in (ValueType.SCALAR, ValueType.VECTOR):
        hint = "put a function around the range, like rate(…) or last_over_time(…)"
        raise QueryError(
            f"a query asks for numbers, not for {NAMES[kind]}", text=text, position=tree.place.start,
            length=tree.place.length, hint=hint if kind is ValueType.MATRIX else None,
        )  # fmt: skip


def _result(context: Context, tree: Expr, answer: Answer, kind: Literal["vector", "matrix"]) -> Result:
    value = answer.value
    if isinstance(value, Vector) and value.is_histogram().any():
        context.warn("histograms are not shown as numbers: ask for histogram_quantile(0.95, …) of them")
        value = value.floats()
    for selector in _selectors(tree):
        _warn_of_name(context, selector)
    for remark in (*answer.warnings, *answer.infos):
        context.warn(remark)
    plain = bare(tree)
    return Result(
        context.text, kind, tuple(answer.instants.tolist()), _series(value, ordered=_is_ordered(plain)),
        unit_of(tree), plain.name if isinstance(plain, Selector) else "",
        tuple(context.warnings), context.span(), context.layers_used(),
    )  # fmt: skip


def _is_ordered(node: Expr) -> bool:
    """Whether the order of the series is part of the answer at one instant."""
    if isinstance(node, Call):
        return node.function.startswith("sort")
    return isinstance(node, ByRank) and node.op in ("topk", "bottomk")


def _series(value: object, *, ordered: bool) -> tuple[Series, ...]:
    """NaN and what is without bounds are no data, as everywhere outside of PromQL."""
    if isinstance(value, Scalar):
        return (Series((), _values(value.values)),)
    assert isinstance(value, Vector)
    shown = np.where(value.present, value.values, np.nan)
    found = (Series(of, _values(row)) for of, row in zip(value.labels, shown, strict=True))
    return tuple(found) if ordered else tuple(sorted(found, key=lambda series: series.labels))


def _values(row: np.ndarray) -> tuple[float | None, ...]:
    found = row.astype(object)
    found[~np.isfinite(row)] = None
    return tuple(found.tolist())


def _selectors(tree: Expr) -> list[Selector]:
    return [node for node in walk(tree) if isinstance(node, Selector)]


def _warn_of_name(context: Context, selector: Selector) -> None:
    """A share is no series, and a name that nobody has sent is probably mistyped."""
    name = selector.name
    metric = BY_NAME.get(name)
    if metric is not None:
        if metric.kind is Kind.RATIO and not context.reader.series(name):
            context.warn(f"{name} is no series: ask for {name} [1h], or divide two rates")
        return
    if name and not context.reader.series(name):
        known = names(context.reader)
        if name not in known and name not in TABLE:
            meant = nearest(name, known)
            context.warn(f"nobody has sent {name}" + (f"; did you mean {meant}?" if meant else ""))
