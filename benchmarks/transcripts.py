"""Reading transcripts of Claude Code into a database, beside a plain `orjson` loop over the same files.

The transcripts are made up, in the proportions of real ones: most bytes are results of tools, answers are
written as one line for each of their blocks, sessions are resumed and forked with copies of what was said,
and subagents have files of their own. Tokens and the gaps between turns are drawn from the traces of data.py.
The reference parses every line and does nothing with it. Both run in a
process of their own, in turn, so that a drift of the machine's speed meets both.

    python benchmarks/transcripts.py --size 1GB --runs 3
"""

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from data import load
from ingest import measured

REFERENCE = """
import sys, orjson
from pathlib import Path
lines = 0
for path in sorted(Path(sys.argv[1]).rglob("*.jsonl")):
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
            lines += 1
print(lines, file=sys.stderr)
"""
FIRST = datetime(2026, 2, 1, tzinfo=UTC)
MODELS = ("claude-sonnet-4-5-20250929", "claude-opus-4-6", "claude-haiku-4-5-20251001")
_SAMPLE = (
    "def return import value error file line test the of and is with for not None self path data result "
    '"name": {"key": [1, 2]} \\n\\t/usr/lib/python3 0x7fff ── => == != ünïcode – 检查 git commit merge'
)


class Writer:
    """Sessions of a few hundred turns, until enough bytes are written."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.calls = 0
        self.bytes = 0
        text = " ".join(self.random.choices(_SAMPLE.split(), k=200_000))
        self._text = text
        traces = load()
        self._tokens: list[tuple[int, int]] = [(inp, out) for inp, out in traces.tokens.tolist()]
        self._gaps: list[float] = (traces.gaps * (30 / traces.gaps.mean())).tolist()
        """Seconds; half a minute on average, as between the turns of a person's session."""
        self._finished: list[list[bytes]] = []

    def write(self, size: int) -> None:
        """About that many bytes."""
        number = 0
        while self.bytes < size:
            started = FIRST + timedelta(minutes=37 * number)
            project = self.folder / f"-srv-project-{number % 23}"
            project.mkdir(parents=True, exist_ok=True)
            self._session(project, started, number)
            number += 1

    def _session(self, project: Path, started: datetime, number: int) -> None:
        session = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        cwd = f"/srv/project-{number % 23}"
        lines: list[bytes] = []
        if self._finished and self.random.random() < 0.12:
            # A fork begins with what was said before, under its own session.
            before = self.random.choice(self._finished)
            old = orjson.loads(before[0])["sessionId"].encode()
            lines += [line.replace(old, session.encode()) for line in before]
        moment = started
        for turn in range(self.random.randint(20, 160)):
            moment += timedelta(seconds=self.random.choice(self._gaps))
            lines += self._turn(session, cwd, moment, sidechain=False)
            if turn % 40 == 20:
                self._subagent(project / session / "subagents", session, cwd, moment)
        self._finished = [*self._finished[-4:], lines[:400]]
        self._put(project / f"{session}.jsonl", lines)

    def _subagent(self, folder: Path, session: str, cwd: str, moment: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines: list[bytes] = []
        for _ in range(self.random.randint(5, 30)):
            moment += timedelta(seconds=7)
            lines += self._turn(session, cwd, moment, sidechain=True)
        self._put(folder / f"agent-{self.random.getrandbits(32):08x}.jsonl", lines)

    def _turn(self, session: str, cwd: str, moment: datetime, *, sidechain: bool) -> list[bytes]:
        rng = self.random
        common = {
            "isSidechain": sidechain, "userType": "external", "cwd": cwd, "sessionId": session,
            "version": "2.1.40", "gitBranch": "main",
        }  # fmt: skip
        # What a tool answered is written twice: for the model, and as the program holds it.
        said = self._said(6_000)
        result = {"tool_use_id": self._id("toolu_"), "type": "tool_result", "content": said}
        user = {
            **common, "type": "user", "message": {"role": "user", "content": [result]},
            "toolUseResult": {"stdout": said, "stderr": "", "interrupted": False},
        }  # fmt: skip
        lines = [self._line(user, moment)]
        read, written = rng.choice(self._tokens)
        usage = {
            "input_tokens": rng.randint(1, 20),
            "cache_creation_input_tokens": rng.randint(100, 8_000),
            "cache_read_input_tokens": read,
            "output_tokens": 1, "service_tier": "standard",
        }  # fmt: skip
        usage["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage["cache_creation_input_tokens"],
            "ephemeral_1h_input_tokens": 0,
        }
        message, request = self._id("msg_01"), self._id("req_011C")
        model = rng.choice(MODELS)
        blocks = rng.choices((1, 2, 3, 6), (5, 6, 3, 1))[0]
        for block in range(blocks):
            last = block == blocks - 1
            done = {**usage, "output_tokens": written if last else rng.randint(1, 30)}
            answer = {
                "id": message, "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": self._said(1_500)}],
                "stop_reason": "tool_use" if last else None, "stop_sequence": None, "usage": done,
            }  # fmt: skip
            entry = {**common, "type": "assistant", "requestId": request, "message": answer}
            lines.append(self._line(entry, moment + timedelta(seconds=2 + block)))
        self.calls += 1
        return lines

    def _line(self, entry: dict[str, Any], moment: datetime) -> bytes:
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return orjson.dumps({**entry, "uuid": self._id(""), "timestamp": stamp}) + b"\n"

    def _said(self, mean: int) -> str:
        length = min(200_000, int(self.random.lognormvariate(0, 1.1) * mean * 0.55))
        start = self.random.randrange(len(self._text) - 200_000)
        return self._text[start : start + length]

    def _id(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(96):024x}"

    def _put(self, path: Path, lines: list[bytes]) -> None:
        path.write_bytes(b"".join(lines))
        self.bytes += path.stat().st_size


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMG]?)B?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size like 100MB")
    return int(float(found[1]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[found[2]])


def main() -> None:
    """Print seconds and memory of both sides, and the ratio run by run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=_bytes, default=_bytes("1GB"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the transcripts are made; kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch) / "projects"
        if not folder.exists():
            writer = Writer(folder)
            writer.write(args.size)
            print(f"{writer.bytes / 1e6:,.0f} MB, {writer.calls:,} calls")
        ratios: list[float] = []
        for run in range(args.runs):
            home = Path(scratch) / f"run{run}"
            home.mkdir()
            names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
            env = {**os.environ, **dict.fromkeys(names, str(home))}
            theirs, their_memory = measured([sys.executable, "-c", REFERENCE, str(folder)], env)
            ours, memory = measured(
                [sys.executable, "-m", "tui_monitor", "--db", str(home / "monitor.db"), "import",
                 "--format", "claude-code", str(folder)], env,
            )  # fmt: skip
            ratios.append(ours / theirs)
            print(
                f"run {run + 1}: import {ours:.1f} s, {memory:.0f} MB peak | plain loop {theirs:.1f} s, "
                f"{their_memory:.0f} MB peak | ratio {ratios[-1]:.2f}"
            )
        print(f"median ratio {statistics.median(ratios):.2f} of the loop's time")


if __name__ == "__main__":
    main()
