"""From what was sampled within a range to the whole range."""

from dataclasses import dataclass

import numpy as np

from tui_monitor.query.promql.evaluate.blocks import Block
from tui_monitor.query.promql.evaluate.selecting import seconds
from tui_monitor.query.promql.values import Windows


@dataclass(slots=True)
class Edges:
    """Where the samples of windows lie in their range; arrays of one shape, in seconds."""

    to_start: np.ndarray
    """From the beginning of the range to the first sample."""
    sampled: np.ndarray
    """From the first sample to the last."""
    to_end: np.ndarray
    """From the last sample to the end of the range."""
    counts: np.ndarray
    """How many samples there are."""
    length: np.ndarray
    """Of the range."""


def drawn_out(
    edges: Edges, first: np.ndarray, risen: np.ndarray, *, counter: bool, closed: bool
) -> np.ndarray:
    """By how much a difference is multiplied so that it stands for the whole range.

    It is not drawn out further than half the mean distance of samples beyond them, nor is a counter
    to before it would have been 0. `closed` is the order of these two in Prometheus 2.
    """
    mean = edges.sampled / (edges.counts - 1)
    to_start, to_end = edges.to_start, edges.to_end
    far = to_start >= mean * 1.1
    if not closed:
        to_start = np.where(far, mean / 2, to_start)
    # Most counters are far from 0: with some room for rounding, that is seen without a division.
    if counter and (edges.sampled * first < to_start * risen * (1 + 1e-9)).any():
        with np.errstate(all="ignore"):
            to_zero = edges.sampled * (first / risen)
        nearer = (risen > 0) & (first >= 0) & (to_zero < to_start)
        to_start = np.where(nearer, to_zero, to_start)
    if closed:
        to_start = np.where(to_start < mean * 1.1, to_start, mean / 2)
    to_end = np.where(to_end < mean * 1.1, to_end, mean / 2)
    return (edges.sampled + to_start + to_end) / edges.sampled


def edges_of(block: Block, windows: Windows, first: np.ndarray, last: np.ndarray) -> Edges:
    """The edges of the windows of a part, from the places of their first and last samples."""
    begin, end = block.at_times(first), block.at_times(last)
    return Edges(
        seconds(begin - windows.start),
        seconds(end - begin),
        seconds(windows.end - end),
        block.counts.astype(np.float64),
        seconds(windows.end - windows.start),
    )
