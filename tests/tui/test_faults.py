"""What is wrong with keys and themes is told once, in few lines, and whole on its page."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.screen_fakes import FakeBackend, FakeMonitor, settings_of, settle, text
from tui_monitor.config import places
from tui_monitor.config.load import load
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.drawing import ASCII, BRAILLE
from tui_monitor.tui.faults import Faults
from tui_monitor.tui.screens.faulty import lines

CONFIG, THEMES = Path("/etc/x/config.toml"), Path("/etc/x/themes")


class Told:
    """Takes toasts; no clock runs in it."""

    def __init__(self) -> None:
        self.toasts: list[str] = []

    def notify(self, message: str, **_: Any) -> None:
        self.toasts.append(message)

    def set_timer(self, *_: Any) -> None: ...


def test_one_toast_for_all_that_is_new() -> None:
    told: Any = Told()
    faults = Faults(told)
    faults.know(CONFIG, ["keys.a: no such command", "keys.b: \x1b[31mno key"])
    faults.know(THEMES, [f"{THEMES}/a.toml:1: no colour"])
    faults.tell()
    faults.tell()
    assert told.toasts == ["config.toml: keys.a: no such command\nand 2 more – :faults tells all"]
    faults.know(THEMES, [f"{THEMES}/a.toml:1: no colour", f"{THEMES}/b.toml:2: {'long ' * 99}"])
    faults.tell()
    assert told.toasts[1].startswith("themes: b.toml:2: long ")
    assert told.toasts[1].endswith("one of 4 faults – :faults tells all")
    assert len(told.toasts[1]) < 220
    faults.know(THEMES, [])
    faults.know(CONFIG, [])
    faults.tell()
    assert (len(told.toasts), faults.found) == (2, {})
    # What was mended and is wrong again is told again, and one alone needs no page.
    faults.know(CONFIG, ["keys.a: no such command"])
    faults.tell()
    assert told.toasts[2] == "config.toml: keys.a: no such command"


@given(st.lists(st.text(max_size=90), max_size=4), st.integers(20, 84), st.sampled_from((BRAILLE, ASCII)))
def test_the_page_has_every_word_in_any_width(faults: list[str], width: int, glyphs) -> None:
    page = lines({CONFIG: faults}, width, glyphs)
    assert all(sum(cell_len(part) for part, _ in line.left) <= width for line in page)
    assert sum(f"  {glyphs.warn} " == line.left[0][0] for line in page if line.left) == len(faults)


async def test_a_start_with_faults() -> None:
    folder = places.config_file().parent / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("accent = 3")
    settings = settings_of(theme="nosuch").model_copy(
        update={"keys": load(None, {"keys": {"one": "x", "two": "y"}}).keys}
    )
    app = MonitorApp(FakeBackend(FakeMonitor(), settings), host="box", environ={"LANG": "C.UTF-8"})
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        app.faults.tell()
        await settle(pilot)
        assert "and 3 more – :faults tells all" in text(app)
        assert sum("▌" in line for line in text(app).splitlines()) < 14
        await settle(pilot, "colon", *"faults", "enter")
        seen = text(app)
        assert all(
            word in seen for word in ("keys.one", "keys.two", "no theme is called nosuch", "accent must")
        )
        assert "more – :faults" not in seen
        await settle(pilot, "escape")
        assert app.screen is app.get_default_screen()
