"""The sentence of an alert: `{{ $value }}`, `{{ $threshold }}`, `{{ $comparison }}`, `{{ $reason }}` and
`{{ $labels.name }}` filled in."""

import re

from tui_monitor.model.alert import Labels
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN, show, significant

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_LABEL = re.compile(r"\$labels\.([A-Za-z_]\w*)")
KNOWN = ("$value", "$threshold", "$comparison", "$reason")
"""Places that can be filled in, beside those of labels."""
MAX_SUMMARY = 500
_STATE = "state"
_NO_WORD = "why is not known yet"
"""Of a state that was stored before whoever judges it looked again."""


def fill(
    text: str,
    labels: Labels,
    value: float | None,
    threshold: float | None,
    unit: str,
    reason: str = "",
    compared: str = "",
) -> str:
    """The sentence with values in their unit; what cannot be filled in stays as written.

    A label that the alert does not carry is shown as unknown, and so is a reason that nobody gave.
    """
    words = {
        "$value": show(value, unit),
        "$threshold": show(threshold, unit),
        "$comparison": compared or UNKNOWN,
        "$reason": reason or UNKNOWN,
    }

    def word(place: re.Match[str]) -> str:
        name = place[1]
        if name in words:
            return words[name]
        label = _LABEL.fullmatch(name)
        return (labels.get(label[1]) or UNKNOWN) if label else place[0]

    return clean(_PLACE.sub(word, text), MAX_SUMMARY)


def default_summary(
    rule: str, labels: Labels, value: float | None, op: str, threshold: float | None, unit: str
) -> str:
    """What a rule without a sentence of its own says."""
    whom = ", ".join(f"{name}={text}" for name, text in sorted(labels.items()) if text)
    told = f"{rule}: {_against(value, op, threshold, unit)}"
    return clean(f"{told} for {whom}" if whom else told, MAX_SUMMARY)


def comparison(value: float | None, op: str, threshold: float | None, usual: float | None, unit: str) -> str:
    """What was compared: `12.5 % > 5.00 %`, `2.1 × the usual 890 ms`; of a state, which it is."""
    if value is not None and usual:
        times = f"{significant(value / usual, 2)} × the usual" if value else f"{show(value, unit)}, usually"
        return f"{times} {show(usual, unit)}"
    return _against(value, op, threshold, unit)


def without_reason(compared: str, unit: str) -> str:
    """What stands for a reason that nobody gave: the comparison, where that tells more than the sentence."""
    return _NO_WORD if unit == _STATE else compared


def _against(value: float | None, op: str, threshold: float | None, unit: str) -> str:
    """A value and what it was compared with, if it was, and if that says more than the value."""
    if unit == _STATE and op == "==":
        return show(value, unit)
    return f"{show(value, unit)} {op} {show(threshold, unit)}" if op else show(value, unit)


def unfillable(text: str) -> list[str]:
    """The places in a sentence that nothing can be filled into."""
    return [p[0] for p in _PLACE.finditer(text) if p[1] not in KNOWN and not _LABEL.fullmatch(p[1])]
