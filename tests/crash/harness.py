"""A collector under load that is killed again and again; afterwards everything must be there exactly once.

By hand, with as many kills as wanted: `PYTHONPATH=. python tests/crash/harness.py --kills 300`.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.crash.workload import Known, Logs, Pusher, Truth, by_day, by_hour, by_minute, event
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Layer
from tui_monitor.store.database import Store
from tui_monitor.store.upkeep import faults

PROGRAM = Path(__file__).with_name("small.py")
EVER = Span(0, 4 * 10**15)
_ALONE = (
    ("db", "rebuild-rollups"), ("db", "compact"), ("db", "forget", "--user", "u3", "--yes"),
    ("reprice", "--from", "30d"),
)  # fmt: skip
"""What needs the database for itself."""
_BESIDE = (("db", "backup"), ("db", "check"), ("db", "stats"), ("db", "export"))
"""What runs beside a collector."""


class Harness:
    """One database, its clients, and what is started on it and killed."""

    def __init__(self, folder: Path, seed: int, pushers: int = 3, retention: str = "") -> None:
        self.folder, self.database = folder, folder / "m.db"
        self.random = random.Random(seed)
        self.truth = Truth(seed)
        self.stop = threading.Event()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.config = folder / "config.toml"
        self.config.write_text(
            f"""[general]\ntimezone = "UTC"
            [server]\nlisten = "127.0.0.1:{self.port}"
            [collector]\nflush_interval = "20ms"
            [alerts]\nshipped = false
            [consent]\nagent_logs = true\nprovider_keys = false\nstatus_pages = false
            [agents]\nonly = ["claude-code"]\ninterval = "100ms"
            folders = {{ claude-code = ["{folder / "claude"}"] }}
            [retention]\n{retention}\n""".replace("            ", "")
        )
        self.logs = Logs(self.truth, folder / "claude", self.stop)
        self.pushers = [Pusher(self.truth, f"p{n}", self.port, self.stop) for n in range(pushers)]
        self.kills: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._make_import()

    def run(self, kills: int, told: bool = False) -> None:
        """Kill so often, then let everything come in, kill a last time, and look."""
        for thread in (self.logs, *self.pushers):
            thread.start()
        while sum(self.kills.values()) < kills:
            if self.random.random() < 0.7:
                self._kill_collector()
            else:
                self._alone(self.random.choice((*_ALONE, self._import())))
            if told:
                print(f"\r{self.kills.total()} kills, {len(self.truth.calls)} calls", end="", flush=True)
        self.stop.set()
        self._finish()

    def _kill_collector(self) -> None:
        beside = None
        with self._start("collect") as process:
            time.sleep(self.random.choice([0.5, 1.0, 2.5]) * self.random.random())
            if self.random.random() < 0.5:
                beside = self._start(*self._beside())
                time.sleep(self.random.random() * 0.8)
            for one in filter(None, self.random.sample([process, beside], 2)):
                self._kill(one)

    def _alone(self, words: Sequence[str]) -> None:
        with self._start(*words) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.15 + self.random.random() * 0.8)
            self._kill(process)

    def _beside(self) -> tuple[str, ...]:
        words = self.random.choice((*_BESIDE, self._import()))
        if words == ("db", "backup"):
            return *words, str(self.folder / f"copy-{sum(self.kills.values())}.db")
        if words == ("db", "export"):
            return *words, "--out", str(self.folder / f"calls-{sum(self.kills.values())}.jsonl")
        return words

    def _import(self) -> tuple[str, ...]:
        return "import", str(self.folder / "calls.jsonl"), "--batch", "one"

    def _make_import(self) -> None:
        """A file of calls, some of which have no identity but their place in it."""
        with (self.folder / "calls.jsonl").open("w") as file:
            for number in range(600):
                known = self.truth.known()
                self.truth.calls[f"imported-{number}"] = known
                named = {"id": f"i{number}"} if number % 2 else {}
                file.write(json.dumps(event(self.truth, known, **named)) + "\n")

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        out = (self.folder / "output.txt").open("ab")
        with out:
            return subprocess.Popen(
                [sys.executable, str(PROGRAM), "--config", self.config, "--db", self.database, *words],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
            )  # fmt: skip

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        verb = " ".join(word for word in process.args[6:8] if "/" not in word)  # type: ignore[index]
        if process.poll() is None:
            self.kills[verb] += 1
            process.send_signal(signal.SIGKILL)
        else:
            self.ended[f"{verb}: {process.returncode}"] += 1
        process.wait()

    def _finish(self) -> None:
        """The last start: every client gets its answer, the import ends, the logs are read to their ends."""
        with self._start("collect") as process:
            for thread in (self.logs, *self.pushers):
                thread.join(60)
                assert not thread.is_alive(), f"{thread.name} is not answered; {self.output()}"
            while self._start(*self._import()).wait() != 0:
                assert process.poll() is None, self.output()
                time.sleep(0.1)
            end = time.monotonic() + 60
            while self._count() < len(self.truth.calls) and time.monotonic() < end:
                time.sleep(0.1)
            self._kill(process)

    def _count(self) -> int:
        store = Store.open(self.database, write=False, clock=SystemClock())
        try:
            return store.extent().calls
        finally:
            store.close()

    def output(self) -> str:
        """The end of what the processes said."""
        return (self.folder / "output.txt").read_text(errors="replace")[-3000:]

    def check(self, *, raw: bool = True) -> None:
        """Everything acknowledged is there exactly once, in each layer, and the file is sound."""
        assert not self.truth.wrong, self.truth.wrong[:5]
        assert faults(self.database) == []
        store = Store.open(self.database, write=True, clock=SystemClock())
        try:
            calls = Counter(self.truth.calls.values())
            assert max(calls.values()) == 1
            if raw:
                self._check_raw(store, calls)
            for layer, expected in ((Layer.MINUTE, by_minute), (Layer.HOUR, by_hour), (Layer.DAY, by_day)):
                assert _sums(store, layer) == expected(calls), layer
            assert store.rebuild_rollups(mend=False).wrong == 0
            assert store.extent().calls == len(self.truth.calls)
            assert _samples(store) == self.truth.samples
        finally:
            store.close()
        assert faults(self.database) == []

    def _check_raw(self, store: Store, calls: Counter[Known]) -> None:
        rows = list(store.raw_calls(EVER))
        found = Counter(
            (c.booked, c.provider or "", c.total_in or 0, c.out_total or 0, c.cost or 0) for c in rows
        )
        lost, more = calls - found, found - calls
        places = {known[0] for known in (*lost, *more)}
        told = [(c.source, c.source_key, c.booked, c.call_keys) for c in rows if c.booked in places]
        assert not lost, (len(lost), list(lost)[:3], told)
        assert not more, (len(more), list(more)[:3], told)


def _samples(store: Store) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for info in store.series("level"):
        times, values = (column.tolist() for column in store.samples([info.id], EVER)[info.id])
        found |= {(info.labels["who"], at): value for at, value in zip(times, values, strict=True)}
    return found


def _sums(store: Store, layer: Layer) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    facts: Facts = store.facts(layer, EVER, ["provider"], ["calls", "input", "output", "cost"])
    providers = facts.labels["provider"]
    sums: dict[tuple[int, str], tuple[int, ...]] = {}
    columns = [facts.numbers[name].total.tolist() for name in ("calls", "input", "output", "cost")]  # type: ignore[index]
    for at, code, *row in zip(facts.end.tolist(), providers.codes.tolist(), *columns, strict=True):
        key = (at, providers.values[code] or "")
        sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0, 0, 0, 0)), row, strict=True))
    return {key: (n, i, o, c) for key, (n, i, o, c) in sums.items()}


def main() -> None:
    """As often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--retention", default="", help='lines of [retention], like raw = "1m"')
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4))
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        os.environ |= {"HOME": folder, "XDG_RUNTIME_DIR": folder}
        harness = Harness(Path(folder), seed, retention=args.retention)
        print(f"seed {seed}, {folder}")
        harness.run(args.kills, told=True)
        harness.check(raw="raw" not in args.retention)
        print(
            f"\n{len(harness.truth.calls)} calls; killed {dict(harness.kills)}; ended {dict(harness.ended)}"
        )


if __name__ == "__main__":
    main()
