"""What a command loads: no more than it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import json, sys
from tui_monitor.cli.main import run
for argv in json.loads(sys.argv[1]):
    code = run(argv)
    sys.stdout.flush()
    print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""
_HEAVY = {
    "textual", "rich", "numpy", "pydantic", "pydantic_settings", "httpx", "starlette", "uvicorn",
    "genai_prices", "sqlite3", "asyncio", "orjson", "plotext", "platformdirs",
}  # fmt: skip
_ONLY_COLLECTING = {"starlette", "uvicorn", "genai_prices"}


def loaded(*commands: list[str]) -> list[set[str]]:
    """The top modules that are loaded at the end of each of some commands, run one after the other."""
    command = [sys.executable, "-c", _RUN, json.dumps(commands)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("[")]
    assert [code for code, _ in told] == [0] * len(commands), ran.stderr
    return [set(modules) for _, modules in told]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A database with one healthy provider."""
    from tui_monitor.model.clock import SystemClock, iso

    now = SystemClock().now()
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(
            json.dumps({"provider": "openai", "model": "gpt-4o", "status": "success", "ts": iso(now - n)})
            + "\n"
            for n in range(20)
        )
    )
    path = str(tmp_path / "m.db")
    command = [sys.executable, "-m", "tui_monitor", "import", str(rows), "--db", path]
    subprocess.run(command, capture_output=True, check=True)
    return path


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["status", "--help"], ["import", "--help"]])
def test_version_and_help_load_nothing_heavy(argv: list[str]) -> None:
    assert loaded(argv)[0] & _HEAVY == set()


def test_headless_commands_never_load_the_toolkit(database: str) -> None:
    commands = [
        ["status"], ["query", "requests{} [1h]"], ["query", "requests{}", "--chart"], ["costs"],
        ["metrics", "latency", "--chart"], ["alerts"], ["rules"], ["config", "show"], ["import", "list"],
        ["token"],
    ]  # fmt: skip
    found = loaded(*([*argv, "--db", database] for argv in commands))
    for argv, modules in zip(commands, found, strict=True):
        assert not modules & {"textual", "textual_plotext", "starlette", "uvicorn", "genai_prices"}, argv


def test_the_collector_never_loads_the_toolkit(tmp_path: Path) -> None:
    script = """
import os, signal, sys, threading, time
from tui_monitor.cli.main import run
def end():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        time.sleep(0.05)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end).start()
assert run(["collect", "--db", sys.argv[1]]) == 0
print("uvicorn" in sys.modules, "textual" in sys.modules)
"""
    environ = {**os.environ, "TUI_MONITOR_SERVER__LISTEN": "127.0.0.1:0"}
    command = [sys.executable, "-c", script, str(tmp_path / "c.db")]
    ran = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=100, check=True)
    assert ran.stdout.splitlines()[-1] == "True False"


def test_the_way_to_the_first_paint_loads_no_collector() -> None:
    script = """
import sys
import tui_monitor.cli.dashboard, tui_monitor.tui.app
print(sorted({name.split(".")[0] for name in sys.modules}
             & {"numpy", "httpx", "genai_prices", "pydantic_settings", "starlette", "uvicorn", "pydantic"}))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
