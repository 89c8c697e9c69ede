"""Archived rollouts that are compressed: read where this Python can, and told where it cannot."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tui_monitor.sources.agents.api import Block

MAX_UNPACKED = 256 << 20
"""Bytes of one file; what is larger is not one conversation."""
HINT = "compressed, and this Python has no zstd: unpack it with `zstd -d`, or install the package zstandard"


class CannotUnpack(Exception):
    """The text says why."""


def packed(path: Path) -> bool:
    """Whether a file is compressed, by its name."""
    return path.suffix == ".zst"


def unpack(data: bytes) -> bytes:
    """The content. Raises `CannotUnpack`."""
    opened = _decompressor()
    if opened is None:
        raise CannotUnpack(HINT)
    try:
        content = opened(data)
    except Exception as error:
        # Each library has exceptions of its own.
        raise CannotUnpack(f"cannot be unpacked: {type(error).__name__}") from error
    if len(content) > MAX_UNPACKED:
        raise CannotUnpack(f"larger than {MAX_UNPACKED:,} bytes when unpacked")
    return content


def unpacked(path: Path) -> Iterator[Block]:
    """The content of a file as one block; nothing where it cannot be read."""
    try:
        yield Block(unpack(path.read_bytes()), 0)
    except (OSError, CannotUnpack):
        return


def _decompressor() -> Callable[[bytes], bytes] | None:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            library: Any = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            return lambda data: library.ZstdDecompressor().stream_reader(data).read(MAX_UNPACKED + 1)
        return lambda data: library.ZstdDecompressor().decompress(data, MAX_UNPACKED + 1)
    return None
