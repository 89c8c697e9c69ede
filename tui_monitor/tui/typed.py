"""What is typed, as the toolkit's parser wants it: whole characters and whole sequences.

The parser ends for good on nothing at all, breaks on some sequences, and takes for keys what comes in two
parts and what it does not know. So what has only begun is kept until its rest comes, or nobody can be typing
it any more. Sequences are those of ECMA-48, 5.4 and 5.6.
"""

import codecs
import logging
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from textual import constants
from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    from textual.message import Message

log = logging.getLogger(__name__)

ALONE_S = constants.ESCAPE_DELAY if "ESCDELAY" in os.environ else 0.025
"""How long an escape waits to become a sequence: terminals send those at once."""
ALONE_SLOW_S = max(ALONE_S, 0.1)
"""The same where the line is slow, which may part them."""
BEGUN_S = 0.5
"""How long a sequence that has begun waits for its rest; nobody types these by hand."""

_ESCAPE = "\x1b"
_PART = re.compile(
    r"""\x1b\[(?:\[.|M...|[0-?]*[ -/]*[@-~])    # A control sequence; some are older.
    |\x1b[\]PX^_][^\x1b\x07]*(?:\x07|\x1b\\)    # A string: an answer that nobody asked for.
    |\x1bO[0-9;]*.|\x1b[^\x1b]|\x1b|[^\x1b]+""",
    re.DOTALL | re.VERBOSE,
)
_BEGUN = re.compile(r"\x1b(?:\[(?:\[|M.{0,2}|[0-?]{0,31}[ -/]{0,4})|O[0-9;]{0,8})?\Z", re.DOTALL)
_F3_HELD = re.compile(r"\x1b\[1;(?:[2-9]|1[0-6])R")
"""F3 with shift, alt or ctrl; a report of the cursor in the first row would look the same."""
_STRINGS = frozenset(_ESCAPE + kind for kind in "]PX^_")
_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"


class Typed:
    """Bytes of a terminal as messages. For one thread."""

    def __init__(self, *, debug: bool = False) -> None:
        """`debug` as of the toolkit's parser."""
        self._debug = debug
        self._parser = XTermParser(debug)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        """A sequence that may not be whole."""
        self._pasting = False

    def patience(self, *, slow: bool) -> float | None:
        """Seconds to wait for the rest of what has begun; `None` where nothing has, or where it must come."""
        if not self._held or self._pasting:
            return None
        if self._held == _ESCAPE:
            return ALONE_SLOW_S if slow else ALONE_S
        return BEGUN_S

    def feed(self, data: bytes) -> "Iterator[Message]":
        """What these bytes are, with those before."""
        text = self._held + self._decode(data)
        self._held = ""
        if begun := _BEGUN.search(text):
            text, self._held = text[: begun.start()], begun[0]
        yield from self._parsed(text)

    def as_it_is(self) -> "Iterator[Message]":
        """What has begun, taken for what it is so far."""
        text, self._held = self._held, ""
        yield from self._parsed(text)

    def _parsed(self, text: str) -> "Iterator[Message]":
        for part in _PART.findall(text):
            try:
                yield from self._read(part)
            except Exception as error:
                # Of a number that no key has, for example. What was typed may be a secret.
                log.warning("what the terminal sent cannot be read: %s", type(error).__name__)
                self._parser = XTermParser(self._debug)
                self._pasting = False

    def _read(self, part: str) -> "Iterable[Message]":
        if self._pasting and part != _PASTED:
            # Whoever pastes presses no keys.
            return [*self._parser.feed(text)] if (text := part.replace(_ESCAPE, "")) else []
        if len(part) > 2 and part[:2] in _STRINGS:
            return []
        if part in (_PASTE, _PASTED):
            self._pasting = part == _PASTE
        if _F3_HELD.fullmatch(part):
            return [*self._parser._sequence_to_key_events(part)]
        found = [*self._parser.feed(part)]
        if self._parser._timeout_time is None:
            return found
        # It would wait for more, and there is none.
        self._parser._timeout_time = 0.0
        more = [*self._parser.tick()]
        return found if len(part) > 2 and part.startswith("\x1b[") else found + more
