"""Who a row is when it has no id: the hash of the row, and the how-manieth of its equals in the file."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Record, Retract, Sample


def digest(raw: bytes) -> bytes:
    """96 bits of a row as it stands in the file."""
    return blake2b(raw, digest_size=12).digest()


def with_key(record: Record, key: str) -> Record:
    """A record with this identity; calls are changed in place, and what has none stays as it is."""
    if isinstance(record, Call):
        record.source_key = key
    elif not isinstance(record, Sample | Retract):
        return replace(record, source_key=key)
    return record


class Occurrences:
    """Counts equal rows of one file at eight bytes a row.

    Hashes seen so far are kept in sorted runs, merged as they grow alike; only of rows that come again is a
    count kept.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []
        self._again: dict[int, int] = {}

    def keys(self, digests: Sequence[bytes]) -> list[str]:
        """An identity for each of the next rows."""
        hashes = np.frombuffer(b"".join(d[:8] for d in digests), dtype=np.uint64)
        unique, counts = np.unique(hashes, return_counts=True)
        seen = self._seen(unique)
        keys = [d.hex() for d in digests]
        repeated = unique[(counts > 1) | seen]
        if len(repeated):
            self._number(keys, hashes, repeated, unique[seen])
        self._remember(unique[~seen])
        return keys

    def _number(self, keys: list[str], hashes: np.ndarray, repeated: np.ndarray, seen: np.ndarray) -> None:
        # A row that came before and was single until now has been counted once.
        before: defaultdict[int, int] = defaultdict(int, {int(h): 1 for h in seen})
        for index in np.flatnonzero(np.isin(hashes, repeated)).tolist():
            value = int(hashes[index])
            n = self._again.get(value, before[value]) + 1
            self._again[value] = n
            if n > 1:
                keys[index] += f"#{n}"

    def _seen(self, unique: np.ndarray) -> np.ndarray:
        found = np.zeros(len(unique), dtype=bool)
        for run in self._runs:
            at = np.searchsorted(run, unique)
            at[at == len(run)] = 0
            found |= run[at] == unique
        return found

    def _remember(self, new: np.ndarray) -> None:
        if not len(new):
            return
        self._runs.append(new)
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate((self._runs[-1], last)))
