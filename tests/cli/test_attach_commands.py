"""Commands that ask a collector elsewhere, and what they do not do there."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.runtime.collecting import CALL, settings_for
from tui_monitor.config import places
from tui_monitor.model.states import SourceState
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.server.tokens import read_or_make


@pytest.fixture
def there(tmp_path: Path) -> Iterator[str]:
    """A running collector with one call: its address."""
    tokyo = {"timezone": "Asia/Tokyo"}
    settings = settings_for(tmp_path / "there.db", server={"socket": False}, general=tokyo)
    thread = CollectorThread(settings=settings, serve=serve)
    thread.start()
    end = time.monotonic() + 20
    url = ""
    while not url and time.monotonic() < end:
        collector = thread._collector
        rows = collector.rows() if collector is not None and thread.state.mode == "collecting" else ()
        doors = (row for row in rows if row.name == "http" and row.state is SourceState.RUNNING)
        url = next((row.detail.split()[0] for row in doors), "")
        time.sleep(0.02)
    with httpx.Client() as web:
        while web.get(f"{url}/ready").status_code != 200:
            time.sleep(0.02)
        assert web.post(f"{url}/monitor/v1/events", json=CALL | {"id": "c"}).json()["accepted"] == 1
    yield url
    assert thread.stop(5)


def certificate(at: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signed itself, and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    cert, key = at / "cert.pem", at / "key.pem"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
    alternative = f"subjectAltName=DNS:{name}"
    subprocess.run(
        [openssl, *words.split(), "-addext", alternative, "-out", cert, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@contextmanager
def encrypted(cert: Path, key: Path) -> Iterator[int]:
    """A door that shakes hands by TLS and says nothing: its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve_all() -> None:
            with suppress(OSError):
                while True:
                    one, _ = door.accept()
                    with suppress(OSError), context.wrap_socket(one, server_side=True):
                        pass

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def attached(cli: Cli, there: str, tmp_path: Path) -> Cli:
    """Commands with `--attach`; no database is there on this side."""
    token = tmp_path / "their-token"
    token.write_text(read_or_make(places.token_file()))
    token.chmod(0o600)

    def call(*words: str):
        return cli("--attach", there, "--token-file", str(token), *words)

    return call


def test_they_answer_what_the_other_collector_knows(attached: Cli) -> None:
    status = attached("status", "--json")
    assert status.json["data"]["collector"]["running"]
    assert attached("query", "requests{} [1h] sum", "--json").json["data"]["result"][0]["value"][1] == "1"
    assert "gpt-4o" in attached("costs").out
    assert "gpt-4o" in attached("query", "provider=openai").out
    assert attached("calls", "--id", "c", "--json").json["data"]["call"]["provider"] == "openai"
    assert "2026" not in attached("calls", "--id", "nonsense").out
    assert "http" in attached("sources", "list", "--all").out
    assert attached("alerts").out == "no active alerts\n"
    paused = attached("sources", "pause", "host", "--as", "ana")
    assert "host is paused by ana" in paused.out
    assert not places.expected("data").joinpath("monitor.db").exists()


def test_panes_over_the_line_show_what_the_commands_say(attached: Cli) -> None:
    names = ("boards", "sources", "system", "collector")
    panes = attached("--json", *(word for name in names for word in ("--pane", name))).json["data"]
    board = attached("--json", "dashboards", "show", "application").json["data"]
    assert _figures(panes["boards"]) == _figures(board) != []
    ways = attached("--json", "sources", "list", "--all").json["data"]["sources"]
    for shown in (panes["sources"], panes["system"]["view"]["collector"], panes["collector"]["collector"]):
        assert _lasting(shown["sources"]) == _lasting(ways) != []
    there = attached("--json", "status").json["data"]["collector"]
    for shown in (panes["sources"], panes["system"]["view"]["collector"], panes["collector"]["collector"]):
        same = ("running", "pid", "started", "calls", "accepted", "rejected", "database")
        assert [shown[name] for name in same] == [there[name] for name in same]
    assert panes["collector"]["queries"]["asked"] > 0


def _figures(board: dict[str, Any]) -> list[Any]:
    """What the panels of a board say that does not move with the clock."""
    return [
        (
            panel["title"],
            panel["unit"],
            [(one["metric"], one.get("value", ["", ""])[1]) for one in panel["result"]],
        )
        for panel in board["panels"]
        if "result" in panel
    ]


def _lasting(rows: list[dict[str, Any]]) -> list[Any]:
    """Of ways in what does not move with the clock."""
    return sorted((row["name"], row["kind"], row["pausable"], row["errors"]) for row in rows)


def test_days_are_those_of_the_collector(attached: Cli) -> None:
    shown = attached("query", "provider=openai", "--json").json["data"]["result"][0]
    assert shown["provider"] == "openai"
    assert datetime.now(ZoneInfo("Asia/Tokyo")).strftime("%H:") in attached("query", "provider=openai").out


@pytest.mark.parametrize(
    "words", [("db", "stats"), ("config", "show"), ("token",), ("collect",), ("import", "x"), ("doctor",),
              ("alerts", "disable", "x")],
)  # fmt: skip
def test_what_belongs_to_the_other_machine_is_not_done_here(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("--attach", "http://127.0.0.1:1", *words)
    assert done.code == 2
    assert "on this machine alone" in done.err


def test_what_is_wrong_is_told_before_anything_is_asked(cli: Cli, tmp_path: Path) -> None:
    url = "http://127.0.0.1:1"
    assert "no token" in cli("status", "--attach", url).err
    assert "in clear" in cli("status", "--attach", "http://box").err
    assert "--db is a database of this machine" in cli("status", "--attach", url, "--db", "x").err
    assert "--token-file goes with --attach" in cli("status", "--token-file", "x").err
    told = cli("status", "--attach", "https://ana:hunter2@box")
    assert (told.code, "hunter2" in told.err + told.out) == (2, False)


def test_a_collector_that_does_not_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_TOKEN", "tuim_very_secret")
    done = cli("-v", "costs", "--attach", "http://127.0.0.1:1")
    assert done.code == 1
    assert "does not answer" in done.err
    assert "tuim_very_secret" not in done.err + done.out
    status = cli("status", "--attach", "http://127.0.0.1:1")
    assert (status.code, status.out) == (3, "")
    assert "the connection was refused\n" in status.err


def test_a_certificate_that_is_not_trusted_or_of_another_name(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUI_MONITOR_TOKEN", "tuim_very_secret")
    cert, key = certificate(tmp_path, "monitor.lan")
    with encrypted(cert, key) as port:
        url = f"https://127.0.0.1:{port}"
        unknown = cli("status", "--attach", url)
        assert (unknown.code, "_ssl.c" in unknown.err) == (3, False)
        assert "its certificate is not trusted" in unknown.err
        assert "--ca-file" in unknown.err
        misnamed = cli("status", "--attach", url, "--ca-file", str(cert))
        assert (misnamed.code, "--ca-file" in misnamed.err) == (3, False)
        assert "its certificate is for another name" in misnamed.err
        assert "name that is in the certificate" in misnamed.err
