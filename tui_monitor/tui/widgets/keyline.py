"""The line of a dialog that says its keys."""

from collections.abc import Sequence

from tui_monitor.tui.drawing import Span
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.widgets.lines import Line

Named = tuple[str, str]
"""A command's id, or a key that cannot be another, and what it does; the label of the command without."""


def key_spans(keymap: Keymap, named: Sequence[Named]) -> tuple[Span, ...]:
    """Keys and words; what has no key here is left out."""
    spans: list[Span] = []
    for name, word in named:
        command = keymap.get(name)
        if command is None and "." in name:
            continue
        if command is not None and not command.keys:
            continue
        key, word = (name, word) if command is None else (command.key, word or command.label)
        spans += [(f" {key}", "accent bold"), (f" {word}  ", "dim")]
    return tuple(spans)


def key_line(keymap: Keymap, *named: Named) -> Line:
    """The same as a line."""
    return Line(key_spans(keymap, named))
