"""A collector without a window: started, steered and ended from outside, and what its viewers see of it."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lifetime.conftest import Open
from tests.lifetime.terminal import cpu_seconds, state_of, still_on, told
from tests.lifetime.test_exits import push, stored
from tui_monitor.cli import main
from tui_monitor.config import places
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import MonitorError
from tui_monitor.monitor import background
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('[server]\nlisten = ""\n')
    return path


@pytest.fixture
def run(database: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Runs a command in this process: code, standard output, standard error.

    Whoever still collects at the end is killed.
    """

    def start(*arguments: str) -> tuple[int, str, str]:
        code = main.run(["--config", str(config), "--db", str(database), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield start
    owner = held_by(database)
    if owner and owner != os.getpid():
        os.kill(owner, signal.SIGKILL)


@pytest.fixture
def begin(database: Path, config: Path) -> Any:
    """Starts a collector in the background."""
    return lambda: background.start(config, {"database": {"path": database}}, database)


def log_says(words: str, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while words not in places.log_file().read_text():
        assert time.monotonic() < end, places.log_file().read_text()
        time.sleep(0.02)


def test_detached_reloaded_and_stopped(run: Any, database: Path, config: Path) -> None:
    code, out, err = run("collect", "--detach", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)["data"]
    pid = data["pid"]
    assert held_by(database) == pid
    assert data["listening"] == [str(places.socket_path(database))]
    # A session of its own: no terminal can hang up on it.
    assert os.getsid(pid) == pid != os.getsid(0)
    assert push(database, 3) == 3
    # It lets go of the starter's pipes once the starter has read what it says.
    for _ in range(200):
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)]
        if held == ["/dev/null"] * 3:
            break
        time.sleep(0.05)
    assert held == ["/dev/null"] * 3
    config.write_text('[server]\nlisten = ""\n[health]\nmin_calls = 3\n')
    os.kill(pid, signal.SIGHUP)
    log_says("health.min_calls changed")
    config.write_text('[server]\nlisten = ""\nsocket = false\n[health]\nmin_calls = 4\n')
    told_so = "changed: health.min_calls\nafter a restart: server.socket\n"
    assert run("collect", "--reload") == (0, told_so, "")
    config.write_text("[health\n")
    assert held_by(database) == pid
    os.kill(pid, signal.SIGHUP)
    log_says("the configuration is not taken over")
    config.write_text("")
    assert run("collect", "--stop") == (0, f"the collector has ended, pid {pid}\n", "")
    assert stored(database) == 3
    assert run("collect", "--stop") == (0, "no collector is running\n", "")
    code, _, err = run("collect", "--reload")
    assert code == 1
    assert "no collector is running" in err


def test_what_keeps_it_from_starting_is_told(run: Any, database: Path) -> None:
    database.write_text("certainly no database " * 100)
    code, out, err = run("collect", "--detach")
    assert (code, out) == (1, "")
    assert "it is not a database" in err
    assert held_by(database) is None


def test_one_is_enough_and_after_kill_9_the_next_begins_at_once(run: Any, begin: Any, database: Path) -> None:
    pid = begin().pid
    assert push(database, 5) == 5
    with pytest.raises(MonitorError, match=f"process {pid} is writing") as error:
        begin()
    assert "--stop" in str(error.value.hint)
    os.kill(pid, signal.SIGKILL)
    while held_by(database) is not None:
        time.sleep(0.01)
    # What it left behind is in nobody's way.
    assert places.socket_path(database).exists()
    following = begin()
    assert following.listening == (str(places.socket_path(database)),)
    assert push(database, 6) == 6
    assert background.stop(database) == following.pid
    assert stored(database) == 6


def test_who_writes_and_is_no_collector_is_left_alone(database: Path) -> None:
    store = Store.open(database, write=True, clock=SystemClock())
    try:
        with pytest.raises(MonitorError, match="no collector that can be ended"):
            background.stop(database)
    finally:
        store.close()


def test_left_collecting_in_the_background(terminal: Open, run: Any, database: Path) -> None:
    dashboard = terminal()
    dashboard.sees("collecting")
    assert push(database, 4) == 4
    dashboard.press("q")
    dashboard.sees("collect in the background")
    dashboard.press("d")
    assert dashboard.ends(20) == 0
    assert still_on(dashboard.output) == []
    owner = held_by(database)
    assert owner not in (None, dashboard.pid)
    assert f"collecting goes on in the background, pid {owner}" in told(dashboard.output)
    assert push(database, 6) == 6
    assert background.stop(database) == owner
    assert stored(database) == 6


def test_a_viewer_says_since_when_it_is_blind_and_takes_over(
    terminal: Open, run: Any, begin: Any, database: Path
) -> None:
    pid = begin().pid
    viewer = terminal()
    viewer.sees(f": collector pid {pid}")
    os.kill(pid, signal.SIGKILL)
    viewer.sees("nobody collects since ")
    viewer.press("T")
    viewer.sees("collecting")
    assert push(database, 2) == 2
    assert held_by(database) == viewer.pid
    viewer.press("qq")
    assert viewer.ends() == 0
    assert stored(database) == 2


def test_stopped_for_a_while_and_back(terminal: Open, database: Path) -> None:
    shell = terminal(shell=True)
    shell.sees("collecting")
    pid = held_by(database)
    assert pid
    shell.mark()
    shell.press("\x1a")
    shell.read(lambda: state_of(pid) == "T", 5)
    shell.sees("$ ")
    assert still_on(shell.output) == []
    assert shell.output.rindex(b"\x1b[?1049l") < shell.output.rindex(b"$ ")
    used = cpu_seconds(pid)
    time.sleep(0.3)
    assert (cpu_seconds(pid), held_by(database)) == (used, pid)
    shell.mark()
    shell.press("fg\n")
    # Painted anew, mouse and all, and at work as before.
    shell.sees("\x1b[?1049h")
    shell.sees("\x1b[?1003h")
    shell.sees("PROVIDERS")
    assert push(database, 3) == 3
    shell.press("qq")
    shell.sees("collecting ended")
    shell.press("exit\n")
    shell.ends()
    assert still_on(shell.output) == []
    assert stored(database) == 3
