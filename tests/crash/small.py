"""The program, but what is packed now and then by the ten thousand is packed all the time by the dozen."""

import sys

from tui_monitor.store import sealing

sealing.USUAL = sealing.Limits(rows=64, head=200, age=500_000, identities=300)

from tui_monitor.runtime import loops  # noqa: E402
from tui_monitor.store import anew, retention  # noqa: E402

loops.RETENTION_DELAY = 100_000
loops._SEALED_EVERY = 100_000
loops.DAY = 300_000
retention._STEP, retention._PAGES = 100, 10
anew._CHUNK, anew._CALLS = 100, 300

from tui_monitor.__main__ import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
