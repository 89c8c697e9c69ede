"""Cells of many rows read at once from the bytes of a table: numbers and times in their usual spelling.

Each reader gives the values and tells which cells it could not read. Those are read one by one elsewhere, so
nothing here is guessed: what is read comes out as it would there.
"""

from dataclasses import dataclass

import numpy as np

from tui_monitor.model.clock import MS, SECOND
from tui_monitor.model.columns import UNKNOWN

_ZERO, _POINT, _MINUS, _COLON = ord("0"), ord("."), ord("-"), ord(":")
_WHOLE = 18
"""Digits of an integer that surely fits."""
_MANTISSA = 15
"""Digits up to which a decimal is exact: both parts of the quotient are doubles without an error."""
_STAMP = len("2026-03-18T00:00:00")
_FRACTION = 6
_OFFSET = len("+00:00")
_DATE_DIGITS = 8
_FIRST_YEAR, _LAST_YEAR = 1900, 2400
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)


@dataclass(slots=True)
class Cells:
    """One column: where its cells begin and end in some bytes."""

    data: np.ndarray
    """uint8"""
    start: np.ndarray
    end: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Bytes of each."""
        return self.end - self.start

    def some(self, rows: np.ndarray) -> "Cells":
        """Those of some rows."""
        return Cells(self.data, self.start[rows], self.end[rows])

    def matrix(self, width: int) -> np.ndarray:
        """One row of `width` bytes for each, zeros behind its end."""
        columns = np.arange(width)
        at = self.start[:, None] + columns
        found = self.data[np.minimum(at, len(self.data) - 1)]
        found[columns >= self.length[:, None]] = 0
        return found

    def text(self, row: int) -> bytes:
        """One of them."""
        return self.data[self.start[row] : self.end[row]].tobytes()


def _digits(cells: Cells, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of digits as numbers, and which are that; an empty one is 0."""
    length = cells.length
    good = length <= most
    value = np.zeros(len(length), dtype=np.int64)
    power = 1
    for place in range(min(most, int(length.max(initial=0)))):
        here = length > place
        digit = cells.data[np.where(here, cells.end - 1 - place, 0)].astype(np.int64) - _ZERO
        digit[~here] = 0
        good &= (digit >= 0) & (digit <= 9)
        value += digit * power
        power *= 10
    return value, good


