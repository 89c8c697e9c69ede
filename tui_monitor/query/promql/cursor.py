"""A place in the tokens, and errors that point at it."""

from collections.abc import Iterable
from typing import NoReturn

from tui_monitor.model.errors import QueryError
from tui_monitor.query.language import nearest
from tui_monitor.query.promql.ast import Place
from tui_monitor.query.promql.lexer import Kind, Token, tokens


class Cursor:
    """Walks over the tokens of one expression. Raises `QueryError` at the first that does not fit."""

    def __init__(self, text: str, *, strict: bool = True) -> None:
        self.text = text
        self._tokens = tokens(text, strict=strict)
        self._at = 0

    @property
    def token(self) -> Token:
        """The token that is next."""
        return self._tokens[self._at]

    def ahead(self, count: int = 1) -> Token:
        """A token after the next."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is passed."""
        token = self.token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def at(self, sign: str) -> bool:
        """Whether this sign is next."""
        return self.token.kind is Kind.SIGN and self.token.text == sign

    def taken(self, sign: str) -> bool:
        """Pass this sign if it is next."""
        found = self.at(sign)
        if found:
            self.take()
        return found

    def expect(self, sign: str, where: str) -> Token:
        """Pass this sign, or fail."""
        if not self.at(sign):
            self.fail(f"expected {sign} {where}, not {self.token.shown()}")
        return self.take()

    def since(self, start: int) -> Place:
        """The place from `start` to the end of the last token that was passed."""
        return Place(start, max(1, self._tokens[max(0, self._at - 1)].end - start))

    def fail(self, message: str, token: Token | None = None, hint: str | None = None) -> NoReturn:
        """Raise an error at a token, the next by default."""
        token = token or self.token
        raise QueryError(
            message, text=self.text, position=token.start, length=max(1, len(token.text)), hint=hint
        )

    def fail_at(self, message: str, place: Place, hint: str | None = None) -> NoReturn:
        """Raise an error at a place."""
        raise QueryError(message, text=self.text, position=place.start, length=place.length, hint=hint)

    def meant(self, word: str, known: Iterable[str]) -> str | None:
        """A hint with the nearest word that is known."""
        found = nearest(word, known)
        return f"did you mean {found}?" if found and found != word else None
