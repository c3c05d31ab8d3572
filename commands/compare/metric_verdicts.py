"""Whether each metric got better or worse: its better direction, and the tolerance of a change."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from stages.common.errors import InputError

LOWER, HIGHER = "lower", "higher"
SAME, CHANGED, MISSING = "same", "changed", "missing on one side"
BETTER_NOW, WORSE_NOW = "better", "worse"


@dataclass(frozen=True)
class Tolerance:
    """A change that counts as none: up to `amount`, or to `share` of the larger value."""

    amount: float = 0.0
    share: float = 0.0

    def admits(self, old: float, new: float) -> bool:
        slack = 1e-12 * max(abs(old), abs(new))  # a difference of 0.0025 is 0.002500000000000002 in floats
        return math.isclose(old, new, rel_tol=self.share, abs_tol=self.amount + slack)


class Metric(NamedTuple):
    """How a metric is judged.

    `better` is LOWER, HIGHER, the value to hit, or None if neither direction is better. `tolerance` is what another
    kind of processor can change (docs/reproducibility.md), with room to spare.
    """

    better: str | float | None = None
    tolerance: Tolerance = Tolerance()


ERROR = Tolerance(share=0.001)
METRICS = {
    "regressor.test_mae": Metric(LOWER, ERROR),
    "regressor.noise_floor_mae": Metric(None, ERROR),
    "regressor.mae_over_floor": Metric(LOWER, ERROR),
    "regressor.truth_rmse": Metric(LOWER, ERROR),
    "regressor.linear_baseline_mae": Metric(None, ERROR),
    "regressor.coverage_90": Metric(0.9, ERROR),
    "regressor.linear_pieces": Metric(),
    "regressor.dead_units": Metric(LOWER),
    "latents.test_mse": Metric(LOWER, Tolerance(2e-6)),
    "latents.pca_test_mse": Metric(None, Tolerance(2e-6)),
    "latents.knn_accuracy": Metric(HIGHER, Tolerance(0.005)),
    "latents.pca_knn_accuracy": Metric(None, Tolerance(0.005)),
    "latents.pixel_knn_accuracy": Metric(None, Tolerance(0.005)),
    "map.kl_divergence": Metric(LOWER, Tolerance(0.003)),
    "map.trustworthiness": Metric(HIGHER, Tolerance(0.0005)),
    "map.knn_recall": Metric(HIGHER, Tolerance(0.001)),
    "map.placed_knn_accuracy": Metric(HIGHER, Tolerance(0.005)),
    "map.group_purity": Metric(HIGHER, Tolerance(0.01)),
    "map.group_class_agreement": Metric(HIGHER, Tolerance(0.01)),
    "map.groups": Metric(None, Tolerance(1)),
    "map.points": Metric(),
    "map.placed_points": Metric(),
    "map.exact_duplicates": Metric(),
    "map.leaks": Metric(),
}
UNKNOWN = Metric()


def metric_of(key: str) -> Metric:
    """Return how `key` is judged; for an unknown metric neither direction is better."""
    return METRICS.get(key, UNKNOWN)


@dataclass(frozen=True)
class Change:
    """A metric on both sides, None where it is not known."""

    key: str
    old: float | None
    new: float | None
    tolerance: Tolerance

    @property
    def better(self) -> str | float | None:
        return metric_of(self.key).better

    @property
    def verdict(self) -> str:
        """Return SAME within the tolerance, else BETTER_NOW or WORSE_NOW, or CHANGED if neither can be said."""
        if self.old is None or self.new is None:
            return SAME if self.old is self.new else MISSING
        if self.tolerance.admits(self.old, self.new):
            return SAME
        sign = {LOWER: 1, HIGHER: -1}.get(self.better)
        old, new = (value * sign if sign else abs(value - (self.better or 0)) for value in (self.old, self.new))
        if self.better is None or old == new:
            return CHANGED
        return BETTER_NOW if new < old else WORSE_NOW


def compare_metrics(old: dict, new: dict, tolerances: Sequence[str]) -> list[Change]:
    """Compare flat metrics such as `{"map.trustworthiness": 0.99}`, in the order of the first side.

    `tolerances` are those of the user: see `read_tolerances`.
    """
    by_key = read_tolerances(tolerances, list(dict.fromkeys([*old, *new])))
    return [Change(key, old.get(key), new.get(key), tolerance) for key, tolerance in by_key.items()]


def read_tolerances(texts: Sequence[str], keys: Sequence[str]) -> dict[str, Tolerance]:
    """Return the tolerance of each key: `0.5%` is relative, `0.01` absolute, `KEY=…` for one metric or a pattern.

    Without any, METRICS has the tolerance. The last one that fits a key wins, and one for the key before one for all.
    Raises `InputError` for text that is no tolerance, and for a key that neither side has.
    """
    found = {key: metric_of(key).tolerance for key in keys}
    for text in sorted(texts, key=lambda text: "=" in text):  # those for all metrics first
        pattern, _, value = text.rpartition("=")
        tolerance, fitting = _tolerance(value, text), [key for key in keys if fnmatchcase(key, pattern or "*")]
        if pattern and not fitting:
            raise InputError(f"--tolerance {text}: no metric is called {pattern}; there are {', '.join(keys)}")
        found |= dict.fromkeys(fitting, tolerance)
    return found


def _tolerance(value: str, text: str) -> Tolerance:
    number = re.fullmatch(r"(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(%?)", value.strip())
    if not number or math.isinf(float(number[1])):
        raise InputError(f"--tolerance {text}: write 0.5% (relative), 0.01 (absolute), or KEY=0.01 for one metric")
    return Tolerance(share=float(number[1]) / 100) if number[2] else Tolerance(float(number[1]))


def flatten(values: dict, prefix: str = "") -> dict[str, object]:
    """Flatten nested mappings; keys are joined by dots."""
    flat = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def text_of(value: object) -> str:
    """Return a value as text: `–` for None, text as it is, other values as JSON."""
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


def row_of(change: Change) -> list[str]:
    """Return a metric's row of a table with the columns HEADS."""
    known = change.old is not None and change.new is not None
    difference = f"{change.new - change.old:+.3g}" if known else ""
    better = change.better if isinstance(change.better, str) else f"at {change.better:g}" if change.better else ""
    return [change.key, text_of(change.old), text_of(change.new), difference, better, change.verdict]


HEADS = ["metric", "old", "new", "difference", "better", "verdict"]
