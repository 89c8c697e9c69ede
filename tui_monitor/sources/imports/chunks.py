"""Blocks of a file and what was found in them, whatever the format."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.columns import INTEGERS, LENGTHS, CallColumns
from tui_monitor.model.feed import Record
from tui_monitor.recorder.checks import Invalid
from tui_monitor.recorder.identities import identities
from tui_monitor.sources.imports.files import TextFile
from tui_monitor.sources.imports.identity import Occurrences, digest, with_key

BLOCK = 4 << 20
"""Bytes that are read at once."""
_FEW = 4
"""Rows of each different set of labels, on average, from which on this is quicker."""
_SPARE = 1000
"""Sets of labels that a small block may have beyond that."""
_KNOWN = 50_000
"""Different calls without their numbers that are known at a time."""


@dataclass(slots=True)
class Chunk:
    """What a block held."""

    columns: CallColumns | None = None
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The number of the line of each call in the columns."""
    odd: list[tuple[int, Record]] = field(default_factory=list)
    """(line, record) of those that are not in the columns."""
    bad: list[tuple[int, str]] = field(default_factory=list)
    lines: int = 0
    """Lines of the file it holds."""
    done: int = 0
    """Bytes of the file on disk that were read by then."""
    error: str = ""
    """Why the file ended before its data did."""


class NotPlain(Exception):
    """A block that is better read row by row."""


def blocks(file: TextFile) -> Iterator[bytes]:
    """Whole lines, many at a time; what follows a block is still to be read then.

    At the end of the file, and where a line is too long, the rest is left unread.
    """
    while True:
        parts: list[bytes] = []
        size = 0
        while size < BLOCK and (data := file.read()):
            parts.append(data)
            size += len(data)
        block = b"".join(parts)
        end = block.rfind(b"\n") + 1
        file.unread(block[end:])
        if not end:
            return
        yield block[:end]


def give_keys(
    keys: list[bytes], rows: np.ndarray, first: int, raw: Callable[[np.ndarray], list[bytes]], found: Chunk,
    occurrences: Occurrences,
) -> None:  # fmt: skip
    """Fill in the empty ones of the keys of these rows, and of odd records, in the order of the file.

    `raw` gives the lines of some rows.
    """
    nameless = np.flatnonzero(np.array([not key for key in keys], dtype=bool))
    odd = [i for i, (_, record) in enumerate(found.odd) if not getattr(record, "source_key", "-")]
    odd_rows = np.array([found.odd[i][0] - first for i in odd], dtype=np.int64)
    listed = np.concatenate((rows[nameless], odd_rows))
    if not len(listed):
        return
    order = np.argsort(listed, kind="stable")
    made = occurrences.keys([digest(line) for line in raw(listed[order])])
    for place, key in zip(order.tolist(), made, strict=True):
        if place < len(nameless):
            keys[int(nameless[place])] = key.encode()
        else:
            at = odd[place - len(nameless)]
            number, record = found.odd[at]
            found.odd[at] = number, with_key(record, key)


def identified(models: Sequence[Call], model: np.ndarray, keys: Sequence[bytes]) -> np.ndarray:
    """The hashes of the sources and keys of calls."""
    found = np.zeros(len(keys), dtype=np.int64)
    sources = [call.source for call in models]
    for source in {sources[number] for number in np.unique(model).tolist()}:
        mine = np.array([each == source for each in sources], dtype=bool)[model]
        here = np.flatnonzero(mine)
        found[here] = identities(source, [keys[row] for row in here.tolist()])
    return found


def keep_order(found: Chunk) -> None:
    """Move calls that come again to the odd ones: of those of one identity the last holds."""
    columns = found.columns
    if columns is None:
        return
    odd: defaultdict[str, list[bytes]] = defaultdict(list)
    for _, record in found.odd:
        if isinstance(record, Call):
            odd[record.source].append(record.source_key.encode("utf-8", "surrogatepass"))
    others = [identities(source, keys) for source, keys in odd.items()]
    _, which, count = np.unique(
        np.concatenate((columns.identities, *others)), return_inverse=True, return_counts=True
    )
    again = count[which[: len(columns)]] > 1
    if again.any():
        moved = np.flatnonzero(again).tolist()
        found.odd += [(int(found.numbers[row]), columns.call(row)) for row in moved]
        found.odd.sort(key=itemgetter(0))
        found.numbers = found.numbers[~again]
        found.columns = None if again.all() else columns.take(~again).used()


def too_many(models: int, rows: int) -> bool:
    """Whether rows have so little in common that they are read more quickly one by one."""
    return models * _FEW > rows + _SPARE


class Models:
    """The different calls of a file without their numbers, made once each; some ten thousand are known."""

    def __init__(self) -> None:
        self.listed: list[Call] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, same: Hashable, make: Callable[[], Record]) -> int:
        """The place in the list of what calls that are the same have in common; -1 where it is not plain."""
        found = self._numbers.get(same)
        if found is None:
            found = self._numbers[same] = self._make(make)
        return found

    def _make(self, make: Callable[[], Record]) -> int:
        try:
            call = make()
        except Invalid:
            return -1
        if not isinstance(call, Call) or call.call_keys or call.media:
            return -1
        call.source_key = ""
        for name in (*INTEGERS, *LENGTHS):
            setattr(call, name, None)
        self.listed.append(call)
        return len(self.listed) - 1

    def bound(self) -> None:
        """Begin anew where too many are known; between two blocks."""
        if len(self._numbers) > _KNOWN:
            self.listed, self._numbers = [], {}
