"""Copying to the clipboard of the terminal one sits at, wherever the program runs: OSC 52."""

import base64
from collections.abc import Mapping

from tui_monitor.tui.drawing import printable

MOST = 74_000
"""Bytes that are copied at most: what xterm and others take of one sequence, in base64."""
_SCREEN = 76 * 8
"""Characters that GNU screen hands through in one piece; it takes 768 bytes of them."""


def copying(text: str, environ: Mapping[str, str]) -> str | None:
    """The sequence that copies a text; `None` where the text is too long for it.

    tmux gets it twice: as it is, for `set-clipboard on`, and handed through, for `allow-passthrough on`.
    """
    data = printable(text).encode("utf-8", "replace")
    if len(data) > MOST:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
    if environ.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"{sequence}\x1bPtmux;{doubled}\x1b\\"
    if environ.get("STY"):
        pieces = (sequence[at : at + _SCREEN] for at in range(0, len(sequence), _SCREEN))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence
