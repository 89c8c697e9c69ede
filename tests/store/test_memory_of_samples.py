"""Samples that keep coming take no more memory than the first."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

SCRAPES = """
import sys
from pathlib import Path
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
clock = ManualClock(1_772_323_200_000_000)
store = Store.open(Path(sys.argv[1]), write=True, clock=clock)
def scrape():
    clock.advance(15_000_000)
    at = clock.now()
    store.write(WriteBatch(samples=[Sample("m", at, at % 97.0, {"host": str(i)}) for i in range(1000)]))
def own():
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0])
scrape()
before = own()
for _ in range(60):
    scrape()
    print(own() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/proc/self/status").exists(),
    reason="needs glibc, which can be asked to return memory, and /proc to see it",
)
def test_scrapes_leave_no_memory_behind(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRAPES, str(tmp_path / "m.db")], capture_output=True, text=True, check=True
    )
    kilobytes = [int(line) for line in run.stdout.split()]
    assert len(kilobytes) == 60
    # Without giving back it is three times that by then, and more with each scrape.
    assert max(kilobytes) < 300
