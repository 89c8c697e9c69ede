"""A collector as a process of its own: until a signal ends it, or tells it to read its settings again."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.runtime.collector import Collector
from tui_monitor.runtime.notify import Notifier

log = logging.getLogger(__name__)

_LEAVE_WITHIN = 1.7


def leave_in_time() -> None:
    """End the process in two seconds at the latest, whatever its threads are busy with.

    A thread cannot be stopped, and Python waits for each: for a long question whose asker is gone, or for
    an import that is being taken back. What was acknowledged is committed; a transaction under way is
    rolled back by SQLite.
    """
    timer = threading.Timer(_LEAVE_WITHIN, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    log.warning("collecting has ended with work under way on a thread")
    logging.shutdown()
    os._exit(0)


async def run_until_signal(
    collector: Collector,
    told: Callable[[], None] | None = None,
    *,
    detached: bool | None = None,
    notifier: Notifier | None = None,
) -> None:
    """Collect until SIGTERM or SIGINT, and end in good order. Raises as `Collector.start` does, and
    `StoreError` where the database was taken away from under it.

    SIGHUP ends it too where it has a terminal that may hang up; `detached`, it reads the configuration
    again (default: whether it is so). `told` is called when it is to end, once; `leave_in_time` is one where
    nothing else is to be done. `notifier` is told how it goes, but not that it is ready: that is for the
    caller, who knows what there is to wait for.
    """
    notifier = notifier or Notifier()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    reading: set[asyncio.Task[None]] = set()

    def stop() -> None:
        if told is not None and not end.is_set():
            told()
        if not end.is_set():
            notifier.stopping()
        end.set()

    def read_again() -> None:
        task = loop.create_task(_read_again(collector, notifier))
        reading.add(task)
        task.add_done_callback(reading.discard)

    hang_up = read_again if (has_no_terminal() if detached is None else detached) else stop
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hang_up}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    alive = loop.create_task(notifier.keep(lambda: words(collector)), name="signs of life")
    try:
        await collector.start()
        losing = loop.create_task(collector.lost.wait())
        losing.add_done_callback(lambda _: end.set())
        try:
            await end.wait()
        finally:
            losing.cancel()
            await collector.stop()
        if collector.loss is not None:
            raise collector.loss
    finally:
        alive.cancel()
        for number in handlers:
            loop.remove_signal_handler(number)


def has_no_terminal() -> bool:
    """Whether nothing can hang up on this process: no controlling terminal, or `nohup`."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return True
    return False


def words(collector: Collector) -> str:
    """How it goes, on one line."""
    if not collector.running:
        return "starting"
    status = collector.status()
    failed = [row.name for row in status.sources if row.state is SourceState.FAILED]
    said = f"collecting, {status.rate:.1f} records/s"
    return f"{said}; failed: {', '.join(failed)}" if failed else said


async def _read_again(collector: Collector, notifier: Notifier) -> None:
    notifier.reloading()
    try:
        await collector.reload_config()
    except MonitorError:
        # It is in the log, and in the row `config`.
        pass
    except Exception:
        log.exception("the configuration could not be read again")
    finally:
        notifier.ready()
