"""`collect`: the collector without a screen, until it is told to stop."""

import asyncio
import os
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.states import SourceState
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_DOORS = ("http", "socket")
_LOOK_SECONDS = 0.05


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    examples(
        parser,
        """
        tui-monitor collect
        tui-monitor collect --db /var/lib/llm/monitor.db
        nohup tui-monitor collect &
        """,
    )


def run(context: Context) -> int:
    """Collect until SIGTERM, SIGINT or SIGHUP. Raises `UsageError`, `StoreLocked`, `StoreError`."""
    from tui_monitor.config import logs
    from tui_monitor.monitor.thread import loop_factory
    from tui_monitor.runtime.collector import Collector, leave_in_time, run_until_signal
    from tui_monitor.server import serve

    settings = context.settings
    problem = logs.set_up(settings.log)
    for note in (problem, *context.loaded.warnings):
        if note:
            context.out.note(f"note: {note}")
    collector = Collector(settings, context.database, clock=context.clock, serve=serve)

    async def until_told() -> None:
        telling = asyncio.create_task(_tell(context, collector))
        try:
            await run_until_signal(collector, leave_in_time)
        finally:
            telling.cancel()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(until_told())
    return 0


async def _tell(context: Context, collector: "Collector") -> None:
    """One line, once every door is open or has failed."""
    # Doors say nothing by themselves when they are open, and this is over in a moment.
    while not _settled(collector):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    doors = {row.name: row for row in collector.rows() if row.name in _DOORS}
    listening = [row.detail for row in doors.values() if row.state is SourceState.RUNNING]
    where = " and ".join(listening) or "nothing: no door is open"
    data = {"pid": os.getpid(), "database": collector.path, "listening": listening}
    words = f"collecting into {clean(str(collector.path), 500)}, listening on {clean(where, 500)}"
    context.out.answer(data, lambda: print(words, flush=True))
    for row in doors.values():
        if row.state is SourceState.FAILED:
            context.out.note(f"note: {row.last_error} ({row.detail})")


def _settled(collector: "Collector") -> bool:
    doors = [row for row in collector.rows() if row.name in _DOORS]
    return bool(doors) and all(row.state is not SourceState.STARTING for row in doors)
