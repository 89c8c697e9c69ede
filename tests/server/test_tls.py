"""TLS at the door: certificates made by openssl, real handshakes, renewal while connections are open."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.runtime.collecting import row, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.model.clock import DAY, Clock, SystemClock
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.runtime import Collector
from tui_monitor.server import accepting, doors
from tui_monitor.server.tls import Certificate
from tui_monitor.server.tokens import read_or_make

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
Make = Callable[..., tuple[Path, Path]]
CLOCK: Clock = SystemClock()


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a certificate for monitor.lan and 127.0.0.1, and its key."""

    def certificate(name: str = "monitor.lan", days: int = 90, at: str = "tls") -> tuple[Path, Path]:
        cert, key = tmp_path / f"{at}.crt", tmp_path / f"{at}.key"
        made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        whose = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1")
        openssl(*made, *whose, "-days", str(days), "-keyout", str(key), "-out", str(cert))
        key.chmod(0o600)
        return cert, key

    return certificate


async def url_of(collector: Collector) -> str:
    """Where its TCP door stands."""
    await until(lambda: row(collector, "http").state is SourceState.RUNNING and row(collector, "http").detail)
    port = httpx.URL(row(collector, "http").detail.split()[0]).port
    return f"https://127.0.0.1:{port}"


def trusting(cert: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(cert))


async def test_the_door_speaks_tls_and_nothing_older_than_1_2(start: Start, make: Make) -> None:
    cert, key = make()
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key)})
    url = await url_of(collector)
    async with httpx.AsyncClient(base_url=url, verify=trusting(cert)) as web:
        assert (await web.get("/live")).status_code == 200
        assert (await web.get("/live", headers={"host": "monitor.lan"})).status_code == 200
        assert (await web.get("/live", headers={"host": "other.lan"})).status_code == 403
    port = str(httpx.URL(url).port)
    for version, fits in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        words = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{port}",
            version,
            "-cipher",
            "ALL:@SECLEVEL=0",
        ]
        ran = await asyncio.to_thread(subprocess.run, words, input=b"", capture_output=True, check=False)
        assert (ran.returncode == 0) == fits, version
    async with httpx.AsyncClient() as web:
        with pytest.raises(httpx.RemoteProtocolError):
            await web.get(f"http://127.0.0.1:{port}/live")
    socket.create_connection(("127.0.0.1", int(port))).close()
    await until(lambda: collector.refused["tls"] >= 2)
    async with httpx.AsyncClient(base_url=url, verify=trusting(cert)) as web:
        assert (await web.get("/live")).status_code == 200
    # The foreign Host above, the old version and the one without TLS; who only looked is no trouble.
    assert (collector.refused["tls"], row(collector, "http").errors) == (2, 3)
    assert row(collector, "http").warning == ""


async def test_a_handshake_that_never_ends_is_given_up(
    start: Start, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "_HANDSHAKE_SECONDS", 0.2)
    cert, key = make()
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key)})
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(await url_of(collector)).port)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    await until(lambda: collector.refused["slow"] == 1)


async def test_thousands_that_never_shake_hands_keep_nobody_out(
    start: Start, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = make()
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key), "max_connections": 8})
    url = await url_of(collector)
    idle = []
    for _ in range(200):
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", httpx.URL(url).port))
        idle.append(sock)
    async with httpx.AsyncClient(base_url=url, verify=trusting(cert)) as web:
        assert (await web.get("/live")).status_code == 200
    assert collector.refused["crowd"] >= 192
    await collector.stop()
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    for sock in idle:
        sock.close()


async def test_off_loopback_tls_will_do(start: Start, make: Make) -> None:
    cert, key = make()
    collector = await start(server={"listen": "0.0.0.0:0", "tls_cert": str(cert), "tls_key": str(key)})
    bearer = {"authorization": f"Bearer {read_or_make(places.token_file())}"}
    async with httpx.AsyncClient(base_url=await url_of(collector), verify=trusting(cert)) as web:
        assert (await web.get("/live")).status_code == 401
        assert (await web.get("/live", headers=bearer)).status_code == 200
    assert "insecure" not in row(collector, "http").detail
    assert "certificate for monitor.lan until " in row(collector, "http").detail


