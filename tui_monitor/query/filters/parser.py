"""From tokens to the tree of a filter: OR holds less than AND, AND less than NOT."""

from typing import NoReturn, cast

from tui_monitor.model.errors import QueryError
from tui_monitor.query.filters.ast import KEYWORDS, Compared, Every, Negated, Node, Op, Some, Value
from tui_monitor.query.filters.lexer import Kind, Token, tokens
from tui_monitor.query.promql.ast import Place

MAX_PARTS = 100
"""Comparisons, NOTs and brackets of one filter."""
_LIKE = "like provider=claude AND latency>1.5s"


def parse(text: str) -> Node:
    """The tree of a filter. Raises `QueryError`, which points at the character.

    `where` may stand before it; alone it is every call.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0
        self._parts = 0

    def whole(self) -> Node:
        if self._token.word == "where":
            self._take()
            if self._token.kind is Kind.END:
                return Every()
        node = self._either()
        if self._token.kind is not Kind.END:
            self._fail("expected AND, OR or the end", hint=self._missing())
        return node

    def _either(self) -> Node:
        parts = [self._both()]
        while self._token.word == "or":
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Some(_flat(parts, Some))

    def _both(self) -> Node:
        parts = [self._single()]
        while self._token.word == "and":
            self._take()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Every(_flat(parts, Every))

    def _single(self) -> Node:
        token = self._token
        self._parts += 1
        if self._parts > MAX_PARTS:
            self._fail(f"more than {MAX_PARTS} comparisons, NOTs and brackets")
        if token.word == "not":
            self._take()
            return Negated(self._single())
        if token.text == "(" and token.kind is Kind.BRACKET:
            self._take()
            inner = self._either()
            if self._token.text != ")" or self._token.kind is not Kind.BRACKET:
                self._fail("expected AND, OR or )", hint=self._missing())
            self._take()
            return inner
        return self._test()

    def _test(self) -> Compared:
        name = self._token
        if name.kind is not Kind.NAME or not name.value or name.word in KEYWORDS:
            self._fail("expected a field of calls, NOT or (", hint=_LIKE)
        self._take()
        op = self._token
        if op.kind is not Kind.OPERATOR:
            self._fail(
                "expected = != ~ =~ !~ > >= < or <=", hint=f"{name.value} needs something to be compared with"
            )
        self._take()
        value = self._token
        if value.kind is not Kind.VALUE:
            hint = "an empty text is written in quotes" if value.kind is Kind.END else None
            if op.text == "=" and value.text == "=":
                hint = "a filter compares with a single ="
            self._fail("expected a value", hint=hint)
        if not value.quoted and value.text.lower() in KEYWORDS:
            self._fail("expected a value", hint=f'as a value it stands in quotes: "{value.text}"')
        self._take()
        return Compared(
            name.value, cast(Op, op.text), Value(value.value, value.quoted, value.place), name.place
        )

    def _missing(self) -> str | None:
        """What to say where something else begins."""
        if self._token.kind is Kind.NAME:
            return "write AND or OR between two comparisons; a value of several words stands in quotes"
        return None

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> None:
        self._at = min(self._at + 1, len(self._tokens) - 1)

    def _fail(self, message: str, *, hint: str | None = None) -> NoReturn:
        token = self._token
        found = "" if message.startswith("more") else f", found {token.shown()}"
        raise QueryError(
            message + found, text=self._text, position=token.position, length=token.place.length, hint=hint
        )


def _flat(parts: list[Node], kind: type[Every] | type[Some]) -> tuple[Node, ...]:
    """The parts, with those of the same kind opened."""
    return tuple(one for part in parts for one in (part.parts if isinstance(part, kind) else (part,)))


def error_at(text: str, place: Place, message: str, hint: str | None = None) -> QueryError:
    """An error that points at a place of a filter."""
    return QueryError(message, text=text, position=place.start, length=place.length, hint=hint)
