"""What a filter asks of calls: from its tree to the store's tests.

A number that a call does not tell passes no comparison, and none that is negated: `NOT latency>1000` is
`latency<=1000`. So NOT is brought down to the single comparison, which is turned round. A text that a call
lacks is empty, as in a matcher, and is not any other text.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tui_monitor.model.errors import QueryError
from tui_monitor.model.providers import canonical
from tui_monitor.query.filters import fields
from tui_monitor.query.filters.ast import UNKNOWN, Compared, Every, Negated, Node, Some, tests_of
from tui_monitor.query.filters.fields import Quantity
from tui_monitor.query.filters.lexer import number
from tui_monitor.query.filters.parser import error_at
from tui_monitor.query.language import nearest, quote
from tui_monitor.query.metrics import BY_NAME
from tui_monitor.query.regex import Pattern, PatternError
from tui_monitor.query.units import word
from tui_monitor.store import where
from tui_monitor.store.where import HasLabel, HasNumber, Where

_OPPOSITE = {
    "=": "!=", "!=": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<", "=~": "!~", "!~": "=~",
}  # fmt: skip
_LIKE = {"ms": "800 or 1.5s", "s": "2 or 800ms", "usd": "0.05 or $0.05", "tokens": "500 or 10k"}
_ORDER = frozenset((">", ">=", "<", "<="))
_FURTHEST = 1 << 62
"""Beyond any number of a call."""
Accepts = Callable[[str], bool]


def check_names(node: Node, text: str, attributes: Collection[str]) -> None:
    """Raise `QueryError` for a field that no call has ever had; `attributes` are the free ones there are."""
    for test in tests_of(node):
        label = fields.label_of(test.name)
        if test.name in fields.QUANTITIES or label in fields.TEXTS or label in fields.ATTRIBUTES:
            continue
        if label not in attributes:
            raise _unknown(test, text, attributes)


def _unknown(test: Compared, text: str, attributes: Collection[str]) -> QueryError:
    if test.name in BY_NAME:
        return error_at(
            text, test.place, f"{test.name} is a metric, and nothing that a single call has",
            "a query compares it with == > >= < or <=",
        )  # fmt: skip
    meant = nearest(test.name, fields.known_names(attributes))
    also = f", did you mean {meant}?" if meant else ""
    return error_at(text, test.place, f'unknown field "{test.name}"{also}')


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the tests of one text mean. Raises `QueryError` for a comparison that makes no sense."""

    text: str

    def of(self, node: Node, *, negated: bool = False) -> Where:
        """The store's test for a part."""
        match node:
            case Negated(part):
                return self.of(part, negated=not negated)
            case Every(parts) | Some(parts):
                made = tuple(self.of(part, negated=negated) for part in parts)
                return where.All(made) if isinstance(node, Every) != negated else where.Some(made)
            case Compared():
                return self._test(node, negated)

    def _test(self, test: Compared, negated: bool) -> Where:
        quantity = fields.QUANTITIES.get(test.name)
        if quantity is not None and not (test.op in ("~", "=~", "!~") and quantity.name == "http_status"):
            return self._quantity(test, quantity, _turned(test.op, negated))
        if test.op in _ORDER:
            return self._order(test, negated)
        accepts = self._accepts(test)
        found = HasLabel(fields.label_of(test.name), accepts)
        return where.Not(found) if negated else found

    # Numbers

    def _quantity(self, test: Compared, quantity: Quantity, op: str) -> Where:
        if test.op in ("~", "=~", "!~"):
            raise error_at(
                self.text, test.place, f"{test.name} is a number: compare it with = != > >= < or <="
            )
        if test.value.text == UNKNOWN and op in ("=", "!="):
            known = HasNumber(quantity.numbers)
            return where.Not(known) if op == "=" else known
        bound = self._stored(test, quantity)
        if op == "=":
            return _between(quantity, math.ceil(bound), math.floor(bound))
        if op == "!=":
            below = _between(quantity, None, math.ceil(bound) - 1)
            return where.Some((below, _between(quantity, math.floor(bound) + 1, None)))
        if op in (">", ">="):
            return _between(quantity, math.floor(bound) + 1 if op == ">" else math.ceil(bound), None)
        return _between(quantity, None, math.ceil(bound) - 1 if op == "<" else math.floor(bound))

    def _stored(self, test: Compared, quantity: Quantity) -> float:
        """What the value is in the store's unit."""
        value, unit = self._number(test, quantity.unit)
        if unit == "ms" and quantity.unit == "s":
            value, unit = value / 1000, "s"
        if unit and unit != quantity.unit:
            raise error_at(
                self.text, test.value.place,
                f"{test.name} is {_word(quantity.unit)}, {test.value.text} is {word(unit)}",
                "millions are written 5M" if unit == "ms" and test.value.text.endswith("m") else None,
            )  # fmt: skip
        # What is left of 0.1 + 0.2 in binary is no part of a nano-dollar.
        return max(-float(_FURTHEST), min(round(value * quantity.stored, 3), float(_FURTHEST)))

    def _number(self, test: Compared, unit: str) -> tuple[float, str]:
        found = number(test.value.text)
        if found is None:
            examples = {
                "ms": "800 or 1.5s",
                "s": "2 or 800ms",
                "usd": "0.05 or $0.05",
                "tokens": "500 or 10k",
            }
            hint = f"{test.name} is a number, {examples.get(unit, 'like 5')}"
            if test.op in ("=", "!=") and unit:
                hint += f"; {test.name}={UNKNOWN} finds calls that do not tell"
            raise error_at(self.text, test.value.place, "expected a number", hint)
        return found

    # Texts

    def _order(self, test: Compared, negated: bool) -> Where:
        """A free attribute that is a number."""
        label = fields.label_of(test.name)
        if label in fields.TEXTS:
            raise error_at(self.text, test.place, f"{test.name} is a text: compare it with = != ~ =~ or !~")
        value, unit = self._number(test, "")
        if unit:
            raise error_at(
                self.text, test.value.place, f"the unit of {test.name} is not known: write a plain number"
            )
        compare = _COMPARE[_turned(test.op, negated)]
        return HasLabel(label, lambda text: (known := _float(text)) is not None and compare(known, value))

    def _accepts(self, test: Compared) -> Accepts:
        label, wanted = fields.label_of(test.name), test.value.text
        if test.op in ("=", "!="):
            allowed = fields.CLOSED.get(label)
            if allowed and wanted and wanted not in allowed:
                meant = nearest(wanted, allowed)
                raise error_at(
                    self.text, test.value.place,
                    f"{quote(wanted)} is no {test.name}" + (f", did you mean {meant}?" if meant else ""),
                    f"it is one of {', '.join(sorted(allowed))}",
                )  # fmt: skip
            named: Callable[[str], str] = canonical if label == "provider" else str
            wanted = named(wanted)
            return (
                (lambda text: named(text) == wanted)
                if test.op == "="
                else (lambda text: named(text) != wanted)
            )
        try:
            pattern = Pattern(f"(?s:.*)(?:{wanted})(?s:.*)" if test.op == "~" else wanted)
            Pattern(wanted)
        except PatternError as error:
            raise error_at(self.text, test.value.place, f"not a regular expression: {error}") from None
        return (lambda text: not pattern.matches(text)) if test.op == "!~" else pattern.matches


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__,
}  # fmt: skip


def _turned(op: str, negated: bool) -> str:
    return _OPPOSITE[op] if negated else op


def _between(quantity: Quantity, low: int | None, high: int | None) -> Where:
    if low is not None and high is not None and low > high:
        # No whole number is a half.
        return where.Some(())
    return HasNumber(quantity.numbers, low, high)


def _word(unit: str) -> str:
    return "a number of tokens" if unit == "tokens" else word(unit) or "a plain number"


def _float(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if found == found else None
