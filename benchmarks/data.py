"""Calls to measure with: any number of them, resampled from real traces with a fixed seed.

Nothing is invented: gaps between arrivals and token counts are drawn from the Azure 2023 and Mooncake traces,
shares of models and clients from ServeGen, latency and status together from the rows of GenTD26 (whole
seconds, as they stand there). The models of ServeGen, which have no public price, are mapped to priced ones.
The traces lie in a folder beside the repository, or where TUI_MONITOR_TRACES points.

A chunk at a time is drawn and written, so that memory does not grow with the number of calls. `--check` draws
some and prints them beside the traces.

    python benchmarks/data.py --calls 1000000 --days 7 --format csv out.csv
    python benchmarks/data.py --check
"""

import argparse
import csv
import gzip
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
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
    """Some calls in order of time: numbers of rows of the traces."""

    ts: np.ndarray
    """Ends, in µs UTC."""
    client: np.ndarray
    draw: np.ndarray
    """Which row of the traces' tokens."""
    tokens: np.ndarray
    """Input and output."""
    outcome: np.ndarray


def _rows(name: str) -> Iterator[dict[str, str]]:
    path = TRACES / name
    if not path.exists():
        sys.exit(f"{path} is missing: the benchmarks need the public traces beside the repository")
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def load() -> Traces:
    """Read the traces; a second or two. Ends the program where there are none."""
    if not TRACES.is_dir():
        sys.exit(f"no traces at {TRACES}: set TUI_MONITOR_TRACES to where they are (docs/benchmarks.md)")
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
    start = END - days * 86_400e6
    for first in range(0, calls, size):
        n = min(size, calls - first)
        # Runs of consecutive gaps keep the bursts of the originals.
        run = 64
        starts = rng.integers(0, len(traces.gaps) - run, -(-n // run))
        gaps = traces.gaps[(starts[:, None] + np.arange(run)).ravel()[:n]]
        # Each chunk fills its share of the time, so that what was drawn never runs past the end.
        share = days * 86_400e6 * n / calls
        ts = start + np.cumsum(gaps) * (share / gaps.sum())
        start += share
        client = rng.choice(len(traces.clients), n, p=traces.weights)
        draw = rng.integers(0, len(traces.tokens), n)
        outcome = rng.integers(0, len(traces.outcomes), n)
        yield Chunk(ts.astype(np.int64), client, draw, traces.tokens[draw], outcome)


def rows(traces: Traces, chunk: Chunk) -> Iterator[tuple[int, str, str, str, int, int, float | None, str]]:
    """The calls of a chunk in the order of `FIELDS`; `ts` in µs UTC."""
    for ts, client, (inp, out), outcome in zip(
        chunk.ts.tolist(), chunk.client.tolist(), chunk.tokens.tolist(), chunk.outcome.tolist(), strict=True
    ):
        provider, model, user = traces.clients[client]
        latency, status = traces.outcomes[outcome]
        yield ts, provider, model, user, inp, out, latency, status


def events(traces: Traces, chunk: Chunk, name: str, first: int = 0) -> Iterator[dict[str, object]]:
    """The calls of a chunk as objects of the event feed; ids are `name` and a number from `first` on."""
    for number, values in enumerate(rows(traces, chunk), first):
        event = {k: v for k, v in zip(("ts_end", *FIELDS[1:]), values, strict=True) if v is not None}
        yield {"id": f"{name}-{number}", **event}


def write_csv(path: Path, calls: int, days: float, seed: int = 1) -> None:
    """A CSV file with a header; times in RFC 3339."""
    traces = load()
    clients = _pieces("," + ",".join(client) for client in traces.clients)
    tokens = _pieces(f",{inp},{out}" for inp, out in traces.tokens.tolist())
    outcomes = _pieces(
        f",{'' if latency is None else latency},{status}\n" for latency, status in traces.outcomes
    )
    with path.open("w", newline="") as file:
        file.write(",".join(FIELDS) + "\n")
        for chunk in chunks(traces, calls, days, seed):
            parts = (clients[chunk.client], tokens[chunk.draw], outcomes[chunk.outcome])
            file.write("".join(chain.from_iterable(zip(_moments(chunk.ts), *parts, strict=True))))


def write_jsonl(path: Path, calls: int, days: float, seed: int = 1) -> None:
    """Objects of the event feed with ids, one in a line."""
    traces = load()
    names = ("provider", "model", "user")
    clients = _pieces(_inner(dict(zip(names, client, strict=True))) for client in traces.clients)
    tokens = _pieces(
        _inner({"input_tokens": inp, "output_tokens": out}) for inp, out in traces.tokens.tolist()
    )
    outcomes = _pieces(
        _inner({"latency_ms": latency, "status": status} if latency is not None else {"status": status})
        + "}\n"
        for latency, status in traces.outcomes
    )
    number = 0
    with path.open("w", newline="") as file:
        for chunk in chunks(traces, calls, days, seed):
            ids = [f'{{"id":"bench-{seed}-{n}","ts_end":"' for n in range(number, number + len(chunk.ts))]
            times = [f'{moment}"' for moment in _moments(chunk.ts)]
            parts = (clients[chunk.client], tokens[chunk.draw], outcomes[chunk.outcome])
            file.write("".join(chain.from_iterable(zip(ids, times, *parts, strict=True))))
            number += len(chunk.ts)


def _pieces(texts: Iterable[str]) -> np.ndarray:
    """What a line is put together from, to be picked by number."""
    return np.array(list(texts), dtype=object)


def _inner(fields: Mapping[str, object]) -> str:
    """Fields in the middle of a JSON object."""
    return "," + json.dumps(fields, separators=(",", ":"))[1:-1]


def _moments(ts: np.ndarray) -> list[str]:
    """RFC 3339, UTC."""
    return (np.datetime_as_string(ts.astype("datetime64[us]"), unit="us").astype(object) + "Z").tolist()


def check(calls: int) -> None:
    """Print what was drawn beside the traces: quantiles of gaps, tokens and latencies, and shares."""
    traces, days = load(), 7.0
    drawn = list(chunks(traces, calls, days))
    ts, client, tokens, outcome = (
        np.concatenate([getattr(chunk, name) for chunk in drawn])
        for name in ("ts", "client", "tokens", "outcome")
    )
    gaps = np.diff(ts) / np.diff(ts).mean()
    latencies = np.array([latency or np.nan for latency, _ in traces.outcomes])
    for name, ours, theirs in (
        ("gap, in means", gaps, traces.gaps / traces.gaps.mean()),
        ("input tokens", tokens[:, 0], traces.tokens[:, 0]),
        ("output tokens", tokens[:, 1], traces.tokens[:, 1]),
        ("latency, ms", latencies[outcome], latencies),
    ):
        for q in (0.1, 0.5, 0.9, 0.99):
            pair = [float(np.nanquantile(values, q)) for values in (ours, theirs)]
            print("{} p{:.0f}: {:,.2f}, traces {:,.2f}".format(name, q * 100, *pair))
    statuses = np.array([status for _, status in traces.outcomes])
    for status in np.unique(statuses).tolist():
        print(
            f"{status}: {np.mean(statuses[outcome] == status):.4%}, traces {np.mean(statuses == status):.4%}"
        )
    models = np.array([model for _, model, _ in traces.clients])
    for model in np.unique(models).tolist():
        share = traces.weights[models == model].sum()
        print(f"{model}: {np.mean(models[client] == model):.4%}, traces {share:.4%}")
    busiest = np.bincount(client).max() / calls
    print(f"busiest of {len(models)} clients: {busiest:.4%}, traces {traces.weights.max():.4%}")


def main() -> None:
    """Write a file of calls."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the traces")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv")
    args = parser.parse_args()
    if args.check:
        check(args.calls)
        return
    if args.file is None:
        parser.error("a file to write is needed")
    write = write_csv if args.format == "csv" else write_jsonl
    write(args.file, args.calls, args.days, args.seed)


if __name__ == "__main__":
    main()
