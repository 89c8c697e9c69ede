"""No verb: the dashboard, or the output of `status` where there is no terminal to draw on."""

import gc
import logging
import os
import sys
from argparse import ArgumentParser

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.model.errors import UsageError

_YOUNG = 20_000
"""Objects that are made before the youngest are looked through for what only holds itself. With 700, as the
interpreter has it, every second pane has all that was ever loaded looked through: 0.1 s without a key."""


def arguments(parser: ArgumentParser) -> None:
    """What it takes besides the options of every verb."""
    parser.add_argument(
        "--pane", metavar="NAME", action="append", help="with --plain or --json: this pane; may be repeated"
    )

    ranges.compared(parser)


def run(context: Context) -> int:
    """Open the dashboard; its exit code. Nothing is read before it has drawn its frame."""
    if context.out.plain or context.args.pane:
        from tui_monitor.cli import panes

        return panes.run(context)
    if context.args.compare and not context.out.json:
        raise UsageError("--compare goes with --plain or --json", hint="a key compares in the dashboard")
    reason = _no_screen(context)
    # What is wrong with how one attaches is told before the screen opens.
    _ = context.target
    if reason:
        from tui_monitor.cli import status

        if not context.out.json:
            context.out.note(reason)
        return status.run(context)
    # Until the settings say where the log goes, nothing may write onto the screen.
    logging.lastResort = None
    logging.getLogger().addHandler(logging.NullHandler())
    gc.set_threshold(_YOUNG, 20, 20)
    from tui_monitor.tui.app import run as run_dashboard
    from tui_monitor.tui.app import run_attached

    overrides = context.overrides
    if getattr(context.args, "read_only", False):
        overrides = {**overrides, "screen": {"read_only": True}}
    if context.target is not None:
        return run_attached(context.target, context.config_file, overrides)

    return run_dashboard(
        context.config_file,
        overrides,
        collect=not getattr(context.args, "no_collect", False),
        demo=context.demo,
    )


def _no_screen(context: Context) -> str:
    """Why there can be no dashboard; empty where there can."""
    if context.out.json:
        return "--json is for output without a screen: this is `tui-monitor status`"
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return "this terminal cannot show the dashboard (TERM); here is the status instead"
    # The toolkit draws on standard error.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "the dashboard needs a terminal; here is the status instead"
    return ""
