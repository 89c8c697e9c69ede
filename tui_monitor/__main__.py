"""`tui-monitor`, and `python -m tui_monitor`."""

import os
import sys

from tui_monitor.cli.main import INTERRUPTED, run


def main() -> int:
    """Run the command line; the exit code of the process."""
    if "_ARGCOMPLETE" in os.environ:
        # The shell asks how a line can go on.
        from tui_monitor.cli.completing import answer

        answer()
    code = run()
    if code == INTERRUPTED:
        # A question may still be under way on a thread; who pressed ctrl+c does not wait for it.
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
