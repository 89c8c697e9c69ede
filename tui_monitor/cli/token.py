"""`token`: what opens the TCP door for reading and changing."""

from argparse import ArgumentParser

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.config import places


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="show")
    verbs.add("show", "print the token; it is made at first use, in a file that only you can read")
    verbs.add("path", "print where that file is")
    examples(
        parser,
        """
        curl -H "Authorization: Bearer $(tui-monitor token)" http://127.0.0.1:4319/monitor/v1/snapshot
        """,
    )


def run(context: Context) -> int:
    """Print it; raises `MonitorError` where the file cannot be read or written."""
    path = places.token_file()
    if context.args.action == "path":
        context.out.answer({"path": path}, lambda: print(path))
        return 0
    from tui_monitor.server.tokens import read_or_make

    token = read_or_make(path)
    context.out.answer({"token": token}, lambda: print(token))
    return 0
