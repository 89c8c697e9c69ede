"""Ports of several users and several databases on one host; two collectors as processes of their own."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.collecting import opened, row, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.model.errors import UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.server import listening, ports
from tui_monitor.server.listening import parse_listen
from tui_monitor.server.ports import holder, own_ports
from tui_monitor.server.tokens import read_or_make


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ports that are free now, the first in place of the usual one, the others in place of one's own."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    found = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    monkeypatch.setattr(listening, "USUAL", found[0])
    monkeypatch.setattr(listening, "own_ports", lambda uid: found[1:])
    return found


async def test_the_usual_port_where_it_is_free(start: Start, free: list[int]) -> None:
    collector = await start(server={"listen": "127.0.0.1:auto"})
    assert await opened(collector, "http") == f"http://127.0.0.1:{free[0]}"


async def test_a_port_of_ones_own_where_it_is_taken(start: Start, free: list[int]) -> None:
    with socket.create_server(("127.0.0.1", free[0])):
        collector = await start(server={"listen": "127.0.0.1:auto"})
        assert await opened(collector, "http") == f"http://127.0.0.1:{free[1]} ({free[0]} is taken by you)"
        file = places.url_path(collector.path)
        await until(file.exists)
        assert file.read_text() == f"http://127.0.0.1:{free[1]}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.with_suffix(".sock") == places.socket_path(collector.path)
        await collector.stop()
        assert not file.exists()


async def test_no_port_is_left(start: Start, free: list[int]) -> None:
    taken = [socket.create_server(("127.0.0.1", port)) for port in free]
    collector = await start(server={"listen": "127.0.0.1:auto"})
    await until(lambda: row(collector, "http").state is SourceState.FAILED)
    assert f"{free[0]} and your own ports" in row(collector, "http").last_error
    assert "server.listen" in row(collector, "http").detail
    for sock in taken:
        sock.close()


async def test_a_port_that_was_chosen_is_not_left_for_another(start: Start, free: list[int]) -> None:
    with socket.create_server(("127.0.0.1", free[0])):
        collector = await start(server={"listen": f"127.0.0.1:{free[0]}"})
        await until(lambda: row(collector, "http").state is SourceState.FAILED)
        assert "127.0.0.1:auto" in row(collector, "http").detail


def test_who_has_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        assert holder(port) == "you"
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        assert holder(port) != "you"
    assert holder(port) == "somebody"


@given(st.integers(0, 2**31), st.integers(1, 1_499))
def test_ports_of_users_lie_apart(uid: int, apart: int) -> None:
    own = own_ports(uid)
    assert len(own) == 8
    assert own[0] >= 20_000
    assert own[-1] < 32_000
    assert ports.USUAL not in own
    assert not set(own) & set(own_ports(uid + apart))


@given(st.text(max_size=40) | st.from_regex(r"[\[\]0-9a-z.:]{0,20}:([0-9]{0,6}|auto|²)", fullmatch=True))
def test_an_address_is_read_or_refused(text: str) -> None:
    try:
        address = parse_listen(text)
    except UsageError:
        return
    assert address.port is None or 0 <= address.port <= 65_535
    assert address.host


def _run(*words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tui_monitor", *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_collectors_have_two_ports_and_are_found(tmp_path: Path) -> None:
    databases = [tmp_path / "one.db", tmp_path / "two.db"]
    running = [_run("--db", str(database), "collect") for database in databases]
    try:
        urls = []
        for database, process in zip(databases, running, strict=True):
            assert process.stdout is not None
            assert "listening on http://127.0.0.1:" in process.stdout.readline()
            urls.append(places.url_path(database).read_text().strip())
        assert len(set(urls)) == 2
        asked = _run("--db", str(databases[1]), "token", "url")
        assert asked.communicate(timeout=30)[0].strip() == urls[1]
        headers = {"authorization": f"Bearer {read_or_make(places.token_file())}"}
        for url, database in zip(urls, databases, strict=True):
            answer = httpx.get(f"{url}/monitor/v1/status", headers=headers)
            assert answer.json()["data"]["collector"]["database"] == str(database)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(20) for process in running] == [0, 0]
