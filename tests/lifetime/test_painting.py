"""What a terminal shows of a real dashboard, which sends what differs: what a redraw shows, too."""

import fcntl
import re
import signal
import struct
import termios
import time

import pyte
import pytest

from tests.lifetime.conftest import Open
from tests.lifetime.terminal import Terminal

_ASKED = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p|\x1b\[\?2048\$p")
_ANSWERS = {b"\x1b[?2026$p": "\x1b[?2026;2$y", b"\x1b[?2048$p": "\x1b[?2048;0$y"}


class Watched:
    """A terminal that draws what it is sent, and answers what it is asked, after a delay."""

    def __init__(self, dashboard: Terminal, delay: float) -> None:
        self.dashboard, self.delay = dashboard, delay
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._fed = 0
        self._looked = 0
        self._due: list[tuple[float, str]] = []

    def watch(self, seconds: float) -> None:
        """Draw and answer for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            size = len(self.dashboard.output)
            self.dashboard.read(lambda before=size: self._turn(before) or time.monotonic() > end, 60)

    def _turn(self, before: int) -> bool:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            self.dashboard.press(self._due.pop(0)[1])
        output = self.dashboard.output
        for asked in _ASKED.finditer(output, self._looked):
            self._stream.feed(output[self._fed : asked.end()])
            self._fed = self._looked = asked.end()
            cursor = self.screen.cursor
            here = f"\x1b[{cursor.y + 1};{cursor.x + 1}R"
            self._due.append((now + self.delay, _ANSWERS.get(asked[0], here)))
        self._stream.feed(output[self._fed :])
        self._fed = len(output)
        self._looked = max(self._looked, self._fed - 16)
        return self._fed > before

    def settles(self, words: str) -> None:
        """Wait until words are shown and nothing more comes."""
        end = time.monotonic() + 30
        before = -1
        while before != self._fed or words not in "\n".join(self.screen.display):
            assert time.monotonic() < end, "\n".join(self.screen.display)
            before = self._fed
            self.watch(0.5 + 2 * self.delay)

    def resize(self, columns: int, rows: int) -> None:
        """As a window's edge that is dragged."""
        fcntl.ioctl(self.dashboard.inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.dashboard.send(signal.SIGWINCH)
        self.screen.resize(rows, columns)

    def look(self) -> list[list[tuple[str, str, str, bool, bool]]]:
        """The characters, and how they look; of a blank its background."""
        return [
            [
                (
                    cell.data,
                    "" if cell.data == " " else cell.fg,
                    cell.bg,
                    cell.bold and cell.data != " ",
                    cell.reverse,
                )
                for cell in (self.screen.buffer[y][x] for x in range(self.screen.columns))
            ]
            for y in range(self.screen.lines)
        ]


@pytest.mark.parametrize("delay", [0.0, 0.15], ids=["fast", "slow"])
def test_it_shows_what_a_whole_redraw_shows(terminal: Open, delay: float) -> None:
    # What a shell exported once does not change with the window.
    first = {"COLUMNS": "80", "LINES": "24"}
    dashboard = terminal("--no-collect", TUI_MONITOR_SCREEN__MOTION="reduced", **first)
    watched = Watched(dashboard, delay)
    watched.settles("PROVIDERS")
    for keys in ["2", "3", "?", "\x1b", "6", "9", ":", "\x1b", "t", "\x1b"]:
        dashboard.press(keys)
        watched.watch(0.3)
    for columns, rows in [(100, 30), (60, 20), (97, 31), (80, 24), (120, 40), (80, 24)]:
        watched.resize(columns, rows)
        watched.watch(0.02)
    watched.settles("2 Prov")
    # Back before anybody could look: the size is the same, what is shown is not.
    watched.resize(40, 24)
    watched.resize(80, 24)
    dashboard.press("1")
    watched.settles("WHAT CHANGED")
    was = watched.look()
    before = len(dashboard.output)
    dashboard.press("\x0c")
    watched.settles("WHAT CHANGED")
    assert len(dashboard.output) > before
    assert watched.look() == was
    dashboard.press("\x11")
    assert dashboard.ends() == 0
