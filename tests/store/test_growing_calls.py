"""Transcripts write a call again while it grows, and copy it: what the store makes of that."""

import random
from dataclasses import replace
from itertools import permutations

import pytest
from store_helpers import EVER, a_call, check_layers, read, total, write

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.store.api import Layer, Outcome, WriteBatch
from tui_monitor.store.database import Store

AT = 1_772_000_000_000_000


def line(message: str, request: str, out: int, **fields: object) -> Call:
    """A line of a transcript."""
    call = a_call(f"{message}:{request}", AT, source="claude-code", call_keys=(message, request))
    return replace(call, in_uncached=10, out_total=out, **fields)  # type: ignore[arg-type]


def aside(message: str, request: str, out: int) -> Call:
    """A copy of a line on a sidechain."""
    return line(message, request, out, attrs={"sidechain": True})


def outputs(store: Store) -> list[int]:
    """Output tokens of each call, sorted."""
    return sorted(read(store, Layer.RAW, EVER).numbers["output"].total.tolist())


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_largest_record_of_a_call_holds_in_any_order(store: Store, order: tuple[int, ...]) -> None:
    lines = [line("m", "r", 3), line("m", "r", 210), line("m", "r", 30, session="a copy")]
    for index in order:
        write(store, lines[index], remember=True)
    assert outputs(store) == [210]
    check_layers(store, [lines[1]])


def test_a_smaller_view_after_a_restart_changes_nothing(opener: Opener) -> None:
    store = opener()
    write(store, line("m", "r", 210), remember=True)
    store.close()
    store = opener()
    assert write(store, line("m", "r", 3), remember=True).calls == [Outcome.DUPLICATE]
    assert outputs(store) == [210]


def test_of_equal_records_the_one_with_a_speed_holds_then_the_first(store: Store) -> None:
    write(store, line("m", "r", 5, session="first"))
    assert write(store, line("m", "r", 5, session="second")).calls == [Outcome.DUPLICATE]
    assert write(store, line("m", "r", 5, attrs={"speed": "fast"})).calls == [Outcome.CORRECTED]
    assert write(store, line("m", "r", 5, finish_reason="end_turn")).calls == [Outcome.DUPLICATE]
    assert store.label_values("speed") == ["fast"]


def test_corrections_of_other_sources_may_be_smaller(store: Store) -> None:
    write(store, a_call("k", AT, out_total=210))
    assert write(store, a_call("k", AT, out_total=3)).calls == [Outcome.CORRECTED]
    assert outputs(store) == [3]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_copies_on_a_sidechain_are_the_same_call(store: Store, order: tuple[int, ...]) -> None:
    """And one of two answers is no copy of the other, whichever the copies came between."""
    lines = [line("m", "r1", 100), line("m", "r2", 7), aside("m", "s1", 5_000), aside("m", "s2", 100)]
    for index in order:
        write(store, lines[index])
    assert outputs(store) == [7, 100]
    assert store.label_values("sidechain") == []
    check_layers(store, lines[:2])


def test_without_its_original_a_copy_counts_and_two_copies_count_once(store: Store) -> None:
    write(store, aside("m", "s1", 50), aside("m", "s2", 50))
    assert outputs(store) == [50]
    assert store.label_values("sidechain") == ["true"]


def test_a_record_without_request_is_the_same_call(store: Store) -> None:
    bare = replace(line("m", "", 50), call_keys=("m",))
    write(store, line("m", "r", 20), bare)
    assert outputs(store) == [50]


def test_a_taken_back_original_leaves_the_copy(store: Store) -> None:
    write(store, line("m", "r", 20), aside("m", "s", 50))
    store.write(WriteBatch(retracts=[Retract("claude-code", "m:r")]))
    assert outputs(store) == [50]
    check_layers(store, [aside("m", "s", 50)])


def test_a_gateway_and_a_transcript_count_once_and_the_gateway_is_believed(store: Store) -> None:
    gateway = a_call("g", AT, source="litellm", call_keys=("m",), in_uncached=10, out_total=60)
    write(store, aside("m", "s", 70), gateway, line("m", "r", 50))
    assert outputs(store) == [60]
    assert total(read(store, Layer.RAW)) == 1


def test_identities_of_transcripts_outlive_their_rows(store: Store, clock: ManualClock) -> None:
    old = clock.now() - 200 * DAY
    lines = [replace(line(f"m{i}", f"r{i}", i), ts_end=old + i) for i in range(50)]
    random.Random(1).shuffle(lines)
    write(store, *lines, remember=True)
    clock.advance(100 * DAY)
    store.retain(Retention(), clock.now())
    assert outputs(store) == []
    assert set(write(store, *lines, remember=True).calls) == {Outcome.DUPLICATE}
