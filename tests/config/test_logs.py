"""The log: rotated, private, harmless to read, without secrets."""

import io
import json
import logging
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tui_monitor.config import logs, places
from tui_monitor.config.settings import Log


@pytest.fixture(autouse=True)
def root_as_before() -> Iterator[None]:
    """Other tests find logging as they left it."""
    root = logging.getLogger()
    handlers, level, last = list(root.handlers), root.level, logging.lastResort
    yield
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.lastResort = last
    logging.raiseExceptions = True
    logging.captureWarnings(False)


log = logging.getLogger("tui_monitor.test")


def test_lines_have_time_level_and_place() -> None:
    assert logs.set_up(Log()) is None
    log.info("started %d", 5)
    log.debug("not this")
    path = places.log_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (line,) = path.read_text().splitlines()
    time, rest = line.split(" ", 1)
    assert rest == "info    tui_monitor.test: started 5"
    assert len(time) == len("2026-01-01T00:00:00.000Z")
    assert time.endswith("Z")


def test_json_lines(tmp_path: Path) -> None:
    logs.set_up(Log(file=tmp_path / "deep" / "x.log", format="json", level="debug"))
    try:
        raise ValueError("bad\x1b[31m")
    except ValueError:
        log.exception("caught")
    (line,) = (tmp_path / "deep" / "x.log").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "tui_monitor.test", "caught")
    assert "ValueError: bad\\x1b[31m" in entry["trace"]


def test_control_characters_and_line_breaks_cannot_forge_or_drive() -> None:
    logs.set_up(Log())
    log.warning("model %s", "\x1b]0;t\x07\n2026-01-01 error: forged\u202e")
    (line,) = places.log_file().read_text().splitlines()
    assert line.endswith("model \\x1b]0;t\\x07\\n2026-01-01 error: forged\\u202e")


SECRETS = [
    "Authorization: Bearer abcDEF123456.xyz",
    "{'authorization': 'bearer abcDEF123456.xyz'}",
    'headers {"x-api-key": "abcDEF123456.xyz"}',
    "POST https://user:abcDEF123456.xyz@host/x",
    "https://hooks.slack.com/services/T0/B0/abcDEF123456.xyz",
    "url https://h/p?api_key=abcDEF123456.xyz&b=1",
    "password = 'abcDEF123456.xyz'",
    "OPENAI_API_KEY=abcDEF123456.xyz",
    "key sk-proj-abcDEF123456-xyz failed",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_never_appear(text: str) -> None:
    logs.set_up(Log(level="debug"))
    log.debug("%s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        log.exception("request failed")
    written = places.log_file().read_text()
    assert "abcDEF123456" not in written
    assert "***" in written
    assert "RuntimeError" in written


def test_values_of_secret_variables_and_taught_ones_never_appear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGERDUTY_SERVICE_KEY", "plainwords-of-a-key")
    logs.set_up(Log())
    logs.redactor.learn("the-token-itself")
    log.info("got plainwords-of-a-key and the-token-itself and %r", SecretStr("hidden-by-pydantic"))
    assert "got *** and *** and SecretStr('**********')" in places.log_file().read_text()


def test_counts_of_tokens_are_no_secret() -> None:
    logs.set_up(Log())
    log.info("input_tokens=512 max_tokens: 100, 12 tokens")
    assert "input_tokens=512 max_tokens: 100, 12 tokens" in places.log_file().read_text()


def test_rotation_keeps_so_many(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    logs.set_up(Log(file=path, max_size=500, keep=2))
    for number in range(60):
        log.info("line %d", number)
    assert sorted(p.name for p in tmp_path.glob("r.log*")) == ["r.log", "r.log.1", "r.log.2"]
    assert path.stat().st_size <= 500
    assert "line 59" in path.read_text()


def test_rotation_with_nothing_kept_still_limits_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    logs.set_up(Log(file=path, max_size=500, keep=0))
    for number in range(60):
        log.info("line %d", number)
    assert [p.name for p in tmp_path.glob("r.log*")] == ["r.log"]
    assert path.stat().st_size <= 500


def test_two_processes_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    first, second = logs.LogFile(path, 10_000, 2), logs.LogFile(path, 10_000, 2)
    record = logging.LogRecord("n", logging.INFO, "", 0, "hello", None, None)
    first.emit(record)
    second.emit(record)
    first.doRollover()
    first.emit(record)
    second.emit(record)
    first.close()
    second.close()
    assert path.read_text().count("hello") == 2
    assert (tmp_path / "r.log.1").read_text().count("hello") == 2


def test_a_folder_that_is_removed_comes_back_and_disturbs_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert logs.set_up(Log(file=folder / "m.log")) is None
    log.info("before")
    shutil.rmtree(folder)
    for number in range(3):
        log.info("after %d", number)
    lines = (folder / "m.log").read_text().splitlines()
    assert [line[-7:] for line in lines] == ["after 0", "after 1", "after 2"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    shutil.rmtree(folder)
    folder.write_text("in the way")
    for _ in range(3):
        log.info("nowhere to go")
    folder.unlink()
    log.info("here again")
    assert (folder / "m.log").read_text().endswith("here again\n")


def test_nothing_reaches_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    problem = logs.set_up(Log(file=Path("/proc/nowhere/x.log")))
    assert problem is not None
    assert "/proc/nowhere/x.log" in problem
    wrong = ("trouble %d %d", 1)
    log.error(*wrong)
    logging.getLogger("uvicorn").critical("worse")
    assert screen.getvalue() == ""
