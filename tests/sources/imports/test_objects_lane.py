"""Lines of JSON that come as columns are stored exactly as they would be one by one."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lanes import ALL, SEALED, Both

from tui_monitor.pricing.book import PriceBook
from tui_monitor.sources.imports import chunks, files, lane

TIMES: tuple[Any, ...] = (
    "2026-02-22T00:00:00.341502+00:00", "2026-02-22T01:02:03.25Z", "2026-02-22 23:59:59Z",
    "2026-02-22T00:00:00", 1771718400, 1771718400.25, 1771718400341, 1771718400341502, 1771718400341502001,
    "1771718400", " 2026-02-22T00:00:00Z", "soon", "", None, -1, True, 0, 1e300, 2**63, 2**64, [], "ü",
    "2026-02-22T00:00:00-05:30", "2099-01-01T00:00:00Z", "1999-01-01T00:00:00Z",
)  # fmt: skip
COUNTS: tuple[Any, ...] = (
    None,
    "",
    0,
    7,
    250_000,
    63.0,
    63.5,
    -1,
    "7",
    True,
    10**12,
    10**13,
    2**63,
    2**64,
    {},
)
LENGTHS: tuple[Any, ...] = (None, "", 16000.0, 0, 5, 0.0005, -3, "1", False, 1e12, 123.4565, 2**63, [1], -0.0)
MONEY: tuple[Any, ...] = (None, "", 0, 0.5, 10_000, 10_001, -1, 1.5e-9, 2.5e-9, "x", True)
POOLS: dict[str, tuple[Any, ...]] = {
    "ts": TIMES, "ts_start": TIMES, "ts_end": TIMES,
    "provider": ("openai", "claude", "anthropic", "deepseek", "", None, "x\x07y", "ünïcode", 5, [], True),
    "model": ("gpt-4o-mini", "claude-sonnet-4-5", "deepseek-reasoner", "gemini-2.5-pro", "", 1, 1.0),
    "user": ("ann", "bob", "", " ann", "a" * 300, "\ud7ff", 1, True, 1.0),
    "app": ("shop", "search", "", None, "a" * 100),
    "session": ("s1", "s2", None),
    "status": ("success", "ok", "error", "", "strange", None),
    "http_status": (200, 429, "", 1000, "x", 200.0, None),
    "stream": (True, False, None, "perhaps", 1, 0),
    "input_tokens": COUNTS, "output_tokens": COUNTS, "cache_read_tokens": COUNTS,
    "cache_write_tokens": COUNTS, "cache_write_1h_tokens": COUNTS, "reasoning_tokens": COUNTS,
    "latency_ms": LENGTHS, "ttft_ms": LENGTHS, "cost_usd": MONEY,
    "id": ("", None, "a", "b", "c", "d", "e" * 300, " ", "é", 5, True),
    "request_id": (None, None, "", "r1", "r2"),
    "media": (None, {"audio_s": 3}, {}),
    "attrs": (None, {"size": 1}, {"size": 1.0}, {"size": True}, "no"),
    "note": (None, "hello", 1.5, 12, 12.0, True, [1], {"a": {"b": 1}}),
    "kind": ("call", "call", None, "", "cal", 5),
}  # fmt: skip
OTHERS: tuple[dict[str, Any], ...] = (
    {"kind": "start", "id": "a", "ts": "2026-02-28T23:59:00Z", "model": "gpt-4o-mini"},
    {"kind": "start", "id": "z", "ts": "2026-02-28T23:59:30Z"},
    {"kind": "sample", "name": "gpu_busy", "value": 0.5, "ts": "2026-02-22T00:00:00Z", "labels": {"gpu": 1}},
    {"kind": "sample", "name": "gpu_busy", "ts": "2026-02-22T00:00:01Z"},
    {"kind": "cache", "result": "hit", "saved_usd": 0.25, "ts": "2026-02-22T00:00:02Z"},
    {"kind": "cache", "result": "hit", "saved_usd": 0.25, "ts": "2026-02-22T00:00:02Z", "id": "a"},
    {"kind": "mark", "text": "released", "ts": "2026-02-22T00:00:03Z"},
)  # fmt: skip
BROKEN = ("", "  ", "{", "[]", "5", '{"ts": 1}, {"ts": 2}', "null", '{"ts": "2026-02-22T00:00:00Z",}', "\x01",
          '{"ts": "\\ud800"}', "[" * 2000)  # fmt: skip


def value(dice: random.Random, name: str) -> Any:
    """A value as most are."""
    second = dice.randrange(86_400)
    made: dict[str, Callable[[], Any]] = {
        "latency_ms": lambda: dice.randrange(10**6) / 100,
        "id": lambda: dice.choice((None, f"id-{dice.randrange(300)}")),
        "cost_usd": lambda: dice.choice((None, 0, 0.25)),
        "kind": lambda: "call", "status": lambda: "success", "http_status": lambda: 200,
        "stream": lambda: True, "ttft_ms": lambda: dice.randrange(10**6), "attrs": lambda: {"size": 1},
    }  # fmt: skip
    if name in made:
        return made[name]()
    if name in ("ts", "ts_end"):
        return f"2026-02-22T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    if name == "ts_start":
        return 1771718399
    if name.endswith("_tokens"):
        low = {"input_tokens": 1000, "output_tokens": 500, "cache_write_tokens": 100}.get(name, 0)
        return low + dice.randrange(100)
    return dice.choice(POOLS[name][:4]) if name in ("provider", "model", "user") else POOLS[name][0]


def line(dice: random.Random, shape: list[str], odd: float) -> str:
    return json.dumps({n: dice.choice(POOLS[n]) if dice.random() < odd else value(dice, n) for n in shape})


def lines(dice: random.Random, count: int) -> list[str]:
    names = [name for name in POOLS if name != "ts_end"]
    shapes = [["ts_end", *dice.sample(names, dice.randint(1, 9))] for _ in range(2)]
    shapes.append(["id", "ts_end", "provider", "model", "input_tokens", "output_tokens", "latency_ms"])
    for shape in shapes:
        dice.shuffle(shape)
    found: list[str] = []
    while len(found) < count:
        kind = dice.random()
        if kind < 0.03:
            found.append(dice.choice(BROKEN))
        elif kind < 0.08:
            found.append(json.dumps(dice.choice(OTHERS)))
        elif kind < 0.15 and found:
            found.append(dice.choice(found))
        else:
            found.append(line(dice, dice.choice(shapes), 0.3 if kind < 0.25 else 0.0))
    return found


def written(path: Path, rows: list[str], end: str = "\n") -> Path:
    path.write_bytes((end.join(rows) + end).encode())
    return path


@pytest.mark.parametrize("seed", range(5))
def test_columns_store_what_lines_do(
    tmp_path: Path, book: PriceBook, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    size = dice.choice((2000, 5000, 1 << 18))
    monkeypatch.setattr(files, "CHUNK", size)
    monkeypatch.setattr(chunks, "BLOCK", 2 * size)
    rows, end = lines(dice, 80), dice.choice(("\n", "\r\n"))
    options: dict[str, Any] = {
        "labels": dice.choice(({}, {"project": "p", "kind": "k"})),
        "provider": dice.choice((None, "openai")), "model": dice.choice((None, "gpt-4o-mini")),
    }  # fmt: skip
    both = Both(tmp_path, book)
    try:
        both.load(written(tmp_path / "a.jsonl", rows[: dice.randint(1, 80)], end), "one", "jsonl", **options)
        if dice.random() < 0.5:
            for store in both.stores:
                store.seal(both.clock.now(), SEALED)
        both.clock.advance(1_000_000)
        both.load(written(tmp_path / "b.jsonl", rows, end), "two", "jsonl", **options)
        left, right = (store.rebuild_rollups(mend=False) for store in both.stores)
        assert left == right
        assert left.wrong == 0
        assert both.stores[0].undo_import("two") == both.stores[1].undo_import("two")
        both.same()
    finally:
        both.close()


def test_values_of_other_types_are_other_values(tmp_path: Path, book: PriceBook) -> None:
    both = Both(tmp_path, book)
    values = (1, 1.0, True, "1", 0, 0.0, -0.0, False, [1], [1.0], [True], {"a": 1}, {"a": True}, None)
    rows = [json.dumps({"ts_end": 1771718400 + n, "note": v}) for n, v in enumerate(values * 3)]
    try:
        both.load(written(tmp_path / "a.jsonl", rows), "one", "jsonl")
        assert both.columns.taken == len(rows)
    finally:
        both.close()


def test_lines_of_any_shape_come_as_columns(
    tmp_path: Path, book: PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "OWN_PROCESS", 1)
    monkeypatch.setattr(chunks, "BLOCK", 1 << 16)
    dice = random.Random(1)
    shapes = [
        ["id", "ts_end", "provider", "model", "input_tokens", "output_tokens", "latency_ms"],
        ["ts_start", "ts_end", "app", "user", "attrs", "cost_usd"],
        ["ts", "http_status", "stream", "ttft_ms"],
    ]
    rows = [line(dice, shapes[n % 3], 0.0) for n in range(900)]
    rows.insert(450, json.dumps({"ts_end": "soon"}))
    both = Both(tmp_path, book)
    try:
        summary = both.load(written(tmp_path / "a.jsonl", rows), "one", "jsonl")
        assert summary.files[0].rejections == [(451, "ts_end 'soon' is not a time")]
        assert both.columns.taken > 600
        assert {call.source for call in both.stores[0].raw_calls(ALL)} == {
            "import:jsonl", "import:jsonl:shop",
        }  # fmt: skip
    finally:
        both.close()
