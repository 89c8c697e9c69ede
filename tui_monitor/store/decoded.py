"""Columns read lately, unpacked, so that a question asked again does not unpack them again.

Every segment and every block has a stamp, a random number drawn when it was made: what is made anew under
the same number has another, and so has what another copy of a database made. So nothing is out of date.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

ROOM = 32 << 20
"""Bytes of columns that are kept."""
_LARGEST = 8
"""What takes more than this part of the room is not kept."""
_OVERHEAD = 256
"""Bytes that an entry takes beside its arrays."""


class Sized(Protocol):
    """Something unpacked."""

    @property
    def size(self) -> int:
        """Bytes it takes."""
        ...


T = TypeVar("T", bound=Sized)


class Decoded:
    """Unpacked columns by stamp and name; the least recently used make room. Any thread may ask.

    What is handed out is shared: read it only.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], Sized] = OrderedDict()
        self._taken = 0

    def get(self, stamp: int, name: str, unpack: Callable[[], T]) -> T:
        """What is kept under a stamp and a name, or else what `unpack` makes; no stamp (0) is kept."""
        key = (stamp, name)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return cast(T, found)
        made = unpack()
        if stamp and made.size * _LARGEST <= self._room:
            self._keep(key, made)
        return made

    @property
    def taken(self) -> int:
        """Bytes in use."""
        return self._taken

    def _keep(self, key: tuple[int, str], made: Sized) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = made
            self._taken += made.size + _OVERHEAD
            while self._taken > self._room:
                _, oldest = self._kept.popitem(last=False)
                self._taken -= oldest.size + _OVERHEAD
