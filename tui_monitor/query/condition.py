"""A condition: a query compared with what it may be, and further comparisons that must hold as well."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.ast import COMPARISONS, Aggregate, Binary, Given, Matcher, Node, Number, Place, Unary
from tui_monitor.query.clauses import parse_condition
from tui_monitor.query.language import BASELINE, BUDGET, spelled
from tui_monitor.query.units import UnitError, combine, unit_by_name


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: `right` is in the unit of `left`."""

    left: Node
    op: str
    right: Node
    place: Place

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True, slots=True)
class Condition:
    """`A op B and C op D …`: what is asked for is the first comparison's, the others are guards.

    A guard is looked at for each series of the first one: its own labels must be among those.
    """

    text: str
    clauses: tuple[Clause, ...]

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Split a condition at its comparisons.

        Raises `QueryError` where it is none, compares units that do not go together, or asks for a
        `baseline` of what has none.
        """
        return cls(text, tuple(_clauses(text)))

    @property
    def left(self) -> str:
        """The query of the first comparison."""
        return str(self.clauses[0].left)

    @property
    def op(self) -> str:
        """The first comparison."""
        return self.clauses[0].op

    @property
    def right(self) -> str:
        """What the first comparison is with, in the unit of `left`."""
        return str(self.clauses[0].right)

    @property
    def threshold(self) -> float | None:
        """The value of `right` where it is a plain number, in the unit of `left`."""
        return _constant(self.clauses[0].right)

    @property
    def words(self) -> list[Given]:
        """The words `baseline` and `budget` in it, in their order."""
        return [node for c in self.clauses for node in _nodes(c.left, c.right) if isinstance(node, Given)]

    @property
    def selections(self) -> list[Aggregate]:
        """Everything that is read, in its order."""
        return [node for c in self.clauses for node in _nodes(c.left, c.right) if isinstance(node, Aggregate)]

    @property
    def labels(self) -> set[str]:
        """What the first comparison is grouped by."""
        return _labels(self.clauses[0])

    def bound(
        self, window: Micros, amount: float | None = None, scope: tuple[Matcher, ...] = ()
    ) -> "Condition":
        """The condition with a range wherever it names none, and with what a budget says.

        `amount` is in US dollars; `scope` is what a call must be to count as spent.
        """

        def bind(node: Node) -> Node:
            match node:
                case Aggregate():
                    return _bound(node, window, scope)
                case Given() if node.name == BUDGET and amount is not None:
                    return Number(float(amount), "$", node.place)
                case Unary():
                    return replace(node, operand=bind(node.operand))
                case Binary():
                    return replace(node, left=bind(node.left), right=bind(node.right))
                case _:
                    return node

        clauses = (replace(c, left=bind(c.left), right=bind(c.right)) for c in self.clauses)
        return Condition(self.text, tuple(clauses))

    def trees(self) -> Iterator[Binary]:
        """Each comparison as a tree that a query engine can check: of the same units and labels."""
        for clause in self.clauses:
            left, right = (stood_in(side, self._subject(clause)) for side in (clause.left, clause.right))
            yield Binary(clause.op, left, right, place=clause.place)

    def error(self, message: str, place: Place, *, hint: str | None = None) -> QueryError:
        """An error that points into the condition."""
        return _error(self.text, message, place, hint)

    def _subject(self, clause: Clause) -> Node:
        return subject_of(clause, self.clauses[0])


def subject_of(clause: Clause, first: Clause) -> Node:
    """What `baseline` is of in a comparison: its left side, or the first one's if it stands there itself."""
    return first.left if has_baseline(clause.left) else clause.left


def stood_in(node: Node, subject: Node) -> Node:
    """The node with things of the same unit in place of the words: the subject for its baseline."""
    match node:
        case Given():
            return subject if node.name == BASELINE else Number(1.0, "$", node.place)
        case Unary():
            return replace(node, operand=stood_in(node.operand, subject))
        case Binary():
            return replace(node, left=stood_in(node.left, subject), right=stood_in(node.right, subject))
        case _:
            return node


