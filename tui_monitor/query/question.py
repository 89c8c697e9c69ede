"""One query of a store: read, checked, and answered in the form that panes, rules and commands take."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.catalog import names
from tui_monitor.query.context import Context
from tui_monitor.query.language import nearest
from tui_monitor.query.meant import mistyped
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Kind
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import (
    Expr,
    Matcher,
    Selector,
    Summary,
    walk,
)
from tui_monitor.query.promql.calls import DerivedCalls
from tui_monitor.query.promql.derived import TABLE
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.lowering import labels_of, lowered
from tui_monitor.query.promql.storage import Asked, Hints, Joined, Source
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.query.promql.typecheck import is_ordered
from tui_monitor.query.promql.units import bounds_unit, metric_of, unit_of
from tui_monitor.query.promql.values import Scalar, SeriesSet, Vector
from tui_monitor.query.result import Labels, Result, Series
from tui_monitor.query.summaries import Summaries
from tui_monitor.query.windows import Windows

_ANYWHERE = frozenset({"__name__", "le", "job", "instance"})
"""Labels that are asked for of series that need not have them."""


@dataclass
class Question:
    """A query over one state of the data."""

    context: Context
    tree: Expr

    def check(self) -> None:
        """Raise `QueryError` for what has no meaning, and for a short form of an unknown metric."""
        for node in walk(self._lowered):
            if isinstance(node, Summary):
                self._summaries.check(node)

    def instant(self, at: Micros) -> Result:
        """The answer at one instant. Raises `QueryError`, `StoreError` and the errors of `limits`."""
        self.check()
        answer = self._engine.instant(self.context.text, at, budget=self.context.budget, tree=self._lowered)
        return self._result(answer, "vector", self.context.span())

    def over(self, windows: Windows) -> Result:
        """The answer at the end of each window, which is what short forms are taken over."""
        self.check()
        answer = self._engine.over(
            self.context.text,
            windows.edges[1:],
            budget=self.context.budget,
            tree=self._lowered,
            chart=windows,
        )
        whole = Span(windows.span.start, windows.span.end)
        return self._result(answer, "matrix", self.context.span() if self._selectors else whole)

    @cached_property
    def _lowered(self) -> Expr:
        return lowered(self.tree, self.context.text)

    @cached_property
    def _summaries(self) -> Summaries:
        return Summaries(self.context)

    @cached_property
    def _selectors(self) -> list[Selector]:
        return [node for node in walk(self.tree) if isinstance(node, Selector)]

    @property
    def _engine(self) -> Engine:
        context = self.context
        storage = Joined((DerivedCalls(context), _Noted(StoredSamples(context.reader), context)))
        return Engine(storage, summaries=self._summaries)

    def _result(self, answer: Answer, kind: Literal["vector", "matrix"], span: Span | None) -> Result:
        value, context = answer.value, self.context
        if isinstance(value, Vector) and value.is_histogram().any():
            context.warn("histograms are not shown as numbers: ask for histogram_quantile(0.95, …) of them")
            value = value.floats()
        for selector in self._selectors:
            _warn_of_name(context, selector)
            _warn_of_labels(context, selector)
        for remark in (*answer.warnings, *answer.infos):
            context.warn(remark)
        series = _series(value, labels_of(self.tree) or (), ordered=is_ordered(self.tree))
        for selector in () if series else self._selectors:
            _warn_of_values(context, selector)
        return Result(
            context.text, kind, tuple(answer.instants.tolist()), series, unit_of(self._lowered),
            metric_of(self.tree), tuple(context.warnings), span, context.layers_used(),
            bounds=bounds_unit(self._lowered),
        )  # fmt: skip


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


def _series(value: object, grouped: Sequence[str] | frozenset[str], *, ordered: bool) -> tuple[Series, ...]:
    """NaN and what is without bounds are no data, as everywhere outside of PromQL.

    A short form names each label that it is `grouped` by, the unknown ones too.
    """
    if isinstance(value, Scalar):
        return (Series((), _rows(value.values[None, :])[0]),)
    assert isinstance(value, Vector)
    shown = _rows(np.where(value.present, value.values, np.nan))
    found = (Series(_named(of, grouped), row) for of, row in zip(value.labels, shown, strict=True))
    return tuple(found) if ordered else tuple(sorted(found, key=lambda series: series.labels))


def _named(of: Labels, grouped: Sequence[str] | frozenset[str]) -> Labels:
    if len(of) >= len(grouped):
        return of
    return tuple(sorted((dict.fromkeys(grouped, "") | dict(of)).items()))


def _rows(table: np.ndarray) -> list[tuple[float | None, ...]]:
    found = table.astype(object)
    found[~np.isfinite(table)] = None
    return list(map(tuple, found.tolist()))


def _warn_of_name(context: Context, selector: Selector) -> None:
    """A share is no series, and a name that nobody has sent is probably mistyped."""
    name = selector.name
    metric = BY_NAME.get(name)
    if metric is not None:
        if metric.kind is Kind.RATIO and context.reader.sample_type(name) is None:
            context.warn(f"{name} is no series: ask for {name} [1h], or divide two rates")
        return
    if name and context.reader.sample_type(name) is None:
        known = names(context.reader)
        if name not in known and name not in TABLE:
            meant = nearest(name, known)
            context.warn(f"nobody has sent {name}" + (f"; did you mean {meant}?" if meant else ""))


def _warn_of_values(context: Context, selector: Selector) -> None:
    """Where nothing was found, a value that no call has may be mistyped."""
    for one in selector.matchers if selector.name in TABLE else ():
        label = LABEL_ALIASES.get(one.label, one.label)
        if one.op == "=" and (said := mistyped(label, one.value, context.reader)):
            context.warn(said)


def _warn_of_labels(context: Context, selector: Selector) -> None:
    """A label that no series of that name has is probably mistyped."""
    asked = [one.label for one in selector.matchers if one.label not in _ANYWHERE]
    if not asked or not selector.name:
        return
    known = set(context.reader.sample_labels(selector.name))
    if not known.issuperset(asked):
        # Those were the labels of the newest series alone; looking at all takes long where there are many.
        known |= {label for series in context.reader.series(selector.name) for label in series.labels}
    if selector.name in TABLE:
        known |= {*DIMENSIONS, *LABEL_ALIASES, *context.reader.label_names()}
    for label in asked if known else ():
        if label not in known:
            meant = nearest(label, known)
            context.warn(
                f"{selector.name} has no label {label}" + (f"; did you mean {meant}?" if meant else "")
            )