def whole(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers, `UNKNOWN` for empty cells; and which were read."""
    value, good = _digits(cells, _WHOLE)
    value[cells.length == 0] = UNKNOWN
    return value, good


def decimals(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Numbers such as `12` and `12.5`, NaN for empty cells; and which were read."""
    width = int(cells.length.max(initial=0))
    if width > 2 * _WHOLE:
        width = 2 * _WHOLE
    point = np.full(len(cells.start), -1, dtype=np.int64)
    for place in range(width):
        at = cells.start + place
        here = (at < cells.end) & (cells.data[np.minimum(at, len(cells.data) - 1)] == _POINT)
        point[here & (point < 0)] = place
    pointed = point >= 0
    middle = np.where(pointed, cells.start + point, cells.end)
    front, good = _digits(Cells(cells.data, cells.start, middle), _MANTISSA)
    behind = Cells(cells.data, np.where(pointed, middle + 1, cells.end), cells.end)
    rest, fine = _digits(behind, _MANTISSA)
    places = behind.length
    good &= fine & (middle - cells.start + places <= _MANTISSA) & ((middle > cells.start) | ~pointed)
    scale = 10 ** np.where(good, places, 0)
    mantissa = np.where(good, front, 0) * scale + np.where(good, rest, 0)
    value = mantissa / scale
    value[cells.length == 0] = np.nan
    return value, good


def instants(cells: Cells, *, naive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Times as µs, `UNKNOWN` for empty cells; and which were read.

    RFC 3339, or whole numbers since the epoch told apart by size. `naive` says that a time without an offset
    is UTC; else it is not read.
    """
    value = np.full(len(cells.start), UNKNOWN, dtype=np.int64)
    good = cells.length == 0
    numbers, digits = _digits(cells, _WHOLE)
    digits &= (cells.length != 0) & (cells.length != _DATE_DIGITS)
    value[digits] = since_epoch(numbers[digits])
    good |= digits
    for length in np.unique(cells.length[~good]).tolist():
        rows = np.flatnonzero(~good & (cells.length == length))
        if _STAMP <= length <= _STAMP + 1 + _FRACTION + _OFFSET:
            value[rows], good[rows] = _written(cells.some(rows).matrix(length), naive=naive)
    return value, good


def since_epoch(numbers: np.ndarray) -> np.ndarray:
    """Numbers since the epoch in s, ms, µs or ns, told apart by size, as µs."""
    seconds, millis, micros = numbers < 10**11, numbers < 10**14, numbers < 10**17
    factor = np.where(seconds, SECOND, np.where(millis, MS, 1))
    return np.where(micros, numbers * np.where(micros, factor, 1), numbers // 1000)


def _written(text: np.ndarray, *, naive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Written times of one length, as a matrix of bytes."""
    good = np.ones(len(text), dtype=bool)

    def number(first: int, last: int) -> np.ndarray:
        found = np.zeros(len(text), dtype=np.int64)
        for at in range(first, last):
            digit = text[:, at].astype(np.int64) - _ZERO
            np.logical_and(good, (digit >= 0) & (digit <= 9), out=good)
            found = found * 10 + digit
        return found

    for at, marks in ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":")):
        good &= np.isin(text[:, at], list(marks))
    days = _days(number(0, 4), number(5, 7), number(8, 10), good)
    hour, minute, second = number(11, 13), number(14, 16), number(17, 19)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    value = (((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND
    rest, offset = _zone(text, good, naive=naive)
    for end in np.unique(rest[good]).tolist():
        here = rest == end
        if end == _STAMP:
            continue
        if not _STAMP + 2 <= end <= _STAMP + 1 + _FRACTION:
            good &= ~here
            continue
        good &= ~here | (text[:, _STAMP] == _POINT)
        places = end - _STAMP - 1
        before = good.copy()
        fraction = number(_STAMP + 1, end) * 10 ** (_FRACTION - places)
        # What these places hold in rows of another form is nobody's business.
        good |= before & ~here
        value += np.where(here, fraction, 0)
    return np.where(good, value - offset, UNKNOWN), good


def _zone(text: np.ndarray, good: np.ndarray, *, naive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where each time's offset begins, and what it is in µs; what has none that may be is no longer good."""
    length = text.shape[1]
    rest = np.full(len(text), length, dtype=np.int64)
    offset = np.zeros(len(text), dtype=np.int64)
    zulu = text[:, length - 1] == ord("Z")
    rest[zulu] = length - 1
    signed = np.zeros(len(text), dtype=bool)
    if length >= _STAMP + _OFFSET:
        sign = text[:, length - _OFFSET]
        signed = (sign == ord("+")) | (sign == _MINUS)
        tail = text[:, length - _OFFSET + 1 :].astype(np.int64) - _ZERO
        digits = tail[:, [0, 1, 3, 4]]
        hours, minutes = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
        fine = ((digits >= 0) & (digits <= 9)).all(axis=1) & (tail[:, 2] == _COLON - _ZERO)
        fine &= (hours < 24) & (minutes < 60)
        good &= ~signed | fine
        offset = np.where(signed, (hours * 60 + minutes) * 60 * SECOND, 0)
        offset = np.where(sign == _MINUS, -offset, offset)
        rest[signed] = length - _OFFSET
    if not naive:
        good &= zulu | signed
    return rest, offset


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 of dates of the Gregorian calendar; others are no longer good."""
    good &= (year >= _FIRST_YEAR) & (year < _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    year, month = np.where(good, year, 1970), np.where(good, month, 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good &= day <= _MONTH_DAYS[month] + (leap & (month == 2))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1
