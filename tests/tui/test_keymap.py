"""Keys of one's own: what can be one, what clashes, and that everything follows."""

import re
import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from tests.tui.screen_fakes import CALENDAR, NOON, FakeBackend, FakeMonitor, settings_of, settle, text, tick
from tui_monitor.config.load import load
from tui_monitor.model.alert import AlertsView
from tui_monitor.model.errors import UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui import commands
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.commands import COMMANDS, PAIRS, Command
from tui_monitor.tui.dialogkeys import DIALOGS
from tui_monitor.tui.drawing import BRAILLE
from tui_monitor.tui.keymap import DEFAULT, EVERY, Keymap, read
from tui_monitor.tui.keynames import read_key, shown_key
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes import alertlines, sourcelines
from tui_monitor.tui.screens.acting import SilenceDialog
from tui_monitor.tui.screens.commandline import CommandLine
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.screens.help import HelpScreen
from tui_monitor.tui.screens.leave import LeaveDialog
from tui_monitor.tui.screens.saved import KeepDialog, SavedDialog
from tui_monitor.tui.screens.saving import SaveDialog
from tui_monitor.tui.screens.still import StillScreen
from tui_monitor.tui.screens.timerange import TimeRangeDialog
from tui_monitor.tui.widgets.consent import ConsentBanner

pytestmark = pytest.mark.usefixtures("quick_pilot")


def faults(**given: Any) -> str:
    return "\n".join(map(str, Keymap(given).faults))


