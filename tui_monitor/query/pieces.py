"""The newest calls in pieces of a few seconds, so that each look reads no more of them than is new."""

from collections.abc import Sequence

import numpy as np

from tui_monitor.model.clock import SECOND
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Histogram, LabelColumn, Numbers

PIECE = 5 * SECOND


def divided(span: Span) -> tuple[Span, list[Span], Span]:
    """What comes before the first whole piece, those, and what comes behind; the ends may be empty."""
    first, last = -(-span.start // PIECE) * PIECE, span.end // PIECE * PIECE
    if first >= last:
        return span, [], Span(span.end, span.end)
    pieces = [Span(start, start + PIECE) for start in range(first, last, PIECE)]
    return Span(span.start, first), pieces, Span(last, span.end)


def joined(parts: Sequence[Facts]) -> Facts:
    """Single calls of several spans with the same labels, measures and histograms, as those of one."""
    starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
    first = parts[0]
    return Facts(
        first.layer,
        np.concatenate([part.end for part in parts]),
        {name: _label([part.labels[name] for part in parts]) for name in first.labels},
        {name: _numbers([part.numbers[name] for part in parts]) for name in first.numbers},
        {name: _histogram([part.histograms[name] for part in parts], starts) for name in first.histograms},
        _whole([part.weight for part in parts]),
    )


def _label(columns: Sequence[LabelColumn]) -> LabelColumn:
    codes: dict[str | None, int] = {}
    coded: list[np.ndarray] = []
    for column in columns:
        known = np.array([codes.setdefault(text, len(codes)) for text in column.values], dtype=np.int64)
        coded.append(known[column.codes] if len(column.codes) else column.codes)
    return LabelColumn(np.concatenate(coded), list(codes))


def _numbers(columns: Sequence[Numbers]) -> Numbers:
    return Numbers(
        np.concatenate([column.total for column in columns]),
        np.concatenate([column.known for column in columns]),
        _whole([column.low for column in columns]),
        _whole([column.high for column in columns]),
    )


def _histogram(spreads: Sequence[Histogram], starts: Sequence[int]) -> Histogram:
    return Histogram(
        np.concatenate([spread.row + start for spread, start in zip(spreads, starts, strict=False)]),
        np.concatenate([spread.bucket for spread in spreads]),
        np.concatenate([spread.count for spread in spreads]),
    )


def _whole(columns: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [column for column in columns if column is not None]
    return np.concatenate(known) if len(known) == len(columns) else None


class Joined:
    """The pieces that were joined last: most questions of a look want the same ones."""

    def __init__(self, most: int) -> None:
        """More than `most` calls are not kept."""
        self._most = most
        self._latest: list[tuple[list[Facts], Facts]] = []

    def of(self, pieces: list[Facts]) -> Facts:
        """These as one; nobody may change it."""
        for known, found in self._latest:
            if len(known) == len(pieces) and all(map(_is, known, pieces)):
                return found
        found = joined(pieces)
        if len(found) <= self._most:
            # A list of its own each time: any thread may ask.
            self._latest = [(pieces, found), *self._latest[:1]]
        return found


def _is(one: Facts, other: Facts) -> bool:
    return one is other
