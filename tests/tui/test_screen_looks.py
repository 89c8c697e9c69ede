"""Themes on the screen: looked at in the palette, read from files, loaded anew; and none at all."""

import threading
from pathlib import Path
from typing import Any

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.pilot import Pilot

from tests.tui.screen_fakes import dashboard, settle, text
from tui_monitor.config import places, theming
from tui_monitor.config.palettes import DEFAULT, DEFAULT_16
from tui_monitor.tui.panes.table import PANES

pytestmark = pytest.mark.usefixtures("quick_pilot")


@pytest.fixture
def themes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of theme files."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    theming.folder(places.config_file()).mkdir(parents=True)
    return theming.folder(places.config_file())


async def look(pilot: Pilot[Any]) -> None:
    """What the timer does."""
    pilot.app._dressing._look()
    await settle(pilot)


def styles_of(app: Any) -> list[Style]:
    """The styles on the screen."""
    strips = app.screen._compositor.render_strips()
    return [segment.style for strip in strips for segment in strip if segment.style is not None]


async def test_a_theme_is_shown_while_the_palette_stands_on_it() -> None:
    app = dashboard()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.theme == DEFAULT
        await settle(pilot, "ctrl+p", *"e contrast")
        for _ in range(50):
            if app.theme != DEFAULT:
                break
            await pilot.pause(0.02)
        assert app.theme.startswith("tui-monitor-contrast")
        await settle(pilot, "escape")
        assert app.theme == DEFAULT
        # What only its help says finds it as well.
        await settle(pilot, "ctrl+p", *"white on")
        for _ in range(50):
            if "Theme tui-monitor-contrast" in text(app):
                break
            await pilot.pause(0.02)
        assert "Theme tui-monitor-contrast" in text(app)


async def test_theme_files(themes: Path) -> None:
    mine = themes / "mine.toml"
    mine.write_text('ok = "#123456"')
    (themes / "wrong.toml").write_text('accent = "blu"')
    app = dashboard(theme="mine")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert app.theme == "mine"
        assert app.theme_variables["ok"] == "#123456"
        assert any("wrong.toml:1: accent" in toast.message for toast in app._notifications)
        # A change is seen, one that is wrong is told of and changes nothing.
        mine.write_text('ok = "#654321"')
        (themes / "other.toml").write_text("")
        await look(pilot)
        assert app.theme_variables["ok"] == "#654321"
        assert "other" in app.available_themes
        mine.write_text("ok = 7")
        (themes / "other.toml").unlink()
        await look(pilot)
        assert app.theme == "mine"
        assert app.theme_variables["ok"] == "#654321"
        assert "other" not in app.available_themes
        mine.write_text('ok = "#abcdef"')
        await look(pilot)
        assert app.theme_variables["ok"] == "#abcdef"


async def test_a_folder_on_a_disk_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, looks = threading.Event(), []

    def stamp(where: Path) -> tuple[()]:
        looks.append(where)
        gate.wait(20)
        return ()

    monkeypatch.setattr(theming, "stamp", stamp)
    app = dashboard()
    async with app.run_test(size=(80, 24)) as pilot:
        try:
            while app.get_default_screen().snapshot is None or not looks:
                await pilot.pause(0.01)
            app._dressing._look()
            await pilot.press("3")
            assert app.get_default_screen().active == "costs"
            assert len(looks) == 1
        finally:
            gate.set()


async def test_no_theme_of_the_name() -> None:
    app = dashboard(theme="nordd")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert app.theme == DEFAULT
        assert "no theme is called nordd" in text(app)


@pytest.mark.parametrize("wish", ["NO_COLOR", "sixteen"])
async def test_every_pane_without_colours_of_ours(monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    if wish == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    app = dashboard(**({} if wish == "NO_COLOR" else {"theme": DEFAULT_16}))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert app.theme == DEFAULT_16
        for pane in PANES:
            await settle(pilot, pane.key)
            styles = styles_of(app)
            used = {c for style in styles for c in (style.color, style.bgcolor) if c and not c.is_default}
            assert all(c.type is ColorType.STANDARD for c in used), pane.id
            assert bool(used) == (wish != "NO_COLOR"), pane.id
            assert any(style.reverse for style in styles), f"{pane.id}: nothing shows where one is"
        behind = text(app).splitlines()[-1]
        await settle(pilot, "question_mark")
        assert text(app).splitlines()[-1] == behind, "a dialog hides all that is behind it"
