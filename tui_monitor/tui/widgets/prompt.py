"""The query line: input, the error under its character, history, and a list of ways to go on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from tui_monitor.query.result import Completion
from tui_monitor.tui.drawing import fit, printable, safe, width_of, wrap
from tui_monitor.tui.widgets.lines import Line, Lines

Completer = Callable[[str, int], Awaitable[Sequence[Completion]]]
"""Text and position of the cursor → ways to go on, best first."""

SHOWN = 8
"""Completions that are shown at once."""
REMEMBERED = 200
"""Lines of history kept."""
_SIGN = "> "
_ROWS = 6
"""Lines of an error below its mark at most."""
_KIND = 15
"""Cells of a completion besides its text and its help, with the frame."""


class Field(Input):
    """The input itself; keys that belong to the list or the history go to the prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "prompt('up')", "Earlier query", show=False, id="prompt.up"),
        Binding("down", "prompt('down')", "Later query", show=False, id="prompt.down"),
        Binding("tab", "prompt('accept')", "Complete", show=False, id="prompt.accept"),
        Binding("ctrl+@,ctrl+space", "prompt('offer')", "Ways to go on", show=False, id="prompt.offer"),
        Binding("escape", "prompt('close')", "Close the list", show=False, id="prompt.close"),
    ]

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
    walk through the history otherwise, `escape` closes the list. On an empty line it comes with ctrl+space.
    """

    DEFAULT_CSS = """
    Prompt {
        height: auto;
        &> Horizontal { height: 1; }
        &> Horizontal > .prompt--sign { width: 2; }
        & Field, & Field:focus { background: $background; background-tint: $background 0%; width: 1fr; }
        &> .prompt--list {
            overlay: screen;
            constrain: none inside;
            width: auto;
            max-width: 100%;
            background: $panel;
            border: round $text-dim;
            display: none;
        }
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
        history: Sequence[str] = (),
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._field = Field(placeholder=safe(placeholder), compact=True, select_on_focus=False)
        self._field.cursor_blink = False
        self._note = Lines([Line()])
        self._list = Lines(classes="prompt--list")
        self._completer = completer
        self._history = list(history)[-REMEMBERED:]
        self._back = 0
        """How far back in the history; 0 is what was being typed."""
        self._draft = ""
        self._found: tuple[Completion, ...] = ()
        self._marked = 0
        self._error: tuple[int, int, str, str] | None = None
        """Where the error lies that is shown, how long it is, what it is, and what would help."""
        self._awaited = False
        """Whether it was to get the focus before it stood on a screen."""
        self._quiet: str | None = None
        """A text that was put in, not typed, and asks for no completions."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Lines([Line.of(_SIGN, "accent bold")], classes="prompt--sign")
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
    def history(self) -> tuple[str, ...]:
        """What was remembered, the newest last."""
        return tuple(self._history)

    def focus(self, scroll_visible: bool = True) -> "Prompt":
        """Put the cursor into the line, at once, or when it is there: what is typed next belongs there."""
        if self._field.is_attached:
            self.screen.set_focus(self._field, scroll_visible)
        else:
            self._awaited = True
        return self

    def on_mount(self) -> None:
        if self._awaited:
            self.focus()

    def show_error(self, position: int, length: int, message: str, hint: str = "") -> None:
        """Mark `length` characters from `position` on and say what is wrong with them, and what would help.

        What has no room beside the mark goes on below it; of the two the hint stays beside it.
        """
        self._error = (position, length, message, hint)
        width = max(1, self.size.width - len(_SIGN))
        parts = [text for text in (hint, message) if text]
        whole = self._marked_line(width, " – ".join(reversed(parts)))
        if whole is not None:
            self._note.show([whole])
            return
        first = self._marked_line(width, parts[0])
        below = [text for part in (parts[1:] if first else parts) for text in wrap(part, width)]
        mark = first or self._marked_line(width, "") or Line()
        self._note.show([mark, *(Line.of(f"{' ' * len(_SIGN)}{text}", "crit") for text in below[:_ROWS])])

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

    def remember(self, text: str) -> None:
        """Put a text at the end of the history, once."""
        if text:
            others = [line for line in self._history if line != text]
            self._history = [*others[1 - REMEMBERED :], text]
        self._back = 0

    # Typing.

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
        if event.value == self._quiet or event.value != self.value:
            return
        self._quiet = None
        self._back = 0
        if event.value.strip():
            self.complete()
        else:
            # All there is says nothing, and would take the keys of the history.
            self._offer(())

    def complete(self) -> None:
        """Look for ways to go on from the cursor."""
        if self._completer is not None:
            self._ask(self.value, self._field.cursor_position)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        # What is still being looked up is of no use any more.
        self.workers.cancel_group(self, "completions")
        self._offer(())
        self.post_message(self.Submitted(event.value))

    @on(Input.Blurred)
    def _blurred(self, event: Input.Blurred) -> None:
        event.stop()
        self._offer(())

    @work(exclusive=True, group="completions")
    async def _ask(self, text: str, position: int) -> None:
        if self._completer is None:
            return
        found = await self._completer(text, position)
        # The person has typed on meanwhile: the answer is to another question.
        if self._field.value == text and self._field.has_focus:
            self._offer([one for one in found if text[max(0, position - one.length) : position] != one.text])

    def use(self, key: str) -> bool:
        """Act on a key of the list or the history; whether there was anything to do."""
        if key in ("up", "down"):
            step = -1 if key == "up" else 1
            return self._mark(step) if self._found else self._recall(-step)
        if key == "offer":
            self.complete()
            return self._completer is not None
        if not self._found:
            return False
        if key == "accept":
            self._accept(self._found[self._marked])
        else:
            self._offer(())
        return True

    def _put(self, text: str, position: int) -> None:
        if text != self._field.value:
            self._quiet = printable(text)
            self._field.value = text
        self._field.cursor_position = position
        self._offer(())

    # The history.

    def _recall(self, step: int) -> bool:
        if not 0 <= self._back + step <= len(self._history):
            return False
        if self._back == 0:
            self._draft = self.value
        self._back += step
        text = self._history[-self._back] if self._back else self._draft
        self._put(text, len(text))
        return True

    # The list.

    def _offer(self, found: Sequence[Completion]) -> None:
        self._found = tuple(found)
        self._marked = 0
        self._list.display = bool(self._found)
        self._draw_list()

    def _mark(self, step: int) -> bool:
        self._marked = (self._marked + step) % len(self._found)
        self._draw_list()
        return True

    def _draw_list(self) -> None:
        top = max(0, min(self._marked - SHOWN // 2, len(self._found) - SHOWN))
        shown = self._found[top : top + SHOWN]
        widest = min(40, max((width_of(safe(one.text)) for one in shown), default=0))
        room = (self.size.width or self.app.size.width) - _KIND - widest
        told = max(0, min(60, room, max((width_of(safe(one.help)) for one in shown), default=0)))
        lines: list[Line] = []
        for index, one in enumerate(shown, top):
            token = "cursor" if index == self._marked else ""
            kind = f" {one.kind:<8} "
            lines.append(
                Line(
                    (
                        (f" {fit(one.text, widest)} ", f"bright {token}"),
                        (kind, f"dim {token}"),
                        (f"{fit(one.help, told)} " if told else "", f"dim {token}"),
                    )
                )
            )
        if len(self._found) > SHOWN:
            lines.append(Line.of(f" {len(self._found)} in all ", "dim"))
        self._list.show(lines)

    def _accept(self, one: Completion) -> None:
        position = self._field.cursor_position
        text = self.value
        start = max(0, position - one.length)
        self._field.value = text[:start] + one.text + text[position:]
        self._field.cursor_position = start + len(one.text)
