"""The whole way on real traces: what the commands print equals figures made from the files themselves."""

import csv
import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.cli.main import run
from tui_monitor.model.clock import ManualClock, from_datetime

Ask = Callable[..., Any]


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def when(text: str) -> int:
    """µs UTC of a naive time in UTC, exact: digits beyond the microsecond are cut."""
    return from_datetime(datetime.fromisoformat(text[:26]).replace(tzinfo=UTC))


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command on a database of its own and read its JSON answer."""
    database = str(tmp_path / "monitor.db")

    def asked(*words: str, at: int | None = None) -> Any:
        capsys.readouterr()
        code = run(["--db", database, "--json", *words], ManualClock(at) if at else None)
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)["data"]

    return asked


def by_label(data: Any, label: str) -> dict[str, float]:
    return {row["metric"].get(label, ""): float(row["value"][1]) for row in data["result"]}


def nearest_rank(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[max(1, math.ceil(q * len(ordered))) - 1]


def test_tokens_and_calls_of_the_azure_trace(shared: Path, ask: Ask) -> None:
    folder = shared / "data/azure-llm-2023"
    files = [folder / "code.csv.gz", folder / "conv.csv.gz"]
    table = [row for file in files for row in rows(file)]
    for _ in range(2):
        ask(
            "import",
            "--format",
            "azure-llm-2023",
            "--provider",
            "azure",
            "--model",
            "gpt-4o",
            *map(str, files),
        )
    end = max(when(row["TIMESTAMP"]) for row in table)
    assert by_label(ask("query", "requests{} [2h] by(model)", at=end), "model") == {"gpt-4o": len(table)}
    total_in = sum(int(row["ContextTokens"]) for row in table)
    total_out = sum(int(row["GeneratedTokens"]) for row in table)
    assert by_label(ask("query", "input_tokens{} [2h]", at=end), "") == {"": total_in}
    assert by_label(ask("query", "output_tokens{} [2h]", at=end), "") == {"": total_out}
    # No latency in the trace: no answer, rather than 0.
    assert ask("query", "latency{} [2h] p95", at=end)["result"] == []

    minutes = Counter((when(row["TIMESTAMP"]) - 1) // 60_000_000 for row in table)
    chart = ask("query", "requests{}", "--range", "1h", "--step", "1m", at=end)["result"][0]["values"]
    answered = {math.ceil(float(t) / 60) - 1: float(value) for t, value in chart}
    assert answered == dict(minutes)


def test_users_outcomes_and_quantiles_of_the_image_trace(shared: Path, ask: Ask) -> None:
    file = shared / "data/gentd26/requests.csv.gz"
    table = list(rows(file))
    ask("import", "--format", "gentd26", "--provider", "alibaba", "--model", "diffusion", str(file))
    end = max(when(row["gmt_create"]) for row in table) + 3_600_000_000

    names = {"SUCCEED": "success", "FAILED": "error", "PENDING": "unknown"}
    outcomes = Counter(names[row["predict_status"]] for row in table)
    assert by_label(ask("query", "requests{} [30d] by(status)", at=end), "status") == outcomes
    users = Counter(row["groupId"] for row in table)
    assert by_label(ask("query", "requests{} [30d] by(user)", at=end), "user") == users
    rate = outcomes["error"] / (outcomes["error"] + outcomes["success"])
    assert by_label(ask("query", "error_rate{} [30d]", at=end), "")[""] == pytest.approx(rate, rel=1e-12)

    seconds: dict[str, list[float]] = defaultdict(list)
    for row in table:
        if row["predict_status"] != "PENDING":
            seconds[names[row["predict_status"]]].append(float(row["exec_time_seconds"]))
    for q in (50, 90, 95, 99):
        answer = by_label(ask("query", f"latency{{}} [30d] p{q} by(status)", at=end), "status")
        assert answer == {
            status: pytest.approx(nearest_rank(values, q / 100) * 1000, rel=0.01)
            for status, values in seconds.items()
        }
    extremes = by_label(ask("query", "latency{} [30d] max by(status)", at=end), "status")
    assert extremes == {status: max(values) * 1000 for status, values in seconds.items()}


def test_spend_of_the_mooncake_trace(shared: Path, tmp_path: Path, ask: Ask) -> None:
    """Priced by a price file, so that the figure can be made by hand."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[prices]]\nprovider = "moonshotai"\nmodel = "kimi-k2"\ninput = 0.6\noutput = 2.5\n')
    config = tmp_path / "config.toml"
    config.write_text(f'[prices]\nfile = "{prices}"\n[general]\ntimezone = "UTC"\n')
    file = shared / "data/mooncake/conversation.csv.gz"
    table = list(rows(file))
    start = "2026-03-01T12:00:00Z"
    options = ("--config", str(config))
    ask(*options, "import", "--format", "mooncake", "--provider", "moonshotai", "--model", "kimi-k2",
        "--start", start, str(file))  # fmt: skip
    at = when("2026-03-01T23:00:00")
    # Nano-dollars: 600 a token in, 2,500 a token out.
    nano = sum(600 * int(row["input_length"]) + 2_500 * int(row["output_length"]) for row in table)
    for text in ("cost{} [today]", "cost{} [12h]", "cost{} [month]"):
        assert by_label(ask(*options, "query", text, at=at), "") == {"": nano / 1e9}
    first_minute = [row for row in table if int(row["timestamp"]) <= 60_000]
    answer = ask(*options, "query", "tokens{} [1h]", at=when("2026-03-01T12:01:00"))
    tokens = sum(int(row["input_length"]) + int(row["output_length"]) for row in first_minute)
    assert by_label(answer, "") == {"": tokens}


def test_undoing_an_import_leaves_nothing_of_it(shared: Path, ask: Ask) -> None:
    folder = shared / "data/azure-llm-2023"
    options = ("--provider", "azure", "--model", "gpt-4o")
    ask("import", "--batch", "code", *options, str(folder / "code.csv.gz"))
    ask("import", "--batch", "conv", *options, str(folder / "conv.csv.gz"))
    end = when("2023-11-16T20:00:00")
    calls = sum(1 for _ in rows(folder / "conv.csv.gz"))
    ask("import", "undo", "code")
    assert by_label(ask("query", "requests{} [1d]", at=end), "") == {"": calls}
    ask("import", "undo", "conv")
    assert ask("query", "requests{} [1d]", at=end)["result"] == []
