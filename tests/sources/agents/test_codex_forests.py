"""Families of Codex sessions: whatever the order, the chunks and the kills, each call counts once."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from agent_run import AgentRun, labels
from codex_lines_made import Forest

from tui_monitor.sources.agents import lines
from tui_monitor.sources.agents.codex import Codex
from tui_monitor.store.database import Store


def run_over(store: Store, home: Path) -> AgentRun:
    """A first run, by an adapter that knows nothing yet."""
    adapter = Codex()
    return AgentRun(store, *adapter.roots({"CODEX_HOME": str(home)}, home), adapter=adapter)


def write(home: Path, files: dict[str, bytes], rng: random.Random) -> None:
    """In any order, with any age."""
    places = list(files)
    rng.shuffle(places)
    for place in places:
        path = home / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[place])


def sessions_fit(store: Store, forest: Forest) -> bool:
    """Whether each session holds as many calls as it may."""
    held = Counter(str(session) for (session,) in labels(store, "session"))
    certain = Counter(next(iter(owners)) for owners in forest.owners.values() if len(owners) == 1)
    free = sum(len(owners) > 1 for owners in forest.owners.values())
    return (
        all(held[name] >= count for name, count in certain.items()) and sum((held - certain).values()) <= free
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_first_read(seed: int, root: Path, store: Store) -> None:
    forest = Forest(seed)
    write(root, forest.files(), random.Random(seed))
    run = run_over(store, root)
    run.step()
    assert run.sums() == forest.sums
    assert run.problems == []
    assert sessions_fit(store, forest)


@pytest.mark.parametrize("seed", range(300, 340))
def test_files_that_turn_up_and_grow_in_any_order(
    seed: int, root: Path, opener: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    forest, rng = Forest(seed), random.Random(seed)
    monkeypatch.setattr(lines, "BLOCK", rng.choice((300, 2_000, 1 << 19)))
    store = opener()
    for folder in ("sessions", "archived_sessions"):
        (root / folder).mkdir()
    run = run_over(store, root)
    unwritten = forest.files()
    while unwritten:
        place = rng.choice(sorted(unwritten))
        size = rng.choice((1, 300, 3_000, 1 << 20))
        part, unwritten[place] = unwritten[place][:size], unwritten[place][size:]
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(part)
        if not unwritten[place]:
            del unwritten[place]
        luck = rng.random()
        if luck < 0.4:
            run.step(rng.choice((None, 0, 1, 2)))
        if luck < 0.03:
            store.close()
            store = opener()
            run.store = store
        if luck < 0.1:
            run.adapter = Codex()
            run.restart()
    # A step that was cut short is a kill, and the next run goes on from there.
    run.restart()
    run.settle()
    assert run.sums() == forest.sums
    assert sessions_fit(store, forest)
