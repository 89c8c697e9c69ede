"""The source under a collector: consent, the first read, busy stores, what people see of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_run import labels, sums
from claude_lines_made import PROJECT, Forest, answer, dump

from tui_monitor.config.settings import Agents, Collector, Consent
from tui_monitor.model.clock import DAY, ManualClock, SystemClock
from tui_monitor.model.errors import Busy, StoreError
from tui_monitor.model.feed import Record
from tui_monitor.recorder.commit import commit
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.sources.agents import source as source_module
from tui_monitor.sources.agents.claude import ClaudeCode
from tui_monitor.sources.agents.source import AgentLogsSource
from tui_monitor.store.api import Outcome
from tui_monitor.store.database import Store


class Settings:
    """What the source reads of the configuration."""

    def __init__(self, consent: bool | None = True, **agents: Any) -> None:
        self.consent = Consent(agent_logs=consent)
        self.agents = Agents(interval="10ms", **agents)
        self.collector = Collector()


class Context:
    """Stores at once, and notes what the source says of itself."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings: Any = settings
        self.clock = SystemClock()
        self.words: list[str] = []
        self.problems: list[str] = []
        self.shares: list[float | None] = []
        self.lags: list[float | None] = []
        self.failing: list[Exception] = []
        self.submits = 0
        self.outcomes: list[object] = []

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        assert remember
        await asyncio.sleep(0)
        if self.failing:
            raise self.failing.pop()
        self.submits += 1
        self.outcomes += commit(self.store, records, remember=True, offsets=offsets)
        return Receipt(accepted=len(records))

    async def offsets(self, prefix: str) -> dict[str, str]:
        return self.store.offsets(prefix)

    async def providers_used(self) -> frozenset[str]:
        return frozenset()

    def progress(self, done: float | None, total: float | None = None) -> None:
        self.shares.append(None if done is None or not total else done / total)

    def lag(self, seconds: float | None) -> None:
        self.lags.append(seconds)

    def expect(self, seconds: float) -> None:
        assert seconds > 0

    def running(self, detail: str | None = None) -> None:
        self.words.append(f"running: {detail}")

    def paused(self, why: str) -> None:
        self.words.append(f"paused: {why}")

    def off(self, why: str) -> None:
        self.words.append(f"off: {why}")

    def problem(self, error: str) -> None:
        self.problems.append(error)


@pytest.fixture
def transcripts(private_home: Path) -> Path:
    """The usual place."""
    return private_home / ".claude" / "projects"


def put(transcripts: Path, number: int, name: str = "s-1", **more: Any) -> None:
    path = transcripts / PROJECT / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(dump(answer(f"m{number}", f"r{number}", (1, 1, 1, 1), **more)))


@asynccontextmanager
async def running(context: Context, home: Path) -> AsyncIterator["asyncio.Task[None]"]:
    """The source, until the end of the block."""
    source = AgentLogsSource(ClaudeCode(), environ={}, home=home)
    assert source.off(context.settings) == ""
    task = asyncio.create_task(source.run(context))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, StoreError):
            await task


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    """Wait for it, in real time."""
    for _ in range(int(within / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Settings(consent=None), "consent.agent_logs = true"),
        (Settings(consent=False), "consent.agent_logs is false"),
        (Settings(only=["codex"]), "agents.only"),
        (Settings(only=["codex", "claude-code"]), ""),
    ],
)
def test_nothing_is_read_before_somebody_allows_it(settings: Any, why: str) -> None:
    said = AgentLogsSource(ClaudeCode()).off(settings)
    assert why in said
    assert bool(said) == bool(why)


async def test_an_agent_that_is_not_there_is_off_and_found_when_it_comes(
    store: Store, private_home: Path, transcripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "_LOOK_AGAIN_S", 0.02)
    context = Context(store, Settings())
    async with running(context, private_home):
        await until(lambda: context.words)
        assert context.words == ["off: no logs in ~/.config/claude/projects, ~/.claude/projects …"]
        put(transcripts, 1)
        await until(lambda: sums(store)["calls"] == 1)


async def test_lines_are_stored_within_a_second_with_where_they_came_from(
    store: Store, private_home: Path, transcripts: Path
) -> None:
    put(transcripts, 1)
    context = Context(store, Settings())
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)
        put(transcripts, 2)
        await until(lambda: sums(store)["calls"] == 2, within=1.0)
        put(transcripts, 3, name="s-2")
        await until(lambda: sums(store)["calls"] == 3, within=1.0)
        assert context.words[-1] == "running: 2 files, subscription, local estimate"
        submits = context.submits
        await asyncio.sleep(0.1)
        assert context.submits == submits
        assert context.lags[-1] is not None
    assert context.problems == []


