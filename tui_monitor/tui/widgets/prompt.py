"""The query line: input, the error under its character, history, and a list of ways to go on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from tui_monitor.query.result import Completion
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import fit, printable, safe, width_of, wrap
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.choices import Choices
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.recall import History

if TYPE_CHECKING:
    from tui_monitor.tui.widgets.syntax import Painter

Completer = Callable[[str, int], Awaitable[Sequence[Completion]]]
"""Text and position of the cursor → ways to go on, best first."""

_SIGN = "> "
_ROWS = 6
"""Lines of an error below its mark at most."""
_FOUND = 50
"""Lines of history that are offered at most."""
_SEARCHING = "history: words that are in it · {line.search} next · enter takes it · {line.close} back"


class Field(Input):
    """The input itself; keys that belong to the list or the history go to the prompt."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("line")

    def validate_value(self, value: str) -> str:
        """What is typed or pasted, without anything that would drive the terminal."""
        return printable(value)

    def action_prompt(self, key: str) -> None:
        """Hand a key to the prompt, or on to others where it has no use for it."""
        prompt = next((node for node in self.ancestors if isinstance(node, Prompt)), None)
        if prompt is None or not prompt.use(key):
            raise SkipAction


class Prompt(Vertical):
    """One line to ask in, and one under it for a hint or the error.

    `tab` takes the completion that is marked, `up` and `down` mark another one while the list is open and
    walk through the history otherwise, by lines that begin with what is typed; above the first completion
    the history begins too. `escape` closes the list. On an empty line it comes with ctrl+space. `ctrl+r`
    looks for words in the history.
    """

    DEFAULT_CSS = """
    Prompt {
        height: auto;
        &> Horizontal { height: 1; }
        &> Horizontal > .prompt--sign { width: 2; }
        & Field, & Field:focus { background: $background; background-tint: $background 0%; width: 1fr; }
    }
    """

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Changed(Message):
        """The text is another one."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(
        self,
        *,
        placeholder: str = "",
        completer: Completer | None = None,
        painter: "Painter | None" = None,
        history: Sequence[str] = (),
        sign: str = _SIGN,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._field = Field(placeholder=safe(placeholder), compact=True, select_on_focus=False)
        self._field.cursor_blink = False
        self._sign = sign
        self._note = Lines([Line()])
        self._list = Choices(classes="prompt--list")
        self._completer = completer
        self._painter = painter
        self.history = History(history)
        """What was asked before."""
        self._sought: str | None = None
        """What stood in the line when somebody began to search the history; None while nobody does."""
        self._error: tuple[int, int, str, str] | None = None
        """Where the error lies that is shown, how long it is, what it is, and what would help."""
        self._awaited = False
        """Whether it was to get the focus before it stood on a screen."""
        self._quiet: str | None = None
        """A text that was put in, not typed, and asks for no completions."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Lines([Line.of(self._sign, "accent bold")], classes="prompt--sign")
            yield self._field
        yield self._note
        yield self._list

    # What others ask and tell.

    @property
    def value(self) -> str:
        """The text."""
        return self._field.value

    @value.setter
    def value(self, text: str) -> None:
        self._put(text, len(text))

    @property
    def searching(self) -> bool:
        """Whether what is typed looks for words in the history."""
        return self._sought is not None

    def focus(self, scroll_visible: bool = True) -> "Prompt":
        """Put the cursor into the line, at once, or when it is there: what is typed next belongs there."""
        if self._field.is_attached:
            self.screen.set_focus(self._field, scroll_visible)
        else:
            self._awaited = True
        return self

    def on_mount(self) -> None:
        if self._painter is not None:
            from tui_monitor.tui.widgets.syntax import Coloured

            self._field.highlighter = Coloured(self._field, self._painter)
        if self._awaited:
            self.focus()

    @property
    def faulty(self) -> bool:
        """Whether something is said to be wrong with the text."""
        return self._error is not None

    def show_error(self, position: int, length: int, message: str, hint: str = "") -> None:
        """Mark `length` characters from `position` on and say what is wrong with them, and what would help.

        What has no room beside the mark goes on below it, what is wrong before what would help.
        """
        self._error = (position, length, message, hint)
        width = max(1, self.size.width - len(_SIGN))
        parts = [(text, token) for text, token in ((message, "crit"), (hint, "dim")) if text]
        whole = self._marked_line(width, " – ".join(text for text, _ in parts))
        if whole is not None:
            self._note.show([whole])
            return
        first = self._marked_line(width, parts[0][0])
        below = [
            (text, token) for part, token in (parts[1:] if first else parts) for text in wrap(part, width)
        ]
        mark = first or self._marked_line(width, "") or Line()
        indent = " " * len(_SIGN)
        self._note.show([mark, *(Line.of(f"{indent}{text}", token) for text, token in below[:_ROWS])])

    def _marked_line(self, width: int, message: str) -> Line | None:
        """The mark with a message behind or before it, in `width` cells; nothing where it has no room."""
        assert self._error is not None
        position, length, text = self._error[0], self._error[1], self.value
        start = width_of(safe(text[:position])) - round(self._field.scroll_offset.x)
        start = max(0, min(start, width - 1))
        marks = "^" * max(1, width_of(safe(text[position : position + length])))
        marks = marks[: width - start]
        message = safe(message)
        if not message or start + len(marks) + 1 + width_of(message) <= width:
            before, behind = " " * (len(_SIGN) + start), f" {message}" if message else ""
            return Line(((before, ""), (marks, "crit bold"), (behind, "crit")))
        if width_of(message) < start:
            before = " " * len(_SIGN) + fit(message, start - 1, "right") + " "
            return Line(((before, "crit"), (marks, "crit bold")))
        return None

    def on_resize(self) -> None:
        if self._error is not None:
            self.show_error(*self._error)

    def clear_error(self) -> None:
        """Take the error or the hint away."""
        self._error = None
        self._note.show([Line()])

    def say(self, text: str, right: str = "") -> None:
        """A hint where the error would stand."""
        self._error = None
        self._note.show([Line(((" " * len(_SIGN), ""), (text, "dim")), ((right, "dim"),) if right else ())])

    # Typing.

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.searching:
            self._list.recall(self.history.found(self.value)[:_FOUND])
            return
        self.post_message(self.Changed(event.value))
        if event.value == self._quiet or event.value != self.value:
            return
        self._quiet = None
        self.history.leave()
        if event.value.strip():
            self.complete()
        else:
            # All there is says nothing, and would take the keys of the history.
            self._list.offer(())

    def complete(self) -> None:
        """Look for ways to go on from the cursor."""
        if self._completer is not None:
            self._ask(self.value, self._field.cursor_position)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        # What is still being looked up is of no use any more.
        self.workers.cancel_group(self, "completions")
        if self.searching:
            self.use("accept")
            return
        self._list.offer(())
        self.post_message(self.Submitted(event.value))

    @on(Input.Blurred)
    def _blurred(self, event: Input.Blurred) -> None:
        event.stop()
        self._end_search()
        self._list.offer(())

    @work(exclusive=True, group="completions")
    async def _ask(self, text: str, position: int) -> None:
        if self._completer is None:
            return
        found = await self._completer(text, position)
        # The person has typed on meanwhile: the answer is to another question.
        if self._field.value == text and self._field.has_focus and not self.searching:
            self._list.offer(
                [one for one in found if text[max(0, position - one.length) : position] != one.text]
            )

    def use(self, key: str) -> bool:
        """Act on a key of the list or the history; whether there was anything to do."""
        match key:
            case "up" | "down":
                return self._go(-1 if key == "up" else 1)
            case "search":
                self._search()
            case "offer":
                self.complete()
                return self._completer is not None
            case "accept" if self._list.open:
                self._accept()
            case "accept" if self.searching:
                self._end_search()
            case "close" if self.searching:
                self._end_search()
            case "close" if self._list.open:
                self._list.offer(())
            case _:
                return False
        return True

    def _go(self, step: int) -> bool:
        """Up or down the list; through the history where none is open, or above its first entry."""
        above = step < 0 and self._list.at_top and not self.searching
        if (above or not self._list.open) and self._recall(-step):
            return True
        if self._list.open:
            self._list.mark(step)
        return self._list.open

    def _put(self, text: str, position: int) -> None:
        if text != self._field.value:
            self._quiet = printable(text)
            self._field.value = text
        self._field.cursor_position = position
        self._list.offer(())

    def _recall(self, step: int) -> bool:
        text = self.history.step(self.value, step)
        if text is None:
            return False
        self._put(text, len(text))
        return True

    def _search(self) -> None:
        """Look for what is typed in the history; while that is done already, mark the next."""
        if self.searching:
            self._list.mark(1)
            return
        self._sought = self.value
        self.say(keymap_of(self.app).filled(_SEARCHING))
        self._list.recall(self.history.found(self.value)[:_FOUND])

    def _end_search(self, text: str | None = None) -> None:
        """With a text that was found, or what stood there before."""
        if self._sought is not None:
            before, self._sought = self._sought, None
            self.clear_error()
            self.value = before if text is None else text
            self.post_message(self.Changed(self.value))

    def _accept(self) -> None:
        """Take what is marked."""
        one = self._list.marked
        if isinstance(one, str):
            self._end_search(one)
        elif one is not None:
            position, text = self._field.cursor_position, self.value
            start = max(0, position - one.length)
            self._field.value = text[:start] + one.text + text[position:]
            self._field.cursor_position = start + len(one.text)
