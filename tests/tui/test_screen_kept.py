"""What is chosen on the screen holds the next time, and a file of it that is broken is as good as none."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.tui.screen_fakes import KEY, dashboard, settle, text
from tui_monitor.config import places
from tui_monitor.model.clock import HOUR
from tui_monitor.tui.layout import Layout
from tui_monitor.tui.panes.costs import CostsPane
from tui_monitor.tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("quick_pilot")


async def leave(pilot: Any) -> None:
    """What `q` does where nothing is asked."""
    pilot.app.exit()
    await pilot.pause()


async def test_what_was_chosen_holds_the_next_time() -> None:
    app = dashboard(keep_range=True, start_pane="last")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "right_square_bracket", KEY["costs"], "b", "p", "d", "D")
        await settle(pilot, "right", "right", "o")
        app.action_use_theme("tui-monitor-light")
        costs = app.screen.query_one(CostsPane)
        chosen = (costs._by, costs._period, costs._drawing, costs.query_one(Grid).order)
        assert chosen[3] is not None
        await leave(pilot)
    again = dashboard(keep_range=True, start_pane="last")
    async with again.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        costs = again.screen.query_one(CostsPane)
        assert (costs._by, costs._period, costs._drawing, costs.query_one(Grid).order) == chosen
        assert again.screen.active == "costs"
        assert again.screen.shown.length > HOUR
        assert again.theme == "tui-monitor-light"
        assert again.has_class("-compact")
        again.action_forget_layout()
        again.action_forget_layout()
        await settle(pilot)
        kept = json.loads((places.state_dir() / "layout.json").read_text())
        assert kept["panes"]["costs"], "it was taken back"
        again.action_forget_layout()
        await leave(pilot)
    # The settings say where a third one begins; a theme that is set wins over one chosen before.
    third = dashboard(theme="tui-monitor-safe", start_pane="alerts")
    async with third.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert third.screen.active == "alerts"
        assert third.theme == "tui-monitor-safe"
        assert not third.has_class("-compact")


async def test_a_pane_that_is_being_made_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout.usual()
    layout.keep_pane("costs", {"period": "week"})
    layout.save(5.0)
    app, body = dashboard(), CostsPane.body

    def while_saved(pane: CostsPane) -> Any:
        app.keeping.save(5.0)
        return body(pane)

    monkeypatch.setattr(CostsPane, "body", while_saved)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await settle(pilot, KEY["costs"])
        assert json.loads((places.state_dir() / "layout.json").read_text())["panes"]["costs"]
        costs = app.screen.query_one(CostsPane)
        assert CostsPane.CHOICES["_period"][costs._period] == "week"


async def test_a_setting_that_changed_wins_over_what_was_chosen() -> None:
    layout = Layout.usual()
    layout.keep("theme", {"chosen": "nord", "setting": "tui-monitor"})
    layout.save(5.0)
    for setting, worn in (("tui-monitor", "nord"), ("tui-monitor-light", "tui-monitor-light")):
        app = dashboard(theme=setting)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert app.theme == worn


BROKEN = {
    "no JSON": b"{",
    "a list": b"[1]",
    "another version": b'{"version": 99, "pane": "costs"}',
    "no text": b"\xff\x00",
    "nested": b"[" * 60_000,
    "large": b'{"version": 1, "x": "' + b"x" * 70_000 + b'"}',
    "of other kinds": json.dumps(
        {
            "version": 1, "pane": ["costs"], "range_s": True, "theme": [1], "density": {"setting": "normal"},
            "panes": {
                "overview": 3,
                "costs": {"by": 7, "period": ["x"], "order": {"costs-list": [1, 2]}, "drawing": ["line"]},
                "providers": {"metric": "gone", "order": [], "drawing": {"providers-chart": {"a": 1}}},
            },
        }
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_as_good_as_none(kind: str) -> None:
    path = places.state_dir() / "layout.json"
    path.write_bytes(BROKEN[kind])
    layout = Layout(path)
    assert kind == "of other kinds" or layout.get("pane") is None
    assert layout.pane("overview") == {}


async def test_choices_of_other_kinds_change_nothing() -> None:
    (places.state_dir() / "layout.json").write_bytes(BROKEN["of other kinds"])
    app = dashboard(keep_range=True, start_pane="last")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, KEY["costs"])
        await settle(pilot, KEY["providers"])
        assert app.screen.shown.length == HOUR
        assert "PROVIDERS" in text(app)


async def test_nothing_is_kept_where_it_is_not_wanted() -> None:
    app = dashboard(keep_layout=False, motion="reduced")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, "D")
        assert app.animation_level == "none"
        await leave(pilot)
    assert not (places.state_dir() / "layout.json").exists()


def test_it_is_written_whole_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    layout = Layout(path)
    layout.keep("pane", "costs")
    layout.save(5.0)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_ino
    layout.save(5.0)
    assert path.stat().st_ino == before, "the same is not written again"
    layout.keep("pane", "x" * 70_000)
    layout.save(5.0)
    assert Layout(path).get("pane") == "costs"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["layout.json"]
    Layout(tmp_path / "no" / "folder").save(5.0)


def test_a_disk_that_does_not_answer_holds_nobody(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    os.mkfifo(path)
    layout = Layout(path)
    layout.keep("pane", "costs")
    layout.save()
    assert layout.get("pane") == "costs"
    # Whoever reads it is let go, and nothing was written over it.
    with path.open("wb"):
        pass
    assert path.is_fifo()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(30))
@given(st.dictionaries(st.sampled_from(["pane", "theme", "range_s", "other"]), json_values, max_size=4))
def test_what_is_kept_is_read_again(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("kept") / "layout.json"
    layout = Layout(path)
    for name, value in values.items():
        layout.keep(name, value)
    layout.save(5.0)
    assert {name: Layout(path).get(name) for name in values} == values
