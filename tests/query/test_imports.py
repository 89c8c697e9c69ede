"""What the first paint may import stays light."""

import subprocess
import sys

LIGHT = ("language", "promql.parser", "condition", "metrics", "result", "engine", "asking")


def test_reading_a_query_needs_no_numpy():
    imports = "; ".join(f"import tui_monitor.query.{name}" for name in LIGHT)
    heavy = "('numpy', 'textual', 'httpx', 'sqlite3')"
    code = f"import sys; {imports}; print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
