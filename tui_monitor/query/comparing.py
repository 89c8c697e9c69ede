"""What a condition says at one instant: the value and the threshold of each series, and whether it holds."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import fmod

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.query.baseline import ask, baselines_of, summed, values_of
from tui_monitor.query.condition import Clause, Condition, has_baseline, has_words, subject_of
from tui_monitor.query.engine import Engine
from tui_monitor.query.promql.ast import (
    COMPARISONS,
    NAME,
    Binary,
    Cardinality,
    Expr,
    Given,
    Matching,
    Number,
    Paren,
    Summary,
    Unary,
    ValueType,
    bare,
)
from tui_monitor.query.promql.lowering import lowered
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.promql.typecheck import type_of
from tui_monitor.query.promql.units import flipped, unit_of
from tui_monitor.query.result import Labels, Result
from tui_monitor.query.units import combine

Values = Mapping[Labels, float]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_OPPOSITE = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_SIDES = {
    Cardinality.MANY_TO_ONE: Cardinality.ONE_TO_MANY,
    Cardinality.ONE_TO_MANY: Cardinality.MANY_TO_ONE,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One series of a condition's first comparison; `holds` where every guard holds too."""

    labels: Labels
    value: float
    threshold: float | None
    """Where the value is compared with one."""
    holds: bool
    usual: float | None = None
    """Its baseline, where the comparison asks for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition at one instant, series by series; values and thresholds in `unit`."""

    unit: str
    series: tuple[Compared, ...]


def compare(condition: Condition, engine: Engine, at: Micros, calendar: Calendar) -> Verdict:
    """Look at a bound condition at one instant. Blocks on the store.

    A series without data does not take part, and a guard without data does not hold. Only where a
    baseline is asked for does nothing at all count as 0 of what adds up: something that has calls at this
    hour on other days and none now is in the answer with 0. Raises `QueryError` and `StoreError`.
    """
    if condition.whole is not None:
        return _fired(condition, condition.whole, engine, at)
    first, *guards = condition.clauses
    looking = _Looking(condition, engine, at, calendar)
    found = looking.sides(first)
    holding = {labels for labels, pair in found.items() if _COMPARE[first.op](*pair)}
    for guard in guards:
        if not holding:
            break
        held = {labels for labels, pair in looking.sides(guard).items() if _COMPARE[guard.op](*pair)}
        by = {name for labels in held for name, _ in labels}
        holding = {labels for labels in holding if tuple(p for p in labels if p[0] in by) in held}
    series = (
        Compared(labels, value, threshold, labels in holding, looking.baseline.get(labels))
        for labels, (value, threshold) in found.items()
    )
    return Verdict(looking.unit, tuple(series))


def _fired(condition: Condition, tree: Expr, engine: Engine, at: Micros) -> Verdict:
    """The series of an expression of PromQL: it holds for those that it gives.

    Those that the outermost comparison leaves out are there too, with what they are compared with.
    """
    comparison = bare(tree)
    if isinstance(comparison, Binary) and comparison.op in COMPARISONS and not comparison.returns_bool:
        return _of_comparison(condition, comparison, engine, at)
    result = ask(engine, condition.text, at, tree)
    told = condition.threshold
    found = values_of(result).items()
    return Verdict(result.unit, tuple(Compared(labels, value, told, True) for labels, value in found))


def _of_comparison(condition: Condition, node: Binary, engine: Engine, at: Micros) -> Verdict:
    def asked(tree: Expr) -> Result:
        return ask(engine, condition.text, at, tree)

    if ValueType.SCALAR in (type_of(node.left), type_of(node.right)):
        mirrored = type_of(node.left) is ValueType.SCALAR
        result = asked(node.right if mirrored else node.left)
        bound = _bound(node, condition.text, asked, mirrored=mirrored)
        holds = _COMPARE[_MIRRORED[node.op] if mirrored else node.op]
        series = (
            Compared(labels, value, bound, bound is not None and holds(value, bound))
            for labels, value in values_of(result).items()
        )
        return Verdict(result.unit, tuple(series))
    result, holding = asked(_all_pairs(node)), values_of(asked(node))
    others = values_of(asked(_all_pairs(_mirrored(node)))).items()
    bounds = {_without_name(labels): value for labels, value in others}
    series = (
        Compared(labels, value, bounds.get(_without_name(labels)), labels in holding)
        for labels, value in values_of(result).items()
    )
    return Verdict(result.unit, tuple(series))


