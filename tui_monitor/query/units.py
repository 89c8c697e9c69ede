"""What unit a calculation is in, and which units go together."""

from tui_monitor.query.promql.ast import COMPARISONS

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
    """Two units that cannot be compared or added."""


def combine(
    op: str, left: str, right: str, *, truth: bool = False, flipped: bool = False
) -> tuple[str, float, float]:
    """(unit of the result, factor for the left side, factor for the right side).

    `flipped` where a comparison keeps the values of the right side. Raises `UnitError`.
    """
    if op in ("/", "%") and {left, right} == set(_IN_MS):
        return _product(op, left, left), 1.0, _IN_MS[right] / _IN_MS[left]
    if op in ("*", "/", "%", "^", "atan2"):
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
