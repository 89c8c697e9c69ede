"""The conditions of alert rules: comparisons with `and` between them, and the words that only rules know."""

from dataclasses import replace

from tui_monitor.model.errors import QueryError
from tui_monitor.query.ast import BINDING, COMPARISONS, Aggregate, Binary, Given, Matcher, Node, Place
from tui_monitor.query.language import GIVEN, SPENDS
from tui_monitor.query.lexer import Kind
from tui_monitor.query.parser import Parser, place_of

LIKE = "like error_rate{} [5m] > 5%"


def parse_condition(text: str) -> list[Binary]:
    """The comparisons of a condition, in their order. Raises `QueryError`, which points at the character."""
    return _Conditions(text).clauses()


class _Conditions(Parser):
    def clauses(self) -> list[Binary]:
        found: list[Binary] = []
        while not found or self._word("and"):
            if self._token.kind is Kind.END:
                self._fail("a metric", hint=LIKE)
            # Whatever holds its sides stronger than `and`.
            clause = self._expression(BINDING["and"][1] + 1)
            if not isinstance(clause, Binary) or clause.op not in COMPARISONS:
                at = min(self._token.position, len(self._text.rstrip()))
                raise self._error(
                    "a condition needs a comparison: > >= < <= == or !=",
                    Place(at, self._token.length),
                    hint=LIKE,
                )
            found.append(clause)
        if self._token.kind is not Kind.END:
            self._fail("an operator, and, or the end")
        return found

    def _of_sets(self, op: str) -> str | None:
        return "and stands between whole comparisons, outside of brackets" if op == "and" else None

    def _given(self) -> Node:
        token = self._token
        if token.text in SPENDS:
            return self._short()
        self._advance()
        return Given(token.text, place_of(token))

    def _metric(self) -> tuple[str, tuple[Matcher, ...]]:
        token = self._token
        if token.kind is not Kind.NAME or token.text not in GIVEN:
            return super()._metric()
        if token.text not in SPENDS:
            raise self._error(
                f"{token.text} is a value already", place_of(token), hint=f"write {token.text} by itself"
            )
        self._advance()
        return token.text, self._matchers() if self._is("{") else ()

    def _call(self) -> Node:
        how = self._token
        node = super()._call()
        if isinstance(node, Aggregate) and node.of.scoped and how.text != "sum":
            raise self._no_sum(how.text, place_of(how))
        return node

    def _short(self) -> Aggregate:
        token = self._token
        node = super()._short()
        if token.kind is not Kind.NAME or token.text not in SPENDS:
            return node
        if node.of.window is not None:
            raise self._error(
                f"{token.text} has its range already: [{SPENDS[token.text]}]",
                place_of(token),
                hint="ask for cost, and any range",
            )
        if node.how not in ("", "sum"):
            raise self._no_sum(node.how, node.place)
        return replace(node, of=replace(node.of, metric="cost", window=SPENDS[token.text], scoped=True))

    def _no_sum(self, how: str, place: Place) -> QueryError:
        return self._error(f"what was spent is a sum; {how} of it has no meaning", place)
