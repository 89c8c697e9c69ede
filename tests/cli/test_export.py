"""What `db export` writes is what is stored, in every form."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tui_monitor.cli import exporting
from tui_monitor.model.clock import HOUR, ManualClock, iso


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_hold_what_is_known_and_nothing_else(fed: Any) -> None:
    rows = lines(fed("db", "export").out)
    assert len(rows) == 61
    assert rows[0]["cost_usd"] == 3
    assert rows[0]["origin"].startswith("import")
    bad = [row for row in rows if row["status"] == "error"]
    assert len(bad) == 20
    assert {row["model"] for row in bad} == {"日本語モデル"}
    assert "cost_usd" not in bad[0]
    assert "ttft_ms" not in bad[0]


def test_they_come_in_again_as_the_same_calls(fed: Any, tmp_path: Path) -> None:
    file, other = tmp_path / "calls.jsonl", tmp_path / "other.db"
    assert fed("db", "export", "--out", str(file)).code == 0
    assert fed("--db", str(other), "import", str(file)).code == 0
    for query in (
        "cost{} [30d] sum by(provider)", "requests{} [30d] sum by(model, user, status)",
        "latency{} [30d] p95 by(provider)", "input_tokens{} [30d] sum", "unpriced{} [30d] sum",
    ):  # fmt: skip
        ours = fed("query", query, "--json").json["data"]
        assert ours["result"], query
        assert fed("--db", str(other), "query", query, "--json").json["data"] == ours


def test_a_span_is_half_open(fed: Any, clock: ManualClock) -> None:
    at = iso(clock.now() - 2_000_000)
    rows = lines(fed("db", "export", "--from", at).out)
    assert {row["ts_end"] for row in rows} == {at, iso(clock.now() - 1_000_000)}
    assert lines(fed("db", "export", "--from", "30d", "--to", iso(clock.now() - 20 * HOUR)).out) != []
    assert fed("db", "export", "--to", iso(clock.now() - 40 * HOUR)).out == ""
    assert fed("db", "export", "--from", "1h", "--to", "2h").code == 2


def test_cells_and_columns_say_the_same(fed: Any, tmp_path: Path) -> None:
    rows = lines(fed("db", "export").out)
    cells = list(csv.DictReader(fed("db", "export", "--format", "csv").out.splitlines()))
    file = tmp_path / "calls.parquet"
    assert "61 calls" in fed("db", "export", "--format", "parquet", "--out", str(file)).out
    columns = pq.read_table(file).to_pylist()
    assert len(rows) == len(cells) == len(columns)
    for row, cell, column in zip(rows, cells, columns, strict=True):
        # Lines leave out that a row stands for itself.
        assert (cell.pop("sample_weight"), column.pop("sample_weight")) == ("1", 1)
        assert {name for name, text in cell.items() if text} == set(row)
        assert {name for name, value in column.items() if value is not None} == set(row)
        assert cell["ts_end"] == row["ts_end"] == iso(round(column["ts_end"].timestamp() * 1_000_000))
        for name in ("input_tokens", "cost_usd", "model", "latency_ms"):
            assert column[name] == row.get(name)
            assert cell[name] == str(row.get(name, ""))


def test_a_file_is_there_when_it_is_whole(fed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "calls.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(exporting.orjson, "dumps", _full)
        ran = fed("db", "export", "--out", str(file))
    assert ran.code == 1
    assert "No space left" in ran.err
    assert list(tmp_path.glob("calls*")) == []
    file.write_text("mine")
    assert fed("db", "export", "--out", str(file)).code == 2
    assert file.read_text() == "mine"


def _full(*_: object, **__: object) -> bytes:
    raise OSError(28, "No space left on device")


def test_a_pipe_takes_no_parquet(fed: Any) -> None:
    assert fed("db", "export", "--json").code == 2
