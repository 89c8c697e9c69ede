"""`import`: files into the database, what is said about them, and taking them back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, call, write_lines
from tui_monitor.model.clock import HOUR, SECOND, ManualClock


def test_twice_adds_nothing_and_undo_takes_it_back(fed: Cli, trace: Path) -> None:
    again = fed("import", str(trace), "--json").json["data"]
    assert (again["stored"], again["known"], again["rejected"]) == (0, 61, 0)
    (_, first) = fed("import", "list", "--json").json["data"]
    assert (first["batch_id"], first["stored"], first["files"]) == ("first", 61, [str(trace)])
    assert fed("import", "undo", "first").out == "import first is taken back: 61 calls\n"
    assert fed("query", "requests{} [24h]", "--json").json["data"]["result"] == []
    assert fed("import", "undo", "first").code == 1
    assert "taken back" in fed("import", "list").out


def test_the_summary_tells_what_came_of_it(cli: Cli, clock: ManualClock, tmp_path: Path) -> None:
    rows = [call(clock, 1, SECOND), call(clock, 2, SECOND, input_tokens=-5), call(clock, 3, -48 * HOUR)]
    path = write_lines(tmp_path / "some.jsonl", rows)
    path.write_text(path.read_text() + "{broken\n")
    ran = cli("import", str(path))
    assert ran.code == 0
    for line in ("format         jsonl", "rows read      4", "stored         1", "rejected       3"):
        assert line in ran.out.splitlines()
    for number in (2, 3, 4):
        assert f"{path}:{number}: " in ran.err


def test_many_rejections_are_told_by_their_reasons_and_the_rest_is_taken(
    cli: Cli, clock: ManualClock, tmp_path: Path
) -> None:
    rows = [call(clock, n, SECOND, input_tokens=-n) for n in range(1, 9)]
    rows += [call(clock, n, SECOND, status=f"odd-{n}") for n in range(20, 23)]
    path = write_lines(tmp_path / "some.jsonl", [*rows, call(clock, 99, SECOND)])
    ran = cli("import", str(path))
    assert ran.code == 0
    assert (
        f"{path}: 11 of 12 rows were rejected, the rest is taken:\n  8 × input_tokens … is negative\n"
        in ran.err
    )
    assert sum(line.startswith("  3 × status …") for line in ran.err.splitlines()) == 1
    only_bad = write_lines(tmp_path / "bad.jsonl", rows)
    assert cli("import", str(only_bad)).code == 1


def test_a_dry_run_stores_nothing(cli: Cli, trace: Path) -> None:
    ran = cli("import", str(trace), "--dry-run")
    assert "would be stored  61" in ran.out
    assert "nothing was stored" in ran.err
    assert cli("status").code == 3


def test_any_table_by_mapping(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("when,prompt,answer\n2026-03-18 11:59:00,1000,50\n2026-03-18 11:59:30,2000,70\n")
    ran = cli(
        "import", str(path), "--format", "csv", "--map", "ts=when", "--map", "input_tokens=prompt",
        "--map", "output_tokens=answer", "--provider", "claude", "--model", "claude-sonnet-4-5",
        "--label", "project=search",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    answer = cli("query", "input_tokens{provider='claude'} [1h] sum by(project)", "--json").json["data"]
    assert answer["result"][0]["metric"] == {"project": "search"}
    assert answer["result"][0]["value"][1] == "3000"
    assert cli("query", "cost{} [1h] sum", "--json").json["data"]["result"][0]["value"][1] == "0.0108"


def test_traces_with_relative_times_say_what_they_need(cli: Cli, shared: Path) -> None:
    path = str(shared / "data" / "mooncake" / "conversation.csv.gz")
    ran = cli("import", path)
    assert ran.code == 1
    assert "--rebase now" in ran.err
    ran = cli("import", path, "--rebase", "now", "--provider", "kimi", "--model", "kimi-k2")
    assert ran.code == 0
    assert "trace begins   2026-03-18 11:15:48" in ran.out
    assert "shifted" not in ran.out
    assert "stored         8,777" in ran.out
    newest = cli("query", "requests{} [1m]", "--json").json["data"]["result"]
    assert int(newest[0]["value"][1]) > 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(bytes(range(256)) * 10), "binary"),
        (lambda path: path.write_bytes(b""), "is empty"),
    ],
)
def test_what_cannot_be_imported_is_named(cli: Cli, tmp_path: Path, make, said: str) -> None:
    path = tmp_path / "thing.csv"
    make(path)
    ran = cli("import", str(path))
    assert ran.code == 1
    assert str(path) in ran.err
    assert said in ran.err


def test_rows_go_through_a_running_collector(cli: Cli, trace: Path, tmp_path: Path) -> None:
    database = tmp_path / "shared.db"
    environ = {**os.environ, "TUI_MONITOR_SERVER__LISTEN": ""}
    command = [sys.executable, "-m", "tui_monitor", "collect", "--db", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as collector:
        assert collector.stdout is not None
        collector.stdout.readline()
        ran = cli("import", str(trace), "--db", str(database), "--batch", "live")
        assert (ran.code, "stored         61" in ran.out) == (0, True), ran.err
        status = cli("status", "--db", str(database), "--json").json["data"]
        assert (status["collector"]["running"], status["collector"]["pid"]) == (True, collector.pid)
        repriced = cli("reprice", "--from", "2000-01-01", "--db", str(database))
        assert (repriced.code, "calls looked at  61" in repriced.out) == (0, True), repriced
        assert cli("import", "undo", "live", "--db", str(database)).out.endswith("61 calls\n")
        collector.terminate()
        assert collector.wait(5) == 0


def test_long_rows_reach_a_running_collector(cli: Cli, tmp_path: Path, clock: ManualClock) -> None:
    rows = [call(clock, n, SECOND, note="x" * 700_000) for n in range(10)]
    rows[7] = call(clock, 7, SECOND, note="x" * 1_000_000)
    path, database = write_lines(tmp_path / "long.jsonl", rows), tmp_path / "shared.db"
    environ = {**os.environ, "TUI_MONITOR_SERVER__LISTEN": "", "TUI_MONITOR_SERVER__MAX_BODY": "950000"}
    command = [sys.executable, "-m", "tui_monitor", "collect", "--db", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as collector:
        assert collector.stdout is not None
        collector.stdout.readline()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TUI_MONITOR_SERVER__MAX_BODY", "950000")
            ran = cli("import", str(path), "--db", str(database))
        collector.terminate()
        assert collector.wait(5) == 0
    assert (ran.code, "stored         9" in ran.out) == (0, True), ran.err
    assert f"{path}:8: larger than server.max_body" in ran.err


def test_what_is_unknown_is_not_said_to_be_zero(cli: Cli, shared: Path) -> None:
    ran = cli("import", str(shared / "data" / "gentd26" / "requests.csv.gz"))
    assert "tokens         – in, – out" in ran.out


def test_a_correction_can_be_taken_back_too(cli: Cli, shared: Path) -> None:
    path = str(shared / "data" / "azure-llm-2023" / "code.csv.gz")
    assert cli("import", path).code == 0
    ran = cli("import", path, "--provider", "azure", "--model", "gpt-4o", "--batch", "again")
    assert "corrected      7,717" in ran.out
    assert "import undo again" in ran.out


def test_labels_beyond_the_most_are_told(cli: Cli, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_COLLECTOR__MAX_LABEL_VALUES", "3000")
    ran = cli("import", str(shared / "data" / "gentd26" / "requests.csv.gz"))
    assert "values of user as (other)" in ran.err


def test_the_json_summary_is_whole(cli: Cli, trace: Path) -> None:
    summary = json.loads(cli("--json", "import", str(trace)).out)["data"]
    assert summary["files"] == [
        {"path": str(trace), "rows": 61, "rejected": 0, "rejections": [], "reasons": {}, "error": ""}
    ]
