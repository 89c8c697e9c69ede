"""`--install-completion` and `--show-completion`: the shell asks this program how a line can go on."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import COMPLETION, PROG
from tui_monitor.model.errors import MonitorError, UsageError

SHELLS = ("bash", "zsh", "fish")


def run(context: Context, argv: Sequence[str]) -> int:
    """Install it for a shell, or print it. Raises `UsageError` and `MonitorError`."""
    option, _, value = argv[0].partition("=")
    words = [*([value] if value else []), *(word for word in argv[1:] if word not in ("--json", "--plain"))]
    if len(words) > 1:
        raise UsageError(f"{option} takes one shell", hint=f"one of {', '.join(SHELLS)}")
    shell = words[0] if words else _own_shell()
    if shell not in SHELLS:
        raise UsageError(f"no completion for {shell!r}", hint=f"write {option} {'|'.join(SHELLS)}")
    if option == COMPLETION[1]:
        print(script(shell), end="")
        return 0
    path = target(shell)
    _write(path, script(shell))
    steps = next_steps(shell, path)
    data = {"shell": shell, "file": path, "next": steps}
    context.out.answer(data, lambda: _tell(context, shell, path, steps))
    return 0


def script(shell: str) -> str:
    """What makes a shell ask us."""
    from argcomplete.shell_integration import shellcode

    return shellcode([PROG], shell=shell)


def target(shell: str) -> Path:
    """The file where a shell looks for completions of ours."""
    data = _folder("XDG_DATA_HOME", ".local/share")
    match shell:
        case "bash":
            own = os.environ.get("BASH_COMPLETION_USER_DIR", "").split(":")[0]
            return (Path(own) if own else data / "bash-completion") / "completions" / PROG
        case "fish":
            return _folder("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / f"{PROG}.fish"
        case _:
            return data / "zsh" / "site-functions" / f"_{PROG}"


def next_steps(shell: str, path: Path) -> list[str]:
    """What is left for the person to do, mostly to open a new shell."""
    if shell == "zsh":
        return [
            "if it is not there yet, add to ~/.zshrc, before any other compinit:",
            f"  fpath=({path.parent} $fpath); autoload -Uz compinit && compinit",
            "then open a new shell",
        ]
    if shell == "bash" and not _has_bash_completion():
        return [
            "the package bash-completion was not found, so add to ~/.bashrc:",
            f"  . {path}",
            "then open a new shell",
        ]
    return ["open a new shell"]


def _tell(context: Context, shell: str, path: Path, steps: Sequence[str]) -> None:
    context.out.line(f"{shell} completes {PROG}: {path}")
    for step in steps:
        context.out.line(step)
    context.out.line(f"to undo it: rm {path}")
    if shutil.which(PROG) is None:
        context.out.note(f"note: {PROG} is not on PATH, where the shell looks for it")


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if not name:
        raise UsageError("SHELL is not set", hint=f"name the shell: {', '.join(SHELLS)}")
    return name


def _folder(variable: str, below_home: str) -> Path:
    chosen = Path(os.environ.get(variable, "").strip())
    return chosen if chosen.is_absolute() else Path.home() / below_home


def _has_bash_completion() -> bool:
    places = (
        "/usr/share/bash-completion/bash_completion",
        "/usr/local/share/bash-completion/bash_completion",
        "/opt/homebrew/share/bash-completion/bash_completion",
        "/opt/homebrew/etc/profile.d/bash_completion.sh",
        "/usr/local/etc/profile.d/bash_completion.sh",
        "/etc/bash_completion",
    )
    return any(Path(place).exists() for place in places)


def _write(path: Path, text: str) -> None:
    """Put the file in place whole; a shell may be reading it. Raises `MonitorError`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise MonitorError(
            f"cannot write {path}: {error.strerror}",
            hint=f"put the output of `{PROG} --show-completion` where your shell looks for it",
        ) from error
