"""From tokens to the tree: a Pratt parser for the short form and arithmetic over it.

The table of binding powers is PromQL's, so that the rest of that language finds its place here.
"""

from typing import cast

from tui_monitor.model.calendar import Period
from tui_monitor.model.clock import DAY, MS, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.ast import (
    ARITHMETIC,
    BINDING,
    COMPARISONS,
    SIGN_BINDING,
    Aggregate,
    Binary,
    Matcher,
    MatchOp,
    Node,
    Number,
    Place,
    Selector,
    Unary,
)
from tui_monitor.query.language import (
    AGGREGATES,
    GIVEN,
    RESERVED,
    SPENDS,
    is_aggregate,
    is_period,
    nearest,
    quote,
)
from tui_monitor.query.lexer import TIME_UNITS, Kind, Token, tokens

MAX_DEPTH = 100
"""Operators, signs and brackets of one query."""
MAX_LABELS = 30
"""Different labels of one query; each is looked up call by call."""
MAX_LENGTH_OF_TIME = 100 * 365 * DAY

_MATCHES = ("=", "!=", "=~", "!~")


def parse(text: str) -> Node:
    """The tree of a query. Raises `QueryError`, which points at the character."""
    return Parser(text).whole()


class Parser:
    """One reading of one text, from its first token to its last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0
        self._operators = 0
        self._labels: set[str] = set()

    def whole(self) -> Node:
        """The tree of the whole text. Raises `QueryError`."""
        if self._token.kind is Kind.END:
            self._fail("a metric", hint="like requests, latency, cost or error_rate")
        node = self._expression(0)
        if self._token.kind is not Kind.END:
            self._fail("an operator or the end")
        return node

    # Expressions

    def _expression(self, least: int) -> Node:
        left = self._operand()
        while True:
            op = self._token
            binding = BINDING.get(op.text) if op.kind in (Kind.SIGN, Kind.NAME) else None
            if binding is None or binding[0] < least:
                return left
            if op.text not in COMPARISONS and op.text not in ARITHMETIC:
                self._fail("an arithmetic operator, a comparison or the end", hint=self._of_sets(op.text))
            self._count(op)
            self._advance()
            truth = op.text in COMPARISONS and self._word("bool")
            right = self._expression(binding[1])
            left = Binary(op.text, left, right, truth, place_of(op))

    def _operand(self) -> Node:
        token = self._token
        if token.kind is Kind.NUMBER:
            self._advance()
            return Number(token.number, token.unit, place_of(token))
        if token.text in ("-", "+") and token.kind is Kind.SIGN:
            self._count(token)
            self._advance()
            return Unary("-" if token.text == "-" else "+", self._expression(SIGN_BINDING), place_of(token))
        if self._is("("):
            self._count(token)
            self._advance()
            inner = self._expression(0)
            self._expect(")", "an operator or )")
            return inner
        if token.kind is Kind.NAME and is_aggregate(token.text) and self._opens_call():
            return self._call()
        if token.kind is Kind.NAME and token.text in GIVEN:
            return self._given()
        if token.kind is Kind.NAME or self._is("{"):
            return self._short()
        self._fail("a metric, a number or (")
        raise AssertionError

    def _of_sets(self, op: str) -> str | None:
        """What to say about `and`, `or` and `unless`."""
        return "and stands between the comparisons of an alert rule only" if op == "and" else None

    def _given(self) -> Node:
        """A word that only rules know. Raises `QueryError` everywhere else."""
        word = self._token.text
        hint = f"a metric of that name is written {{{quote(word)}}}"
        if word in SPENDS:
            hint = f"as a query it is cost [{SPENDS[word]}] sum"
        raise self._error(
            f"{word} stands in the condition of an alert rule only", place_of(self._token), hint=hint
        )

    def _opens_call(self) -> bool:
        following = self._tokens[self._at + 1]
        return following.text == "(" or following.text == "by"

    def _call(self) -> Node:
        """`avg(latency[1h]) by(model)` and `avg by(model) (latency[1h])`."""
        how = self._token
        self._count(how)
        self._advance()
        by = self._grouping() if self._is_word("by") else None
        self._expect("(", "(")
        inner = self._short()
        if inner.how:
            raise self._error(
                f"{inner.how} inside {how.text}: one aggregate is enough",
                inner.place,
                hint=f"write {how.text} or {inner.how}, not both",
            )
        self._expect(")", "[range], offset or )")
        if self._is_word("by"):
            if by is not None or inner.by:
                self._fail("an operator or the end", hint="by(…) stands there once already")
            by = self._grouping()
        elif by is not None and inner.by:
            raise self._error("by(…) stands there twice", inner.place)
        return Aggregate(inner.of, how.text, by if by is not None else inner.by, place_of(how))

    # The short form

    def _short(self) -> Aggregate:
        """`metric{labels} [range] agg by(labels)`; what follows the labels may come in any order."""
        token = self._token
        metric, matchers = self._metric()
        window: Micros | Period | None = None
        offset: Micros = 0
        how, by = "", ()
        place, seen = place_of(token), set[str]()
        while suffix := self._suffix():
            if suffix in seen:
                self._fail("an operator or the end", hint=f"there is {suffix} already")
            seen.add(suffix)
            if suffix == "a range":
                window = self._window()
            elif suffix == "an offset":
                self._advance()
                offset = self._length("a length of time like 1d")
            elif suffix == "a grouping":
                by = self._grouping()
            else:
                how, place = self._token.text, place_of(self._token)
                self._advance()
        return Aggregate(Selector(metric, matchers, window, offset, place_of(token)), how, by, place)

    def _suffix(self) -> str:
        token = self._token
        if self._is("["):
            return "a range"
        if token.kind is not Kind.NAME or token.text in BINDING:
            return ""
        if token.text == "offset":
            return "an offset"
        if token.text == "by":
            return "a grouping"
        if is_aggregate(token.text):
            return "an aggregate"
        meant = nearest(token.text, [*AGGREGATES, "by", "offset"])
        self._fail(
            "an aggregate, by(…), offset, an operator or the end",
            hint=f"did you mean {meant}?" if meant else "aggregates are avg sum min max count rate p95 …",
        )
        raise AssertionError

    def _metric(self) -> tuple[str, tuple[Matcher, ...]]:
        token = self._token
        if token.kind is Kind.NAME:
            if token.text in RESERVED:
                self._fail("a metric, a number or (")
            if token.text in GIVEN:
                self._given()
            self._advance()
            return token.text, self._matchers() if self._is("{") else ()
        if not self._is("{"):
            self._fail("a metric")
        inside = self._tokens[self._at + 1]
        follows = self._tokens[min(self._at + 2, len(self._tokens) - 1)]
        if inside.kind is not Kind.TEXT or follows.text not in (",", "}") or not inside.value:
            self._fail("a metric", hint='the metric stands before the labels: cost{model="…"}')
        self._advance()
        self._advance()
        if self._is(","):
            self._advance()
        return inside.value, self._matchers_until_close()

    def _matchers(self) -> tuple[Matcher, ...]:
        self._expect("{", "{")
        return self._matchers_until_close()

    def _matchers_until_close(self) -> tuple[Matcher, ...]:
        found: list[Matcher] = []
        while not self._is("}"):
            found.append(self._matcher())
            if not self._is("}"):
                self._expect(",", ", or }")
        self._advance()
        return tuple(found)

    def _matcher(self) -> Matcher:
        first = self._token
        label = self._label("a label or }")
        op = self._token
        if op.text not in _MATCHES or op.kind is not Kind.SIGN:
            self._fail("= != =~ or !~")
        self._advance()
        value = self._token
        if value.kind is not Kind.TEXT:
            hint = f"write it in quotes: {quote(value.text)}" if value.kind is not Kind.END else None
            self._fail("a value in quotes", hint=hint)
        self._advance()
        length = value.position + value.length - first.position
        return Matcher(label, cast(MatchOp, op.text), value.value, Place(first.position, length))

    def _grouping(self) -> tuple[str, ...]:
        self._advance()
        self._expect("(", "(")
        labels: list[str] = []
        while not self._is(")"):
            label = self._label("a label or )")
            if label not in labels:
                labels.append(label)
            if not self._is(")"):
                self._expect(",", ", or )")
        self._advance()
        return tuple(labels)

    def _label(self, expected: str) -> str:
        token = self._token
        name = token.text if token.kind is Kind.NAME else token.value
        if token.kind not in (Kind.NAME, Kind.TEXT) or not name:
            self._fail(expected)
        self._labels.add(name)
        if len(self._labels) > MAX_LABELS:
            raise self._error(f"more than {MAX_LABELS} different labels", place_of(token))
        self._advance()
        return name

    def _window(self) -> Micros | Period:
        self._advance()
        token = self._token
        window: Micros | Period
        if token.kind is Kind.NAME and is_period(token.text):
            window = cast(Period, token.text)
            self._advance()
        else:
            window = self._length("a range like 5m, 1h30m, 7d, today or month")
        self._expect("]", "]")
        return window

    def _length(self, expected: str) -> Micros:
        token = self._token
        if token.kind is not Kind.NUMBER or token.unit not in TIME_UNITS:
            hint = f"a length of time needs its unit: {token.text}s" if token.kind is Kind.NUMBER else None
            self._fail(expected, hint=hint)
        length = token.number * TIME_UNITS[token.unit] * MS
        if not MS <= length <= MAX_LENGTH_OF_TIME:
            raise self._error("a length of time is between 1 ms and 100 years", place_of(token))
        self._advance()
        return round(length / MS) * MS

    # Tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _advance(self) -> None:
        self._at += 1

    def _is(self, sign: str) -> bool:
        return self._token.kind is Kind.SIGN and self._token.text == sign

    def _is_word(self, word: str) -> bool:
        return self._token.kind is Kind.NAME and self._token.text == word

    def _word(self, word: str) -> bool:
        """Take the word if it comes next."""
        taken = self._is_word(word)
        self._at += taken
        return taken

    def _expect(self, sign: str, expected: str) -> None:
        if not self._is(sign):
            self._fail(expected)
        self._advance()

    def _count(self, token: Token) -> None:
        self._operators += 1
        if self._operators > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} operators and brackets", place_of(token))

    def _fail(self, expected: str, *, hint: str | None = None) -> None:
        token = self._token
        raise self._error(f"expected {expected}, found {token.shown()}", place_of(token), hint=hint)

    def _error(self, message: str, place: Place, *, hint: str | None = None) -> QueryError:
        return QueryError(message, text=self._text, position=place.position, length=place.length, hint=hint)


def place_of(token: Token) -> Place:
    """Where a token stands."""
    return Place(token.position, token.length)
