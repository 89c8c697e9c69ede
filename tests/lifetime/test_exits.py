"""However the dashboard ends, the terminal is as it was and what was acknowledged is in the database."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.lifetime.conftest import Open
from tests.lifetime.terminal import cpu_seconds, still_on, told
from tests.runtime.collecting import CALL
from tui_monitor.config import places
from tui_monitor.model.clock import SystemClock
from tui_monitor.monitor.remote import somebody_listens
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by

SECRET = "sk-never-to-be-seen"


def push(database: Path, count: int) -> int:
    """Send calls through the socket; how many were acknowledged."""
    socket = places.socket_path(database)
    end = time.monotonic() + 20
    while not somebody_listens(socket):
        assert time.monotonic() < end
        time.sleep(0.02)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://x") as client:
        calls = [{**CALL, "id": f"c{n}"} for n in range(count)]
        return client.post("/monitor/v1/events", json=calls, timeout=20).json()["accepted"]


def stored(database: Path) -> int:
    """Calls in the database, which nobody writes any more."""
    assert held_by(database) is None
    store = Store.open(database, write=True, clock=SystemClock())
    try:
        return store.extent().calls
    finally:
        store.close()


@pytest.mark.parametrize("how", ["q", "SIGTERM"])
def test_one_that_collects_is_asked_to_end(terminal: Open, database: Path, how: str) -> None:
    dashboard = terminal()
    dashboard.sees("collecting")
    assert push(database, 7) == 7
    if how == "q":
        dashboard.press("q")
        dashboard.sees("Quit? Collecting ends")
        dashboard.press("q")
    else:
        dashboard.send(signal.SIGTERM)
    assert dashboard.ends() == 0
    assert still_on(dashboard.output) == []
    assert dashboard.same_as_before()
    words = "collecting ended; `tui-monitor collect --detach` goes on without a window"
    assert told(dashboard.output).strip() == words
    assert stored(database) == 7
    assert not places.socket_path(database).exists()


@pytest.mark.parametrize("how", ["q", "ctrl+c", "SIGHUP", "SIGINT", "SIGQUIT"])
def test_one_that_looks_on_is_asked_to_end(terminal: Open, how: str) -> None:
    dashboard = terminal("--no-collect")
    dashboard.sees("no database yet")
    match how:
        case "q":
            dashboard.press("q")
        case "ctrl+c":
            dashboard.press("\x03")
            dashboard.sees("This window collects nothing")
            dashboard.press("\x03")
        case name:
            dashboard.send(signal.Signals[name])
    assert dashboard.ends() == 0
    assert still_on(dashboard.output) == []
    assert dashboard.same_as_before()
    assert told(dashboard.output).strip() == ""


@pytest.mark.parametrize("ignored", [False, True], ids=["hang-up told", "nohup"])
def test_the_terminal_vanishes(terminal: Open, database: Path, ignored: bool) -> None:
    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    dashboard = terminal(*(() if ignored else ("--no-collect",)), before=nohup if ignored else None)
    dashboard.sees("collecting" if ignored else "no database yet")
    if ignored:
        assert push(database, 7) == 7
    before, began = cpu_seconds(dashboard.pid), time.monotonic()
    dashboard.hang_up()
    used = 0.0
    while dashboard.process.poll() is None:
        assert time.monotonic() - began < 20
        used = cpu_seconds(dashboard.pid) - before if dashboard.process.poll() is None else used
        time.sleep(0.02)
    assert dashboard.waits_for_end() == 0
    # An end in good order costs a little; a thread that spins would take the whole time.
    assert used < 0.6
    if ignored:
        assert stored(database) == 7


def test_only_the_keyboard_is_gone(tmp_path: Path, terminal: Open) -> None:
    keyboard, far = os.openpty()

    def take_it() -> None:
        os.dup2(far, 0)

    dashboard = terminal("--no-collect", before=take_it, pass_fds=(far,))
    dashboard.sees("PROVIDERS")
    os.close(far)
    os.close(keyboard)
    assert dashboard.ends() == 0
    assert still_on(dashboard.output) == []


def test_a_terminal_that_takes_no_more_does_not_hold_up_the_end(terminal: Open, database: Path) -> None:
    dashboard = terminal()
    dashboard.sees("collecting")
    assert push(database, 7) == 7
    for _ in range(60):
        # Nobody reads what this paints.
        dashboard.press("\t")
        time.sleep(0.01)
    began = time.monotonic()
    dashboard.send(signal.SIGTERM)
    while dashboard.process.poll() is None:
        assert time.monotonic() - began < 20
        time.sleep(0.02)
    assert dashboard.process.returncode == 0, places.log_file().read_text()
    assert stored(database) == 7
    assert dashboard.same_as_before()


BELLS = """
import sys
from tui_monitor.tui.screens import dashboard

def ring(self):
    for _ in range(100):
        self.app.bell()

dashboard.Dashboard.action_look_again = ring
from tui_monitor.__main__ import main
sys.exit(main())
"""


def test_one_leaves_a_terminal_that_takes_no_more_by_key(terminal: Open) -> None:
    dashboard = terminal("--no-collect", program=("-c", BELLS))
    dashboard.sees("no data")
    for _ in range(60):
        # Nobody reads what this paints, or hears what rings.
        dashboard.press("\x0c")
        time.sleep(0.02)
    dashboard.press("r")
    dashboard.press("q")
    dashboard.process.wait(20)
    assert dashboard.process.returncode == 0
    assert dashboard.same_as_before()


BUG = f"""
import sys
from tui_monitor.tui.screens import dashboard

def broken(self):
    api_key = {SECRET!r}
    raise RuntimeError("a bug of ours")

dashboard.Dashboard.action_look_again = broken
from tui_monitor.__main__ import main
sys.exit(main())
"""


def test_a_bug_of_the_screen(terminal: Open, database: Path) -> None:
    dashboard = terminal(program=("-c", BUG))
    dashboard.sees("collecting")
    assert push(database, 7) == 7
    dashboard.press("r")
    assert dashboard.ends() == 1
    assert still_on(dashboard.output) == []
    assert dashboard.same_as_before()
    words = "the dashboard broke: RuntimeError: a bug of ours; the log tells more"
    assert told(dashboard.output).strip() == words
    assert SECRET.encode() not in dashboard.output
    log = places.log_file().read_text()
    assert "a bug of ours" in log
    assert SECRET not in log
    assert stored(database) == 7


def test_a_wrong_configuration(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[screen]\nthem = 1\n")
    dashboard = terminal("--config", str(tmp_path / "config.toml"))
    assert dashboard.ends(20) == 2
    assert still_on(dashboard.output) == []
    assert "did you mean theme" in told(dashboard.output)


def test_a_collector_in_a_terminal_ends_with_it(terminal: Open, database: Path) -> None:
    collector = terminal("collect")
    collector.sees("collecting into")
    collector.hang_up()
    assert collector.waits_for_end() == 0
    assert stored(database) == 0


def test_a_collector_under_nohup_outlives_its_terminal(terminal: Open, database: Path) -> None:
    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    collector = terminal("collect", before=nohup)
    collector.sees("collecting into")
    collector.hang_up()
    time.sleep(0.2)
    assert push(database, 7) == 7
    began = cpu_seconds(collector.pid)
    time.sleep(0.3)
    assert cpu_seconds(collector.pid) - began < 0.2
    collector.send(signal.SIGTERM)
    assert collector.waits_for_end() == 0
    assert stored(database) == 7
