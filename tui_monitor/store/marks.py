"""What stays known of sealed calls whose raw rows go: hashes and marks worked out from columns.

They are those that `identity` makes of one call at a time.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import DAY
from tui_monitor.store import identity, packs
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.head import SWITCHES, TERMS
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.merge import CONTENT
from tui_monitor.store.packs import Entries
from tui_monitor.store.segments import TEXTS, Segment

_LENGTHS = ("latency", "ttft", "queue_wait")


def entries(segment: Segment, at: np.ndarray) -> Entries:
    """The identities of some rows that one source each knows, as those of calls that are gone."""
    days = segment.integers("arrived")[at] // DAY
    own = _own_hashes(segment, at)
    marks = np.array([identity.mark_of(text) for text in contents(segment, at)], dtype=np.int64)
    rows, keys = _key_hashes(segment, at)
    return _sorted(
        np.concatenate((own, keys)).view(np.uint64),
        np.concatenate((packs.gone_all(days, marks), packs.gone_all(days[rows], None))),
    )


def together(kept: Entries, more: Sequence[tuple[int, int | None, int]]) -> Entries:
    """These and some more: (hash, content mark, day of arrival from the epoch)."""
    hashes = np.array([number for number, _, _ in more], dtype=np.int64).view(np.uint64)
    values = np.array([packs.gone(day, mark) for _, mark, day in more], dtype=np.uint64)
    return _sorted(np.concatenate((hashes, kept.hashes)), np.concatenate((values, kept.values)))


def _sorted(hashes: np.ndarray, values: np.ndarray) -> Entries:
    """Of equal hashes the first counts."""
    unique, first = np.unique(hashes, return_index=True)
    return Entries(unique, values[first])


def contents(segment: Segment, at: np.ndarray) -> Iterable[str]:
    """For each row the text of `merge.content` of its call."""
    columns = [_spelled(segment, name, at) for name in CONTENT]
    columns += [_numbers(segment.integers(name)[at]) for name in _LENGTHS]
    columns += [_json_texts(segment, "media", None, at), _json_texts(segment, "attrs", {}, at)]
    varying = [column for column in columns if not isinstance(column, str)]
    template = ", ".join(column.replace("%", "%%") if isinstance(column, str) else "%s" for column in columns)
    if not varying:
        return [f"({template % ()})"] * len(at)
    form = f"({template})"
    return (form % values for values in zip(*varying, strict=True))


Spelled = str | list[str]
"""How the values of a column are written: one text where all are the same."""


def _spelled(segment: Segment, name: str, at: np.ndarray) -> Spelled:
    if name in SWITCHES:
        yes, no = SWITCHES[name]
        flags = segment.integers("flags")[at]
        return _by_code(np.where(flags & yes, 1, np.where(flags & no, 0, 2)), (False, True, None).__getitem__)
    if name in DIMENSIONS:
        place = DIMENSIONS.index(name)
        return _by_code(
            segment.integers("series")[at], lambda number: _label_set(segment.conn, number)[place]
        )
    if name in TERMS:
        return _by_code(segment.integers(f"{name}_t")[at], lambda number: _term(segment.conn, number))
    if name == "call_keys":
        return _texts(segment, name, at, lambda text: tuple(orjson.loads(text)) if text else ())
    if name in TEXTS:
        return _texts(segment, name, at, lambda text: text)
    return _numbers(segment.integers(name)[at])


def _numbers(values: np.ndarray) -> Spelled:
    if len(values) and (values == values[0]).all():
        return "None" if values[0] == UNKNOWN else str(values[0])
    return ["None" if value == UNKNOWN else str(value) for value in values.tolist()]


def _by_code(codes: np.ndarray, meaning: Callable[[int], Any]) -> Spelled:
    unique, inverse = np.unique(codes, return_inverse=True)
    words = [repr(meaning(code)) for code in unique.tolist()]
    if len(words) == 1:
        return words[0]
    return [words[code] for code in inverse.tolist()]


def _texts(segment: Segment, name: str, at: np.ndarray, meaning: Callable[[str | None], Any]) -> Spelled:
    texts = segment.texts(name)
    return _by_code(texts.codes.at(at), lambda code: meaning(None if code == UNKNOWN else texts.text(code)))


def _json_texts(segment: Segment, name: str, empty: object, at: np.ndarray) -> Spelled:
    return _texts(segment, name, at, lambda text: to_json(empty if text is None else orjson.loads(text)))


def _label_set(conn: sqlite3.Connection, number: int) -> list[str | None]:
    (text,) = conn.execute("SELECT labels FROM series_keys WHERE id = ?", (number,)).fetchone()
    return orjson.loads(text)


def _term(conn: sqlite3.Connection, number: int) -> str | None:
    if number == UNKNOWN:
        return None
    return conn.execute("SELECT text FROM terms WHERE id = ?", (number,)).fetchone()[0]


def _own_hashes(segment: Segment, at: np.ndarray) -> np.ndarray:
    sources = segment.integers("source_t")[at]
    unique, inverse = np.unique(sources, return_inverse=True)
    prefixes = [identity.own_prefix(_term(segment.conn, number) or "") for number in unique.tolist()]
    keys = segment.texts("source_key")
    codes: Sequence[int] = keys.codes.at(at).tolist()
    starts = [0, *keys.ends.tolist()]
    data, hashed = keys.data, bytearray()
    for code, source in zip(codes, inverse.tolist(), strict=True):
        key = data[starts[code] : starts[code + 1]]
        hashed += blake2b(prefixes[source] + key, digest_size=8).digest()
    return np.frombuffer(hashed, dtype=">i8").astype(np.int64)


def _key_hashes(segment: Segment, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row, hash) of the identities that other sources may know too."""
    texts = segment.texts("call_keys")
    codes = texts.codes.at(at)
    rows: list[int] = []
    hashes: list[int] = []
    for row in np.flatnonzero(codes != UNKNOWN).tolist():
        found = identity.key_hashes(orjson.loads(texts.text(int(codes[row]))))
        rows += [row] * len(found)
        hashes += found
    return np.array(rows, dtype=np.int64), np.array(hashes, dtype=np.int64)
