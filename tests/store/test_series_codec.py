"""Columns of samples come back bit for bit, and damage is seen."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.clock import SECOND
from tui_monitor.store.series import codec

STALE = 0x7FF0000000000002
any_bits = st.integers(0, 2**64 - 1)
special = st.sampled_from([STALE, 0x7FF8000000000000, 0xFFF0000000000000, 0x7FF0000000000000, 1 << 63, 0, 1])


def bits_of(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


decimals = st.integers(-(10**6), 10**6).flatmap(lambda n: st.integers(0, 6).map(lambda d: n / 10**d))
whole = st.integers(-(2**63), 2**63).map(float)
values = st.one_of(
    st.lists(any_bits | special, min_size=1, max_size=60),
    st.lists(st.one_of(decimals.map(bits_of), special), min_size=1, max_size=200),
    st.lists(whole.map(bits_of), min_size=1, max_size=60),
    st.lists(st.integers(0, 100).map(lambda n: bits_of(float(n))), min_size=40, max_size=300),
)
integers = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60),
    st.lists(st.integers(0, 1000), min_size=1, max_size=300).map(lambda d: np.cumsum(d).tolist()),
    st.integers(1, 500).map(lambda n: [1_773_835_200_000_000 + i * 15 * SECOND for i in range(n)]),
)


@given(st.lists(values, min_size=1, max_size=6))
@settings(max_examples=examples(100))
def test_floats_come_back_bit_for_bit(columns: list[list[int]]) -> None:
    arrays = [np.array(column, dtype=np.uint64) for column in columns]
    back = codec.decode_floats([codec.encode_floats(bits.view(np.float64)) for bits in arrays])
    assert [column.view(np.uint64).tolist() for column in back] == columns


@given(st.lists(integers, min_size=1, max_size=6))
@settings(max_examples=examples(100))
def test_integers_come_back(columns: list[list[int]]) -> None:
    arrays = [np.array(column, dtype=np.int64) for column in columns]
    back = codec.decode_ints([codec.encode_ints(array) for array in arrays])
    assert [column.tolist() for column in back] == columns


@given(values, st.data())
@settings(max_examples=examples(100))
def test_a_flipped_byte_is_seen(column: list[int], data: st.DataObject) -> None:
    written = bytearray(codec.encode_floats(np.array(column, dtype=np.uint64).view(np.float64)))
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    sound = codec.encode_floats(np.ones(3))
    with pytest.raises(codec.Damaged) as caught:
        codec.decode_floats([sound, bytes(written)])
    assert caught.value.place == 1


def test_what_is_regular_takes_little_room() -> None:
    rng = np.random.default_rng(7)
    n = 1440
    times = 1_773_835_200_000_000 + np.arange(n) * 15 * SECOND
    assert len(codec.encode_ints(times)) < 50
    share = np.round(np.cumsum(rng.integers(-3, 4, n)) / 100, 2)
    assert len(codec.encode_floats(share)) < 0.5 * n
    counter = np.cumsum(rng.integers(90, 120, n)).astype(np.float64)
    assert len(codec.encode_floats(counter)) < 0.75 * n
    gaps = np.where(np.arange(n) % 100 == 50, np.nan, share)
    assert len(codec.encode_floats(gaps)) < 0.8 * n


def test_many_columns_are_decoded_together() -> None:
    columns = [np.arange(i % 7 + 1, dtype=np.float64) * 10.0 ** -(i % 3) for i in range(1000)]
    back = codec.decode_floats([codec.encode_floats(column) for column in columns])
    assert [column.tolist() for column in back] == [column.tolist() for column in columns]
    assert codec.decode_floats([]) == []
