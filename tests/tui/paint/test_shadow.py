"""What is sent to a terminal: whatever was there, it shows the wanted cells afterwards."""

from dataclasses import dataclass

import pyte
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tests.examples import examples
from tui_monitor.tui.paint.cells import split
from tui_monitor.tui.paint.shadow import LITTLE, Erasing, Piece, Shadow

WIDTH, HEIGHT = 24, 5

_STYLES = [
    Style.parse(words)
    for words in (
        "#ffffff on #101010", "bold #ffffff on #101010", "#00ff00 on #101010", "#ffffff on #202020",
        "reverse #ffffff on #101010", "underline italic #ff0000 on #202020", "none", "red on default",
        "bold bright_red", "strike #00ff00 on #101010",
    )
]  # fmt: skip
_NARROW = ["a", "Costs", " ", " " * 7, " " * 30, "12.4 k", "⣀⣤⣶⣿", "┤ ▲ 12 %", "é", "–", ""]
_WORDS = [*_NARROW, "字", "大字 x", "e\u0301 ", "👍🏿", "שלום", "\u0301", "x\x1b[2Jy", "\t\x9b"]


def _frames(words: list[str]) -> st.SearchStrategy[list[list[Piece]]]:
    segments = st.lists(
        st.builds(Segment, st.sampled_from(words), st.sampled_from(_STYLES), st.none()),
        min_size=1,
        max_size=5,
    )
    pieces = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), segments)
    return st.lists(st.lists(pieces, min_size=1, max_size=6), min_size=1, max_size=5)


@dataclass
class Terminal:
    """A terminal in memory, with leftovers on its screen; lines do not wrap, as while a dashboard is up."""

    width: int = WIDTH
    height: int = HEIGHT

    def __post_init__(self) -> None:
        self.screen = pyte.Screen(self.width, self.height)
        self._stream = pyte.Stream(self.screen)
        self.feed("\x1b[?7l" + "\r\n".join(["\x1b[41mleft" * 9] * self.height))

    def feed(self, text: str) -> None:
        """What the terminal is sent."""
        self._stream.feed(text)

    def look(self) -> list[list[tuple[object, ...]]]:
        """What can be seen: of a blank its background, and what is drawn through it."""
        return [[_seen(self.screen.buffer[y][x]) for x in range(self.width)] for y in range(self.height)]


def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    lines = (cell.underscore, cell.strikethrough, cell.reverse)
    if cell.data == " " and not any(lines):
        return (" ", cell.bg)
    return (cell.data, cell.fg, cell.bg, cell.bold, cell.italics, *lines)


def _whole(shadow: Shadow) -> Terminal:
    """The same screen in a terminal that got everything at once."""
    terminal = Terminal(shadow.width, shadow.height)
    shadow.forget()
    terminal.feed(shadow.difference())
    return terminal


def _as_the_toolkit(drawn: list[list[Piece]]) -> Terminal:
    """Every piece sent whole, one after another, on an empty screen."""
    terminal = Terminal()
    terminal.feed("\x1b[m\x1b[2J")
    for y, x, parts in (piece for frame in drawn for piece in frame):
        text = "".join(segment.text for segment in parts)[: WIDTH - x]
        terminal.feed(f"\x1b[{y + 1};{x + 1}H")
        for segment in parts:
            here, text = text[: len(segment.text)], text[len(segment.text) :]
            if here and segment.style:
                terminal.feed(segment.style.render(here, color_system=ColorSystem.TRUECOLOR))
            else:
                terminal.feed(here)
    return terminal


_often = settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])


_erasing = st.builds(Erasing, st.booleans(), st.booleans())


@_often
@given(_frames(_NARROW), _erasing)
def test_it_looks_as_the_toolkit_would_have_drawn_it(drawn: list[list[Piece]], erasing: Erasing) -> None:
    terminal = Terminal()
    shadow = Shadow(WIDTH, HEIGHT, erasing=erasing)
    for frame in drawn:
        shadow.draw(frame)
        terminal.feed(shadow.difference())
    assert terminal.look() == _as_the_toolkit(drawn).look()


@_often
@given(_frames(_WORDS), _erasing, st.sampled_from([None, 1, 40]))
def test_after_any_differences_it_looks_as_after_a_whole_frame(
    drawn: list[list[Piece]], erasing: Erasing, most: int | None
) -> None:
    terminal = Terminal()
    shadow = Shadow(WIDTH, HEIGHT, erasing=erasing)
    for frame in drawn:
        shadow.draw(frame)
        terminal.feed(shadow.difference(most) + shadow.leave_first_row())
        assert terminal.screen.cursor.y > 0
    while shadow.behind:
        terminal.feed(shadow.difference(most))
    assert terminal.look() == _whole(shadow).look()


def test_what_is_shown_is_not_sent_again() -> None:
    style = _STYLES[0]
    shadow = Shadow(WIDTH, HEIGHT)
    shadow.draw([(y, 0, [Segment("x" * WIDTH, style)]) for y in range(HEIGHT)])
    assert shadow.difference().count("x") == WIDTH * HEIGHT
    shadow.draw([(y, 0, [Segment("x" * WIDTH, style)]) for y in range(HEIGHT)])
    assert shadow.difference() == ""
    assert not shadow.behind
    shadow.draw([(2, 5, [Segment("y", style)])])
    assert shadow.difference() == "\x1b[3;6Hy"
    shadow.draw([(2, 7, [Segment("yz", _STYLES[1])])])
    assert shadow.difference() == "\x1b[C\x1b[1myz"


def test_a_blank_end_of_a_line_is_erased_where_the_colour_stays() -> None:
    pieces = [(0, 0, [Segment("ab" + " " * 22, _STYLES[0])])]
    shadow = Shadow(WIDTH, 1, erasing=Erasing(coloured=True))
    shadow.draw(pieces)
    assert shadow.difference().endswith("ab\x1b[K")
    shadow = Shadow(WIDTH, 1)
    shadow.draw(pieces)
    assert shadow.difference().endswith("ab" + " " * 22)


def test_each_pen_is_taken_once_where_rows_share_them() -> None:
    shadow = Shadow(WIDTH, HEIGHT)
    row = [Segment("ab" * 4, style) for style in _STYLES[1:4]]
    shadow.draw([(y, 0, row) for y in range(HEIGHT)])
    assert shadow.difference().count("m") == 3


def test_a_hole_is_erased_only_where_the_terminal_can() -> None:
    pieces = [(0, 0, [Segment("a" + " " * 20 + "b", Style.null())])]
    for erasing, sent in ((Erasing(within=True), "a\x1b[20X\x1b[20Cb"), (LITTLE, "a" + " " * 20 + "b")):
        shadow = Shadow(WIDTH, 1, erasing=erasing)
        shadow.draw(pieces)
        assert sent in shadow.difference()


def test_nothing_that_drives_a_terminal_is_a_cell() -> None:
    assert split("a\x1b[31mb\x07\x9b\x7f")[0] == tuple("a[31mb")
    assert split("字e\u0301") == (("字", "", "e\u0301"), False)
    assert split("字x") == (("字", "", "x"), True)
