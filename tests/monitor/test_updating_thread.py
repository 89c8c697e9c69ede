"""A database of an older version under the dashboard and commands: how far it is, who has it, the copy."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.collecting import settings_for, until
from tui_monitor.cli.main import run
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.thread import CollectorThread, ThreadState
from tui_monitor.monitor.viewing import viewing
from tui_monitor.server import serve
from tui_monitor.store.database import Store
from tui_monitor.store.lock import WriteLock
from tui_monitor.tui import frame
from tui_monitor.tui.drawing import BRAILLE


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A database that lacks the last of its tables."""
    path = tmp_path / "monitor.db"
    Store.open(path, write=True, clock=SystemClock()).close()
    conn = sqlite3.connect(path)
    conn.executescript("DROP TABLE audit; DELETE FROM migrations WHERE name = 'audit'")
    conn.close()
    return path


async def test_the_dashboard_says_how_far_it_is(older: Path) -> None:
    states: list[ThreadState] = []
    thread = CollectorThread(serve=serve, settings=settings_for(older))
    thread.subscribe(states.append)
    thread.start()
    try:
        await until(lambda: thread.state.mode == "collecting", 20)
    finally:
        assert thread.stop(5)
    notes = [state.note for state in states if state.note]
    assert notes[0] == "bringing the database up to date, 0%: copying it first"
    assert any("step 1 of 1, audit" in note for note in notes)
    shown = frame.notice(ThreadState("starting", note=notes[0]), None, None, TimeRange(), BRAILLE)
    assert notes[0] in str(shown)
    assert older.with_name("monitor.db.before-audit-1").exists()


async def test_one_that_another_process_has_is_waited_for(older: Path) -> None:
    held = WriteLock.take(older)
    thread = CollectorThread(serve=serve, settings=settings_for(older))
    thread.start()
    try:
        await until(lambda: thread.state.mode == "failed", 20)
        assert thread.state.error is not None
        assert "is an older version" in thread.state.error.message
        assert "collect --stop" in (thread.state.error.hint or "")
        held.release()
        await until(lambda: thread.state.mode == "collecting", 20)
    finally:
        assert thread.stop(5)


async def test_a_viewer_whose_database_a_newer_version_changed(older: Path) -> None:
    Store.open(older, write=True, clock=SystemClock()).close()
    async with viewing(settings_for(older), older, SystemClock()) as monitor:
        await monitor.query("requests{}")
        conn = sqlite3.connect(older)
        conn.executescript("CREATE TABLE later (x); INSERT INTO migrations VALUES ('tomorrow')")
        conn.close()
        with pytest.raises(Exception, match="a newer version of tui-monitor wrote it"):
            await monitor.query("requests{}")


def test_a_command_says_it_and_how_to_go_back(older: Path, capsys: Any) -> None:
    assert run(["--db", str(older), "db", "compact"]) == 0
    err = capsys.readouterr().err
    assert "bringing the database up to date, 0%: copying it first" in err
    assert f"db restore {older}.before-audit-1" in err
    assert run(["--db", str(older), "db", "compact"]) == 0
    assert "up to date" not in capsys.readouterr().err