@pytest.mark.parametrize("character", string.ascii_letters + string.digits + string.punctuation)
def test_a_character_is_called_as_the_toolkit_calls_it(character: str) -> None:
    name = read_key(character)
    assert name == _character_to_key(character)
    assert shown_key(name) == character


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("space", "space"), (" ", "space"), ("Esc", "escape"), ("page up", "pageup"), ("F5", "f5"),
        ("shift+a", "A"), ("Ctrl+R", "ctrl+r"), ("control+shift+left", "ctrl+shift+left"), ("+", "plus"),
        ("ctrl+space", "ctrl+@"), ("shift+tab", "shift+tab"), ("alt+x", "alt+x"), ("é", "é"), ("←", "left"),
    ],
)  # fmt: skip
def test_keys_as_people_write_them(written: str, name: str) -> None:
    assert read_key(written) == name


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ctrl+m", "same as 'enter'"), ("ctrl+i", "same as 'tab'"), ("ctrl+[", "same as 'escape'"),
        ("ctrl+1", "no terminal is sure"), ("shift+enter", "no terminal is sure"), ("hyper+x", "'hyper'"),
        ("foo", "it is no key"), ("", "it is no key"), ("ctrl+", "it is no key"), ("f25", "it is no key"),
        ("a b", "it is no key"), ("\x1b", "it is no key"),
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(written: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_key(written)


@given(st.text(max_size=12))
def test_any_text_is_a_key_or_refused(written: str) -> None:
    try:
        name = read_key(written)
    except UsageError:
        return
    assert read_key(shown_key(name)) == name


IDS = [command.id for command in EVERY]
KEYS = st.sampled_from([*"abcpqx?", "f5", "ctrl+n", "escape", "tab", "enter", "ctrl+m", "nonsense"])


@given(st.dictionaries(st.sampled_from(IDS), st.lists(KEYS, max_size=3), max_size=12))
def test_what_holds_never_clashes(given: dict[str, list[str]]) -> None:
    changes, told = read(given)
    assert set(changes) | {".".join(fault.path) for fault in told} == set(given)
    # What held holds alone as well: nothing of it rests on an entry that was left out.
    assert read({id: list(map(shown_key, keys)) for id, keys in changes.items()}) == (changes, ())


def test_no_id_is_a_table_of_others() -> None:
    assert not [a for a in IDS for b in IDS if b.startswith(f"{a}.")]


def test_faults_name_the_entry_and_what_helps() -> None:
    assert faults(refesh="f5") == "keys.refesh: there is no such command; did you mean refresh?"
    assert faults(costs={"by": "q"}) == "keys.costs.by: q is the key of quit (quit) there already"
    assert "same as 'enter'" in faults(quit="ctrl+m")
    assert "must be a key" in faults(quit=3)
    assert "way out" in faults(interrupt=[])
    assert "while one types" in faults(interrupt="q")
    assert "while one types" in faults(line={"offer": "f"})
    assert "more than" in faults(quit=list("abcdefghi"))
    assert faults(costs={"by": "f5"}, **{"costs.by": "f6"}) == "keys.costs.by: stands there twice"


def test_swapped_keys_and_inner_ones_are_no_clash() -> None:
    assert faults(costs={"by": "B", "by_back": "b"}) == ""
    # Two panes are never there at once, and a line takes characters for itself.
    assert faults(costs={"by": "m"}, line={"close": "ctrl+g"}) == ""
    assert "list.up" in faults(costs={"by": "k"})


def test_a_dialog_clashes_with_what_is_in_it_and_with_nothing_below_it() -> None:
    # What a dialog covers has the same keys for other things.
    assert faults(dialog={"time": {"live": "q", "close": "esc"}, "saved": {"remove": "x"}}) == ""
    assert "dialog.time.close" in faults(dialog={"time": {"live": "q"}})
    assert "list.last" in faults(dialog={"time": {"live": "G"}})
    assert "suspend" in faults(dialog={"help": {"down": "ctrl+z"}})
    assert "refresh" in faults(dialog={"consent": {"save": "r"}})
    assert "line.search" in faults(dialog={"name": {"leave": "ctrl+r"}})
    # Swapped within, as anywhere.
    assert faults(dialog={"leave": {"detach": "y", "quit": ["d", "q"]}}) == ""


def test_the_way_out_of_a_dialog_keeps_a_key_that_works() -> None:
    assert "way out" in faults(dialog={"help": {"close": []}})
    assert "while one types" in faults(dialog={"time": {"close": "q"}})
    assert faults(dialog={"help": {"close": "q"}, "time": {"close": ["q", "f9"]}}) == ""


def test_words_say_the_keys_that_hold() -> None:
    moved = Keymap({"list": {"left": "f7", "right": []}, "part": {"next": "f8"}, "export": []})
    assert moved.filled("{values} {part.next} {export} {rows}") == "f7 – f8 :export ↑ ↓"
    assert not [c.id for c in (*DEFAULT.commands, *moved.commands) if "{" in c.help]
    assert "f8 goes to the other one" in {c.id: c.help for c in moved.commands}["overview.chart"]
    # A screen for looking alone names no key that it does not have.
    looking = Keymap(read_only=True)
    known = {c.id for c in looking.commands} | set(PAIRS)
    named = {name for c in EVERY if not c.dangerous for name in re.findall(r"{([a-z._]+)}", c.help)}
    assert named <= known


def test_a_command_without_a_key_leaves_the_footer() -> None:
    keymap = Keymap({"pause": []})
    assert "pause" in [c.id for c in DEFAULT.footer("costs")]
    assert "pause" not in [c.id for c in keymap.footer("costs")]
    assert keymap.key("pause") == ":pause"


def test_read_only_has_no_dangerous_commands() -> None:
    keymap = Keymap(read_only=True)
    assert {c.id for c in DEFAULT.commands} - {c.id for c in keymap.commands} == {
        c.id for c in COMMANDS if c.dangerous
    }
    assert keymap.refuses("alerts", "acknowledge")
    assert not keymap.refuses("alerts", "open")
    assert not DEFAULT.refuses("alerts", "acknowledge")


def app_with(monitor: FakeMonitor, keys: dict[str, Any] | None = None, **screen: Any) -> MonitorApp:
    settings = settings_of(**screen)
    if keys is not None:
        settings = settings.model_copy(update={"keys": load(None, {"keys": keys}).keys})
    return MonitorApp(FakeBackend(monitor, settings), host="box", environ={"LANG": "C.UTF-8"})


async def test_footer_tabs_help_hints_and_actions_follow() -> None:
    monitor = FakeMonitor()
    monitor.newest = monitor.at - 86_400_000_000 * 9
    keys = {
        "pane": {"costs": "f3"}, "costs": {"by": "B", "by_back": "b", "query": "f4"}, "nonsense": "x",
        "range": {"newest": ["ctrl+n", "alt+n"]}, "help": "f1", "quit": ["f10", "Q"], "list": {"down": "f7"},
    }  # fmt: skip
    app = app_with(monitor, keys)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        assert "f3 Costs" in text(app)
        assert "keys.nonsense: there is no such command" in text(app)
        assert "config.toml:" in text(app)
        assert "ctrl+n goes there" in text(app)
        await settle(pilot, "3", "q", "n")
        assert app.screen.active == "overview"
        await settle(pilot, "alt+n")
        assert app.screen.shown.end == monitor.newest
        await settle(pilot, "f3")
        assert app.screen.active == "costs"
        last = text(app).splitlines()[-1]
        assert all(word in last for word in ("B by", "f10 quit", "f1 help"))
        await settle(pilot, "B")
        assert monitor.asked[-1][1][0] == "user"
        await settle(pilot, "b")
        cursor = app.screen.pane.query_one("Grid").cursor
        await settle(pilot, "f7")
        assert app.screen.pane.query_one("Grid").cursor != cursor
        await settle(pilot, "f1")
        assert "  B             The next dimension" in text(app)
        await settle(pilot, "escape", "f4")
        assert app.screen.active == "query"


async def test_a_read_only_screen_refuses_with_a_word() -> None:
    monitor = FakeMonitor()
    app = app_with(monitor, read_only=True)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        before = [alert.state for alert in monitor.alert_list]
        for pane, keys in {"1": "aC", "4": "asuA", "7": "pf"}.items():
            await settle(pilot, pane)
            for key in keys:
                await settle(pilot, key)
                assert app.screen is app.get_default_screen(), (pane, key)
                assert "read-only: " in text(app)
                app.clear_notifications()
                await tick(pilot)
        assert [alert.state for alert in monitor.alert_list] == before
        told = {name for name, _ in monitor.asked}
        assert not told & {"silence", "unsilence", "pause_source", "resume_source", "acknowledged"}
        assert "  live  read-only" in text(app)
        assert "pause/resume" not in text(app).splitlines()[-1]
        await settle(pilot, "?")
        assert "Let the source under the cursor" not in text(app)


def test_every_binding_of_the_table_is_there_once() -> None:
    for place in ("", *commands.WIDGETS, *{c.pane for c in COMMANDS}):
        assert [b.id for b in commands.bindings(place)] == [c.id for c in COMMANDS if c.pane == place]  # type: ignore[union-attr]


DIALOG_CLASSES: dict[str, type] = {
    "time": TimeRangeDialog, "export": SaveDialog, "alert": SilenceDialog, "saved": SavedDialog,
    "name": KeepDialog, "command": CommandLine, "still": StillScreen, "help": HelpScreen,
    "leave": LeaveDialog, "consent": ConsentBanner, "tour": Dashboard,
}  # fmt: skip


@pytest.mark.parametrize("command", DIALOGS, ids=lambda command: command.id)
def test_every_key_of_a_dialog_is_bound_there_and_does_something(command: Command) -> None:
    dialog = DIALOG_CLASSES[command.pane.removeprefix("dialog.")]
    bound = [b for cls in dialog.__mro__ for b in vars(cls).get("BINDINGS", ()) if b.id == command.id]
    assert [(b.key, b.action) for b in bound] == [(command.keys, command.action)]
    assert callable(getattr(dialog, f"action_{command.action.partition('(')[0]}"))


async def test_words_on_the_screen_name_the_keys_that_hold() -> None:
    """Not the declared ones: what is said besides the footer goes with `[keys]` too."""
    keys = {"overview": {"leave": "f9"}, "calls": {"leave": "f9"}, "range": {"newest": "f8"}, "consent": "f7"}
    async with app_with(FakeMonitor(), keys).run_test(size=(120, 40)) as pilot:
        await settle(pilot, "slash", *"zzz")
        assert "f9 shows all of them." in text(pilot.app)
        assert "enter keeps it, f9 shows all" in text(pilot.app)
        await settle(pilot, "enter")
        assert "f9 shows all" in text(pilot.app)
        assert "esc shows all" not in text(pilot.app)
        await settle(pilot, "f9")
        assert "shows all" not in text(pilot.app)


async def test_dialogs_have_the_keys_that_hold_and_say_them() -> None:
    own = {"time": {"type": "f2", "close": ["f3", "f4"], "live": []}, "help": {"close": "f3"},
           "leave": {"stay": "f3"}, "export": {"name": "f2", "leave": "f3"}, "command": {"leave": "f3"},
           "tour": {"next": "f2", "leave": "f3"}, "alert": {"leave": "f3"}}  # fmt: skip
    app = app_with(FakeMonitor(), {"dialog": own, "line": {"offer": "ctrl+n", "search": "ctrl+g"}})
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "t")
        assert "enter take   f2 type   f fixed   n newest data   f3 close" in text(app)
        await settle(pilot, "f2", "escape", "f4")
        for keys, said in {
            "?": "f3 closes", "ctrl+c": "f3  stay", "x": "f2 name   f3 leaves", ":": "ctrl+n shows all",
        }.items():  # fmt: skip
            await settle(pilot, keys)
            assert said in text(app), keys
            await settle(pilot, "escape")
            assert app.screen is not app.get_default_screen(), keys
            if keys == ":":
                await settle(pilot, "ctrl+g")
                assert "ctrl+g next" in text(app)
                await settle(pilot, "escape")
            await settle(pilot, "f3")
            assert app.screen is app.get_default_screen(), keys
        await settle(pilot, "4", "a")
        assert "f3 leaves it" in text(app)
        await settle(pilot, "f3")
        app.screen.action_tour()
        await settle(pilot)
        assert "f2 goes on   backspace back   f3 leaves the tour" in text(app)
        await settle(pilot, "f2")
        assert "2 of 6" in text(app)
        await settle(pilot, "f3")
        assert "2 of 6" not in text(app)


def test_advice_names_the_keys_that_hold_and_none_that_do_not() -> None:
    row = replace(FakeMonitor().status.sources[0], state=SourceState.FAILED, pausable=True)
    off = replace(row, state=SourceState.OFF, detail="consent.agent_logs = true allows it")
    moved = Keymap({"sources": {"retry": "f9", "pause": "f8"}, "consent": "f7"})
    assert sourcelines.advice(row, moved) == "it is tried again by itself; f9 tries now; f8 leaves it alone"
    assert sourcelines.advice(off, moved).startswith("f7 allows it here")
    looking = Keymap(read_only=True)
    assert sourcelines.advice(row, looking) == "it is tried again by itself"
    assert sourcelines.advice(off, looking).startswith("its setting is in config.toml")
    leave = Keymap({"alerts": {"leave": "f9"}})
    look = Look(NOON, 1, TimeRange(), CALENDAR)
    assert "f9 shows all" in alertlines.nothing(AlertsView(NOON), look, "zzz", 80, BRAILLE, leave)