async def test_without_it_the_door_stays_shut_off_loopback(start: Start) -> None:
    collector = await start(server={"listen": "0.0.0.0:0"})
    await until(lambda: row(collector, "http").state is SourceState.FAILED)
    assert "tls_cert" in row(collector, "http").detail


async def test_without_it_and_insecure_the_row_warns(start: Start) -> None:
    collector = await start(server={"listen": "0.0.0.0:0", "insecure": True})
    await until(lambda: row(collector, "http").warning)
    assert row(collector, "http").warning == "insecure: off loopback without TLS"


async def test_a_renewed_certificate_is_shown_and_open_connections_go_on(
    start: Start, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "_RENEWED_EVERY", 0.05)
    cert, key = make()
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key)})
    old = trusting(cert)
    url = await url_of(collector)
    async with httpx.AsyncClient(base_url=url, verify=old) as open_before:
        assert (await open_before.get("/live")).status_code == 200
        # A key that does not belong to the certificate, as between the two steps of a renewal.
        _, other = make(at="other")
        other.replace(key)
        await until(lambda: row(collector, "http").errors)
        assert "key values mismatch" in row(collector, "http").last_error
        async with httpx.AsyncClient(base_url=url, verify=old) as web:
            assert (await web.get("/live")).status_code == 200
        make(days=5)
        await until(lambda: "ends in 4 d" in row(collector, "http").warning)
        async with httpx.AsyncClient(base_url=url, verify=trusting(cert)) as web:
            assert (await web.get("/live")).status_code == 200
        assert (await open_before.get("/live")).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(verify=old).get(url + "/live")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
async def test_a_key_that_others_can_read_opens_no_door(start: Start, make: Make, mode: int) -> None:
    cert, key = make()
    key.chmod(mode)
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key)})
    await until(lambda: row(collector, "http").state is SourceState.FAILED)
    assert f"{mode:04o}" in row(collector, "http").last_error
    assert f"chmod 600 {key}" in row(collector, "http").detail


async def test_one_without_the_other_is_a_wrong_setting(start: Start, make: Make) -> None:
    collector = await start(server={"tls_cert": str(make()[0])})
    await until(lambda: row(collector, "http").state is SourceState.FAILED)
    assert "go together" in row(collector, "http").last_error


def test_files_that_cannot_be_used_are_told_apart(make: Make, tmp_path: Path) -> None:
    cert, key = make()
    locked = tmp_path / "locked.key"
    openssl("pkey", "-in", str(key), "-aes256", "-passout", "pass:x", "-out", str(locked))
    locked.chmod(0o600)
    empty = tmp_path / "empty"
    empty.touch(0o600)
    for one, two, words in (
        (cert, tmp_path / "gone", "cannot read server.tls_key"),
        (tmp_path / "gone", key, "cannot read"),
        (cert, locked, "passphrase"),
        (cert, make(at="other")[1], "key values mismatch"),
        (empty, key, "cannot be used"),
    ):
        with pytest.raises(MonitorError, match=words):
            Certificate(one, two).open()


def test_how_long_it_holds_is_read_from_the_certificate(make: Make) -> None:
    certificate = Certificate(*make())
    certificate.open()
    shown = certificate.shown
    assert shown.names == {"monitor.lan", "127.0.0.1"}
    assert shown.until is not None
    assert 89 * DAY < shown.until - CLOCK.now() <= 90 * DAY
    assert shown.warning(CLOCK.now()) == ""
    assert shown.warning(shown.until - 3 * DAY) == "the certificate ends in 3 d"
    cert, key = make()
    openssl("x509", "-in", str(cert), "-signkey", str(key), "-days", "-1", "-out", str(cert))
    ended = Certificate(cert, key)
    ended.open()
    assert "expired" in ended.shown.warning(CLOCK.now())
