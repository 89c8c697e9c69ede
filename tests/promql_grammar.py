"""Random PromQL: expressions of any shape over a few metrics. Most are well typed, some are not."""

from random import Random

from tui_monitor.query.promql.ast import AGGREGATIONS, WITH_PARAM, ValueType
from tui_monitor.query.promql.functions.table import TABLE

NAMES = ["up", "http_requests_total", "job:rate:sum", "sum", "by", "offset", "and"]
LABELS = ["job", "instance", "le", "on", "group_left", '"my.label"', '"ü"']
VALUES = ["a", "", "a\\\\b", "\\n", "日", "'`", '\\"', "a.*b"]
PATTERNS = ["a.*", "a|b", "(?i)x+", "[a-c]{2}", "\\\\d+"]
NUMBERS = ["1", "0x1F", "1.5", ".5", "2.", "1e3", "1e-3", "Inf", "nan", "5m", "1h30m", "0"]
LENGTHS = ["5m", "1h30m", "1d", "90s", "300", "1w2d", "15ms"]
MODIFIERS = ["", "", " offset 5m", " offset -1h", " @ 1600000000.123", " @ start()", " @ end() offset 1d"]
COMPARISONS = ["==", "!=", "<", ">", "<=", ">="]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
PLAIN = sorted(set(AGGREGATIONS) - set(WITH_PARAM))


def _taking(argument: ValueType) -> list[str]:
    return sorted(
        name for name, entry in TABLE.items() if entry.arguments == (argument,) and not entry.experimental
    )


OF_VECTORS, OF_RANGES = _taking(ValueType.VECTOR), _taking(ValueType.MATRIX)


class Grammar:
    """Makes expressions of at most some depth, from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def whole(self, depth: int = 3) -> str:
        """An expression of any type but text."""
        return self._random.choice([self.vector, self.vector, self.scalar, self.range])(depth)

    def _one(self, choices: list[str]) -> str:
        return self._random.choice(choices)

    def _labels(self) -> str:
        return f"({', '.join(self._random.sample(LABELS, self._random.randrange(3)))})"

    def _matcher(self) -> str:
        regex = self._random.random() < 0.4
        op = self._one(["=~", "!~"] if regex else ["=", "!="])
        return f'{self._one(LABELS)}{op}"{self._one(PATTERNS if regex else VALUES)}"'

    def selector(self) -> str:
        """A selector, with or without matchers."""
        matchers = ",".join(self._matcher() for _ in range(self._random.randrange(3)))
        if self._random.random() < 0.15:
            return f'{{"my.metric"{"," if matchers else ""}{matchers}}}'
        return self._one(NAMES) + (f"{{{matchers}}}" if matchers else "")

    def range(self, depth: int) -> str:
        """A range vector."""
        if depth and self._random.random() < 0.3:
            step = self._one(["", *LENGTHS])
            return f"({self.vector(depth - 1)})[{self._one(LENGTHS)}:{step}]{self._one(MODIFIERS)}"
        return f"{self.selector()}[{self._one(LENGTHS)}]{self._one(MODIFIERS)}"

    def scalar(self, depth: int) -> str:
        """A number."""
        match self._random.randrange(6) if depth else 0:
            case 1:
                return f"({self.scalar(depth - 1)})"
            case 2:
                return f"{self._one(NUMBERS)} {self._one(ARITHMETIC)} {self._one(NUMBERS)}"
            case 3:
                return f"-{self.scalar(depth - 1)}"
            case 4:
                return "time()"
            case 5:
                return f"scalar({self.vector(depth - 1)})"
        return self._one(NUMBERS)

    def vector(self, depth: int) -> str:
        """An instant vector."""
        if not depth:
            return self.selector() + self._one(MODIFIERS)
        shapes = [self._operation, self._call, self._aggregation]
        return self._random.choice(shapes)(depth - 1)

    def _call(self, depth: int) -> str:
        match self._random.randrange(5):
            case 0:
                return f"({self.vector(depth)})"
            case 1:
                return f"-{self.vector(depth)}"
            case 2:
                return f"{self._one(OF_VECTORS)}({self.vector(depth)})"
            case 3:
                return f"histogram_quantile({self.scalar(depth)}, {self.vector(depth)})"
        return f"{self._one(OF_RANGES)}({self.range(depth)})"

    def _operation(self, depth: int) -> str:
        left, right = self.vector(depth), self.vector(depth)
        match self._random.randrange(6):
            case 0:
                return f"{left} {self._one(ARITHMETIC + COMPARISONS)} {self.scalar(depth)}"
            case 1:
                return f"{left} {self._one(COMPARISONS)} bool {right}"
            case 2:
                return f"{left} {self._one(['and', 'or', 'unless', '+', '<'])} on{self._labels()} {right}"
            case 3:
                return f"{left} * ignoring{self._labels()} group_left() {right}"
            case 4:
                return f"{left} / on(job) group_right(instance) {right}"
        return f"{left} {self._one(ARITHMETIC)} {right}"

    def _aggregation(self, depth: int) -> str:
        inner, by = self.vector(depth), f"{self._one(['by', 'WITHOUT', 'without'])} {self._labels()}"
        match self._random.randrange(4):
            case 0:
                return f"{self._one(PLAIN)} {by} ({inner})"
            case 1:
                return f"{self._one(PLAIN)}({inner}) {by}"
            case 2:
                return f"topk({self.scalar(depth)}, {inner})"
        return f'count_values("value", {inner})'
