"""A collector as a process of its own: until a signal ends it, or tells it to read its settings again."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

from tui_monitor.model.errors import MonitorError
from tui_monitor.runtime.collector import Collector

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
    collector: Collector, told: Callable[[], None] | None = None, *, detached: bool | None = None
) -> None:
    """Collect until SIGTERM or SIGINT, and end in good order. Raises as `Collector.start` does.

    SIGHUP ends it too where it has a terminal that may hang up; `detached`, it reads the configuration
    again (default: whether it is so). `told` is called when it is to end, once; `leave_in_time` is one where
    nothing else is to be done.
    """
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    reading: set[asyncio.Task[None]] = set()

    def stop() -> None:
        if told is not None and not end.is_set():
            told()
        end.set()

    def read_again() -> None:
        task = loop.create_task(_read_again(collector))
        reading.add(task)
        task.add_done_callback(reading.discard)

    hang_up = read_again if (has_no_terminal() if detached is None else detached) else stop
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hang_up}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        await collector.start()
        try:
            await end.wait()
        finally:
            await collector.stop()
    finally:
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


async def _read_again(collector: Collector) -> None:
    try:
        await collector.reload_config()
    except MonitorError:
        # It is in the log, and in the row `config`.
        pass
    except Exception:
        log.exception("the configuration could not be read again")
