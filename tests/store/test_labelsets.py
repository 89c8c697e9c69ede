"""Label sets by number: shared by readers of different moments, and bounded when many were swept."""

import json
import sqlite3

import numpy as np
import pytest

from tui_monitor.store import labelsets
from tui_monitor.store.labelsets import LabelSets

WIDTH = 12


@pytest.fixture
def conn():
    opened = sqlite3.connect(":memory:")
    opened.execute("CREATE TABLE series_keys (id INTEGER PRIMARY KEY AUTOINCREMENT, labels TEXT)")
    yield opened
    opened.close()


def put(conn, *sets: tuple[str | None, ...]) -> list[int]:
    return [
        conn.execute("INSERT INTO series_keys (labels) VALUES (?)", (json.dumps(one),)).lastrowid
        for one in sets
    ]


def of(provider: str | None, model: str) -> tuple[str | None, ...]:
    return (provider, model, *(None,) * (WIDTH - 2))


def read(sets: LabelSets, conn, numbers: list[int], label: str) -> list[str | None]:
    ((codes, values),) = sets.coded(conn, [label], np.array(numbers, dtype=np.int64))
    return [values[code] for code in codes.tolist()]


def test_values_of_sets_whatever_the_order_in_which_they_come(conn):
    sets = LabelSets()
    numbers = put(conn, *(of(provider, model) for provider in ("a", None) for model in "xyz"))
    fine = put(conn, ("b", "x", "chat", "success", None))
    assert read(sets, conn, numbers[3:], "model") == ["x", "y", "z"]
    assert read(sets, conn, numbers[:2], "provider") == ["a", "a"]
    assert read(sets, conn, [*numbers, *fine], "provider") == ["a"] * 3 + [None] * 3 + ["b"]
    assert read(sets, conn, [*numbers[4:], *fine], "host") == [None] * 3
    assert read(sets, conn, [], "host") == []
    assert sorted(sets.all(conn)) == [*numbers, *fine]
    assert sets.matching(conn, [("provider", "a")], WIDTH) == numbers[:3]
    assert sets.matching(conn, [("provider", ""), ("model", "y")], WIDTH) == [numbers[4]]
    assert sets.matching(conn, [("model", "x")], 5) == fine
    assert sets.matching(conn, [("model", "nobody's")], WIDTH) == []
    assert sets.matching(conn, [("model", "w")], WIDTH) == []
    (more,) = put(conn, of("a", "w"))
    assert sets.matching(conn, [("model", "w")], WIDTH) == [more]
    assert LabelSets().matching(conn, [], 5) == fine
    with pytest.raises(KeyError):
        read(sets, conn, [99], "model")


def test_swept_sets_are_forgotten_in_the_end(conn, monkeypatch):
    monkeypatch.setattr(labelsets, "_GROWTH", 20)
    sets = LabelSets()
    kept = put(conn, of("keep", "m"))
    for round_ in range(50):
        made = put(conn, *(of("p", f"{round_}-{at}") for at in range(7)))
        assert read(sets, conn, [*kept, *made], "model") == ["m", *(f"{round_}-{at}" for at in range(7))]
        assert set(kept + made) <= set(sets.all(conn))
        conn.executemany("DELETE FROM series_keys WHERE id = ?", [(number,) for number in made])
        assert read(sets, conn, made, "provider") == ["p"] * 7, "an earlier moment still has them"
        assert len(sets) <= 2 * 8 + 20 + 8
    assert read(sets, conn, kept, "provider") == ["keep"]
