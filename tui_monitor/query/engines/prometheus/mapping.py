"""PromQL as it is asked here → the same of the names, units and labels that a remote server knows.

Aliases in milliseconds become the exported names in seconds, times 1,000; `job=""`, which stands here for
what is derived from calls, becomes the job that collectors write; histograms are native where the server
keeps them so, and classic elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_monitor.model.errors import QueryError
from tui_monitor.model.providers import canonical
from tui_monitor.query.exported import INSTANCE_LABEL, JOB, Exported, exported
from tui_monitor.query.metrics import BY_NAME, Kind
from tui_monitor.query.promql.ast import (
    SETS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Matching,
    Node,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Unary,
    walk,
)
from tui_monitor.query.promql.derived import TABLE, Form

_JOB = "job"
_LINEAR = frozenset(
    {
        "rate", "increase", "delta", "irate", "idelta", "deriv", "predict_linear", "avg_over_time",
        "sum_over_time", "min_over_time", "max_over_time", "last_over_time", "first_over_time",
        "quantile_over_time", "stddev_over_time", "mad_over_time",
    }
)  # fmt: skip
"""Functions of a range that give so many times as much of values that are so many times as large."""
_UNSCALED = frozenset(
    {"count_over_time", "present_over_time", "absent_over_time", "changes", "resets", "absent", "timestamp"}
)
_OF_HISTOGRAM = frozenset({"histogram_quantile", "histogram_avg", "histogram_sum", "histogram_stddev"})
_MADE = frozenset({"label_replace", "label_join"})
"""Functions that make labels."""
_ONLY_HERE = frozenset({"baseline"})


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one query is mapped. Raises `QueryError` for what the server cannot know."""

    text: str
    """The query as written, for errors that point into it."""
    native: bool
    """Whether the server keeps native histograms of our metrics."""
    marked: bool
    """Whether every metric of calls is that of our collectors, as in the short form."""

    def of(self, node: Expr) -> Expr:
        """The expression to ask."""
        match node:
            case Selector():
                return self._vector(node)
            case Call():
                return self._called(node)
            case Aggregate():
                self._check_grouping(node)
                param = None if node.param is None else self.of(node.param)
                return replace(node, expr=self.of(node.expr), param=param)
            case Binary():
                return replace(node, left=self.of(node.left), right=self.of(node.right))
            case Range():
                return replace(node, selector=self._named(node.selector)[0])
            case Subquery() | Paren() | Unary():
                return replace(node, expr=self.of(node.expr))
        return node

    def _vector(self, node: Selector) -> Expr:
        found, factor = self._named(node)
        self._check_plain(node)
        return found if factor == 1 else _times(found, factor)

    def _called(self, node: Call) -> Expr:
        if node.function in _ONLY_HERE:
            raise self._refuse(node, f"no server knows {node.function}()")
        if node.function in _OF_HISTOGRAM:
            return self._of_histogram(node)
        factor = max((self._factor(arg) for arg in node.args if isinstance(arg, Range)), default=1.0)
        for arg in node.args:
            if isinstance(arg, Range):
                self._check_plain(arg.selector, node)
        called = replace(node, args=tuple(self.of(arg) for arg in node.args))
        if factor == 1 or node.function in _UNSCALED:
            return called
        if node.function not in _LINEAR:
            raise self._refuse(node, f"{node.function}() of milliseconds cannot be asked", _IN_SECONDS)
        return _times(called, factor)

    def _of_histogram(self, node: Call) -> Expr:
        """Of a distribution: what it is made of stays in seconds, what is read from it is brought to ms."""
        *before, of = node.args
        factors = {self._factor(one) for one in walk(of) if isinstance(one, Selector) and _buckets(one)}
        classic = not self.native and any(_form(one) is Form.NATIVE for one in walk(of))
        if classic and node.function != "histogram_quantile":
            raise self._refuse(node, f"the server keeps no native histograms, which {node.function}() needs")
        if len(factors) > 1:
            raise self._refuse(node, "milliseconds and seconds in one histogram", _IN_SECONDS)
        inner = _Buckets(self, classic=classic).of(of)
        called = replace(node, args=(*map(self.of, before), inner))
        factor = factors.pop() if factors else 1.0
        return called if factor == 1 else _times(called, factor)

    def _factor(self, node: Expr) -> float:
        selector = node.selector if isinstance(node, Range) else node
        found = exported(selector.name) if isinstance(selector, Selector) else None
        return 1.0 if found is None else found[1]

    def _check_plain(self, node: Selector, where: Call | None = None) -> None:
        """Buckets of milliseconds have no number that could be brought into seconds."""
        if _buckets(node) and self._factor(node) != 1:
            raise self._refuse(where or node, f"{node.name} is in seconds on the server", _IN_SECONDS)

    def _named(self, node: Selector) -> tuple[Selector, float]:
        """The selector by the server's name, and the factor that brings its values into our unit."""
        derived = TABLE.get(node.name)
        found = exported(node.name)
        if derived is not None and found is None:
            raise self._refuse(node, f"{node.name} is not written to the server: it holds what calls say")
        metric = BY_NAME.get(node.name)
        if metric is not None and metric.kind is Kind.RATIO:
            raise self._refuse(node, f"{node.name} is no series", f"ask for {node.name} [1h]")
        if found is None:
            return replace(node, matchers=_ours(node.matchers)), 1.0
        one, factor = found
        matchers = [self._matcher(matcher, one, node) for matcher in node.matchers]
        name = one.name
        if self.marked and one.derived.metric.name == "errors":
            # Only all calls carry the category under the name that the short form has for it.
            name, matchers = "llm_requests_total", [*matchers, Matcher("status", "=", "error")]
        of_ours = self.marked or node.name != one.name
        if of_ours and all(matcher.label != _JOB for matcher in matchers):
            matchers.append(Matcher(_JOB, "=", JOB))
        return replace(node, name=name, matchers=_ours(matchers)), factor

    def _matcher(self, matcher: Matcher, one: Exported, node: Selector) -> Matcher:
        known = (*one.labels, _JOB, INSTANCE_LABEL, "status", "error_category", "__name__")
        if matcher.label not in known:
            raise self._refuse(matcher if matcher.place.length else node, not_written(matcher.label))
        if matcher.label == "provider" and matcher.op in ("=", "!="):
            return replace(matcher, value=canonical(matcher.value))
        return matcher

    def _check_grouping(self, node: Aggregate) -> None:
        """A label that is not written would be one group without a name."""
        below = list(walk(node.expr))
        names = [one.name for one in below if isinstance(one, Selector)]
        made = any(isinstance(one, Call) and one.function in _MADE for one in below)
        found = [exported(name) for name in names]
        if node.without or made or not names or any(one is None for one in found):
            return
        known = {label for one in found if one for label in one[0].labels}
        known |= {_JOB, INSTANCE_LABEL, "le", "error_category"}
        for label in node.grouping:
            if label not in known:
                raise self._refuse(node, not_written(label))

    def _refuse(self, node: Node, message: str, hint: str = "") -> QueryError:
        place = node.place
        hint = hint or 'engine = "local" in [query] knows it'
        return QueryError(message, text=self.text, position=place.start, length=place.length, hint=hint)


