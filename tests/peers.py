"""Real servers of others on the loopback: Prometheus and VictoriaMetrics from their Debian packages."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.forward.wire import HEADERS, Line, packed

PROMETHEUS, VICTORIA = "/usr/bin/prometheus", "/usr/bin/victoria-metrics"
_WITHIN = 30.0
"""Seconds in which a server answers for the first time."""


@dataclass
class Peer:
    """A server, and what it is asked."""

    name: str
    command: list[str]
    port: int
    health: str
    flush: str = ""
    """What is asked so that all that was written is seen."""
    process: "subprocess.Popen[bytes] | None" = None
    opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.ProxyHandler({}))
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def start(self) -> None:
        """Run it on its port and its files, until it answers."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _WITHIN
        while True:
            try:
                self.opener.open(self.url + self.health, timeout=5).read()
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """End it, or kill it as `kill -9` does."""
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait()
            self.process = None

    def ask(self, path: str, **params: object) -> dict[str, Any]:
        """What its API answers, an error too."""
        data = urllib.parse.urlencode({name: str(value) for name, value in params.items()}).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data)
        try:
            return json.loads(self.opener.open(request, timeout=60).read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def settle(self) -> None:
        """All that was written is seen from now on."""
        if self.flush:
            self.opener.open(self.url + self.flush, timeout=30).read()

    def value(self, expr: str, at: float) -> float | None:
        """The value of the only series of an answer (at: s since the epoch), if there is one."""
        result = self.ask("query", query=expr, time=at)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def write(self, lines: Iterable[Line]) -> None:
        """Send series by remote write."""
        request = urllib.request.Request(self.write_url, packed(lines), dict(HEADERS))
        self.opener.open(request, timeout=60).read()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def needs(program: str, package: str) -> None:
    """Skip where it is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian package {package})")


@contextmanager
def prometheus(folder: Path) -> Iterator[Peer]:
    """A Prometheus that takes remote writes and native histograms, with its data under a folder."""
    needs(PROMETHEUS, "prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1h}\n")
    port = free_port()
    command = [
        PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
        "--enable-feature=native-histograms,promql-at-modifier,promql-negative-offset",
        "--storage.tsdb.retention.time=100y",
    ]  # fmt: skip
    yield from _running(Peer("prometheus", command, port, "/-/ready"))


@contextmanager
def victoria(folder: Path) -> Iterator[Peer]:
    """A VictoriaMetrics that shows what was written at once, with its data under a folder."""
    needs(VICTORIA, "victoria-metrics")
    port = free_port()
    command = [
        VICTORIA, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=0s", "-search.disableCache", "-retentionPeriod=100y",
    ]  # fmt: skip
    yield from _running(Peer("victoria-metrics", command, port, "/health", "/internal/force_flush"))


def _running(peer: Peer) -> Iterator[Peer]:
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()
