"""The dashboard in a real pseudo-terminal of 120x40: start, keys, bytes, processor and memory.

What presses the keys and reads the terminal is a pty harness that is no part of this project: a Python
script that `TTYBENCH` names, run by `TTYBENCH_RUNNER` (its own interpreter). It starts a bare Textual
application before each of our runs; its scenario is `scenarios/hello.toml` beside the script. On a machine
that does other work too, only the ratios to that application say something.

    TTYBENCH=... TTYBENCH_RUNNER=... python benchmarks/screen.py --stored 10m.db --parts start idle
    TTYBENCH=... TTYBENCH_RUNNER=... python benchmarks/screen.py --parts live rates link memory --minutes 10

`start` and `idle` look at a database at rest, which is copied; `demo` at the demo, made before. In `live` the
dashboard collects, and calls are pushed to it; in `rates`, `link` and `memory` it looks on while another
process collects.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from live import _KEPT, Collector, _ready, collecting, push
from table import Row, private, show

from tui_monitor.model.clock import SystemClock
from tui_monitor.store.database import Store

DRAWN = "Providers"
ANYTHING = r"\S"
FULL = r"(?s)requests .*SPEND.*COST by.*LATENCY.*┤.*┤"
PANES = (
    "providers 2", "costs 3", "alerts 4", "calls 6", "sources 7", "system 8", "collector 9", "boards 0",
    "next-board B", "query 5",
)  # fmt: skip
"""Their keys. The last pane has a line to type in: what comes after it is no key of the frame."""
HELP = r"measure help ?,esc x20 expect ─ keys ─ | (?s)\A(?!.*─ keys ─)"
ASKED = "cost{} sum by(model)"
CHART = ("drawing d x6", "range [,] x6")
"""A chart that stands there drawn another way, which asks nothing, and another range asked and drawn."""
PUSHED = 200
"""Calls per second while bytes and processor are looked at."""

Figures = Mapping[str, Mapping[str, float]]


class Harness:
    """The pty harness, as the environment names it."""

    def __init__(self, runs: int, noise: float | None) -> None:
        script = os.environ.get("TTYBENCH", "")
        if not Path(script).is_file():
            sys.exit("TTYBENCH names no pty harness: see the first lines of this script")
        self._script = Path(script)
        self._runner = os.environ.get("TTYBENCH_RUNNER", sys.executable)
        self.floor = self._script.parent / "scenarios" / "hello.toml"
        self._runs, self._noise = runs, noise

    def run(
        self, options: Sequence[str], steps: Sequence[str], command: Sequence[str], env: Mapping[str, str]
    ) -> Figures:
        """Its summary of some runs of a command."""
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            line = [self._runner, str(self._script), "run", *options, "--python", sys.executable]
            line += ["--runs", str(self._runs), "-q", "-o", out.name]
            line += ["--max-noise", str(self._noise)] if self._noise is not None else []
            for step in steps:
                line += ["--step", step]
            done = subprocess.run(
                [*line, *(["--", *command] if command else [])], env=dict(env), capture_output=True, text=True
            )
            if not (written := Path(out.name).read_bytes()):
                sys.exit(done.stderr or done.stdout)
            document: Any = orjson.loads(written)
            if done.returncode:
                print(done.stderr or done.stdout, file=sys.stderr)
            return document["summary"]

    def ours(
        self, steps: Sequence[str], arguments: Sequence[str], env: Mapping[str, str], *options: str,
        usable: str = DRAWN,
    ) -> Figures:  # fmt: skip
        """Of the dashboard, with the ratios of its start to the bare application's."""
        command = [sys.executable, "-m", "tui_monitor", *arguments]
        options = ("--name", "ours", "--usable", usable, "--floor", str(self.floor), *options)
        return self.run([*options, "--quit", "ctrl+q", "--warmup", "0"], steps, command, env)

    def bare(self, env: Mapping[str, str], *options: str) -> float:
        """The 95th percentile of a key to the changed screen, of the bare application, in milliseconds."""
        steps = [r"measure flip k x20 expect flipped \d+"]
        figures = self.run([str(self.floor), "--warmup", "0", *options], steps, [], env)
        return figures["key.flip.change_ms"]["p95"]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Places of its own, the tour taken, a database of long ago not tidied."""
    state = folder / "tui-monitor"
    state.mkdir(exist_ok=True)
    (state / "toured").touch()
    env = private(folder) | {f"TUI_MONITOR_RETENTION__{name}": "3650d" for name in _KEPT}
    return env | {"TUI_MONITOR_RETENTION__SIZE": "0"} | {f"TUI_MONITOR_{k}": v for k, v in settings.items()}


def _told(figures: Figures, key: str, unit: str, what: str = "median") -> str:
    found = figures.get(key)
    return "never" if found is None else f"{found[what]:,.4g} {unit}"


def _row(
    name: str, figures: Figures, key: str, unit: str, most: float | None = None, *,
    what: str = "median", beside: float | None = None,
) -> Row:  # fmt: skip
    found = figures.get(key)
    good = None if most is None else found is not None and found[what] <= most
    asked = "stated" if most is None else f"<= {most:g} {unit}"
    ratio = f"{found[what] / beside:.2f}" if found is not None and beside else ""
    return Row(
        name, _told(figures, key, unit, what), f"{beside:.1f} ms" if beside else "", ratio, asked, good
    )


def start(harness: Harness, env: Mapping[str, str], arguments: Sequence[str], of: str) -> Iterator[Row]:
    """Start to usable and to the full Overview; where the newest data is gone to first, from that key on.

    Usable is the first frame, which has all that does not wait for data and takes keys. It ends with a
    question to the terminal, and what the harness waits for is only looked for with the next frame then.
    """
    aged = "--demo" not in arguments
    # Nobody opens a pane in the first seconds: it is made ahead.
    steps = ["sleep 12", rf"measure newest n x1 expect {FULL}"] if aged else ["sleep 0.1"]
    if aged:
        steps += [f"measure {pane} x1" for pane in PANES]
        steps += [f"type {ASKED}", "key enter", "sleep 2", *(f"measure {keys}" for keys in CHART)]
    figures = harness.ours(steps, arguments, env)
    yield _row(f"{of}: start to usable", figures, "first_paint_ms", "ms")
    yield _row(f"{of}: the same beside the bare application", figures, "x_floor_first_paint_ms", "x", 1.6)
    if not aged:
        figures = harness.ours(["sleep 0.1"], arguments, env, usable=FULL)
        yield _row(f"{of}: start to the full Overview", figures, "usable_ms", "ms")
        yield _row(f"{of}: processor by then", figures, "cpu_s_to_usable", "s")
        yield _row(f"{of}: start to full beside bare", figures, "x_floor_usable_ms", "x")
        return
    yield _row(f"{of}: key to the full Overview", figures, "key.newest.expect_ms", "ms", 500, what="p50")
    for pane in PANES:
        name = pane.split()[0]
        yield _row(
            f"{of}: {name}, key to the last change", figures, f"key.{name}.settled_ms", "ms", 100, what="p50"
        )
    for name, words, most in (
        ("drawing", "one chart drawn", 50),
        ("range", "one chart asked and drawn", 100),
    ):
        yield _row(f"{of}: {words}", figures, f"key.{name}.settled_ms", "ms", most, what="p50")


def idle(harness: Harness, env: Mapping[str, str], arguments: Sequence[str]) -> Iterator[Row]:
    """Nobody presses a key, and nothing comes in."""
    figures = harness.ours(["sleep 8", "idle rest 20", "key n", "sleep 3", "idle then 20"], arguments, env)
    for window, words in (("rest", "live range"), ("then", "fixed range with data")):
        yield _row(f"at rest, {words}: output", figures, f"{window}.bytes_s", "bytes/s", 0)
        yield _row(f"at rest, {words}: processor", figures, f"{window}.cpu_pct", "% of a core")


def live(harness: Harness, folder: Path, rate: int) -> Iterator[Row]:
    """Keys while the dashboard itself takes calls."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(folder, SERVER__LISTEN=f"127.0.0.1:{port}")
    database = folder / "live.db"
    bare = harness.bare(env)
    with pushing(Collector(None, port, database), rate, 120):  # type: ignore[arg-type]
        steps = ["sleep 10", "measure row down,up x20", HELP, "measure tabs 3,1 x20"]
        steps += [f"measure {pane},1 x10" for pane in PANES[:-2]] + ["measure query 5,esc,1 x12"]
        figures = harness.ours(steps, ["--db", str(database)], env)
    panes = [pane.split()[0] for pane in (*PANES[:-2], PANES[-1])]
    for name in ("row", "help", "tabs", *panes):
        key = f"key.{name}.{'expect_ms' if name == 'help' else 'change_ms'}"
        row = _row(f"at {rate:,} calls/s: {name}, p95", figures, key, "ms", 50, what="p95", beside=bare)
        yield row