_IN_SECONDS = "ask for the name in seconds, like llm_request_duration_seconds"


def not_written(label: str) -> str:
    """Why a label cannot be asked about."""
    return f"the server does not know {label}: only labels of the hourly sums are written to it"


class _Buckets:
    """The inside of a function of histograms; with `classic`, native ones are read from their buckets."""

    def __init__(self, mapping: Mapping, *, classic: bool) -> None:
        self._mapping = mapping
        self._classic = classic

    def of(self, node: Expr) -> Expr:
        match node:
            case Selector():
                return self._selector(node)
            case Range():
                return replace(node, selector=self._selector(node.selector))
            case Call():
                return replace(node, args=tuple(self.of(arg) for arg in node.args))
            case Aggregate():
                grouping = node.grouping
                if self._has_buckets(node.expr) and not node.without:
                    grouping = (*grouping, "le")
                self._mapping._check_grouping(node)
                return replace(node, expr=self.of(node.expr), grouping=tuple(dict.fromkeys(grouping)))
            case Binary():
                return self._binary(node)
            case Subquery() | Paren() | Unary():
                return replace(node, expr=self.of(node.expr))
        return node

    def _has_buckets(self, node: Expr) -> bool:
        return self._classic and any(_form(one) is Form.NATIVE for one in walk(node))

    def _selector(self, node: Selector) -> Selector:
        if self._classic and _form(node) is Form.NATIVE:
            node = replace(node, name=f"{node.name}{Form.BUCKET}")
        return self._mapping._named(node)[0]

    def _binary(self, node: Binary) -> Binary:
        """One side may have a series per bucket now."""
        sides = self._has_buckets(node.left), self._has_buckets(node.right)
        matching = node.matching
        if any(sides) and not all(sides) and node.op in SETS and matching and not matching.on:
            matching = Matching(matching.cardinality, False, (*matching.labels, "le"))
        return replace(node, left=self.of(node.left), right=self.of(node.right), matching=matching)


def _form(node: Expr) -> Form | None:
    found = TABLE.get(node.name) if isinstance(node, Selector) else None
    return found.form if found else None


def _buckets(node: Expr) -> bool:
    return _form(node) in (Form.NATIVE, Form.BUCKET)


def _ours(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Having no job is, there, to have ours."""
    return tuple(
        replace(matcher, value=JOB) if (matcher.label, matcher.value) == (_JOB, "") else matcher
        for matcher in matchers
    )


def _times(node: Expr, factor: float) -> Expr:
    return Paren(Binary("*", node, Number(factor)))
