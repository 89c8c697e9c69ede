"""Rows that come as columns are stored exactly as they would be one by one."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lanes import ALL, SEALED, Both

from tui_monitor.config.settings import Collector, Privacy
from tui_monitor.model.clock import ManualClock
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.veil import Veil
from tui_monitor.sources.imports import (
    ImportOptions,
    StoreSink,
    chunks,
    files,
    lane,
    run_import,
)
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store

TIMES = (
    "2026-02-22T00:00:00.341502+00:00", "2026-02-22T00:00:59Z", "2026-02-22 00:01:00", "1771718400",
    "2026-02-22T02:01:00.5+02:00", "1771718400341", "1771718400341502", "1771718400341502001", "20260222",
    "2026-02-22", "2026-02-30T00:00:00Z", "1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon", "",
    "1771718400.25", "2026-02-22T00:00:00-05:30", "2026-02-22T23:59:60Z", " 2026-02-22T00:00:00Z",
    "2026-03-01T00:00:00.000001Z", "2026-02-22T00:00:00.1234567Z", "2026-02-22T00:00:00+0000",
)  # fmt: skip
COUNTS = ("", "0", "7", "250000", "63.0", "63.5", "-1", "1e3", "١٢", " 7", "999999999999", "9999999999999",
          "x", "007")  # fmt: skip
LENGTHS = ("", "16000.0", "0", "0.0005", "5.", ".5", ".", "-3", "1e3", "nan", "inf", "99999999999999",
           "0.1234567890123456789", "123.4565")  # fmt: skip
MONEY = ("", "0", "0.5", "1.25", "10000", "10001", "-1", "0.0000000015", "0.0000000025", "x")
POOLS: dict[str, tuple[str, ...]] = {
    "ts": TIMES,
    "ts_start": TIMES,
    "provider": ("openai", "claude", "anthropic", "deepseek", "", "x\x07y", "ünïcode", "openrouter"),
    "model": ("gpt-4o-mini", "claude-sonnet-4-5", "deepseek-reasoner", "gemini-2.5-pro", "", "x:free"),
    "user": ("ann", "bob", "", " ann", "a" * 300),
    "session": ("s1", "s2", ""),
    "status": ("success", "ok", "error", "", "strange"),
    "http_status": ("200", "429", "", "1000", "x"),
    "cost_status": ("", "", "subscription", "free"),
    "service_tier": ("", "priority", "batch"),
    "stream": ("true", "0", "", "perhaps"),
    "input_tokens": COUNTS, "output_tokens": COUNTS, "cache_read_tokens": COUNTS,
    "cache_write_tokens": COUNTS, "cache_write_1h_tokens": COUNTS, "reasoning_tokens": COUNTS,
    "latency_ms": LENGTHS, "ttft_s": LENGTHS,
    "cost_usd": MONEY,
    "id": ("", "", "a", "b", "c", "d", "e" * 300, " ", "é"),
    "request_id": ("", "", "", "r1", "r2"),
    "size_bytes": ("12", "", "12.5"),
    "note": ("", "hello", "1.5", "12"),
}  # fmt: skip
BROKEN = (
    "", "   ", "a,b", '"', 'x"y,,,', '"never closed,1,2', "\x00\x01", "a\rb", '"x, y",1', "," * 26,
)  # fmt: skip


def row(dice: random.Random, header: Sequence[str], odd: float) -> str:
    return ",".join(dice.choice(POOLS[name]) if dice.random() < odd else plain(dice, name) for name in header)


def plain(dice: random.Random, name: str) -> str:
    """A cell as most are."""
    second = dice.randrange(86_400)
    made = {
        "ts": f"2026-02-22T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
        "ts_start": "2026-02-21T23:59:59Z",
        "input_tokens": str(dice.choice((0, 1000, 300_000)) + dice.randrange(2000)),
        "output_tokens": str(dice.choice((0, 500, 90_000)) + dice.randrange(2000)),
        "latency_ms": f"{dice.randrange(10**6) / 100:.2f}",
        "ttft_s": f"{dice.randrange(10**6) / 1000:.3f}",
        "id": dice.choice(("", f"id-{dice.randrange(500)}")),
        "cost_usd": dice.choice(("", "0", "0.25")),
        "status": "success", "http_status": "200", "stream": "true", "request_id": "", "size_bytes": "12",
    }  # fmt: skip
    if name in made:
        return made[name]
    return str(dice.randrange(400)) if name.endswith("_tokens") else dice.choice(POOLS[name][:4])


def lines(dice: random.Random, header: Sequence[str], count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        kind = dice.random()
        if kind < 0.03:
            found.append(dice.choice(BROKEN[:1] if dice.random() < 0.8 else BROKEN))
        elif kind < 0.1 and found:
            found.append(dice.choice(found))
        else:
            found.append(row(dice, header, 0.3 if kind < 0.25 else 0.0))
    return found


def written(path: Path, header: Sequence[str], rows: Sequence[str], end: str) -> Path:
    path.write_bytes(end.join((",".join(header), *rows)).encode() + end.encode())
    return path


@pytest.mark.parametrize("seed", range(6))
def test_columns_store_what_rows_do(
    tmp_path: Path, book: PriceBook, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    size = dice.choice((500, 1000, 1 << 18))
    monkeypatch.setattr(files, "CHUNK", size)
    monkeypatch.setattr(chunks, "BLOCK", 2 * size)
    header = ["ts", *dice.sample([name for name in POOLS if name != "ts"], dice.randint(1, 10))]
    dice.shuffle(header)
    rows, end = lines(dice, header, 80), dice.choice(("\n", "\r\n"))
    options: dict[str, Any] = {
        "labels": dice.choice(({}, {"project": "p", "kind": "k"})),
        "provider": dice.choice((None, "openai")), "model": dice.choice((None, "gpt-4o-mini")),
        "timezone": dice.choice(("UTC", "Europe/Berlin")),
    }  # fmt: skip
    both = Both(tmp_path, book)
    try:
        earlier = rows[: dice.randint(0, len(rows))]
        both.load(written(tmp_path / "a.csv", header, earlier, end), "one", **options)
        if dice.random() < 0.5:
            for store in both.stores:
                store.seal(both.clock.now(), SEALED)
        both.clock.advance(1_000_000)
        both.load(written(tmp_path / "b.csv", header, rows, end), "two", **options)
        left, right = (store.rebuild_rollups(mend=False) for store in both.stores)
        assert left == right
        assert left.wrong == 0
        assert both.stores[0].undo_import("two") == both.stores[1].undo_import("two")
        both.same()
    finally:
        both.close()


def test_plain_rows_come_as_columns(tmp_path: Path, book: PriceBook) -> None:
    dice = random.Random(1)
    header = ["ts", "provider", "model", "user", "input_tokens", "output_tokens", "cache_read_tokens",
              "latency_ms", "ttft_s", "cost_usd", "status", "note"]  # fmt: skip
    rows = [",".join(plain(dice, name) for name in header) for _ in range(1200)]
    veil = Veil(Privacy(hash=["user"], drop=["note"]), b"k" * 32)
    both = Both(tmp_path, book, veil=veil)
    try:
        summary = both.load(written(tmp_path / "a.csv", header, rows, "\n"), "one", rebase=both.clock.now())
        assert both.columns.taken == summary.stored > 1000
    finally:
        both.close()


def test_more_users_than_are_kept_apart(tmp_path: Path, book: PriceBook) -> None:
    both = Both(tmp_path, book, Collector(max_label_values=10))
    rows = [f"2026-02-22T00:00:00Z,openai,gpt-5,u{number % 30},{number},1" for number in range(200)]
    path = written(
        tmp_path / "a.csv", ["ts", "provider", "model", "user", "input_tokens", "output_tokens"], rows, "\n"
    )
    try:
        assert both.load(path, "one").overflow["user"] > 0
    finally:
        both.close()


def test_of_rows_with_one_id_the_last_holds(tmp_path: Path, book: PriceBook) -> None:
    header = ["ts", "provider", "model", "user", "input_tokens", "output_tokens", "id"]
    plain = "2026-02-22T00:00:00Z,openai,gpt-5,u{0},{0},1,{1}"
    odd = '2026-02-22T00:00:00Z,"openai",gpt-5,u{0},{0},1,{1}'
    # One user too many, whose rows are counted for themselves.
    crowded = plain.replace("u{0}", "more")
    pairs = {"a": (odd, plain), "b": (plain, odd), "c": (plain, crowded), "d": (crowded, plain)}
    rows = [line.format(n, name) for name, pair in pairs.items() for n, line in enumerate(pair)]
    both = Both(tmp_path, book, Collector(max_label_values=10))
    try:
        users = [plain.format(n, f"first-{n}") for n in range(10)]
        both.load(written(tmp_path / "a.csv", header, users, "\n"), "one")
        both.load(written(tmp_path / "b.csv", header, [*rows, plain.format(7, "alone")], "\n"), "two")
        held = {call.source_key: call.in_uncached for call in both.stores[0].raw_calls(ALL)}
        assert [held[name] for name in (*pairs, "alone")] == [1, 1, 1, 1, 7]
        assert both.columns.taken == 11
    finally:
        both.close()


def test_amounts_that_no_call_can_cost_are_unknown(tmp_path: Path, book: PriceBook) -> None:
    rows = [f"2026-02-22T00:00:00Z,openai,gpt-5-pro,{n},{10**12 if n % 9 == 0 else 1}" for n in range(900)]
    path = written(
        tmp_path / "a.csv", ["ts", "provider", "model", "input_tokens", "output_tokens"], rows, "\n"
    )
    both = Both(tmp_path, book)
    try:
        assert both.load(path, "one").unpriced == 100
        costs = [call.cost for call in both.stores[0].raw_calls(ALL)]
        (total,) = both.stores[0].facts(Layer.HOUR, ALL, (), ("cost",)).numbers["cost"].total.tolist()
        assert total == sum(cost for cost in costs if cost is not None)
    finally:
        both.close()


KILLED = """
import sys
from pathlib import Path
from tui_monitor.config.settings import Collector, Prices
from tui_monitor.model.clock import SystemClock
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.sources.imports import ImportOptions, StoreSink, chunks, run_import
from tui_monitor.store.database import Store
chunks.BLOCK = 1 << 18
store = Store.open(Path(sys.argv[1]), write=True, clock=SystemClock())
class Sink(StoreSink):
    def write_columns(self, calls, others):
        found = super().write_columns(calls, others)
        print("stored", flush=True)
        return found
