"""A reader keeps its database's log, whoever else comes and goes in its process."""

import os
import subprocess
import sys
from pathlib import Path

from store_helpers import a_call, write

from tui_monitor.model.clock import ManualClock
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.database import Store

WRITER = """
import sys
from pathlib import Path
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

clock = SystemClock()
store = Store.open(Path(sys.argv[1]), write=True, clock=clock)
store.write(WriteBatch(calls=[Call("test", sys.argv[2], ts_end=clock.now())]))
store.close()
"""


def collect(path: Path, key: str) -> None:
    """Another process opens the database, stores a call, and ends in good order."""
    subprocess.run([sys.executable, "-c", WRITER, str(path), key], check=True, timeout=30)


async def test_a_viewer_follows_collectors_that_come_and_go(
    store: Store, path: Path, clock: ManualClock
) -> None:
    write(store, a_call("first", clock.now()))
    store.close()
    viewer = Store.open(path, write=False, clock=clock)
    assert viewer.extent().calls == 1
    # What a viewer opens besides, and closes again, at any time.
    alerts = await AlertStore.open(path, write=False)
    Store.open(path, write=False, clock=clock).close()
    for number in range(3):
        collect(path, f"c{number}")
        assert viewer.extent().calls == 2 + number
    await alerts.close()
    viewer.close()


def test_the_log_of_a_writer_is_not_taken_away_by_another_look(
    store: Store, path: Path, clock: ManualClock
) -> None:
    write(store, a_call("first", clock.now()))
    # The same process looks at its database beside the connection that writes.
    Store.open(path, write=False, clock=clock).close()
    look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM meta'); c.close()"
    subprocess.run([sys.executable, "-c", look, str(path)], check=True, timeout=30)
    assert os.path.exists(f"{path}-wal")
    write(store, a_call("second", clock.now()))
    assert store.extent().calls == 2
    assert store.rebuild_rollups(mend=False).wrong == 0
