"""Forests of forked, resumed and accompanied sessions: whatever the order, the chunks and the kills."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from agent_run import AgentRun
from claude_lines_made import Forest

from tui_monitor.sources.agents import lines
from tui_monitor.store.database import Store


@pytest.mark.parametrize("seed", range(25))
def test_a_first_read_counts_every_call_once(seed: int, root: Path, store: Store) -> None:
    forest = Forest(seed)
    forest.write(root)
    run = AgentRun(store, root)
    run.step()
    assert run.sums() == forest.sums
    assert run.problems == []
    # Everything again, as if nothing were known of the places.
    for path in root.rglob("*.jsonl"):
        path.rename(path.with_name("copy-" + path.name))
    again = AgentRun(store, root)
    again.step()
    assert again.sums() == forest.sums


@pytest.mark.parametrize("seed", range(25, 50))
def test_files_that_grow_in_any_chunks_between_kills(
    seed: int, root: Path, opener: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    forest, rng = Forest(seed), random.Random(seed)
    monkeypatch.setattr(lines, "BLOCK", rng.choice((300, 2_000, 1 << 19)))
    store = opener()
    run = AgentRun(store, root)
    unwritten = forest.bytes()
    while unwritten:
        place = rng.choice(sorted(unwritten))
        size = rng.choice((1, 40, 700, 5_000, 1 << 20))
        part, unwritten[place] = unwritten[place][:size], unwritten[place][size:]
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(part)
        if not unwritten[place]:
            del unwritten[place]
        luck = rng.random()
        if luck < 0.2:
            run.step(rng.randint(0, 3))
        if luck < 0.05:
            store.close()
            store = opener()
            run.store = store
        if luck < 0.1:
            run.restart()
    run.settle()
    assert run.sums() == forest.sums
    assert run.problems == []
