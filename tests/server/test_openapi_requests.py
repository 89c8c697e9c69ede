"""Requests made from the description of our API, by Schemathesis, against a running collector.

A longer run, by hand: SCHEMATHESIS_EXAMPLES=300, the made requests of each operation, 1 unless given.
"""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from tests.runtime.collecting import CALL, opened, ready, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.runtime import Collector
from tui_monitor.server.app import declared
from tui_monitor.server.openapi import written
from tui_monitor.server.tokens import read_or_make

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "1"))
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
PHASES = "coverage" if EXAMPLES == 1 else "examples,coverage,fuzzing,stateful"
BESIDE_THE_SCHEMA = "positive_data_acceptance"
"""No schema tells whether a text is a query, or whether an alert is in a state to be taken."""

pytestmark = pytest.mark.timeout(120 + 20 * EXAMPLES)


@pytest.fixture
async def busy(start: Start) -> Collector:
    """A collector that has something to tell on most of its routes."""
    rule = {"name": "always", "expr": "vector(1) > 0"}
    # No address is served so many requests a second as this one machine sends.
    collector = await start(
        alerts={"rules": [rule]}, costs={"daily_budget": 1.0}, server={"rate_limit": 100_000}
    )
    await ready(collector)
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        failed = {**CALL, "provider": "anthropic", "status": "error", "error_category": "server"}
        assert (await web.post("/monitor/v1/events", json=[CALL] * 20 + [failed])).status_code == 200
    return collector


async def schemathesis(collector: Collector, folder: Path, *options: str) -> tuple[int, str]:
    """Its exit code and what it says."""
    description = folder / "openapi.json"
    description.write_bytes(written(declared()))
    # A text that is too long may be too long for the head of a request.
    refused = "400, 401, 403, 404, 405, 413, 415, 422, 429, 431, 503"
    config = f"[checks]\nnegative_data_rejection.expected-statuses = [{refused}]\n"
    (folder / "schemathesis.toml").write_text(config)
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "run", description, "--url", await opened(collector, "http"), "--no-color",
        "--suppress-health-check", "all", "--max-failures", "20", *options,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    # The requests themselves may be as long as any text is.
    return process.returncode, "\n".join(line[:500] for line in said.decode().splitlines())


async def test_answers_are_as_described(busy: Collector, tmp_path: Path) -> None:
    await until(lambda: busy.status().accepted)
    bearer = f"Authorization: Bearer {read_or_make(places.token_file())}"
    code, said = await schemathesis(
        busy, tmp_path, "--header", bearer, "--phases", PHASES,
        "--max-examples", str(EXAMPLES), "--exclude-checks", BESIDE_THE_SCHEMA,
        *(("--generation-database", "none") if EXAMPLES > 1 else ("--generation-deterministic",)),
    )  # fmt: skip
    assert code == 0, said


async def test_without_a_token_nothing_is_told_and_nothing_done(busy: Collector) -> None:
    asked = [one for one in declared() if not one.need.open_here]
    async with httpx.AsyncClient(base_url=await opened(busy, "http")) as web:
        for one in asked:
            answer = await web.request(one.method, one.path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, one.path
            assert answer.json()["errorType"] == "unauthorized"
    assert busy.refused["token"] == len(asked)
