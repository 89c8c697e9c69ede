"""The terminal we draw on: left as it was found however the dashboard ends, and noticed when it is gone.

Reaches into the toolkit's driver, for the release that pyproject pins.
"""

import os
import queue
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition, Key

from tui_monitor.tui.paint.pace import Pace

if TYPE_CHECKING:
    from textual.message import Message

_READ = 4_096
_PATIENCE_S = 0.1
"""How long is waited for a key, or for a terminal that takes no more, before it is looked whether to end."""
_PORTION = 65_536
_AT_ONCE = 4_096
"""Bytes that are written in one go: on a slow line, too, this is soon done."""
_STUCK_S = 2.0
"""After which a terminal that takes nothing is not waited for at the end."""
_QUEUED = 3
"""Frames that may wait for a terminal that takes no more."""
_ASIDE = 12
"""Writes in all that a bell may wait behind: the toolkit's queue holds up the loop when 30 are in it."""
_SETTLE_S = 0.6
"""How long the end waits for answers: the shell would take them for something typed."""

RESET = "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?2048l"
"""Ends what may be on: synchronized output, the mouse in all its forms, bracketed paste, reports of sizes."""
LEAVE = f"{RESET}\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
"""The same, and back to the shell's screen: lines wrap, keys are plain, the cursor is seen."""


class Terminal(LinuxDriver):
    """The toolkit's driver, but for a terminal that hangs up: the toolkit's spins, or dies of it.

    The app's `hung_up` is called on its loop when nothing more can come from the terminal, or reach it;
    its `forget_terminal` when the screen begins empty, and its `send` when there is room for more.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._hung_up: Callable[[], None] = app.hung_up
        self._forget: Callable[[], None] = app.forget_terminal
        self._send: Callable[[], None] = app.send
        self.pace = Pace(app.timer)
        self._handed = 0
        self._crowded = self._gone = False
        assert sys.__stderr__ is not None
        self._wire = Wire(sys.__stderr__.fileno(), sys.__stderr__.encoding, self._lost, self._written)
        self._file = self._wire  # pyright: ignore[reportAttributeAccessIssue]

    def start_application_mode(self) -> None:
        """Begin on an empty screen."""
        self._forget()
        self.pace.forget()
        super().start_application_mode()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was found."""
        self.write(f"{RESET}\x1b[0m")
        self._settle()
        super().stop_application_mode()

    def stop_with_others(self) -> None:
        """Stop until the shell lets us go on, and with us whatever started us in the shell's job.

        The terminal is as it was found before the others stop: the shell looks at them, and takes it over.
        """
        self.suspend_application_mode()
        self._must_signal_resume = True
        ours = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        os.kill(os.getpid(), signal.SIGSTOP)

    def _get_terminal_size(self) -> tuple[int, int]:
        # COLUMNS and LINES, which the toolkit believes, do not change with the window.
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:
            width, height = 0, 0
        return (width, height) if width and height else super()._get_terminal_size()

    def write(self, data: str) -> None:
        """Hand text to the writing thread."""
        self._handed += 1
        super().write(data)

    def room(self) -> int | None:
        """Bytes of a frame that may be sent now; None for any number. After 0 the app's `send` is called."""
        self._crowded = True
        if self._handed - self._wire.done > _QUEUED:
            return 0
        self._crowded = False
        return self.pace.room()

    def paint(self, text: str) -> None:
        """Send a part of a frame, behind which the cursor is not in the first row."""
        self.write(text + self.pace.sent(len(text.encode())))

    def aside(self, text: str) -> bool:
        """Send what is no part of a frame; False, and it is dropped, where the terminal takes no more."""
        if self._handed - self._wire.done >= _ASIDE:
            return False
        self.write(text)
        self.pace.beside(len(text.encode()))
        return True

    def process_message(self, message: "Message") -> None:
        """Take what the terminal tells; answers to our own questions end here."""
        if isinstance(message, CursorPosition):
            self.pace.answered()
            self._call(self._send)
            return
        if isinstance(message, Key):
            self.pace.typed()
        super().process_message(message)

    def close(self) -> None:
        """End the writing thread; at the end of the app not for a terminal that takes no more."""
        writer = self._writer_thread
        if writer is None or not self._app._exit:
            super().close()
            return
        with suppress(queue.Full):
            writer._queue.put_nowait(None)
        moved, since = self._wire.moved, time.monotonic()
        while writer.is_alive():
            writer.join(_PATIENCE_S)
            if self._wire.moved != moved:
                moved, since = self._wire.moved, time.monotonic()
            elif time.monotonic() - since > _STUCK_S:
                self._wire.lost = True
                restore(self)
                return

    def _settle(self) -> None:
        """Wait for answers that are to come, not for long."""
        end = time.monotonic() + _SETTLE_S
        while self.pace.waiting and not self._wire.lost and time.monotonic() < end:
            time.sleep(0.01)
        self.pace.forget()

    def _written(self) -> None:
        if self._crowded:
            self._crowded = False
            self._call(self._send)

    def run_input_thread(self) -> None:
        """Hand keys to the app until it ends, or nothing more can come from the terminal."""
        from tui_monitor.tui.typed import Typed

        typed = Typed(debug=self._debug)
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            patience = typed.patience(slow=self.pace.slow)
            # Asked once more: while others kept this thread from running, the rest may have come.
            if poll.poll((_PATIENCE_S if patience is None else patience) * 1000) or poll.poll(0):
                data = self._read()
                if data is None:
                    self._lost()
                    break
                events = typed.feed(data)
            else:
                events = () if patience is None else typed.as_it_is()
            for event in events:
                self.process_message(event)

    def _read(self) -> bytes | None:
        """What was typed; None where nothing can come any more."""
        try:
            return os.read(self.fileno, _READ) or None
        except BlockingIOError:
            # Whoever shares the terminal with us made it so.
            return b""
        except OSError:
            return None

    def _lost(self) -> None:
        if not self._gone:
            self._gone = True
            self._call(self._hung_up)

    def _call(self, what: Callable[[], None]) -> None:
        # The app's loop may have ended meanwhile, and then there is nobody to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)


