"""A condition: a query, a comparison, and what it is compared with."""

from dataclasses import dataclass

from tui_monitor.model.errors import QueryError
from tui_monitor.query.ast import COMPARISONS, Binary, Node, Number, Unary
from tui_monitor.query.parser import parse
from tui_monitor.query.units import UnitError, combine, unit_by_name


@dataclass(frozen=True, slots=True)
class Condition:
    """`A op B`, each side a query of its own. `right` is in the unit of `left`."""

    left: str
    op: str
    right: str
    threshold: float | None = None
    """The value of `right` where it is a plain number, in the unit of `left`."""

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Split a query at its outermost comparison.

        Raises `QueryError` where it is no query, has no comparison, or compares units that do not go
        together.
        """
        node = parse(text)
        if not isinstance(node, Binary) or node.op not in COMPARISONS:
            raise QueryError(
                "a condition needs a comparison: > >= < <= == or !=",
                text=text,
                position=len(text.rstrip()),
                hint="like error_rate{} [5m] > 5%",
            )
        try:
            factor = combine(node.op, unit_by_name(node.left), unit_by_name(node.right))[2]
        except UnitError as error:
            place = node.place
            raise QueryError(str(error), text=text, position=place.position, length=place.length) from None
        right = node.right if factor == 1 else _scaled(node.right, factor)
        return cls(str(node.left), node.op, str(right), _constant(right))


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
