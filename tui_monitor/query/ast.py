"""The tree of a query. `str()` of a node is its canonical text, which parses to an equal node."""

from dataclasses import dataclass, field
from typing import Literal

from tui_monitor.model.calendar import Period
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import format_duration
from tui_monitor.query.language import is_plain, quote, spelled
from tui_monitor.query.lexer import PREFIXES, TIME_UNITS

BINDING: dict[str, tuple[int, int]] = {
    "or": (1, 2),
    "and": (3, 4), "unless": (3, 4),
    "==": (5, 6), "!=": (5, 6), ">": (5, 6), ">=": (5, 6), "<": (5, 6), "<=": (5, 6),
    "+": (7, 8), "-": (7, 8),
    "*": (9, 10), "/": (9, 10), "%": (9, 10),
    "^": (14, 13),
}  # fmt: skip
"""How strongly an operator holds what stands left and right of it; PromQL's order."""
SIGN_BINDING = 11
"""Of a sign before its operand: `-2 ^ 2` is `-(2 ^ 2)`."""
COMPARISONS = frozenset({"==", "!=", ">", ">=", "<", "<="})
ARITHMETIC = frozenset("+-*/%^")

MatchOp = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the text: the first character (from 0) and how many."""

    position: int = 0
    length: int = 1


_NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, never negative, with its unit: of time, `k M G T`, `%`, `$` or none."""

    number: float
    unit: str = ""
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        written = str(int(self.number)) if self.number.is_integer() and self.number < 1e15 else None
        written = written or repr(self.number)
        return f"${written}" if self.unit == "$" else f"{written}{self.unit}"

    @property
    def value(self) -> float:
        """The plain number: lengths of time in ms, shares from 0 to 1."""
        if self.unit == "%":
            return self.number / 100
        return self.number * (TIME_UNITS.get(self.unit) or PREFIXES.get(self.unit) or 1.0)

    @property
    def measured_in(self) -> str:
        """The unit of `value` as results name it; empty for a plain number."""
        return "ms" if self.unit in TIME_UNITS else {"%": "ratio", "$": "usd"}.get(self.unit, "")


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label must be. Regular expressions match the whole value."""

    label: str
    op: MatchOp
    value: str
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{spelled(self.label)}{self.op}{quote(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric, which of its calls or series, and which time."""

    metric: str
    matchers: tuple[Matcher, ...] = ()
    window: Micros | Period | None = None
    """A length of time, a calendar period, or the default."""
    offset: Micros = 0
    place: Place = field(default=_NOWHERE, compare=False)
    scoped: bool = field(default=False, compare=False)
    """In a rule's condition: whether the scope of the rule's budget holds for it."""

    def __str__(self) -> str:
        inside = [str(matcher) for matcher in self.matchers]
        if not is_plain(self.metric):
            inside.insert(0, quote(self.metric))
        text = self.metric if is_plain(self.metric) else ""
        text += f"{{{', '.join(inside)}}}" if inside else ""
        if self.window is not None:
            length = self.window if isinstance(self.window, str) else format_duration(self.window)
            text += f" [{length}]"
        return f"{text} offset {format_duration(self.offset)}" if self.offset else text


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A selector put into one value per group; `how` is empty for the metric's own aggregate."""

    of: Selector
    how: str = ""
    by: tuple[str, ...] = ()
    place: Place = field(default=_NOWHERE, compare=False)
    """Of the aggregate's name, or of the metric."""

    def __str__(self) -> str:
        text = f"{self.of} {self.how}" if self.how else str(self.of)
        return f"{text} by({', '.join(map(spelled, self.by))})" if self.by else text


@dataclass(frozen=True, slots=True)
class Given:
    """A word of a rule's condition, `baseline` or `budget`: what it stands for depends on the rule."""

    name: str
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before its operand."""

    op: Literal["+", "-"]
    operand: "Node"
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        loose = isinstance(self.operand, Binary) and BINDING[self.operand.op][0] < SIGN_BINDING
        return f"{self.op}({self.operand})" if loose else f"{self.op}{self.operand}"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and what is done with them. With `truth` a comparison gives 1 or 0 and filters nothing."""

    op: str
    left: "Node"
    right: "Node"
    truth: bool = False
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        sign = f"{self.op} bool" if self.truth else self.op
        holds_left, holds_right = BINDING[self.op]
        left, right = str(self.left), str(self.right)
        if _right_hold(self.left) < holds_left:
            left = f"({left})"
        if isinstance(self.right, Binary) and BINDING[self.right.op][0] < holds_right:
            right = f"({right})"
        return f"{left} {sign} {right}"


Node = Number | Aggregate | Given | Unary | Binary


def _right_hold(node: Node) -> int:
    """How strongly a node's last operator holds what stands right of it."""
    match node:
        case Binary():
            return BINDING[node.op][1]
        case Unary():
            return SIGN_BINDING
    return 1_000


def is_number(node: Node) -> bool:
    """Whether a node stands for one number, whatever is stored."""
    match node:
        case Number():
            return True
        case Aggregate() | Given():
            return False
        case Unary():
            return is_number(node.operand)
        case Binary():
            return is_number(node.left) and is_number(node.right)
