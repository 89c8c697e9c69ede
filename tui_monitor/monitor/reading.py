"""An answer from another machine: bounded, unpacked and read.

Loading this loads the compression libraries.
"""

import hashlib
import re
import zlib
from typing import Any

import orjson
import zstandard

from tui_monitor.model.text import without_controls
from tui_monitor.model.unanswered import Unanswered

CAP = 64_000_000
"""Bytes of an answer, unpacked, that are taken."""
DCZ_MAGIC = b"\x5e\x2a\x4d\x18\x20\x00\x00\x00"
_SUSPECT = re.compile(rb"\\u|[\x7f\xd8]|\xc2[\x80-\x9f]|\xe2[\x80\x81]|\xef\xbb")
"""What the JSON of text has where there may be something in it that no terminal should get."""


def unpack(encoding: str, packed: bytes, base: bytes | None = None) -> bytes:
    """The body as it was. Raises `Unanswered` for what cannot be unpacked, or becomes too large."""
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return packed
            case "gzip":
                return _gunzip(packed)
            case "zstd":
                return _frame(packed, None)
            case "dcz":
                head = DCZ_MAGIC + hashlib.sha256(base or b"").digest()
                if base is None or not packed.startswith(head):
                    raise Unanswered("data", "its answer rests on one that is not here")
                return _frame(packed[len(head) :], base)
    except (zlib.error, zstandard.ZstdError, EOFError):
        pass
    raise Unanswered("data", "its answer cannot be unpacked")


def too_large() -> Unanswered:
    """The answer is longer than is taken."""
    return Unanswered("too large", f"its answer is longer than {CAP:,} bytes")


def form_in(body: bytes | str, *, harmless: bool = False) -> dict[str, Any] | None:
    """What stands in a JSON object; None for anything else. `harmless` takes out what controls terminals."""
    try:
        found = orjson.loads(body)
        if not isinstance(found, dict):
            return None
        raw = body.encode() if isinstance(body, str) else body
        return without_controls(found) if harmless and _SUSPECT.search(raw) else found
    except (ValueError, RecursionError):
        return None


def _gunzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    body = unpacker.decompress(packed, CAP)
    if unpacker.unconsumed_tail:
        raise too_large()
    if not unpacker.eof:
        raise EOFError
    return body


def _frame(packed: bytes, base: bytes | None) -> bytes:
    size = zstandard.get_frame_parameters(packed).content_size
    if size > CAP:
        # Unknown is a very large number too.
        raise too_large()
    known = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None
    return zstandard.ZstdDecompressor(dict_data=known).decompress(packed, max_output_size=CAP)
