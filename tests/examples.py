"""How many examples property tests look at: few in every run, and as many as one likes by hand."""

import os

_TIMES = float(os.environ.get("EXAMPLES", "1"))


def examples(number: int) -> int:
    """So many, or as many times more as `EXAMPLES` in the environment says: `EXAMPLES=20 pytest …`."""
    return max(1, round(number * _TIMES))
