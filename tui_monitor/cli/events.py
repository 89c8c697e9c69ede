"""`events`: what a running collector tells, as it happens."""

import asyncio
from argparse import ArgumentParser
from contextlib import aclosing
from typing import TYPE_CHECKING

import orjson

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.config import places
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.monitor.events import Events, Told

_WIDTH = 400
"""Characters of what an event says."""


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "--only", metavar="EVENT", action="append", default=[], help="events of this name; may be repeated"
    )
    examples(
        parser,
        """
        tui-monitor events
        tui-monitor events --only alert_update --only budget_update
        tui-monitor --json events | jq -c 'select(.event == "cost_update") | .data.daily_total'
        """,
    )


def run(context: Context) -> int:
    """Print until interrupted; raises `MonitorError` where nobody lets us in."""
    asyncio.run(_follow(context, _events(context)))
    return 0


def _events(context: Context) -> "Events":
    from tui_monitor.monitor.events import Events

    names, target = context.args.only, context.target
    if target is None:
        return Events(places.socket_path(context.database), names=names)
    return Events(target.url, token=target.token, ca_file=target.ca_file, names=names)


async def _follow(context: Context, events: "Events") -> None:
    from tui_monitor.monitor.events import Lost, Missed

    async with aclosing(events.__aiter__()) as items:
        async for item in items:
            if isinstance(item, Lost):
                hint = f" ({item.error.hint})" if item.error.hint else ""
                context.out.note(f"{item.error.message}{hint}; again in {item.again:.0f} s")
            elif isinstance(item, Missed):
                context.out.note(f"events {item.first} to {item.last} are no longer known")
            elif item.event in context.args.only or not context.args.only:
                _show(context, item)


def _show(context: Context, told: "Told") -> None:
    if context.out.json:
        context.out.write_json({"ts": told.ts, "event": told.event, "merged": told.merged, "data": told.data})
        return
    from tui_monitor.model.clock import to_datetime

    at = to_datetime(told.ts).astimezone(context.settings.calendar().tz)
    data = clean(orjson.dumps(told.data).decode(), _WIDTH)
    several = f" ×{told.merged}" if told.merged > 1 else ""
    context.out.line(f"{at:%H:%M:%S} {told.event}{several} {data}")
