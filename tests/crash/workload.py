"""Clients that push until they are answered, logs that grow and are moved, and what of it must be stored."""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sources.agents.claude_lines_made import answer, dump

Known = tuple[int, str, int, int, int]
"""Of a call: booked (µs), provider, tokens in and out, cost (nano-USD). No two calls are equal."""
HOUR = 3_600_000_000
_MODELS = {"openai": "gpt-4o", "mistral": "mistral-large-latest", "google": "gemini-2.5-pro"}


def event(truth: "Truth", known: Known, **more: Any) -> dict[str, Any]:
    """A call as it is pushed."""
    at, provider, tokens_in, tokens_out, cost = known
    return {
        "ts_end": at, "provider": provider, "model": _MODELS[provider], "status": "success",
        "input_tokens": tokens_in, "output_tokens": tokens_out, "cost_usd": cost / 1e9,
        "latency_ms": truth.random.randint(1, 5000), "user": f"u{truth.random.randint(0, 9)}",
        "project": truth.random.choice(["search", "chat", None]), "folder": f"/f{at % 7}", **more,
    }  # fmt: skip


class Truth:
    """What was acknowledged, or will be before the end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.began = time.time_ns() // 1000
        self.lock = threading.Lock()
        self.calls: dict[str, Known] = {}
        self.samples: dict[tuple[str, int], float] = {}
        self.wrong: list[str] = []
        self.acknowledged = 0
        self._last = 0

    def known(self) -> Known:
        """A call that nobody made yet, some time in the last three days."""
        with self.lock:
            self._last += 1
            at = self.began - self.random.randint(0, 72) * HOUR - self._last * 1_000_003
        tokens = (self.random.randint(1, 9000), self.random.randint(1, 900))
        return at, self.random.choice(list(_MODELS)), *tokens, self.random.randint(1, 10**6) * 1000


class Pusher(threading.Thread):
    """Sends one batch after the other, each until it is acknowledged, some again, some corrected."""

    def __init__(self, truth: Truth, name: str, port: int, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.truth, self.port, self.stop = truth, port, stop
        self.random = random.Random(name + str(truth.began))
        self.batches = 0

    def run(self) -> None:
        while not self.stop.is_set():
            self.batches += 1
            self._batch()
            time.sleep(self.random.random() * 0.02)

    def _batch(self) -> None:
        truth, key = self.truth, f"{self.name}-{self.batches}"
        made = {f"{key}#{i}": truth.known() for i in range(self.random.randint(1, 12))}
        with_ids = self.random.random() < 0.6
        rows = [event(truth, k, **({"id": name} if with_ids else {})) for name, k in made.items()]
        for row in list(rows) if with_ids else []:
            if self.random.random() < 0.1:
                # Another application saw the same answer.
                row["response_id"] = row["id"]
                rows.append({**row, "id": f"other-{row['id']}", "app": "other"})
        sample = (self.name, truth.began + self.batches * 1_000_000)
        rows.append({"kind": "sample", "name": "level", "ts": sample[1], "value": self.batches,
                     "labels": {"who": self.name}})  # fmt: skip
        answered = self._until_acknowledged(rows, key)
        with truth.lock:
            truth.calls |= made
            truth.samples[sample] = self.batches
            truth.acknowledged += answered["accepted"]
        if self.random.random() < 0.2:
            again = self._until_acknowledged(rows[:-1], key)
            if again["accepted"]:
                truth.wrong.append(f"{key}: {again} for what was acknowledged before")
        if with_ids and self.random.random() < 0.2:
            self._correct(made, rows)

    def _correct(self, made: dict[str, Known], rows: list[dict[str, Any]]) -> None:
        """Say another size and cost of the first call, and of whatever else tells of it."""
        name = next(iter(made))
        at, provider, tokens_in, tokens_out, _ = made[name]
        right = (at, provider, tokens_in + 1, tokens_out + 7, self.random.randint(1, 10**6) * 1000)
        changed = {"input_tokens": right[2], "output_tokens": right[3], "cost_usd": right[4] / 1e9}
        own = [{**row, **changed} for row in rows if row.get("id") in (name, f"other-{name}")]
        self._until_acknowledged(own, f"{name}-corrected")
        with self.truth.lock:
            self.truth.calls[name] = right

    def _until_acknowledged(self, rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
        body = json.dumps(rows)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        while True:
            conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                conn.request("POST", "/monitor/v1/events", body, headers)
                response = conn.getresponse()
                answer = json.loads(response.read())
                if response.status == 200:
                    if answer["rejected"]:
                        self.truth.wrong.append(str(answer["rejected"]))
                    return answer
                if response.status not in (429, 503):
                    self.truth.wrong.append(f"{response.status}: {answer}")
            except (OSError, http.client.HTTPException, ValueError):
                pass
            finally:
                conn.close()
            time.sleep(0.02)


class Logs(threading.Thread):
    """Sessions of an agent: files grow by pieces of lines, are moved aside, copy from each other."""

    def __init__(self, truth: Truth, folder: Path, stop: threading.Event) -> None:
        super().__init__(name="logs", daemon=True)
        self.truth, self.folder, self.stop = truth, folder / "projects" / "-srv-demo", stop
        self.folder.mkdir(parents=True)
        self.random = random.Random(truth.began)
        self.lines: list[bytes] = []
        self.moved = 0

    def run(self) -> None:
        while not self.stop.is_set():
            path = self.folder / f"s-{self.random.randint(0, 3)}.jsonl"
            chance = self.random.random()
            if chance < 0.05 and path.exists():
                self.moved += 1
                os.replace(path, path.with_name(f"{path.stem}-old-{self.moved}.jsonl"))
            elif chance < 0.1 and path.exists():
                # Written anew with what was in it, as by an editor.
                fresh = path.with_suffix(".tmp")
                fresh.write_bytes(path.read_bytes())
                os.replace(fresh, path)
            else:
                self._grow(path)
            time.sleep(self.random.random() * 0.03)

    def _grow(self, path: Path) -> None:
        text = b"".join(self._line(path.stem) for _ in range(self.random.randint(1, 4)))
        if self.lines and self.random.random() < 0.3:
            text += self.random.choice(self.lines)
        cut = self.random.randint(0, len(text))
        for part in (text[:cut], text[cut:]):
            with path.open("ab") as file:
                file.write(part)
            time.sleep(self.random.random() * 0.01)

    def _line(self, session: str) -> bytes:
        number = len(self.lines)
        at, _, tokens_in, tokens_out, _ = self.truth.known()
        at -= at % 1000
        line = answer(f"m{number}", f"r{number}", (tokens_in, 0, 0, tokens_out), session=session)
        line["timestamp"] = datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds")
        with self.truth.lock:
            self.truth.calls[f"line-{number}"] = (at, "anthropic", tokens_in, tokens_out, 0)
        self.lines.append(dump(line))
        return self.lines[-1]


def by_minute(calls: Counter[Known]) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    """Calls, tokens in and out, and cost of each minute and provider; a minute is named by its end."""
    return _summed(calls, lambda at: -(-at // 60_000_000) * 60_000_000)


def _summed(
    calls: Counter[Known], cell: Callable[[int], int]
) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    sums: dict[tuple[int, str], list[int]] = {}
    for (at, provider, tokens_in, tokens_out, cost), count in calls.items():
        own = sums.setdefault((cell(at), provider), [0, 0, 0, 0])
        for place, value in enumerate((1, tokens_in, tokens_out, cost)):
            own[place] += value * count
    return {key: (n, i, o, c) for key, (n, i, o, c) in sums.items()}


def by_hour(calls: Counter[Known]) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    """The same for hours."""
    return _summed(calls, lambda at: -(-at // HOUR) * HOUR)


def by_day(calls: Counter[Known]) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    """The same for days of UTC, named by their last microsecond."""
    return _summed(calls, lambda at: (at // (24 * HOUR) + 1) * 24 * HOUR - 1)