def has_words(node: Node) -> bool:
    """Whether `baseline` or `budget` stand in it."""
    return any(isinstance(inner, Given) for inner in _nodes(node))


def _clauses(text: str) -> Iterator[Clause]:
    parsed = parse_condition(text)
    first = Clause(parsed[0].left, parsed[0].op, parsed[0].right, parsed[0].place)
    for node in parsed:
        clause = Clause(node.left, node.op, node.right, node.place)
        _check_baseline(text, clause, first)
        _check_labels(text, clause, first)
        left, right = (stood_in(side, subject_of(clause, first)) for side in (clause.left, clause.right))
        try:
            factor = combine(node.op, unit_by_name(left), unit_by_name(right))[2]
        except UnitError as error:
            raise _error(text, str(error), error.place or node.place) from None
        yield clause if factor == 1 else replace(clause, right=_scaled(node.right, factor))


def _check_baseline(text: str, clause: Clause, first: Clause) -> None:
    for word in _nodes(clause.left, clause.right):
        if isinstance(word, Binary) and word.op in COMPARISONS and has_words(word):
            raise _error(text, "a comparison inside of a comparison", word.place)
        if not isinstance(word, Given) or word.name != BASELINE:
            continue
        subject = subject_of(clause, first)
        if has_baseline(subject):
            hint = "like error_rate > 3 * baseline"
            raise _error(text, "baseline stands right of what it is the baseline of", word.place, hint)
        read = [node for node in _nodes(subject) if isinstance(node, Aggregate)]
        if not read:
            raise _error(text, "a number has no baseline", word.place)
        for node in read:
            if isinstance(node.of.window, str):
                raise _error(
                    text,
                    f"a calendar period like [{node.of.window}] has no baseline",
                    word.place,
                    "compare a length of time, like cost [1h] > 2 * baseline",
                )


def _check_labels(text: str, clause: Clause, first: Clause) -> None:
    """A guard is looked at for each series of the first comparison, so it has no labels besides theirs."""
    known = _labels(first)
    for node in _nodes(clause.left, clause.right):
        if isinstance(node, Aggregate) and not known.issuperset(node.by):
            beyond = next(label for label in node.by if label not in known)
            raise _error(
                text, f"the first comparison is not grouped by {spelled(beyond)}", node.place,
                "what stands after `and` may be grouped by its labels, or not at all",
            )  # fmt: skip


def _labels(clause: Clause) -> set[str]:
    nodes = _nodes(clause.left, clause.right)
    return {label for node in nodes if isinstance(node, Aggregate) for label in node.by}


def _bound(node: Aggregate, window: Micros, scope: tuple[Matcher, ...]) -> Aggregate:
    of = node.of
    if of.scoped:
        return replace(node, of=replace(of, matchers=(*of.matchers, *scope)))
    return node if of.window is not None else replace(node, of=replace(of, window=window))


def _nodes(*roots: Node) -> Iterator[Node]:
    for root in roots:
        yield root
        match root:
            case Unary():
                yield from _nodes(root.operand)
            case Binary():
                yield from _nodes(root.left, root.right)


def has_baseline(node: Node) -> bool:
    """Whether it asks for a baseline."""
    return any(isinstance(inner, Given) and inner.name == BASELINE for inner in _nodes(node))


def _error(text: str, message: str, place: Place, hint: str | None = None) -> QueryError:
    return QueryError(message, text=text, position=place.position, length=place.length, hint=hint)


def _scaled(node: Node, factor: float) -> Node:
    """The node times a factor that brings it into another unit."""
    if isinstance(node, Number):
        return Number(node.value * factor)
    if isinstance(node, Unary):
        return Unary(node.op, _scaled(node.operand, factor))
    # 1000 and its inverse: dividing keeps whole numbers whole.
    return Binary("*", node, Number(factor)) if factor > 1 else Binary("/", node, Number(1 / factor))


def _constant(node: Node) -> float | None:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary):
        value = _constant(node.operand)
        return -value if value is not None and node.op == "-" else value
    return None
