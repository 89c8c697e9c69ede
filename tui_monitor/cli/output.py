"""Where a command writes: its data on standard output, everything else on standard error."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from tui_monitor.model.errors import Busy, MonitorError, QueryError, StoreError, UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from tui_monitor.tui.drawing import Glyphs

_WIDE = 100_000
"""Columns of what is no terminal: nothing is cut that a program may read."""
_MAX_LINE = 4_000
_CROSSINGS = str.maketrans(dict.fromkeys("┌┐└┘├┤┬┴┼", "+"))
"""Of lines that meet."""


class Unwritable(MonitorError):
    """Standard output takes no more: the disk is full."""


class Output:
    """The two streams of one command, and how to draw on the first."""

    def __init__(self, *, json: bool, plain: bool, environ: Mapping[str, str]) -> None:
        self.json = json
        self.plain = plain
        self._environ = environ

    @cached_property
    def ascii(self) -> bool:
        """Whether the locale knows no more than ASCII."""
        from tui_monitor.tui.drawing import terminal_encoding

        return terminal_encoding(self._environ) == "ascii"

    @cached_property
    def glyphs(self) -> "Glyphs":
        """The characters to draw with."""
        from tui_monitor.tui.drawing import detect

        return detect("auto", "ascii" if self.ascii or self.plain else "utf-8")

    @cached_property
    def console(self) -> "Console":
        """For tables and text; without any style where it is not a terminal that shows them."""
        from rich.console import Console

        terminal = sys.stdout.isatty()
        dumb = self._environ.get("TERM", "") in ("dumb", "unknown")
        styled = terminal and not (self.plain or dumb or self._environ.get("NO_COLOR"))
        return Console(
            file=sys.stdout,
            color_system="auto" if styled else None,
            width=None if terminal else _WIDE,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def answer(self, data: object, show: Callable[[], None], warnings: Iterable[str] = ()) -> None:
        """Give the data: in its envelope for programs, by `show` for people."""
        said = list(dict.fromkeys(warnings))
        if self.json:
            self.write_json({"status": "success", "data": data, "warnings": said})
            return
        show()
        for warning in said:
            self.note(f"note: {warning}")

    def line(self, text: "str | Text" = "") -> None:
        """One line of data; text from outside goes through `clean` before."""
        self.draw(text, wrap=False)

    def draw(self, drawn: "RenderableType", *, wrap: bool = True) -> None:
        """Something of one or more lines, without spaces at their ends where no style needs them.

        Raises BrokenPipeError when nobody reads any more; rich would end the program.
        """
        with _writing():
            with self.console.capture() as capture:
                self.console.print(drawn, soft_wrap=not wrap)
            text = capture.get()
            if self.console.color_system is None:
                text = "\n".join(line.rstrip() for line in text.split("\n"))
            sys.stdout.write(to_ascii(text) if self.ascii else text)

    def note(self, text: str) -> None:
        """Lines beside the data, on standard error."""
        flush()
        for line in text.split("\n"):
            words = line.lstrip(" ")
            safe = " " * min(len(line) - len(words), _MAX_LINE) + clean(words, _MAX_LINE)
            print(to_ascii(safe) if self.ascii else safe, file=sys.stderr)
        sys.stderr.flush()

    def write_json(self, form: Mapping[str, object]) -> None:
        """One JSON document, in UTF-8 whatever the locale."""
        self.write_lines((form,))

    def write_lines(self, forms: Iterable[Mapping[str, object]]) -> None:
        """One JSON document on each line, otherwise as `write_json`."""
        import orjson

        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
        body = b"".join(orjson.dumps(form, default=_as_plain, option=options) for form in forms)
        flush()
        binary = getattr(sys.stdout, "buffer", None)
        with _writing():
            if binary is None:
                sys.stdout.write(body.decode())
            else:
                binary.write(body)
        flush()

    def failure(self, error: MonitorError) -> None:
        """Tell an expected failure: what happened, where, and what to do."""
        as_json = self.json and not isinstance(error, Unwritable)
        if as_json:
            self.write_json(error_form(error))
        elif isinstance(error, QueryError) and error.text:
            self.note(error.pointed())
        else:
            self.note(f"tui-monitor: {error.message}")
        if error.hint and not as_json:
            self.note(f"  {error.hint}")


@contextmanager
def _writing() -> Iterator[None]:
    """Raises `Unwritable`; BrokenPipeError when nobody reads any more."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        forget()
        raise Unwritable(f"cannot write to standard output: {error.strerror}") from error


def flush() -> None:
    """Write what waits. Raises `Unwritable`; BrokenPipeError when nobody reads any more."""
    with _writing():
        sys.stdout.flush()


def forget() -> None:
    """Drop what waits to be written. Python would try it again at the end, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_form(error: MonitorError) -> dict[str, object]:
    """An error in the envelope."""
    match error:
        case UsageError() | QueryError():
            kind = "bad_data"
        case StoreError() | Busy():
            kind = "unavailable"
        case _:
            kind = "execution"
    form: dict[str, object] = {"status": "error", "errorType": kind, "error": error.message}
    if error.hint:
        form["hint"] = error.hint
    if isinstance(error, QueryError) and error.text:
        form |= {"query": error.text, "position": error.position, "length": error.length}
    return form


def to_ascii(text: str) -> str:
    """The text with each character that is not ASCII as something near it, of the same width if possible."""
    if text.isascii():
        return text
    from tui_monitor.tui.drawing import ASCII, safe

    return "".join(c if c.isascii() else safe(c, ASCII) for c in text.translate(_CROSSINGS))


def _as_plain(value: object) -> object:
    """What orjson does not know: paths, decimals, sets."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
