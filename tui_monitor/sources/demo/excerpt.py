"""The excerpt of public traces that comes with the program; README.md beside it says whose they are."""

import gzip
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tui_monitor.model.clock import MS, SECOND

STREAMS: tuple[str, ...] = ("code", "chat", "agents")
LOOP = 2_580 * SECOND
"""How long the excerpt is, µs; then it begins again."""
ORIGIN = "Azure LLM 2023, Mooncake"
"""What is replayed, in short."""
_FILE = Path(__file__).with_name("excerpt.csv.gz")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Requests in order of time; all arrays have one length."""

    at: np.ndarray
    """µs from the beginning."""
    stream: np.ndarray
    """Index into `STREAMS`."""
    input: np.ndarray
    output: np.ndarray
    cached: np.ndarray
    """Tokens; those that a cache served are among the input."""

    def __len__(self) -> int:
        return len(self.at)


@cache
def excerpt() -> Excerpt:
    """The packaged one."""
    text = gzip.decompress(_FILE.read_bytes()).decode("ascii")
    rows = [line.split(",") for line in io.StringIO(text).read().splitlines()[1:]]
    stream = np.array([STREAMS.index(row[1]) for row in rows], dtype=np.int64)
    at, given, made, cached = (
        np.array([int(row[column]) for row in rows], dtype=np.int64) for column in (0, 2, 3, 4)
    )
    return Excerpt(at * MS, stream, given, made, cached)
