"""Start to usable and idle bytes, in a real pseudo-terminal, as ratios to a bare Textual app of the same run.

Usable is when the tab bar is drawn and a key pressed at that moment is answered on the screen. The bare app,
one Static with one key, is measured the same way, in turn with ours. `--calls` fills the database first; the
calls end long ago, so that the database is at rest and nothing on the screen has a reason to change.

    python benchmarks/start.py --runs 5 --calls 0
    python benchmarks/start.py --runs 5 --calls 1000000
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from data import FIELDS, write_csv

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    BINDINGS = [("q", "quit", "Quit"), ("k", "flip", "Flip")]
    def compose(self):
        yield Static("Hello, world")
    def action_flip(self):
        self.query_one(Static).update("flipped over")
Bare().run()
"""
PRIVATE = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")
CONTROL = re.compile(rb"\x1b\[[0-9;?<=>]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]")


@dataclass
class App:
    """How to start a program, what it shows when it is drawn, and a key with what the key brings up."""

    command: list[str]
    drawn: bytes
    key: bytes
    answer: bytes


@dataclass
class Figures:
    """Milliseconds from exec, and bytes per second while nobody presses a key."""

    drawn: float
    answered: float
    idle: float


def wait_for(terminal: int, text: bytes, timeout: float = 30.0) -> None:
    """Read until the text has been written, control sequences left out."""
    seen = b""
    end = time.monotonic() + timeout
    while text not in CONTROL.sub(b"", seen):
        if not select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            sys.exit(f"never showed {text!r}")
        seen += os.read(terminal, 65536)


def quiet_then_count(terminal: int, seconds: float) -> float:
    """Bytes per second in a window that starts after two seconds without output."""
    while select.select([terminal], [], [], 2.0)[0]:
        os.read(terminal, 65536)
    count, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            count += len(os.read(terminal, 65536))
    return count / seconds


def measure(app: App, env: dict[str, str], idle_s: float) -> Figures:
    """Start once, press the key, look at the idle terminal, and quit."""
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(app.command[0], app.command, env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        wait_for(terminal, app.drawn)
        drawn = time.perf_counter()
        os.write(terminal, app.key)
        wait_for(terminal, app.answer)
        answered = time.perf_counter()
        os.write(terminal, b"\x1b")
        idle = quiet_then_count(terminal, idle_s) if idle_s else 0.0
    finally:
        os.kill(pid, signal.SIGTERM)
        # A full terminal would keep the program from ending.
        while select.select([terminal], [], [], 0.5)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                break
        os.waitpid(pid, 0)
        os.close(terminal)
    return Figures((drawn - start) * 1000, (answered - start) * 1000, idle)


def fill(database: Path, calls: int, env: dict[str, str]) -> None:
    """Import resampled calls."""
    source = database.with_suffix(".csv")
    write_csv(source, calls, days=7)
    mapping = [part for field in FIELDS for part in ("--map", f"{field}={field}")]
    command = [sys.executable, "-m", "tui_monitor", "--db", str(database), "import", "--format", "csv"]
    subprocess.run([*command, *mapping, str(source)], env=env, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print both sides' figures run by run, and the median ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds to look at the idle terminal")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keep = {k: v for k, v in os.environ.items() if k not in ("TMUX", "NO_COLOR")}
        env = {**keep, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        env |= {f"XDG_{name}": folder for name in PRIVATE}
        database = Path(folder) / "monitor.db"
        if args.calls:
            fill(database, args.calls, env)
        bare = App([sys.executable, "-c", BARE], b"Hello, world", b"k", b"flipped")
        ours = App(
            [sys.executable, "-m", "tui_monitor", "--db", str(database)], b"Providers", b"?", b"EVERYWHERE"
        )
        measure(bare, env, 0)
        measure(ours, env, 0)
        drawn: list[float] = []
        answered: list[float] = []
        for run in range(args.runs):
            floor = measure(bare, env, 0)
            got = measure(ours, env, args.idle)
            drawn.append(got.drawn / floor.drawn)
            answered.append(got.answered / floor.answered)
            print(
                f"run {run + 1}: tab bar {got.drawn:.0f} ms, key answered {got.answered:.0f} ms, "
                f"idle {got.idle:.0f} bytes/s | bare {floor.drawn:.0f}, {floor.answered:.0f} ms | "
                f"ratio {drawn[-1]:.2f}, {answered[-1]:.2f}"
            )
        print(f"median ratio: drawn {statistics.median(drawn):.2f}, key {statistics.median(answered):.2f}")


if __name__ == "__main__":
    main()
