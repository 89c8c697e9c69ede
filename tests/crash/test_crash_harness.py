"""Killed at any moment, under load: what was acknowledged is there exactly once, in every layer."""

from pathlib import Path

import pytest

from tests.crash.harness import Harness


@pytest.mark.timeout(120)
def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    harness = Harness(tmp_path, seed=20260318)
    harness.run(kills=12)
    assert harness.kills["collect"] >= 5, harness.kills
    harness.check()
