"""Running commands in this process, on a database with known calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.cli.main import run
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock, iso


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def cli(clock: ManualClock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """`cli("status", "--json")`, at the frozen moment."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("TUI_MONITOR_GENERAL__TIMEZONE", "UTC")

    def call(*argv: str) -> Ran:
        capsys.readouterr()
        code = run([str(word) for word in argv], clock)
        return Ran(code, *capsys.readouterr())

    return call


def call(clock: ManualClock, number: int, ago: int, **fields: object) -> dict[str, object]:
    """One call as an event, so long ago."""
    base = {
        "id": f"c{number}", "provider": "anthropic", "model": "claude-sonnet-4-5", "status": "success",
        "ts_end": iso(clock.now() - ago), "latency_ms": 1000 + number, "input_tokens": 1000,
        "output_tokens": 100, "cost_usd": 0.5, "user": "ana", "project": "search",
    }  # fmt: skip
    return {**base, **fields}


def write_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    """A file of our own lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def trace(clock: ManualClock, tmp_path: Path) -> Path:
    """40 good calls of anthropic in the last minutes, 20 bad ones of openai, and one of the day before."""
    rows = [call(clock, n, (n + 1) * SECOND) for n in range(40)]
    rows += [
        call(
            clock, 100 + n, (n + 1) * SECOND, provider="openai", model="日本語モデル", status="error",
            error_category="server", user="bob", cost_usd=None,
        )
        for n in range(20)
    ]  # fmt: skip
    rows.append(call(clock, 500, 20 * HOUR + MINUTE, cost_usd=3))
    return write_lines(tmp_path / "trace.jsonl", rows)


@pytest.fixture
def fed(cli: Cli, trace: Path) -> Cli:
    """Commands on a database that holds the trace."""
    ran = cli("import", str(trace), "--batch", "first")
    assert ran.code == 0, ran.err
    return cli
