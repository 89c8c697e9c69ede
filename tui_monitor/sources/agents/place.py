"""How far a file was read, as it is kept in the database: enough to notice that it is another file now."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, BinaryIO

import orjson

HEAD = 256
"""Bytes at the start of a file that tell it from others."""
TAIL = 64
"""Bytes before the offset that tell whether the file still is what was read."""


@dataclass(slots=True)
class Place:
    """Where reading of one file goes on.

    `offset` is the first byte that was not taken. For files that are not lines, `stamp` is what the file
    looked like when it was read last. `skipping` is where a line began that is too long to be kept, while
    its end has not been seen.
    """

    inode: int = 0
    offset: int = 0
    mark: str = ""
    stamp: str = ""
    skipping: int | None = None
    state: Any = None

    def dump(self) -> str:
        """As text, without what has no value."""
        fields = {
            "ino": self.inode, "at": self.offset, "mark": self.mark, "stamp": self.stamp,
            "skip": self.skipping, "state": self.state,
        }  # fmt: skip
        known = {name: value for name, value in fields.items() if value not in (None, "")}
        return orjson.dumps(known).decode()

    @classmethod
    def load(cls, text: str) -> "Place | None":
        """From its text; `None` where it is none."""
        try:
            fields = orjson.loads(text)
            return cls(
                int(fields["ino"]), int(fields["at"]), str(fields.get("mark", "")),
                str(fields.get("stamp", "")), fields.get("skip"), fields.get("state"),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def mark(file: BinaryIO, offset: int) -> str:
    """A digest of the file's first bytes and of the last ones before the offset."""
    file.seek(0)
    digest = blake2b(file.read(min(HEAD, offset)), digest_size=8)
    file.seek(max(0, offset - TAIL))
    digest.update(file.read(min(TAIL, offset)))
    return digest.hexdigest()
