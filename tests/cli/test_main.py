"""How a command ends: bugs, interruptions, readers that go away."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.cli import token
from tui_monitor.config import places

TUI_MONITOR = [sys.executable, "-m", "tui_monitor"]


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """The command sets the log up for the whole process."""
    root = logging.getLogger()
    handlers, level, last = list(root.handlers), root.level, logging.lastResort
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.lastResort, logging.raiseExceptions = last, True
    logging.captureWarnings(False)


@pytest.mark.usefixtures("logging_as_before")
def test_a_bug_is_one_line_and_the_log_tells_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(context: object) -> int:
        raise RuntimeError("went wrong with api_key=abcdefgh12345678")

    monkeypatch.setattr(token, "run", broken)
    ran = cli("token")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "tui-monitor: unexpected error: RuntimeError: went wrong with api_key=***",
        f"  the log tells more: {places.log_file()}",
    ]
    assert "in broken" in places.log_file().read_text()
    assert "abcdefgh12345678" not in places.log_file().read_text()
    told = cli("token", "-v").err
    assert "Traceback" in told
    assert "abcdefgh12345678" not in told
    assert cli("--json", "token").json["status"] == "error"


def test_ctrl_c_is_130_without_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(context: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(token, "run", interrupted)
    ran = cli("token")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m tui_monitor config show | head -1; echo ${{PIPESTATUS[0]}}"
    for unbuffered in ("", "1"):
        ran = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
        head, code = ran.stdout.splitlines()
        assert head.startswith("key")
        assert (code, ran.stderr) == ("0", "")


def test_no_output_under_the_c_locale_leaves_ascii() -> None:
    environ = {**os.environ, "LC_ALL": "C"}
    ran = subprocess.run([*TUI_MONITOR, "status"], capture_output=True, env=environ, check=False)
    assert (ran.stdout + ran.stderr).isascii()


def test_no_verb_and_no_terminal_is_status(cli: Cli) -> None:
    ran = cli()
    assert ran.code == 3
    assert "needs a terminal" in ran.err or "cannot show" in ran.err
    assert "there is no database yet" in ran.err


def test_collect_says_where_it_listens_and_obeys_sigterm(tmp_path: Path) -> None:
    environ = {**os.environ, "TUI_MONITOR_SERVER__LISTEN": "127.0.0.1:0"}
    command = [*TUI_MONITOR, "collect", "--db", str(tmp_path / "c.db")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"collecting into {tmp_path}/c.db, listening on http://127.0.0.1:")
        assert ".sock" in line
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert "collecting" in places.log_file().read_text()
