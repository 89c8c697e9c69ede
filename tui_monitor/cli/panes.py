"""The panes of the dashboard as text, for screen readers and mail, or as JSON."""

import difflib
from collections.abc import Sequence
from typing import Any

from tui_monitor.cli.context import Context
from tui_monitor.model.errors import StoreError, UsageError
from tui_monitor.model.text import clean


def run(context: Context) -> int:
    """Print the panes that are named, else all; the exit code.

    Raises `UsageError`, `StoreError`, `Unreachable`.
    """
    from tui_monitor.tui.app import PANES, read

    if not (context.out.plain or context.out.json):
        raise UsageError("--pane goes with --plain or --json", hint="its key opens it in the dashboard")
    names = _known(context.args.pane or (), [entry.id for entry in PANES])
    # What is wrong with how one attaches is told before anything is asked.
    target = context.target
    if target is not None:
        # Who cannot be reached is told of now; the screen would go on trying.
        _ = context.now
    elif not context.database.exists():
        raise StoreError(
            f"there is no database yet: {context.database}", hint="`tui-monitor collect` makes one"
        )
    found: dict[str, Any] = {}
    text: list[str] = []

    def give(name: str, data: object, lines: Sequence[str]) -> None:
        found[name] = data
        text.extend((*lines, ""))

    code = read(
        context.config_file,
        context.overrides,
        names,
        give,
        target=target,
        clock=context.clock,
        compare=context.args.compare,
    )
    # What is printed while the screen is up goes through its hands.
    if not code:
        context.out.answer(found, lambda: context.out.line("\n".join(text[:-1])))
    return code


def _known(wanted: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"no pane is called {clean(name, 60)!r}", hint=hint)
    return list(dict.fromkeys(wanted)) or names
