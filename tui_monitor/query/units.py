"""What unit a calculation is in, and which units go together."""

from tui_monitor.query.ast import COMPARISONS, Aggregate, Binary, Given, Node, Number, Place, Unary, is_number
from tui_monitor.query.known import unit_of_name
from tui_monitor.query.metrics import BY_NAME, unit_after

_IN_MS = {"ms": 1.0, "s": 1000.0}
_COUNTED = frozenset({"", "requests"})
_WORDS = {
    "ms": "a time",
    "s": "a time",
    "usd": "money",
    "ratio": "a share",
    "requests": "a number of requests",
}


class UnitError(ValueError):
    """Two units that cannot be compared or added; `place` is where they meet, if that is known."""

    place: Place | None = None


def combine(
    op: str, left: str, right: str, *, truth: bool = False, flipped: bool = False
) -> tuple[str, float, float]:
    """(unit of the result, factor for the left side, factor for the right side).

    `flipped` where a comparison keeps the values of the right side. Raises `UnitError`.
    """
    if op in ("*", "/", "%", "^"):
        return _product(op, left, right), 1.0, 1.0
    factors = (1.0, 1.0)
    if left != right and left and right:
        if left not in _IN_MS or right not in _IN_MS:
            raise UnitError(f"{word(left)} and {word(right)} do not go together")
        factors = (1.0, _IN_MS[right] / _IN_MS[left])
        if flipped:
            factors = (_IN_MS[left] / _IN_MS[right], 1.0)
    if op in COMPARISONS:
        return ("" if truth else right if flipped else left), *factors
    return (right if flipped and right else left or right), *factors


def _product(op: str, left: str, right: str) -> str:
    if op == "*":
        return left if right in (*_COUNTED, "ratio") else right if left in (*_COUNTED, "ratio") else ""
    if op == "/":
        return left if right in _COUNTED and left not in _COUNTED else ""
    return left if op == "%" and right in ("", left) else ""


def word(unit: str) -> str:
    """A unit as an error names it."""
    return _WORDS.get(unit, unit)


def unit_by_name(node: Node) -> str:
    """The unit of a node as far as the names in it tell, without looking into any store.

    Raises `UnitError`.
    """
    match node:
        case Number():
            return node.measured_in
        case Given():
            return ""
        case Unary():
            return unit_by_name(node.operand)
        case Aggregate():
            return _selected(node)
        case Binary():
            left, right = unit_by_name(node.left), unit_by_name(node.right)
            flipped = is_number(node.left) and not is_number(node.right)
            try:
                return combine(node.op, left, right, truth=node.truth, flipped=flipped)[0]
            except UnitError as error:
                error.place = node.place
                raise


def _selected(node: Aggregate) -> str:
    metric = BY_NAME.get(node.of.metric)
    if metric is None:
        return unit_after(unit_of_name(node.of.metric), node.how)
    return unit_after(metric.unit, node.how or metric.default_aggregate)
