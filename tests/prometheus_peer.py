"""A real Prometheus beside the tests: its server over samples of ours, and its promtool."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tui_monitor.model.clock import SECOND
from tui_monitor.model.feed import Sample

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")


def needs_promtool() -> str:
    """Where promtool is; the test is skipped where it is not."""
    if PROMTOOL is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return PROMTOOL


def openmetrics(samples: Iterable[Sample]) -> str:
    """Samples in the form that promtool makes blocks of, each metric's together."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    lines: list[str] = []
    for name, found in by_name.items():
        lines.append(f"# TYPE {name} unknown")
        lines += [
            f"{name}{_labels(one.labels)} {one.value} {one.ts / SECOND:.3f}"
            for one in sorted(found, key=lambda one: (sorted(one.labels.items()), one.ts))
        ]
    return "\n".join([*lines, "# EOF", ""])


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


@asynccontextmanager
async def prometheus(
    folder: Path, *, samples: Iterable[Sample] = (), config: str = "global: {}\n"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a Prometheus that has these samples; skipped where there is none."""
    if PROMETHEUS is None:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    folder.mkdir(parents=True, exist_ok=True)
    given = list(samples)
    if given:
        text = folder / "samples.txt"
        text.write_text(openmetrics(given))
        blocks = [
            needs_promtool(),
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            str(text),
            str(folder / "data"),
        ]
        await asyncio.to_thread(subprocess.run, blocks, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text(config)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = await asyncio.create_subprocess_exec(
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={address}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            await _ready(client)
            yield client
    finally:
        server.kill()
        await server.wait()


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if (await client.get("/-/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
