"""What was taken back or corrected after it was sealed can be read nowhere in the file a minute later."""

import subprocess
from pathlib import Path

import pytest
from store_helpers import a_call, check_layers, write

from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.store import segments
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.head import COLUMNS
from tui_monitor.store.sealing import Limits

SMALL = Limits(rows=20, head=0, age=0, identities=0)
SECRET = "a-name-nobody-may-read"


def texts(store: Store) -> str:
    """All that sealed columns say, counted or not, and every byte of the file and its log."""
    said: list[str] = []
    for segment in segments.every(store._writing.conn):
        said += [str(v) for name in segments.TEXTS if name in COLUMNS for v in segment.texts(name).values()]
    files = [store.path, store.path.with_name(store.path.name + "-wal")]
    return "\n".join(said) + "".join(_bytes(path) for path in files)


def _bytes(path: Path) -> str:
    # Another process reads it: closing a file here would take away SQLite's locks.
    done = subprocess.run(["cat", path], capture_output=True, check=True)
    return done.stdout.decode("latin-1")


@pytest.mark.parametrize("how", ["retracted", "corrected"])
def test_a_sealed_text_is_gone_from_the_file(store: Store, clock: ManualClock, how: str) -> None:
    calls = [a_call(f"c{n}", clock.now() + n, attrs={"note": f"n{n}"}) for n in range(30)]
    calls[7] = a_call("c7", clock.now() + 7, attrs={"note": SECRET})
    write(store, *calls)
    store.seal(clock.now() + 1, SMALL)
    assert SECRET in texts(store)

    left: list[Call] = [call for call in calls if call.source_key != "c7"]
    if how == "retracted":
        store.write(WriteBatch(retracts=[Retract("events:app", "c7")]))
    else:
        left.append(a_call("c7", clock.now() + 7, attrs={"note": "-"}, out_total=11))
        write(store, left[-1])
    store.seal(clock.now() + 2, SMALL)

    assert SECRET not in texts(store)
    check_layers(store, left)
    assert store.rebuild_rollups(mend=False).wrong == 0
