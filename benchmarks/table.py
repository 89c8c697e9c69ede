"""What every benchmark of the store shares: rows of figures, processes of their own, cold files."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; texts with their units. `good` is unknown where nothing is asked."""

    what: str
    ours: str
    reference: str = ""
    ratio: str = ""
    asked: str = ""
    good: bool | None = None


def show(rows: Sequence[Row]) -> None:
    """Print rows as a Markdown table."""
    head = ("what", "ours", "reference", "ratio", "asked", "")
    marks = {True: "ok", False: "MISSED", None: ""}
    lines = [head, *((r.what, r.ours, r.reference, r.ratio, r.asked, marks[r.good]) for r in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    lines.insert(1, tuple("-" * width for width in widths))
    for line in lines:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |")
    sys.stdout.flush()


def private(folder: Path) -> dict[str, str]:
    """An environment whose configuration, data and sockets lie in a folder."""
    names = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")
    return {**os.environ, **{f"XDG_{name}": str(folder) for name in names}}


def alone(script: str, *arguments: object, env: dict[str, str] | None = None) -> Any:
    """What a script of this folder prints as JSON, run in a process of its own."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.decode()}")
    return orjson.loads(done.stdout)


def forget(path: Path) -> None:
    """Drop the system's copy of a database's pages, which anybody may ask for. Nobody may have it open."""
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists():
            handle = os.open(file, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