def _bound(node: Binary, text: str, asked: Callable[[Expr], Result], *, mirrored: bool) -> float | None:
    """The number that a vector is compared with, in the vector's unit."""
    in_unit = lowered(node, text)
    assert isinstance(in_unit, Binary)
    number = bare(in_unit.left if mirrored else in_unit.right)
    return number.value if isinstance(number, Number) else asked(number).scalar


def _all_pairs(node: Binary) -> Binary:
    """The left values of a comparison, whether it holds or not."""
    other = replace(node, op=_OPPOSITE[node.op])
    matching = Matching(Cardinality.MANY_TO_MANY)
    return Binary("or", Paren(node), Paren(other), matching=matching, place=node.place)


def _mirrored(node: Binary) -> Binary:
    """The same comparison, read from the right."""
    of = node.matching or Matching()
    matching = replace(of, cardinality=_SIDES.get(of.cardinality, of.cardinality))
    return replace(node, op=_MIRRORED[node.op], left=node.right, right=node.left, matching=matching)


def _without_name(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != NAME)


class _Looking:
    """One condition at one instant."""

    def __init__(self, condition: Condition, engine: Engine, at: Micros, calendar: Calendar) -> None:
        self._first = condition.clauses[0]
        self._engine = engine
        self._at = at
        self._calendar = calendar
        self._compared = {
            subject_of(clause, self._first)
            for clause in condition.clauses
            if has_baseline(clause.left) or has_baseline(clause.right)
        }
        """What is compared with its baseline."""
        self.unit = ""
        """Of the first comparison, as soon as it was looked at."""
        self.baseline: Values = {}
        """Of the first comparison, where it is asked for."""

    def sides(self, clause: Clause) -> dict[Labels, tuple[float, float]]:
        """Left and right of each series of a comparison."""
        subject = subject_of(clause, self._first)
        left, unit = self._values(clause.left, subject)
        right, other = self._values(clause.right, subject)
        if clause is self._first:
            self.unit = unit or other
        return _paired(left, right)

    def _values(self, node: Expr, subject: Expr) -> tuple[Values, str]:
        """Value by labels, and the unit; a number stands without labels."""
        match node:
            case Number():
                return {(): node.value}, node.unit
            case Paren():
                return self._values(node.expr, subject)
            case Given():
                return self._usual(subject), unit_of(subject)
            case Unary() if has_words(node):
                values, unit = self._values(node.expr, subject)
                return ({k: -v for k, v in values.items()} if node.op == "-" else values), unit
            case Binary() if has_words(node):
                return self._calculated(node, subject)
        result = ask(self._engine, printed(node), self._at)
        values = values_of(result)
        if node in self._compared and isinstance(node, Summary) and summed(node, self._engine):
            # What has calls at this hour on other days and none now has gone silent.
            values = dict.fromkeys(self._usual(node), 0.0) | values
        return values, result.unit

    def _calculated(self, node: Binary, subject: Expr) -> tuple[Values, str]:
        left, of_left = self._values(node.left, subject)
        right, of_right = self._values(node.right, subject)
        unit, by_left, by_right = combine(node.op, of_left, of_right, flipped=flipped(node))
        calculate = _CALCULATE[node.op]
        pairs = _paired(left, right).items()
        found = {labels: calculate(a * by_left, b * by_right) for labels, (a, b) in pairs}
        return {labels: value for labels, value in found.items() if value is not None}, unit

    def _usual(self, node: Expr) -> Values:
        usual = baselines_of(self._engine).of(node, self._at, self._calendar)
        if node == self._first.left:
            self.baseline = usual
        return usual


def _paired(left: Values, right: Values) -> dict[Labels, tuple[float, float]]:
    """Both sides of series with equal labels; a lone unlabelled side meets every series."""
    if set(right) == {()}:
        return {labels: (value, right[()]) for labels, value in left.items()}
    if set(left) == {()}:
        return {labels: (left[()], value) for labels, value in right.items()}
    return {labels: (value, right[labels]) for labels, value in left.items() if labels in right}


def _divided(above: float, below: float) -> float | None:
    return above / below if below else None


def _remainder(above: float, below: float) -> float | None:
    return fmod(above, below) if below else None


def _power(base: float, exponent: float) -> float | None:
    """Unknown where it is no real number, or too large for one."""
    try:
        value = base**exponent
    except (OverflowError, ZeroDivisionError):
        return None
    return value if isinstance(value, float) else None


_CALCULATE: Mapping[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "^": _power,
}
