"""Calls to measure with: any number of them, resampled from real traces with a fixed seed.

Nothing is invented: gaps between arrivals and token counts are drawn from the Azure 2023 and Mooncake traces,
shares of models and clients from ServeGen, latency and status together from the rows of GenTD26. The
models of ServeGen, which have no public price, are mapped to priced ones. The traces lie in a folder beside
the repository, or where TUI_MONITOR_TRACES points.

    python benchmarks/data.py --calls 1000000 --days 7 --format csv out.csv
"""

import argparse
import csv
import gzip
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

TRACES = Path(os.environ.get("TUI_MONITOR_TRACES", Path(__file__).resolve().parents[2] / "shared" / "data"))
MODELS = {
    "m-large": ("anthropic", "claude-sonnet-4-5"),
    "m-mid": ("openai", "gpt-4o-mini"),
    "m-small": ("google", "gemini-2.5-flash"),
    "deepseek-r1": ("deepseek", "deepseek-reasoner"),
}
STATUS = {"SUCCEED": "success", "FAILED": "error", "PENDING": "unknown"}
END = 1_772_323_200_000_000
"""2026-03-01 00:00 UTC in µs: where the calls end unless told otherwise."""
FIELDS = ("ts", "provider", "model", "user", "input_tokens", "output_tokens", "latency_ms", "status")


@dataclass
class Traces:
    """The empirical distributions, as arrays to draw from."""

    gaps: np.ndarray
    tokens: np.ndarray
    clients: list[tuple[str, str, str]]
    weights: np.ndarray
    outcomes: list[tuple[float | None, str]]


@dataclass
class Chunk:
    """Some calls in order of time; `latency_ms` is NaN where unknown."""

    ts: np.ndarray
    client: np.ndarray
    tokens: np.ndarray
    outcome: np.ndarray


def _rows(name: str) -> Iterator[dict[str, str]]:
    path = TRACES / name
    if not path.exists():
        sys.exit(f"{path} is missing: the benchmarks need the public traces beside the repository")
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def load() -> Traces:
    """Read the traces; a second or two."""
    gaps: list[np.ndarray] = []
    tokens: list[tuple[int, int]] = []
    for name in ("code", "conv"):
        rows = list(_rows(f"azure-llm-2023/{name}.csv.gz"))
        times = np.sort([datetime.fromisoformat(r["TIMESTAMP"][:26]).timestamp() for r in rows])
        gaps.append(np.diff(times))
        tokens += [(int(r["ContextTokens"]), int(r["GeneratedTokens"])) for r in rows]
    rows = list(_rows("mooncake/conversation.csv.gz"))
    gaps.append(np.diff(np.sort([int(r["timestamp"]) / 1000 for r in rows])))
    tokens += [(int(r["input_length"]), int(r["output_length"])) for r in rows]

    per_model: dict[str, float] = defaultdict(float)
    for row in _rows("servegen/totals_10min.csv.gz"):
        per_model[row["model"]] += float(row["requests"])
    per_client: dict[tuple[str, str], float] = defaultdict(float)
    for row in _rows("servegen/rates_10min.csv.gz"):
        per_client[row["model"], row["client"]] += float(row["rate_rps"])
    rate_of_model: dict[str, float] = defaultdict(float)
    for (model, _), rate in per_client.items():
        rate_of_model[model] += rate
    clients = [(*MODELS[model], f"{model}-{client}") for model, client in per_client]
    weights = np.array([per_model[m] * rate / rate_of_model[m] for (m, _), rate in per_client.items()])

    outcomes = [
        (float(r["exec_time_seconds"]) * 1000 or None, STATUS[r["predict_status"]])
        for r in _rows("gentd26/requests.csv.gz")
    ]
    return Traces(np.concatenate(gaps), np.array(tokens), clients, weights / weights.sum(), outcomes)


def chunks(traces: Traces, calls: int, days: float, seed: int = 1, size: int = 100_000) -> Iterator[Chunk]:
    """`calls` calls over `days` that end at `END`, at most `size` at a time."""
    rng = np.random.default_rng(seed)
    scale = days * 86_400e6 / (traces.gaps.mean() * calls)
    start = END - days * 86_400e6
    for first in range(0, calls, size):
        n = min(size, calls - first)
        # Runs of consecutive gaps keep the bursts of the originals.
        run = 64
        starts = rng.integers(0, len(traces.gaps) - run, -(-n // run))
        gaps = traces.gaps[(starts[:, None] + np.arange(run)).ravel()[:n]]
        ts = start + np.cumsum(gaps) * scale
        start = ts[-1]
        yield Chunk(
            ts.astype(np.int64),
            rng.choice(len(traces.clients), n, p=traces.weights),
            traces.tokens[rng.integers(0, len(traces.tokens), n)],
            rng.integers(0, len(traces.outcomes), n),
        )


def rows(traces: Traces, chunk: Chunk) -> Iterator[tuple[int, str, str, str, int, int, float | None, str]]:
    """The calls of a chunk in the order of `FIELDS`; `ts` in µs UTC."""
    for ts, client, (inp, out), outcome in zip(
        chunk.ts.tolist(), chunk.client.tolist(), chunk.tokens.tolist(), chunk.outcome.tolist(), strict=True
    ):
        provider, model, user = traces.clients[client]
        latency, status = traces.outcomes[outcome]
        yield ts, provider, model, user, inp, out, latency, status


def write_csv(path: Path, calls: int, days: float, seed: int = 1) -> None:
    """A CSV file with a header; times in RFC 3339."""
    traces = load()
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(FIELDS)
        for chunk in chunks(traces, calls, days, seed):
            for ts, *rest in rows(traces, chunk):
                moment = datetime.fromtimestamp(ts / 1e6, UTC).isoformat(timespec="microseconds")
                out.writerow((moment, *("" if value is None else value for value in rest)))


def write_jsonl(path: Path, calls: int, days: float, seed: int = 1) -> None:
    """Objects of the event feed, one in a line."""
    import orjson

    traces = load()
    with path.open("wb") as file:
        number = 0
        for chunk in chunks(traces, calls, days, seed):
            for values in rows(traces, chunk):
                number += 1
                event = {k: v for k, v in zip(("ts_end", *FIELDS[1:]), values, strict=True) if v is not None}
                file.write(orjson.dumps({"id": f"bench-{seed}-{number}", **event}) + b"\n")


def main() -> None:
    """Write a file of calls."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv")
    args = parser.parse_args()
    write = write_csv if args.format == "csv" else write_jsonl
    write(args.file, args.calls, args.days, args.seed)


if __name__ == "__main__":
    main()
