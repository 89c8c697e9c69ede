"""A process in a pseudo terminal of its own, and what can be told of it from outside."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

START_S = 20.0
END_S = 20.0


class Terminal:
    """`tui-monitor` in a terminal: its session leader, as where a terminal runs it as its command.

    `program` replaces `-m tui_monitor`; `shell` puts it into a script of a shell, so that `^Z` has
    somewhere to come back to. `before` runs in the child before anything else.
    """

    def __init__(
        self,
        *arguments: str,
        program: tuple[str, ...] = ("-m", "tui_monitor"),
        shell: bool = False,
        before: Callable[[], None] | None = None,
        pass_fds: tuple[int, ...] = (),
        **environ: str,
    ) -> None:
        self.fd, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.was = termios.tcgetattr(inside)
        known = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "", "PS1": "$ "}
        command = [sys.executable, *program, *arguments]

        def first() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # As a shell starts it, whatever ran the tests: a job in the background ignores these.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if before is not None:
                before()

        self.process = subprocess.Popen(
            ["/bin/sh", "-i"] if shell else command,
            stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
            env={**os.environ, **known, **environ}, preexec_fn=first, pass_fds=pass_fds,
        )  # fmt: skip
        self.inside = inside
        self.output = b""
        self._seen = 0
        if shell:
            words = " ".join(f"'{word}'" for word in command)
            self.press(f"sh -c '\"$@\"; exit' script {words}\n")

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.process.pid

    def read(self, until: Callable[[], object], seconds: float = START_S) -> None:
        """Take in what is written until something holds; AssertionError when it does not in time."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, self.output[-3000:].decode(errors="replace")
            if select.select([self.fd], [], [], 0.02)[0]:
                try:
                    self.output += os.read(self.fd, 65_536)
                except OSError:
                    # Linux's way to say that nobody holds the other side.
                    time.sleep(0.01)

    def sees(self, words: str, seconds: float = START_S) -> None:
        """Wait for words that have not been looked for before."""
        wanted = words.encode()
        self.read(lambda: wanted in self.output[self._seen :], seconds)
        self._seen = self.output.index(wanted, self._seen) + len(wanted)

    def mark(self) -> None:
        """What was written so far does not count as seen any more."""
        self._seen = len(self.output)

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self.fd, keys.encode())

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def ends(self, seconds: float = END_S) -> int:
        """Wait for its end; its exit code."""
        self.read(lambda: self.process.poll() is not None, seconds)
        self._drain()
        return self.process.wait()

    def hang_up(self) -> None:
        """The terminal vanishes, as when its window is closed or the line is dropped."""
        os.close(self.inside)
        os.close(self.fd)
        self.fd = self.inside = -1

    def waits_for_end(self, seconds: float = END_S) -> int:
        """As `ends`, where there is no terminal left to read from."""
        return self.process.wait(seconds)

    def same_as_before(self) -> bool:
        """Whether the terminal's own modes are what they were: echo, line by line, signals."""
        now = termios.tcgetattr(self.inside)
        return now[:4] == self.was[:4]

    def close(self) -> None:
        """End whatever is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for fd in {self.fd, self.inside} - {-1}:
            os.close(fd)

    def _drain(self) -> None:
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.output += os.read(self.fd, 65_536)
            except OSError:
                return


MODES = {
    "the other screen": ("\x1b[?1049h", "\x1b[?1049l"),
    "hidden cursor": ("\x1b[?25l", "\x1b[?25h"),
    "mouse": ("\x1b[?1000h", "\x1b[?1000l"),
    "mouse, every move": ("\x1b[?1003h", "\x1b[?1003l"),
    "mouse, large screens": ("\x1b[?1006h", "\x1b[?1006l"),
    "pasting in brackets": ("\x1b[?2004h", "\x1b[?2004l"),
    "focus": ("\x1b[?1004h", "\x1b[?1004l"),
    "lines that don't wrap": ("\x1b[?7l", "\x1b[?7h"),
    "synchronized output": ("\x1b[?2026h", "\x1b[?2026l"),
}
"""Mode → what turns it on, and what ends it."""


def still_on(output: bytes) -> list[str]:
    """Modes of the terminal that were turned on and not ended."""
    text = output.decode(errors="replace")
    left = [name for name, (on, off) in MODES.items() if text.rfind(on) > text.rfind(off)]
    if text.count("\x1b[>") - text.count("\x1b[>0q") > 0 and text.rfind("u", text.rfind("\x1b[>")) > 0:
        opened = sum(text.count(f"\x1b[>{flags}u") for flags in range(1, 32))
        if opened > text.count("\x1b[<u"):
            left.append("keyboard of kitty")
    return left


def told(output: bytes) -> str:
    """What stands on the shell's screen after the dashboard has left."""
    return re.sub(
        r"\x1b\[[?<>0-9;]*[a-zA-Z]", "", output.decode(errors="replace").rpartition("\x1b[?1049l")[2]
    )


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def state_of(pid: int) -> str:
    """`S` asleep, `R` running, `T` stopped, `Z` ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
