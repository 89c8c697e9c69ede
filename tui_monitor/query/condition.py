"""A condition: a query compared with what it may be, and further comparisons that must hold as well.

Or any expression of PromQL: it holds for each series that it gives, as in a rule of Prometheus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.language import BASELINE, BUDGET
from tui_monitor.query.promql.ast import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Given,
    Matcher,
    Number,
    Place,
    Subquery,
    Summary,
    Unary,
    bare,
    children,
    walk,
    with_children,
)
from tui_monitor.query.promql.lowering import is_measured, labels_of, lowered, times
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.promql.quoting import label, number
from tui_monitor.query.promql.resolving import is_promql
from tui_monitor.query.promql.units import unit_of
from tui_monitor.query.units import UnitError, combine

LIKE = "like error_rate{} [5m] > 5%"


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: `right` is in the unit of `left`."""

    left: Expr
    op: str
    right: Expr
    place: Place
    """Of the sign."""

    def __str__(self) -> str:
        return f"{printed(self.left)} {self.op} {printed(self.right)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """`A op B and C op D …`: what is asked for is the first comparison's, the others are guards.

    A guard is looked at for each series of the first one: its own labels must be among those. A condition
    that is a `whole` expression has at most one clause, the comparison that people look at.
    """

    text: str
    clauses: tuple[Clause, ...]
    whole: Expr | None = None

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Split a condition at its comparisons.

        Raises `QueryError` where it is none, compares units that do not go together, or asks for a
        `baseline` of what has none.
        """
        tree = read(text, words=True)
        _check_words(text, tree)
        parts = list(_parts(tree))
        if not is_promql(tree) and all(map(_is_comparison, parts)):
            return cls(text, tuple(_clauses(text, [bare(part) for part in parts])))
        if not is_promql(tree):
            _refuse_bare(text, parts)
        return cls(text, tuple(_told(text, tree)), _checked(text, tree))

    @property
    def left(self) -> str:
        """The query of the first comparison; the whole expression where there is none."""
        return printed(self.clauses[0].left) if self.clauses else str(self)

    @property
    def op(self) -> str:
        """The first comparison; empty where there is none."""
        return self.clauses[0].op if self.clauses else ""

    @property
    def right(self) -> str:
        """What the first comparison is with, in the unit of `left`; empty where there is none."""
        return printed(self.clauses[0].right) if self.clauses else ""

    @property
    def threshold(self) -> float | None:
        """The value of `right` where it is a plain number, in the unit of `left`."""
        return _constant(self.clauses[0].right) if self.clauses else None

    @property
    def words(self) -> list[Given]:
        """The words `baseline` and `budget` in it, in their order."""
        return [node for node in self._nodes() if isinstance(node, Given)]

    @property
    def selections(self) -> list[Summary]:
        """Every short form in it, in their order."""
        return [node for node in self._nodes() if isinstance(node, Summary)]

    @property
    def labels(self) -> set[str]:
        """What the first comparison is grouped by, as far as the condition tells."""
        if self.whole is not None:
            return set(labels_of(self.whole) or ())
        return _labels(self.clauses[0])

    def __str__(self) -> str:
        """The condition as it is asked."""
        return printed(self.whole) if self.whole is not None else " and ".join(map(str, self.clauses))

    def bound(
        self, window: Micros, amount: float | None = None, scope: tuple[Matcher, ...] = ()
    ) -> "Condition":
        """The condition with a range wherever it names none, and with what a budget says.

        `amount` is in US dollars; `scope` is what a call must be to count as spent.
        """

        def bind(node: Expr) -> Expr:
            match node:
                case Summary():
                    return _bound(node, window, scope)
                case Given() if node.name == BUDGET and amount is not None:
                    return Number(float(amount), written=f"${number(float(amount))}", place=node.place)
            return with_children(node, [bind(part) for part in children(node)])

        clauses = (replace(c, left=bind(c.left), right=bind(c.right)) for c in self.clauses)
        return Condition(self.text, tuple(clauses), None if self.whole is None else bind(self.whole))

    def trees(self) -> Iterator[Expr]:
        """What a query engine can check: comparisons of the same units and labels, or the whole."""
        if self.whole is not None:
            yield stood_in(self.whole, self.whole)
            return
        for clause in self.clauses:
            subject = subject_of(clause, self.clauses[0])
            left, right = (stood_in(side, subject) for side in (clause.left, clause.right))
            yield Binary(clause.op, left, right, sign=clause.place, place=clause.place)

    def error(self, message: str, place: Place, *, hint: str | None = None) -> QueryError:
        """An error that points into the condition."""
        return _error(self.text, message, place, hint)

    def _nodes(self) -> Iterator[Expr]:
        sides = [side for clause in self.clauses for side in (clause.left, clause.right)]
        for root in sides if self.whole is None else [self.whole]:
            yield from walk(root)


def subject_of(clause: Clause, first: Clause) -> Expr:
    """What `baseline` is of in a comparison: its left side, or the first one's if it stands there itself."""
    return first.left if has_baseline(clause.left) else clause.left


def stood_in(node: Expr, subject: Expr) -> Expr:
    """The node with things of the same unit in place of the words: the subject for its baseline."""
    if isinstance(node, Given):
        return subject if node.name == BASELINE else Number(1.0, written="$1", place=node.place)
    return with_children(node, [stood_in(part, subject) for part in children(node)])