sink = Sink(store, Preparer(Collector(), PriceBook.load(Prices()), SystemClock()))
print("ready", flush=True)
run_import([Path(sys.argv[2])], "csv", ImportOptions(now=SystemClock().now()), sink)
"""


def test_a_killed_import_is_completed_by_the_next(tmp_path: Path, book: PriceBook) -> None:
    dice, kept = random.Random(7), 1
    header = ["ts", "provider", "model", "user", "input_tokens", "output_tokens", "latency_ms", "status"]
    rows = [",".join(plain(dice, name) for name in header) for _ in range(14_000)]
    path = written(tmp_path / "a.csv", header, rows, "\n")
    database = tmp_path / "killed.db"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(database), str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(kept + 1):
            assert process.stdout.readline()
        time.sleep(dice.random() / 50)
        process.send_signal(signal.SIGKILL)
    clock = ManualClock(1_772_323_200_000_000)
    store = Store.open(database, write=True, clock=clock)
    try:
        before = store.extent().calls
        assert before >= kept * 2000
        assert store.rebuild_rollups(mend=False).wrong == 0
        sink = StoreSink(store, Preparer(Collector(), book, clock))
        summary = run_import([path], "csv", ImportOptions(now=clock.now()), sink)
        assert (summary.stored, summary.known) == (len(rows) - before, before)
        assert store.extent().calls == sum(1 for _ in store.raw_calls(ALL)) == len(rows)
        assert store.rebuild_rollups(mend=False).wrong == 0
    finally:
        store.close()


def test_a_large_file_is_read_by_a_process_of_its_own(
    tmp_path: Path, book: PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "OWN_PROCESS", 1)
    both = Both(tmp_path, book)
    rows = [f"2026-02-22T00:00:{n % 60:02}Z,openai,gpt-5,{n},1" for n in range(500)] + ["x,openai,gpt-5,1,1"]
    header = ["ts", "provider", "model", "input_tokens", "output_tokens"]
    try:
        summary = both.load(written(tmp_path / "a.csv", header, rows, "\n"), "one")
        assert (summary.stored, summary.rejected, both.columns.taken) == (500, 1, 500)
    finally:
        both.close()
