"""The line of a dialog that says its keys."""

from collections.abc import Iterator, Sequence

from tui_monitor.tui.drawing import Span
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.widgets.lines import Line, pressed

_PRESSED = ("enter", "tab", "space")
"""Keys that have the same name for people and for the toolkit."""
Named = tuple[str, str]
"""A command's id, or a key that cannot be another, and what it does; the label of the command without."""


def key_spans(keymap: Keymap, named: Sequence[Named]) -> tuple[Span, ...]:
    """Keys and words; what has no key here is left out."""
    return tuple(span for spans, _ in _pieces(keymap, named) for span in spans)


def _pieces(keymap: Keymap, named: Sequence[Named]) -> Iterator[tuple[Sequence[Span], str]]:
    for name, word in named:
        command = keymap.get(name)
        if command is None and "." in name:
            continue
        if command is not None and not command.keys:
            continue
        key, word = (name, word) if command is None else (command.key, word or command.label)
        press = (name if name in _PRESSED else "") if command is None else command.keys.split(",")[0]
        yield ((f" {key}", "accent bold"), (f" {word}  ", "dim")), press


def key_line(keymap: Keymap, *named: Named) -> Line:
    """The same as a line that can be clicked."""
    return pressed(_pieces(keymap, named))