@contextmanager
def pushing(collector: Collector, rate: int, seconds: float) -> Iterator[None]:
    """Calls come in from when the doors are open."""

    def send() -> None:
        end = time.monotonic() + 30
        while not _ready(collector.port) and time.monotonic() < end:
            time.sleep(0.1)
        push(collector, rate, seconds, f"screen{rate}-{time.time_ns()}")

    threading.Thread(target=send, daemon=True).start()
    yield


def rates(harness: Harness, folder: Path) -> Iterator[Row]:
    """Bytes and processor of a screen that looks on at one look a second."""
    with collecting(folder, None) as collector, pushing(collector, PUSHED, 300):
        time.sleep(15)
        steps = [
            "sleep 5",
            "idle hour 20",
            "key :",
            "type range 1m",
            "key enter",
            "sleep 3",
            "idle minute 20",
        ]
        env = environment(folder)
        figures = harness.ours(steps, ["--db", str(collector.database), "--no-collect"], env)
    for window, most in (("hour", 7_000), ("minute", 30_000)):
        yield _row(f"live, range 1 {window}: output", figures, f"{window}.bytes_s", "bytes/s", most)
        yield _row(f"live, range 1 {window}: processor", figures, f"{window}.cpu_pct", "% of a core", 5)


def link(harness: Harness, folder: Path) -> Iterator[Row]:
    """The same over 64 kbit/s and 250 ms there and back."""
    slow = ("--link", "64k", "--rtt", "250")
    with collecting(folder, None) as collector, pushing(collector, PUSHED, 300):
        env = environment(folder)
        bare = harness.bare(env, *slow)
        # Without a word to wait for: on such a line what is sent is not what is drawn a moment later.
        steps = ["sleep 10", "idle live 20", "measure tabs 3,1 x10", "measure help ?,esc x6"]
        arguments = ["--db", str(collector.database), "--no-collect"]
        figures = harness.ours(steps, arguments, env, *slow, usable=ANYTHING)
    for name in ("help", "tabs"):
        yield _row(
            f"slow line: {name}, p95", figures, f"key.{name}.change_ms", "ms", 500, what="p95", beside=bare
        )
    yield _row("slow line: under way after 20 s", figures, "live.backlog_end_bytes", "bytes")
    yield _row("slow line: behind after 20 s", figures, "live.lag_end_s", "s")


