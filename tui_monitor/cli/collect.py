"""`collect`: the collector without a screen, until it is told to stop; in the background with `--detach`."""

import argparse
import asyncio
import faulthandler
import os
import sys
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.updating import tell_updated, telling
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.notify import Notifier

_DOORS = ("http", "socket")
_LOOK_SECONDS = 0.05


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--detach", action="store_true", help="collect in the background, without this terminal"
    )
    what.add_argument("--stop", action="store_true", help="end the collector that is running")
    what.add_argument(
        "--reload", action="store_true", help="let the running collector read its configuration again"
    )
    what.add_argument(
        "--status", action="store_true", help="how the collector itself is doing; slow queries, rules"
    )
    what.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    examples(
        parser,
        """
        tui-monitor collect                # here, until ctrl+c
        tui-monitor collect --detach       # in the background
        tui-monitor collect --reload       # after a change of the configuration
        tui-monitor collect --status       # healthy? its own figures, slow queries
        tui-monitor collect --stop
        tui-monitor collect --db /var/lib/llm/monitor.db
        """,
    )


def run(context: Context) -> int:
    """Collect until SIGTERM or SIGINT, or steer the one that does. Raises `MonitorError`."""
    args = context.args
    if args.detach:
        return _detach(context)
    if args.stop:
        return _stop(context)
    if args.status:
        from tui_monitor.cli import upkeep

        return upkeep.run(context)
    return _reload(context) if args.reload else _collect(context)


def _collect(context: Context) -> int:
    from tui_monitor.config import logs, places
    from tui_monitor.config.load import Settings, load
    from tui_monitor.monitor.hosted import loop_factory
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.configured import Configured
    from tui_monitor.runtime.notify import Notifier
    from tui_monitor.runtime.running import leave_in_time, run_until_signal
    from tui_monitor.server import serve

    notifier = Notifier.taken(os.environ)
    if notifier.watched:
        # Who is ended because nothing moves any more says first where it stands.
        faulthandler.enable()
    settings = context.settings
    problem = logs.set_up(settings.log)
    for note in (problem, *context.loaded.warnings):
        if note:
            context.out.note(f"note: {note}")

    def configure() -> Settings:
        fresh = load(context.config_file, context.overrides)
        logs.set_up(fresh.log)
        return fresh

    path = (context.config_file or places.config_file()).absolute()
    file = Configured.by(path, lambda: load(context.config_file, context.overrides))
    collector = Collector(
        settings, context.database, clock=context.clock, serve=serve, configure=configure, file=file,
        updating=telling(context),
    )  # fmt: skip

    async def until_told() -> None:
        telling = asyncio.create_task(_tell(context, collector, notifier))
        try:
            await run_until_signal(collector, leave_in_time, notifier=notifier)
        except MonitorError as error:
            notifier.failed(error.message)
            raise
        finally:
            telling.cancel()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(until_told())
    return 0


async def _tell(context: Context, collector: "Collector", notifier: "Notifier") -> None:
    """One line, once every door is open or has failed."""
    # Doors say nothing by themselves when they are open, and this is over in a moment.
    while not _settled(collector):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    notifier.ready()
    tell_updated(context, collector.store)
    doors = {row.name: row for row in collector.rows() if row.name in _DOORS}
    listening = [row.detail for row in doors.values() if row.state is SourceState.RUNNING]
    data = {"pid": os.getpid(), "database": collector.path, "listening": listening}
    words = f"collecting into {_into(str(collector.path), listening)}"
    failed = [row for row in doors.values() if row.state is SourceState.FAILED]
    context.out.answer(
        data, lambda: print(words, flush=True), [f"{row.last_error} ({row.detail})" for row in failed]
    )
    if context.args.detached:
        _let_go()


def _settled(collector: "Collector") -> bool:
    doors = [row for row in collector.rows() if row.name in _DOORS]
    return bool(doors) and all(row.state is not SourceState.STARTING for row in doors)


def _into(database: str, listening: list[str]) -> str:
    where = " and ".join(listening) or "nothing: no door is open"
    return f"{clean(database, 500)}, listening on {clean(where, 500)}"


def _let_go() -> None:
    """Nobody listens to what is said from now on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _detach(context: Context) -> int:
    from tui_monitor.config import logs
    from tui_monitor.monitor import background

    log = logs.log_path(context.settings.log)
    started = background.start(context.config_file, context.overrides, context.database, context.out.note)
    words = (
        f"collecting in the background, pid {started.pid}\n"
        f"into {_into(started.database, list(started.listening))}\nlog {clean(str(log), 500)}"
    )
    data = {
        "pid": started.pid, "database": started.database, "listening": started.listening, "log": log,
    }  # fmt: skip
    context.out.answer(data, lambda: print(words), [clean(note, 500) for note in started.notes])
    return 0


def _stop(context: Context) -> int:
    from tui_monitor.monitor import background

    pid = background.stop(context.database)
    words = "no collector is running" if pid is None else f"the collector has ended, pid {pid}"
    context.out.answer({"pid": pid}, lambda: context.out.line(words))
    return 0


def _reload(context: Context) -> int:
    from tui_monitor.config import places
    from tui_monitor.monitor.remote import SocketClient
    from tui_monitor.store.lock import held_by

    async def ask():
        async with SocketClient(places.socket_path(context.database)) as client:
            if await client.alive():
                return await client.reload()
        pid = held_by(context.database)
        if pid is None:
            raise MonitorError("no collector is running", hint="`tui-monitor collect --detach` starts one")
        raise MonitorError(
            "the collector does not answer on its socket",
            hint=f"`kill -HUP {pid}` does it where it is detached",
        )

    reloaded = asyncio.run(ask())

    def show() -> None:
        context.out.line(f"changed: {', '.join(reloaded.changed) or 'nothing'}")
        if reloaded.restart:
            context.out.line(f"after a restart: {', '.join(reloaded.restart)}")

    context.out.answer(reloaded, show)
    return 0
