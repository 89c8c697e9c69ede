"""How many examples property tests look at: few in every run, many in a thorough one."""

import os

_TIMES = float(os.environ.get("EXAMPLES", "0.4"))
_FEW = 3


def examples(number: int) -> int:
    """
    Two fifths of `number`, which is what one likes to see of a change; at least a few.

    `EXAMPLES` in the environment says how many times as many instead: `EXAMPLES=20 pytest …`.
    """
    return max(round(number * _TIMES), min(number, _FEW))