def has_words(node: Expr) -> bool:
    """Whether `baseline` or `budget` stand in it."""
    return any(isinstance(inner, Given) for inner in walk(node))


def has_baseline(node: Expr) -> bool:
    """Whether it asks for a baseline."""
    return any(isinstance(inner, Given) and inner.name == BASELINE for inner in walk(node))


def _parts(tree: Expr) -> Iterator[Expr]:
    """What stands between the outermost `and`."""
    inner = bare(tree)
    if isinstance(inner, Binary) and inner.op == "and" and inner.matching is None:
        yield from _parts(inner.left)
        yield from _parts(inner.right)
    else:
        yield tree


def _refuse_bare(text: str, parts: Sequence[Expr]) -> None:
    """Raise `QueryError` for a short form that is compared with nothing: it would always hold."""
    for part in parts:
        if not any(map(_is_comparison, walk(part))):
            end = Place(min(part.place.end, len(text.rstrip())), 1)
            raise _error(text, "a condition needs a comparison: > >= < <= == or !=", end, LIKE)


def _check_words(text: str, tree: Expr) -> None:
    for node in walk(tree):
        if isinstance(node, Call | Aggregate | Subquery):
            for inner in children(node):
                if isinstance(bare(inner), Given):
                    word = printed(bare(inner))
                    hint = f"write {word} by itself"
                    raise _error(text, f"{word} is a value already", bare(inner).place, hint)


def _is_comparison(node: Expr) -> bool:
    node = bare(node)
    return isinstance(node, Binary) and node.op in COMPARISONS and not node.returns_bool


def _told(text: str, tree: Expr) -> Iterator[Clause]:
    """The comparison of an expression that its values are those of, if there is one."""
    tree = bare(tree)
    while isinstance(tree, Binary) and tree.op in ("and", "unless"):
        tree = bare(tree.left)
    if isinstance(tree, Binary) and _is_comparison(tree):
        clause = Clause(tree.left, tree.op, tree.right, tree.sign)
        yield _in_one_unit(text, clause, tree) if is_measured(tree) else clause


def _checked(text: str, tree: Expr) -> Expr:
    """The expression, which asks for no baseline by that word alone."""
    for node in walk(tree):
        if isinstance(node, Given) and node.name == BASELINE:
            hint = 'baseline(x, "7d") stands anywhere'
            raise _error(text, "baseline stands between comparisons of short forms only", node.place, hint)
    return tree


def _clauses(text: str, parts: Sequence[Expr]) -> Iterator[Clause]:
    found = [Clause(p.left, p.op, p.right, p.sign) for p in parts if isinstance(p, Binary)]
    first = found[0]
    for clause in found:
        _check_baseline(text, clause, first)
        _check_labels(text, clause, first)
        yield _in_one_unit(text, clause, subject_of(clause, first))


def _in_one_unit(text: str, clause: Clause, subject: Expr) -> Clause:
    """The comparison with its right side in the unit of the left one."""
    left, right = (lowered(stood_in(side, subject), text) for side in (clause.left, clause.right))
    try:
        factor = combine(clause.op, unit_of(left), unit_of(right))[2]
    except UnitError as error:
        raise _error(text, str(error), clause.place) from None
    return clause if factor == 1 else replace(clause, right=bare(times(clause.right, factor)))


def _check_baseline(text: str, clause: Clause, first: Clause) -> None:
    for word in (*walk(clause.left), *walk(clause.right)):
        if isinstance(word, Binary) and word.op in COMPARISONS and has_words(word):
            raise _error(text, "a comparison inside of a comparison", word.sign)
        if not isinstance(word, Given) or word.name != BASELINE:
            continue
        subject = subject_of(clause, first)
        if has_baseline(subject):
            hint = "like error_rate > 3 * baseline"
            raise _error(text, "baseline stands right of what it is the baseline of", word.place, hint)
        read = [node for node in walk(subject) if isinstance(node, Summary)]
        if not read:
            raise _error(text, "a number has no baseline", word.place)
        for node in read:
            if isinstance(node.window, str):
                raise _error(
                    text,
                    f"a calendar period like [{node.window}] has no baseline",
                    word.place,
                    "compare a length of time, like cost [1h] > 2 * baseline",
                )


def _check_labels(text: str, clause: Clause, first: Clause) -> None:
    """A guard is looked at for each series of the first comparison, so it has no labels besides theirs."""
    known = _labels(first)
    for node in (*walk(clause.left), *walk(clause.right)):
        if isinstance(node, Summary) and not known.issuperset(node.by):
            beyond = next(one for one in node.by if one not in known)
            raise _error(
                text, f"the first comparison is not grouped by {label(beyond)}", node.told,
                "what stands after `and` may be grouped by its labels, or not at all",
            )  # fmt: skip


def _labels(clause: Clause) -> set[str]:
    nodes = (*walk(clause.left), *walk(clause.right))
    return {label for node in nodes if isinstance(node, Summary) for label in node.by}


def _bound(node: Summary, window: Micros, scope: tuple[Matcher, ...]) -> Summary:
    if node.scoped:
        return replace(node, matchers=(*node.matchers, *scope))
    return node if node.window is not None else replace(node, window=window)


def _error(text: str, message: str, place: Place, hint: str | None = None) -> QueryError:
    return QueryError(message, text=text, position=place.start, length=place.length, hint=hint)


def _constant(node: Expr) -> float | None:
    node = bare(node)
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary):
        value = _constant(node.expr)
        return -value if value is not None and node.op == "-" else value
    return None
