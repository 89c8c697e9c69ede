"""Whether the parts of an expression fit together, by Prometheus's rules."""

from typing import NoReturn

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import (
    COMPARISONS,
    SETS,
    TRIMS,
    WITH_PARAM,
    Aggregate,
    Binary,
    Call,
    Expr,
    Given,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Text,
    Unary,
    ValueType,
    bare,
)
from tui_monitor.query.promql.functions.table import TABLE

SCALAR, VECTOR, MATRIX, STRING = ValueType.SCALAR, ValueType.VECTOR, ValueType.MATRIX, ValueType.STRING
NAMES = {
    SCALAR: "a number",
    VECTOR: "an instant vector",
    MATRIX: "a range vector",
    STRING: "a text",
}
"""Types as errors name them."""
_ANCHORED = frozenset({"changes", "delta", "increase", "rate", "resets"})
_SMOOTHED = frozenset({"delta", "increase", "rate"})


def type_of(node: Expr) -> ValueType:
    """The type of an expression that has been checked."""
    match bare(node):
        case Number() | Given(name="budget"):
            return SCALAR
        case Text():
            return STRING
        case Range() | Subquery():
            return MATRIX
        case Call(function=name):
            return TABLE[name].returns
        case Unary(expr=inner):
            return type_of(inner)
        case Binary(left=left, right=right):
            return SCALAR if type_of(left) is type_of(right) is SCALAR else VECTOR
    return VECTOR


def is_ordered(node: Expr) -> bool:
    """Whether the order of the series is part of the answer at one instant."""
    node = bare(node)
    if isinstance(node, Call):
        return node.function.startswith("sort")
    return isinstance(node, Aggregate) and node.op in ("topk", "bottomk")


def check_numbers(tree: Expr, text: str) -> None:
    """Raise `QueryError` for what gives no numbers."""
    kind = type_of(tree)
    if kind not in (SCALAR, VECTOR):
        hint = "put a function around the range, like rate(…) or last_over_time(…)"
        raise QueryError(
            f"a query asks for numbers, not for {NAMES[kind]}", text=text, position=tree.place.start,
            length=tree.place.length, hint=hint if kind is MATRIX else None,
        )  # fmt: skip


def check(tree: Expr, text: str) -> ValueType:
    """The type of the whole. Raises `QueryError` at the part that does not fit."""
    return _Checker(text).type(tree)


class _Checker:
    def __init__(self, text: str) -> None:
        self._text = text

    def _fail(self, message: str, node: Expr, hint: str | None = None) -> NoReturn:
        place = node.place
        raise QueryError(message, text=self._text, position=place.start, length=place.length, hint=hint)

    def type(self, node: Expr) -> ValueType:
        """The type of a part, its own parts checked."""
        match node:
            case Paren():
                return self.type(node.expr)
            case Unary():
                return self._signed(node)
            case Subquery():
                self._expect(node.expr, VECTOR, "a subquery takes")
            case Call():
                self._call(node)
            case Aggregate():
                self._aggregate(node)
            case Binary():
                return self._binary(node)
            case Selector(edges="anchored"):
                self._fail("anchored is for ranges", node)
        return type_of(node)

    def _expect(self, node: Expr, wanted: ValueType, who: str) -> None:
        found = self.type(node)
        if found is not wanted:
            hint = "give it a range: metric[5m]" if (wanted, found) == (MATRIX, VECTOR) else None
            self._fail(f"{who} {NAMES[wanted]}, not {NAMES[found]}", node, hint)

    def _signed(self, node: Unary) -> ValueType:
        found = self.type(node.expr)
        if found not in (SCALAR, VECTOR):
            self._fail(f"a sign is for numbers and instant vectors, not {NAMES[found]}", node)
        return found

    def _call(self, node: Call) -> None:
        function = TABLE[node.function]
        count = len(node.args)
        if not function.least <= count <= function.most:
            few = f"{function.least}" if function.least == function.most else f"at least {function.least}"
            wanted = few if count < function.least else f"at most {function.most}"
            self._fail(f"{node.function} takes {wanted} argument{'s' * (wanted != '1')}, not {count}", node,
                       hint=function.signature())  # fmt: skip
        for index, argument in enumerate(node.args):
            self._expect(argument, function.argument(index), f"{node.function} takes")
            self._edges(node, bare(argument))
        if node.function == "info" and count == 2 and not isinstance(node.args[1], Selector):
            self._fail("info takes a selector of labels", node.args[1])

    def _edges(self, call: Call, argument: Expr) -> None:
        if not isinstance(argument, Range) or not argument.selector.edges:
            return
        edges = argument.selector.edges
        allowed = _ANCHORED if edges == "anchored" else _SMOOTHED
        if call.function not in allowed:
            self._fail(f"{edges} is for {', '.join(sorted(allowed))}, not for {call.function}", argument)

    def _aggregate(self, node: Aggregate) -> None:
        if node.param is not None:
            self._expect(node.param, WITH_PARAM[node.op], f"{node.op} takes")
        self._expect(node.expr, VECTOR, f"{node.op} takes")

    def _binary(self, node: Binary) -> ValueType:
        sides = [self.type(node.left), self.type(node.right)]
        for side, found in zip((node.left, node.right), sides, strict=True):
            if found not in (SCALAR, VECTOR):
                self._fail(f"{node.op} is for numbers and instant vectors, not {NAMES[found]}", side)
            if node.op in SETS and found is SCALAR:
                self._fail(f"{node.op} is for instant vectors, not {NAMES[found]}", side)
        if SCALAR in sides and node.matching is not None and node.matching.labels:
            self._fail("on and ignoring are for two instant vectors", node)
        if sides == [SCALAR, SCALAR]:
            if node.op in TRIMS:
                self._fail(f"{node.op} is for native histograms, not for numbers alone", node)
            if node.op in COMPARISONS and not node.returns_bool:
                self._fail("two numbers are compared with bool", node, hint=f"write {node.op} bool")
            return SCALAR
        return VECTOR