async def test_a_first_read_is_told_as_progress_and_goes_on_after_a_stop(
    store: Store, private_home: Path, transcripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "_BIG", 1_000)
    monkeypatch.setattr(source_module, "RECORDS", 3)
    forest = Forest(3)
    forest.write(transcripts)
    context = Context(store, Settings())
    async with running(context, private_home):
        await until(lambda: context.submits >= 2)
    again = Context(store, Settings())
    async with running(again, private_home):
        await until(lambda: sums(store) == forest.sums)
        await until(lambda: again.words[-1].endswith("local estimate"))
    shares = [share for share in context.shares + again.shares if share is not None]
    assert shares[-1] == 1.0
    assert any("first read" in word and " % of " in word for word in context.words)
    assert Outcome.DUPLICATE not in again.outcomes or len(again.outcomes) < 300


async def test_a_busy_store_is_waited_for(store: Store, private_home: Path, transcripts: Path) -> None:
    put(transcripts, 1)
    context = Context(store, Settings())
    context.failing = [Busy("full", retry_after=0.01) for _ in range(3)]
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)


async def test_what_could_not_be_stored_is_read_again(
    store: Store, private_home: Path, transcripts: Path
) -> None:
    put(transcripts, 1)
    context = Context(store, Settings())
    context.failing = [StoreError("the disk is full")]
    async with running(context, private_home) as task:
        with pytest.raises(StoreError):
            await task
    assert sums(store)["calls"] == 0
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)


@pytest.mark.parametrize(("billing", "status"), [({}, "subscription"), ({"claude-code": "api"}, "unpriced")])
async def test_how_calls_are_paid(
    store: Store, private_home: Path, transcripts: Path, billing: dict[str, Any], status: str
) -> None:
    put(transcripts, 1)
    context = Context(store, Settings(billing=billing))
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)
    assert labels(store, "cost_status") == [(status,)]


async def test_configured_folders_are_read_instead_of_the_usual_ones(
    store: Store, private_home: Path, transcripts: Path, tmp_path: Path
) -> None:
    put(transcripts, 1)
    put(tmp_path / "ci", 2, cwd="/ci")
    context = Context(store, Settings(folders={"claude-code": [tmp_path / "ci"]}))
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)
    assert labels(store, "project") == [("/ci",)]


async def test_bad_lines_are_counted_one_by_one(store: Store, private_home: Path, transcripts: Path) -> None:
    put(transcripts, 1)
    with (transcripts / PROJECT / "s-1.jsonl").open("ab") as file:
        file.write(b'{"usage": 1\nnothing\n')
    put(transcripts, 2)
    context = Context(store, Settings())
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 2)
        await asyncio.sleep(0.05)
    assert len(context.problems) == 2
    assert all("s-1.jsonl: at byte" in problem for problem in context.problems)


async def test_a_file_that_its_reader_chokes_on_holds_up_no_other(
    store: Store, private_home: Path, transcripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_monitor.sources.agents.claude_lines import Transcript

    feed = Transcript.feed

    def choke(self: Transcript, block: Any) -> Any:
        if b"m1" in block.data:
            raise KeyError("what")
        return feed(self, block)

    monkeypatch.setattr(Transcript, "feed", choke)
    put(transcripts, 1, name="bad")
    put(transcripts, 2, name="good")
    context = Context(store, Settings())
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1 and context.problems)
        put(transcripts, 3, name="good")
        await until(lambda: sums(store)["calls"] == 2)
        assert context.words[-1] == "running: 2 files, subscription, 1 unreadable, local estimate"
    assert ["bad.jsonl: cannot be understood: KeyError" in problem for problem in context.problems] == [True]


async def test_a_clock_that_jumps_changes_nothing(
    store: Store, private_home: Path, transcripts: Path
) -> None:
    clock = ManualClock(10**15)
    context = Context(store, Settings())
    context.clock = clock  # type: ignore[assignment]
    put(transcripts, 1)
    async with running(context, private_home):
        await until(lambda: sums(store)["calls"] == 1)
        clock.advance(10**13)
        put(transcripts, 2)
        await until(lambda: sums(store)["calls"] == 2)
        clock._now = 0
        put(transcripts, 3)
        await until(lambda: sums(store)["calls"] == 3)
    # By these clocks the transcripts are of the future, and that is said.
    lags = [lag for lag in context.lags if lag is not None]
    assert lags
    assert max(lags) < 0


class Settable(SystemClock):
    """A clock that somebody sets."""

    behind = 0

    def now(self) -> int:
        return super().now() - self.behind


async def test_calls_written_under_a_clock_that_was_wrong_are_read_again_when_it_is_right(
    store: Store, private_home: Path, transcripts: Path
) -> None:
    """The collector refuses what lies in the future, so how far the file was read must not be kept."""
    put(transcripts, 1, "s-1")
    context = Context(store, Settings())
    clock = context.clock = Settable()
    clock.behind = 20 * 366 * DAY
    async with running(context, private_home):
        await until(lambda: context.submits)
        await asyncio.sleep(0.05)
        assert store.offsets("claude-code:") == {}
        submits = context.submits
        clock.behind = 0
        await until(lambda: context.submits > submits)
        await until(lambda: store.offsets("claude-code:"))
    assert Outcome.DUPLICATE in context.outcomes
