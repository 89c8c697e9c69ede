"""From tokens to a tree, by precedence. The errors say what was expected.

The grammar is Prometheus's, and where a text need not be strictly that, the short form's besides.
"""

import dataclasses
from functools import lru_cache
from typing import Literal

from tui_monitor.query.promql import selecting, shortform
from tui_monitor.query.promql.ast import (
    AGGREGATIONS,
    ARITHMETIC,
    COMPARISONS,
    KEYWORDS,
    SETS,
    TRIMS,
    WITH_PARAM,
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matching,
    Number,
    Paren,
    Place,
    Range,
    Selector,
    Subquery,
    Summary,
    Text,
    Unary,
    children,
)
from tui_monitor.query.promql.cursor import Cursor
from tui_monitor.query.promql.functions.table import TABLE
from tui_monitor.query.promql.lexer import Kind, Token
from tui_monitor.query.promql.resolving import resolved
from tui_monitor.query.promql.typecheck import check, check_numbers

MAX_DEPTH = 100
"""Expressions within expressions."""
_KEPT_LENGTH = 2_000
"""Characters of a text whose tree is kept."""

_POWER = {
    **dict.fromkeys(("or",), 1),
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(COMPARISONS | TRIMS, 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
"""How strongly an operator binds; ^ alone binds from the right."""
_OPERATORS = ARITHMETIC | COMPARISONS | SETS | TRIMS
_NO_NAMES = frozenset({"on", "ignoring", "bool", "group_left", "group_right", "atan2"})
"""Keywords that cannot be a metric's name without quotes."""
_NUMBERS = {"inf": float("inf"), "nan": float("nan")}


def parsed(text: str, *, strict: bool = True, words: bool = False) -> Expr:
    """The tree of an expression, its types checked. Raises `QueryError` that points at the character.

    `strict` where nothing but PromQL is to be read, as Prometheus reads it; `words` where those that alert
    rules know may stand in it.
    """
    parser = _Parser(text, strict=strict, words=words)
    tree = parser.whole()
    _check_depth(parser.cursor, tree)
    if not strict:
        tree = resolved(parser.cursor, tree, parser.spends)
    check(tree, text)
    return tree


def read(text: str, *, words: bool = False) -> Expr:
    """The tree of a query of the whole language that gives numbers; otherwise as `parsed`."""
    # A tree takes many times the memory of its text: long ones are read anew.
    return (_kept if len(text) <= _KEPT_LENGTH else _read)(text, words)


def _read(text: str, words: bool) -> Expr:
    tree = parsed(text, strict=False, words=words)
    check_numbers(tree, text)
    return tree


_kept = lru_cache(maxsize=256)(_read)


def _check_depth(cursor: Cursor, tree: Expr) -> None:
    level: tuple[Expr, ...] = (tree,)
    for _ in range(MAX_DEPTH):
        level = tuple(child for node in level for child in children(node))
        if not level:
            return
    cursor.fail_at(f"the expression is nested more than {MAX_DEPTH} deep", level[0].place)


class _Parser:
    """Reads one expression."""

    def __init__(self, text: str, *, strict: bool, words: bool) -> None:
        self.cursor = Cursor(text, strict=strict)
        self.spends: set[int] = set()
        """Where words like `daily_spend` stand."""
        self._strict = strict
        self._words = words
        self._depth = 0

    @property
    def _operand(self) -> str:
        """What may begin an expression, as an error names it."""
        return "an expression" if self._strict else "a metric, a number, a function or ("

    def whole(self) -> Expr:
        if self.cursor.token.kind is Kind.END:
            hint = None if self._strict else "like requests, latency, cost or error_rate"
            self.cursor.fail("expected an expression, there is none", hint=hint)
        tree = self.expression(0)
        token = self.cursor.token
        if token.kind is not Kind.END:
            hint = self.cursor.meant(token.word, (*KEYWORDS, "@")) if token.word else None
            self.cursor.fail(f"expected an operator or the end, not {token.shown()}", hint=hint)
        return tree

    def expression(self, least: int) -> Expr:
        """An expression of operators that bind more strongly than `least`."""
        self._depth += 1
        self._bounded(self._depth)
        start = self.cursor.token.start
        left, chained = self._prefix(), 0
        while (op := self._operator()) and _POWER[op] > least:
            # Each makes what is on the left one deeper.
            chained += 1
            self._bounded(chained)
            sign = self.cursor.take()
            returns_bool, matching = self._modifiers(op)
            right = self.expression(_POWER[op] - (op == "^"))
            left = Binary(
                op, left, right, returns_bool, matching,
                sign=Place(sign.start, len(sign.text)), place=self.cursor.since(start),
            )  # fmt: skip
        self._depth -= 1
        return left

    def _bounded(self, depth: int) -> None:
        """Refuse a text as soon as its tree is certainly too deep."""
        if depth > MAX_DEPTH:
            self.cursor.fail(f"the expression is nested more than {MAX_DEPTH} deep")

    def _operator(self) -> str:
        token = self.cursor.token
        word = token.text if token.kind is Kind.SIGN else token.word
        return word if word in _OPERATORS else ""

    def _modifiers(self, op: str) -> tuple[bool, Matching | None]:
        """What may stand between an operator and its right side."""
        cursor = self.cursor
        returns_bool = cursor.token.word == "bool"
        if returns_bool:
            if op not in COMPARISONS:
                cursor.fail("bool is for comparisons")
            cursor.take()
        word = cursor.token.word
        if word not in ("on", "ignoring"):
            if word in ("group_left", "group_right"):
                cursor.fail(f"{word} comes after on(…) or ignoring(…)")
            return returns_bool, None
        cursor.take()
        names = selecting.labels(cursor)
        matching = self._grouped(op, word == "on", names)
        return returns_bool, None if matching == Matching() else matching

    def _grouped(self, op: str, on: bool, names: tuple[str, ...]) -> Matching:
        cursor = self.cursor
        side = cursor.token
        if side.word not in ("group_left", "group_right"):
            plain = Cardinality.MANY_TO_MANY if op in SETS else Cardinality.ONE_TO_ONE
            # Without labels a set operation matches as if nothing had been said.
            return Matching(plain, on, names) if on or names else Matching()
        if op in SETS:
            cursor.fail(f"{op} takes no {side.word}: it matches many with many")
        cursor.take()
        include = selecting.labels(cursor) if cursor.at("(") else ()
        both = set(names) & set(include) if on else set()
        if both:
            cursor.fail(f"{min(both)} is in on(…) already", side)
        left = side.word == "group_left"
        return Matching(Cardinality.MANY_TO_ONE if left else Cardinality.ONE_TO_MANY, on, names, include)

    def _prefix(self) -> Expr:
        """A signed operand, or an operand with what follows it."""
        cursor = self.cursor
        start = cursor.token.start
        sign: Literal["-", "+"] | None = "-" if cursor.taken("-") else "+" if cursor.taken("+") else None
        if sign is None:
            return self._postfix(start, self._primary())
        operand = self.expression(_POWER["^"] - 1)
        if isinstance(operand, Number):
            value = -operand.value if sign == "-" else operand.value
            written = sign.strip("+") + operand.written if operand.written else ""
            return Number(value, operand.duration, written.removeprefix("--"), place=cursor.since(start))
        return Unary(sign, operand, place=cursor.since(start))

    def _primary(self) -> Expr:
        cursor = self.cursor
        token = cursor.token
        match token.kind:
            case Kind.NUMBER | Kind.DURATION:
                cursor.take()
                written = token.text if token.unit else ""
                place = cursor.since(token.start)
                return Number(token.number, token.kind is Kind.DURATION, written, place=place)
            case Kind.TEXT:
                cursor.take()
                return Text(token.value, place=cursor.since(token.start))
            case Kind.NAME:
                return self._named(token)
        if cursor.taken("("):
            inner = self.expression(0)
            cursor.expect(")", "after the expression")
            return Paren(inner, place=cursor.since(token.start))
        if cursor.at("{"):
            return selecting.selector(cursor, None)
        return cursor.fail(f"expected {self._operand}, not {token.shown()}")

    def _named(self, token: Token) -> Expr:
        """A metric, a function's call, an aggregation, or Inf and NaN."""
        cursor = self.cursor
        found = None if self._strict else self._short(token)
        if found is not None:
            return found
        following = cursor.ahead()
        calls = following.kind is Kind.SIGN and following.text == "("
        if token.word in AGGREGATIONS and (calls or following.word in ("by", "without")):
            return self._aggregate(cursor.take())
        if token.word in _NUMBERS and following.text != "{":
            cursor.take()
            return Number(_NUMBERS[token.word], place=cursor.since(token.start))
        if calls and token.word not in KEYWORDS:
            return self._call(cursor.take())
        if token.word in _NO_NAMES or (not self._strict and shortform.is_reserved(token.text)):
            cursor.fail(f"expected {self._operand}, not {token.shown()}")
        return selecting.selector(cursor, cursor.take())

    def _short(self, token: Token) -> Expr | None:
        """What a name begins that PromQL does not have."""
        following = self.cursor.ahead()
        if shortform.is_given(token.text, following):
            found = shortform.given(self.cursor, token, words=self._words)
            if found is None:
                self.spends.add(token.start)
            return found
        known = token.word in AGGREGATIONS or (token.text in TABLE and following.text == "(")
        opens = not known and shortform.opens_call(token.text, following)
        return shortform.call(self.cursor) if opens else None

    def _call(self, name: Token) -> Call:
        if name.text not in TABLE:
            hint = self.cursor.meant(name.text, (*TABLE, *AGGREGATIONS))
            self.cursor.fail(f"unknown function {name.shown()}", name, hint)
        return Call(name.text, self._arguments(name), place=self.cursor.since(name.start))

    def _arguments(self, name: Token) -> tuple[Expr, ...]:
        cursor = self.cursor
        cursor.expect("(", f"after {name.text}")
        found: list[Expr] = []
        while not cursor.at(")") or found:
            describes = name.text == "info" and len(found) == 1 and cursor.at("{")
            found.append(
                selecting.selector(cursor, None, labels_only=True) if describes else self.expression(0)
            )
            if not cursor.taken(","):
                break
        cursor.expect(")", f"after the arguments of {name.text}")
        return tuple(found)

    def _aggregate(self, name: Token) -> Aggregate:
        cursor = self.cursor
        grouping = self._grouping()
        arguments = self._arguments(name)
        grouping = grouping or self._grouping() or ((), False)
        wanted = 2 if name.word in WITH_PARAM else 1
        if len(arguments) != wanted:
            cursor.fail(
                f"{name.word} takes {wanted} argument{'s' * (wanted > 1)}, not {len(arguments)}", name
            )
        param = arguments[0] if wanted == 2 else None
        return Aggregate(name.word, arguments[-1], param, *grouping, place=cursor.since(name.start))

    def _grouping(self) -> tuple[tuple[str, ...], bool] | None:
        word = self.cursor.token.word
        if word not in ("by", "without"):
            return None
        self.cursor.take()
        return selecting.labels(self.cursor), word == "without"

    def _postfix(self, start: int, node: Expr) -> Expr:
        """A range, a resolution, and modifiers in any order."""
        cursor = self.cursor
        given: set[str] = set()
        brackets = 0
        while True:
            token = cursor.token
            if cursor.taken("["):
                brackets += 1
                self._bounded(brackets)
                node, given = self._bracket(token, start, node, given), set()
                continue
            word = "@" if cursor.at("@") else token.word
            if word not in ("@", "offset", "anchored", "smoothed"):
                more = None if self._strict else shortform.suffixed(cursor, node)
                if more is None:
                    return node
                node = more
                continue
            cursor.take()
            if word in given:
                cursor.fail(f"{word} is given twice", token)
            given.add(word)
            node = self._modified(token, word, node)
            node = dataclasses.replace(node, place=cursor.since(start))

    def _bracket(self, token: Token, start: int, node: Expr, given: set[str]) -> Expr:
        cursor = self.cursor
        period = None if self._strict else shortform.calendar(cursor, node)
        if period is not None:
            return period
        length = selecting.length(cursor, "a range")
        if cursor.taken(":"):
            step = None if cursor.at("]") else selecting.length(cursor, "a step")
            cursor.expect("]", "after the step")
            return Subquery(node, length, step, place=cursor.since(start))
        cursor.expect("]", "or : after the range")
        if isinstance(node, Summary):
            return shortform.windowed(cursor, node, length, token)
        if not isinstance(node, Selector):
            cursor.fail("a range is for selectors; other expressions need a step: [5m:1m]", token)
        if given:
            cursor.fail(f"{min(given)} comes after the range", token)
        return Range(node, length, place=cursor.since(start))

    def _modified(self, token: Token, word: str, node: Expr) -> Expr:
        target = node.selector if isinstance(node, Range) else node
        if isinstance(target, Summary) and word == "offset":
            offset = selecting.length(self.cursor, "an offset", signed=True)
            return dataclasses.replace(target, offset=offset)
        if not isinstance(target, Selector | Subquery):
            self.cursor.fail(f"{word} comes after a selector, a range or a subquery", token)
        if word == "offset":
            target = dataclasses.replace(
                target, offset=selecting.length(self.cursor, "an offset", signed=True)
            )
        elif word == "@":
            target = dataclasses.replace(target, at=selecting.instant(self.cursor))
        elif isinstance(target, Selector):
            target = dataclasses.replace(target, edges=word)
        else:
            self.cursor.fail(f"{word} comes after a selector", token)
        if isinstance(node, Range):
            assert isinstance(target, Selector)
            return Range(target, node.length)
        return target
