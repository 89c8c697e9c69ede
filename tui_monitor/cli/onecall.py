"""`calls`: the newest calls, those of a filter, or one of them whole with its price taken apart."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import UsageError

if TYPE_CHECKING:
    from tui_monitor.monitor.api import CallView


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "text", metavar="FILTER", nargs="?", default="where", help="which ones, like status=error; else all"
    )
    parser.add_argument(
        "--id", metavar="ID", help="one call by its id, SOURCE:KEY, or a response or request id"
    )
    ranges.arguments(parser, "calls of this range instead of the last hour")
    parser.add_argument("--at", metavar="TIME", help="up to this moment instead of now")
    parser.add_argument("--limit", type=int, metavar="N", help="so many calls (default: 50)")
    parser.add_argument("--lines", action="store_true", help="as JSON lines, all of them unless limited")
    parser.set_defaults(chart=False, step=None, compare=None, explain=False, ids=True)
    examples(
        parser,
        """
        tui-monitor calls
        tui-monitor calls 'status=error AND latency>1000' --range 24h
        tui-monitor calls --id 9f1c2b7e00a4d3c5
        tui-monitor --json calls --id chatcmpl-AbC123
        """,
    )


def run(context: Context) -> int:
    """List them or show one; raises `NotFound`, `QueryError`, `UsageError`, `StoreError`."""
    from tui_monitor.cli import calls

    args = context.args
    if args.id is None:
        return calls.run(context)
    if args.text != "where" or args.range or args.since or args.until or args.at or args.lines or args.limit:
        raise UsageError("--id names one call, and takes no filter and no range")
    view = context.ask(lambda monitor: monitor.call(args.id))
    context.out.answer(view, lambda: _show(context, view))
    return 0


def _show(context: Context, view: "CallView") -> None:
    from tui_monitor.tui.plain import of_call

    out = context.out
    for line in of_call(view, context.now, context.calendar, 0 if out.plain else out.console.width):
        out.line(line)
