"""The banner that asks what may be used: when it comes, what it says, and what becomes of the answers."""

import os
from pathlib import Path

import pytest

from tests.tui.screen_fakes import FakeBackend, FakeMonitor, lines, settings_of, settle, text
from tui_monitor.config.load import Settings, load
from tui_monitor.model.errors import MonitorError
from tui_monitor.monitor.api import Reloaded
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.tui.app import MonitorApp

pytestmark = pytest.mark.usefixtures("quick_pilot")
LOG = ".claude/projects/-home-ana-x/11111111-2222-3333-4444-555555555555.jsonl"
SECRET = "sk-ant-secret-value-0123456789"


class Monitor(FakeMonitor):
    """Counts how often the configuration was taken over."""

    def __init__(self, *, empty: bool = True) -> None:
        super().__init__()
        self.values = ("openai",)
        if empty:
            self.newest, self.empty, self.values = None, True, ()

    async def reload(self) -> Reloaded:
        self.asked.append(("reload", ()))
        if self.error is not None:
            raise self.error
        return Reloaded(("consent.agent_logs",))


@pytest.fixture
def found(private_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with logs of an agent and a key."""
    path = private_home / LOG
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    return path


def unasked(**consent: bool) -> Settings:
    return settings_of().model_copy(update={"consent": load(None, {"consent": consent}).consent})


def app_of(monitor: FakeMonitor, settings: Settings | None = None) -> MonitorApp:
    backend = FakeBackend(monitor, settings or unasked())
    return MonitorApp(backend, host="box", environ={"LANG": "C.UTF-8"}, timer=lambda: 0.0)


@pytest.mark.usefixtures("found")
async def test_it_lists_what_was_found_by_names_alone_and_fits_a_small_screen() -> None:
    assert "claude-code" in ADAPTERS
    app = app_of(Monitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await settle(pilot)
        shown = text(app)
        assert " FOUND HERE  nothing is used or leaves this machine unless you allow it\n" in shown
        assert " ▸ a  ○ not now  agent logs     Claude Code (1): counts and costs, never text\n" in shown
        assert "   k  ○ not now  provider keys  ANTHROPIC_API_KEY: probes that cost nothing\n" in shown
        assert "   s  ○ not now  status pages   anthropic: incidents they report\n" in shown
        assert "enter save   esc later" in shown
        assert SECRET not in shown
        assert "PROVIDERS" in shown
        # The other panes are left alone, until somebody asks there.
        await settle(pilot, "8")
        assert "FOUND HERE" not in text(app)
        await settle(pilot, "C")
        assert "FOUND HERE" in text(app)
        assert "enter save   esc later" in text(app)


async def test_allowing_writes_the_file_and_takes_it_over(found: Path) -> None:
    monitor = Monitor()
    app = app_of(monitor)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await settle(pilot)
        await settle(pilot, "a")
        assert "Claude Code is paid by subscription" in text(app)
        await settle(pilot, "down", "space", "s", "s")
        assert "Claude Code is paid by the token (api)" in text(app)
        assert "✖ never    status pages" in text(app)
        assert not app.backend.config_file.exists()
        await settle(pilot, "enter")
        await settle(pilot)
        consent, agents = load().consent, load().agents
        assert (consent.agent_logs, consent.provider_keys, consent.status_pages) == (True, None, False)
        assert agents.billing == {"claude-code": "api"}
        assert monitor.count("reload") == 1
        assert "FOUND HERE" not in text(app)
        assert app.focused is not None
        assert "C allow" in lines(app)[-1]
        await settle(pilot, "C")
        await settle(pilot)
        assert "● allow    agent logs" in text(app)
        assert "○ not now  provider keys" in text(app)


@pytest.mark.usefixtures("found")
async def test_later_keeps_nothing_and_comes_back_when_wanted() -> None:
    app = app_of(Monitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await settle(pilot, "y", "escape")
        assert "FOUND HERE" not in text(app)
        assert not app.backend.config_file.exists()
        assert "C allow" in lines(app)[-1]
        app.get_default_screen().tick()
        await settle(pilot)
        assert "FOUND HERE" not in text(app)
        await settle(pilot, "C")
        await settle(pilot)
        assert "○ not now  agent logs" in text(app)
        # Nothing chosen is nothing to keep.
        await settle(pilot, "enter")
        assert not app.backend.config_file.exists()


@pytest.mark.usefixtures("found")
async def test_where_there_is_data_the_keys_stay_the_panes() -> None:
    app = app_of(Monitor(empty=False))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "FOUND HERE" in text(app)
        assert "anthropic, openai" in text(app) or "openai, anthropic" in text(app)
        await settle(pilot, "y", "enter")
        assert not app.backend.config_file.exists()
        await settle(pilot, "1")
        assert "C answers" in text(app)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("empty", [True, False])
async def test_a_tour_that_somebody_wants_has_its_keys_beside_the_question(empty: bool) -> None:
    app = app_of(Monitor(empty=empty))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await settle(pilot, "colon", *"tour", "enter")
        assert "1 of 6" in text(app)
        assert "FOUND HERE" in text(app)
        await settle(pilot, "enter")
        assert "2 of 6" in text(app)
        await settle(pilot, "escape")
        assert "of 6" not in text(app)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("answer", [True, False])
async def test_who_has_answered_is_not_asked(answer: bool) -> None:
    monitor = Monitor()
    app = app_of(monitor, unasked(agent_logs=answer, provider_keys=answer, status_pages=answer))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "FOUND HERE" not in text(app)
        assert "C allow" not in text(app)
        assert monitor.count("query") == 0


async def test_where_nothing_is_found_nothing_is_asked() -> None:
    app = app_of(Monitor())
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        assert "FOUND HERE" not in text(app)
        await settle(pilot, "C")
        await settle(pilot)
        assert "nothing found on this machine" in text(app)


async def test_a_file_that_cannot_be_written_is_told_with_what_to_write(found: Path) -> None:
    app = app_of(Monitor())
    # What should be the file is a folder: as little to be written as on a read-only system.
    app.backend.config_file.mkdir(parents=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await settle(pilot, "a", "k", "enter")
        await settle(pilot)
        shown = text(app)
        assert "cannot be changed: not a regular file" in "".join(line.strip() for line in shown.split("\n"))
        for line in ("[consent]", "agent_logs = true", "provider_keys = true", "[agents]"):
            assert f"   {line}\n" in shown
        assert 'billing.claude-code = "subscription"' in shown


@pytest.mark.usefixtures("found")
async def test_a_collector_that_does_not_take_it_over_is_told() -> None:
    monitor = Monitor()
    app = app_of(monitor)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        monitor.error = MonitorError("the collector does not answer")
        await settle(pilot, "n", "enter")
        await settle(pilot)
        told = [notice.message for notice in app._notifications]
        assert any("but not taken over: the collector does not answer" in message for message in told)
        assert load().consent.agent_logs is False


async def test_hostile_names_are_only_text(found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = Monitor(empty=False)
    monitor.values = ("[/red]\x1b]0;x\x07", "openai")
    app = app_of(monitor)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "FOUND HERE" in text(app)
        assert "\x1b" not in text(app)
