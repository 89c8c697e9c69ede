"""What the short form means beyond PromQL, written into the tree before it is evaluated.

Times are brought into one unit, units that do not go together are refused, what is no finite number is no
data, and a guard behind `and` is looked at for each series that carries its labels. A tree without a short
form is as it was; only a length of time beside PromQL's milliseconds is refused, as it would be seconds.
"""

from dataclasses import replace

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import (
    COMPARISONS,
    SETS,
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Given,
    Matching,
    Number,
    Paren,
    Place,
    Subquery,
    Summary,
    Unary,
    ValueType,
    bare,
    children,
    walk,
    with_children,
)
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.promql.quoting import label
from tui_monitor.query.promql.typecheck import type_of
from tui_monitor.query.promql.units import flipped, unit_of
from tui_monitor.query.units import UnitError, combine

_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


def is_measured(node: Expr) -> bool:
    """Whether a short form takes part in an expression."""
    return any(isinstance(one, Summary | Given) for one in walk(node))


def lowered(tree: Expr, text: str) -> Expr:
    """The tree as it is evaluated. Raises `QueryError` for what does not go together."""
    for node in walk(tree):
        if isinstance(node, Binary) and not is_measured(node):
            _check_seconds(node, text)
    if not is_measured(tree):
        return tree
    return _Lowering(text).of(tree)


def _check_seconds(node: Binary, text: str) -> None:
    """Raise `QueryError` where PromQL would take 2s for the number 2 beside milliseconds."""
    if node.op not in (*COMPARISONS, *"+-/%"):
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if type_of(side) is ValueType.SCALAR and (unit_of(side), unit_of(other)) == ("s", "ms"):
            raise QueryError(
                f"{printed(side)} is a number of seconds in PromQL, and these are milliseconds",
                text=text, position=side.place.start, length=side.place.length,
                hint="write the number of milliseconds, or ask for the metric in seconds",
            )  # fmt: skip


def labels_of(node: Expr) -> frozenset[str] | None:
    """What short forms are grouped by; `None` for numbers, and where only the answer tells."""
    node = bare(node)
    match node:
        case Summary():
            return frozenset(node.by)
        case Unary() | Subquery():
            return labels_of(node.expr)
        case Call(function="baseline"):
            return labels_of(node.args[0])
        case Aggregate() if is_measured(node.expr):
            inner = labels_of(node.expr)
            if node.op in _CHOOSING or inner is None:
                return inner
            return None if node.without or node.op == "count_values" else frozenset(node.grouping)
        case Binary():
            return _of_both(node)
    return None


def _of_both(node: Binary) -> frozenset[str] | None:
    if type_of(node.right) is ValueType.SCALAR:
        return labels_of(node.left)
    if type_of(node.left) is ValueType.SCALAR:
        return labels_of(node.right)
    left, right = labels_of(node.left), labels_of(node.right)
    if left is None or right is None:
        return None
    if node.op in SETS:
        return left | right if node.op == "or" else left
    return left if left == right and node.matching is None else None


class _Lowering:
    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, node: Expr) -> Expr:
        """The node, lowered from its leaves up."""
        node = with_children(node, [self.of(part) for part in children(node)])
        if not isinstance(node, Binary) or not (is_measured(node.left) or is_measured(node.right)):
            return node
        if node.op in SETS:
            return self._guarded(node)
        self._check_labels(node)
        return self._in_one_unit(node)

    def _guarded(self, node: Binary) -> Binary:
        left, right = labels_of(node.left), labels_of(node.right)
        if node.op == "or" or node.matching is not None or left is None or right is None or left == right:
            return node
        if not right < left:
            beyond = min(right - left)
            raise self._error(
                f"what stands before `{node.op}` is not grouped by {label(beyond)}", node.right.place,
                f"what stands after `{node.op}` may be grouped by its labels, or not at all",
            )  # fmt: skip
        matching = Matching(Cardinality.MANY_TO_MANY, on=True, labels=tuple(sorted(right)))
        return replace(node, matching=matching)

    def _check_labels(self, node: Binary) -> None:
        left, right = labels_of(node.left), labels_of(node.right)
        if left is None or right is None or left == right or node.matching is not None:
            return
        raise self._error(
            f"the sides are grouped differently: {_grouped(left)} and {_grouped(right)}", node.sign,
            "give both the same by(…), or say on(…)",
        )  # fmt: skip

    def _in_one_unit(self, node: Binary) -> Binary:
        node = replace(node, finite=True)
        left, right = unit_of(node.left), unit_of(node.right)
        try:
            _, *factors = combine(node.op, left, right, truth=node.returns_bool, flipped=flipped(node))
        except UnitError as error:
            if not (_is_known(node.left) and _is_known(node.right)):
                return node
            raise self._error(str(error), node.sign) from None
        return replace(node, left=times(node.left, factors[0]), right=times(node.right, factors[1]))

    def _error(self, message: str, place: Place, hint: str | None = None) -> QueryError:
        return QueryError(message, text=self._text, position=place.start, length=place.length, hint=hint)


def _is_known(node: Expr) -> bool:
    """Whether the unit is more than what a name lets guess."""
    return is_measured(node) or type_of(node) is ValueType.SCALAR


def _grouped(by: frozenset[str]) -> str:
    return f"by({', '.join(sorted(by))})" if by else "not at all"


def times(node: Expr, factor: float) -> Expr:
    """The node brought into another unit by a factor."""
    if factor == 1:
        return node
    if isinstance(node, Number):
        # People still read the length of time that they wrote.
        return Number(node.value * factor, written=printed(node), place=node.place)
    # 1000 and its inverse: dividing keeps whole numbers whole.
    op, by = ("*", factor) if factor > 1 else ("/", 1 / factor)
    scaled = Binary(op, node if _is_operand(node) else Paren(node), Number(by), finite=True, place=node.place)
    return Paren(scaled, place=node.place)


def _is_operand(node: Expr) -> bool:
    return not isinstance(node, Binary | Unary)
