"""The terminal: whether the dashboard can be drawn in it, and how well."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tui_monitor.cli.checks.api import Check, Level, Scene
from tui_monitor.model.text import clean

_SMALL, _TINY = (80, 24), (40, 10)
_SECONDS = 2.0


def terminal(scene: Scene) -> Iterator[Check]:
    """TERM, size, locale, colours, multiplexer, mouse."""
    yield _kind(scene)
    yield _size()
    yield _locale(scene)
    yield _colours(scene)
    if scene.environ.get("TMUX"):
        yield _tmux()
    elif scene.environ.get("STY"):
        yield _check("screen", "warn", "GNU screen drops desktop notifications and true colour", "use tmux")
    yield _mouse(scene)


def _check(name: str, level: Level, text: str, hint: str = "") -> Check:
    return Check("terminal", name, level, text, hint)


def _kind(scene: Scene) -> Check:
    term = clean(scene.environ.get("TERM", ""), 60)
    if term in ("", "dumb", "unknown"):
        words = f"TERM is {term or 'not set'}: the dashboard cannot be drawn"
        return _check("TERM", "warn", words, "set TERM to what your terminal is, like xterm-256color")
    where = "" if _tty() is not None else "; this command has no terminal"
    return _check("TERM", "ok", f"{term}{where}")


def _tty() -> int | None:
    """A descriptor that leads to the terminal."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            if stream is not None and os.isatty(stream.fileno()):
                return stream.fileno()
        except (OSError, ValueError):
            continue
    return None


def _size() -> Check:
    number = _tty()
    if number is None:
        return _check("size", "ok", "not known without a terminal")
    found = os.get_terminal_size(number)
    words = f"{found.columns} × {found.lines}"
    if found.columns < _TINY[0] or found.lines < _TINY[1]:
        return _check("size", "warn", f"{words}: too small to read", "make the window 80 × 24 or larger")
    if found.columns < _SMALL[0] or found.lines < _SMALL[1]:
        return _check("size", "ok", f"{words}: columns are left out", "80 × 24 and more show everything")
    return _check("size", "ok", words)


def _locale(scene: Scene) -> Check:
    from tui_monitor.tui.drawing import terminal_encoding

    names = ("LC_ALL", "LC_CTYPE", "LANG")
    said = next((f"{n}={clean(scene.environ[n], 40)}" for n in names if scene.environ.get(n)), "not set")
    if terminal_encoding(scene.environ) == "ascii":
        words = f"{said}: no UTF-8, so everything is drawn in ASCII"
        return _check("characters", "warn", words, "set LANG to a UTF-8 locale, like C.UTF-8")
    return _check("characters", "ok", f"UTF-8 ({said})")


def _colours(scene: Scene) -> Check:
    environ, term = scene.environ, scene.environ.get("TERM", "")
    if environ.get("NO_COLOR"):
        return _check("colours", "ok", "none, for NO_COLOR is set")
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return _check("colours", "ok", "16.7 million")
    if "256" in term:
        hint = "set COLORTERM=truecolor if your terminal can show all colours"
        return _check("colours", "ok", "256", hint)
    return _check("colours", "ok", "16", "TERM=xterm-256color shows more, where the terminal can")


def _tmux() -> Check:
    program = shutil.which("tmux")
    if program is None:
        return _check("tmux", "ok", "inside tmux, which cannot be asked from here")
    command = [program, "show-options", "-Apv", "allow-passthrough"]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return _check("tmux", "ok", "inside tmux, which does not answer")
    allowed = ran.stdout.strip()
    if allowed in ("on", "all"):
        return _check("tmux", "ok", f"allow-passthrough is {allowed}")
    return _check(
        "tmux",
        "warn",
        "allow-passthrough is off: desktop notifications do not reach the terminal; the bell does",
        "tmux set -g allow-passthrough on",
    )


def _mouse(scene: Scene) -> Check:
    if scene.loaded is not None and not scene.loaded.settings.screen.mouse:
        return _check("mouse", "ok", "off, for screen.mouse is false")
    if scene.environ.get("TERM") == "linux":
        return _check("mouse", "ok", "none on this console; every command has a key")
    return _check("mouse", "ok", "used; shift or option selects text, and screen.mouse = false turns it off")