class Wire:
    """A file for the toolkit's writing thread. What nobody can see any more is dropped, without an error."""

    def __init__(self, fd: int, encoding: str, lost: Callable[[], None], written: Callable[[], None]) -> None:
        """`lost` (nobody reads any more) and `written` are called on the writing thread."""
        self._fd = fd
        self._encoding = encoding
        self._tell = lost
        self._written = written
        self._taken = 0
        self.done = 0
        """Writes that the terminal has taken."""
        self.moved = 0
        """Bytes of them."""
        self._parts: list[str] = []
        self._size = 0
        self.lost = False

    def write(self, text: str) -> None:
        """Keep it until `flush`, or until it is much."""
        self._parts.append(text)
        self._size += len(text)
        self._taken += 1
        if self._size >= _PORTION:
            self.flush()

    def flush(self) -> None:
        """Write everything. Blocks for as long as the terminal takes no more."""
        data = memoryview("".join(self._parts).encode(self._encoding, "replace"))
        taken = self._taken
        self._parts.clear()
        self._size = 0
        while data and not self.lost:
            try:
                written = os.write(self._fd, data[:_AT_ONCE])
                data = data[written:]
                self.moved += written
            except BlockingIOError:
                select.select([], [self._fd], [], _PATIENCE_S)
            except OSError:
                self.lost = True
                self._tell()
        self.done = taken
        self._written()

    def fileno(self) -> int:
        """The terminal."""
        return self._fd


def restore(driver: Any) -> None:
    """Leave the terminal as it was found without waiting for anything: where the app cannot do it."""
    import termios

    if not isinstance(driver, Terminal):
        return
    with suppress(OSError, termios.error):
        # Opened anew: the shell shares ours, and would find it not blocking.
        fd = os.open(os.ttyname(driver.fileno), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        termios.tcflush(fd, termios.TCOFLUSH)
        os.write(fd, LEAVE.encode())
    if driver.attrs_before is not None:
        with suppress(termios.error):
            termios.tcsetattr(driver.fileno, termios.TCSANOW, driver.attrs_before)