def memory(harness: Harness, folder: Path, minutes: int) -> Iterator[Row]:
    """Memory minute by minute, at ten looks a second."""
    with collecting(folder, None) as collector, pushing(collector, PUSHED, 60 * minutes + 60):
        env = environment(folder, SCREEN__UPDATE_INTERVAL="100ms")
        steps = [f"idle m{number} 60" for number in range(1, minutes + 1)]
        figures = harness.ours(steps, ["--db", str(collector.database), "--no-collect"], env)
    told = [figures[f"m{number}.rss_mb"]["median"] for number in range(1, minutes + 1)]
    yield Row(
        "memory by minute, 10 looks a second", ", ".join(f"{mb:.0f}" for mb in told) + " MB", asked="flat"
    )


def at_rest(stored: Path, folder: Path) -> Path:
    """A copy of a database, opened for writing once, so that it is of this version."""
    copy = folder / "stored.db"
    shutil.copyfile(stored, copy)
    Store.open(copy, write=True, clock=SystemClock()).close()
    return copy


def measure(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The parts that are asked for."""
    harness = Harness(args.runs, args.max_noise)
    env = environment(folder)
    if {"start", "idle"} & set(args.parts):
        if args.stored is None:
            sys.exit("start and idle look at a database: --stored FILE")
        rest = ["--db", str(at_rest(args.stored, folder)), "--no-collect"]
        if "start" in args.parts:
            yield from start(harness, env, rest, args.stored.stem)
        if "idle" in args.parts:
            yield from idle(harness, env, rest)
    if "demo" in args.parts:
        env |= {"TMPDIR": str(folder)}
        subprocess.run(
            [sys.executable, "-m", "tui_monitor", "--demo", "status"], env=env, capture_output=True
        )
        seen = next(folder.glob("*/demo")) / "state" / "tui-monitor"
        seen.mkdir(parents=True, exist_ok=True)
        (seen / "toured").touch()
        yield from start(harness, env, ["--demo"], "demo")
    for part in ("live", "rates", "link", "memory"):
        if part in args.parts:
            yield from _beside(part, harness, folder / part, args)


def _beside(part: str, harness: Harness, folder: Path, args: argparse.Namespace) -> Iterator[Row]:
    """A part that calls come in for."""
    folder.mkdir()
    if part == "live":
        return live(harness, folder, args.rate)
    if part == "memory":
        return memory(harness, folder, args.minutes)
    return {"rates": rates, "link": link}[part](harness, folder)


def main() -> None:
    """Print the table."""
    parts = ("start", "idle", "demo", "live", "rates", "link", "memory")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=parts, default=["demo", "live", "rates", "link"])
    parser.add_argument("--stored", type=Path, help="a database at rest; it is copied")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=int, default=1_000, help="calls per second that are pushed in `live`")
    parser.add_argument("--minutes", type=int, default=10, help="how long `memory` looks")
    parser.add_argument("--max-noise", type=float, help="percent of a core that others may take; else again")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        show(list(measure(args, Path(name))))


if __name__ == "__main__":
    main()
