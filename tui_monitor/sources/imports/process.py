"""Reading by a process of its own, while this one writes: what it found comes over a pipe, some ahead."""

import gc
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import IO, Any

from tui_monitor.sources.imports.api import ImportFailure

_AHEAD = 4
"""Items that may wait to be taken."""


def read(program: str, *given: object) -> Iterator[Any]:
    """What the program sends. Raises `ImportFailure` when its process ends too early.

    The program is Python, in which `given` is a tuple of these values.
    """
    start = "import pickle, sys; given = pickle.load(sys.stdin.buffer); "
    command = [sys.executable, "-c", start + program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None, "it was asked for"
        assert process.stdout is not None, "it was asked for"
        try:
            pickle.dump(given, process.stdin)
            process.stdin.close()
            while (item := _load(process.stdout)) is not None:
                yield item
        finally:
            process.kill()


def _load(pipe: IO[bytes]) -> Any:
    try:
        return pickle.load(pipe)
    except (EOFError, pickle.UnpicklingError):
        raise ImportFailure("the process that reads the files ended", hint="import them again") from None


def send(items: Iterable[object]) -> None:
    """Write items to standard output, some ahead of who reads them. The body of that process."""
    # Whoever presses ctrl+c means the command, and that ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(200_000, 20, 20)
    waiting: queue.Queue[bytes] = queue.Queue(_AHEAD)
    threading.Thread(target=_write, args=(waiting,), daemon=True).start()
    for item in items:
        waiting.put(pickle.dumps(item, pickle.HIGHEST_PROTOCOL))
    waiting.put(pickle.dumps(None))
    waiting.join()


def _write(waiting: "queue.Queue[bytes]") -> None:
    try:
        while True:
            sys.stdout.buffer.write(waiting.get())
            sys.stdout.buffer.flush()
            waiting.task_done()
    except OSError:
        # Nobody reads any more.
        os._exit(1)
