"""Which way each metric is better, and how far one may move before it counts as moved."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stages.common.errors import InputError

LOWER, HIGHER = "lower", "higher"
# The first pattern that fits decides. A number is the value to hit; None says nothing about the models: it describes
# the task, or what is done without them.
BETTER: dict[str, str | float | None] = {
    "regressor.test_mae": LOWER,
    "regressor.noise_floor_mae": None,
    "regressor.mae_over_floor": LOWER,
    "regressor.truth_rmse": LOWER,
    "regressor.linear_baseline_mae": None,
    "regressor.coverage_90": 0.9,
    "regressor.linear_pieces": None,
    "regressor.dead_units": LOWER,
    "latents.test_mse": LOWER,
    "latents.knn_accuracy": HIGHER,
    "map.kl_divergence": LOWER,
    "map.trustworthiness": HIGHER,
    "map.knn_recall": HIGHER,
    "map.placed_knn_accuracy": HIGHER,
    "map.points": None,
    "map.placed_points": None,
    "map.factor_agreement.*": HIGHER,
    "map.mean_factor_agreement.latent": HIGHER,
    "map.mean_factor_agreement.map": HIGHER,
    "map.mean_factor_agreement.p*": None,
    "latents.p*": None,  # of principal components, and of pixels
    "map.p*": None,
}
SAME, MOVED, ABSENT = "same", "moved", "on one side only"
BETTER_NOW, WORSE_NOW = "better", "worse"


@dataclass(frozen=True)
class Tolerance:
    """How far a value may move: by `share` of the larger of both sizes, or by `amount`."""

    share: float = 0.0
    amount: float = 0.0

    def __str__(self) -> str:
        return f"{100 * self.share:.15g}%" if self.share else f"{self.amount:.15g}"

    def admits(self, old: float, new: float) -> bool:
        return math.isclose(old, new, rel_tol=self.share, abs_tol=self.amount)


ROUNDING = Tolerance(share=1e-6)


@dataclass(frozen=True)
class Change:
    """A metric on both sides, None where it is not known; `present` says whether each side has it at all."""

    key: str
    old: float | None
    new: float | None
    tolerance: Tolerance
    present: tuple[bool, bool] = (True, True)

    @property
    def better(self) -> str | float | None:
        return direction(self.key)

    @property
    def verdict(self) -> str:
        """SAME within the tolerance; else BETTER_NOW or WORSE_NOW, or MOVED where neither can be said."""
        if not all(self.present):
            return ABSENT
        if self.old is None or self.new is None:
            return SAME if self.old is self.new else MOVED
        if self.tolerance.admits(self.old, self.new):
            return SAME
        loss = {LOWER: lambda value: value, HIGHER: lambda value: -value}.get(
            self.better, lambda value: abs(value - self.better)
        )
        if self.better is None or loss(self.old) == loss(self.new):
            return MOVED
        return BETTER_NOW if loss(self.new) < loss(self.old) else WORSE_NOW


def direction(key: str) -> str | float | None:
    """LOWER, HIGHER, the value to hit, or None; a metric that the table does not know is judged by nobody."""
    return next((better for pattern, better in BETTER.items() if fnmatchcase(key, pattern)), None)


def compare_metrics(old: dict, new: dict, tolerances: Sequence[str]) -> list[Change]:
    """Every metric of both sides, flat `{"map.trustworthiness": 0.99}`, in the order of the first, then of the second.

    `tolerances` as a user gives them: see `read_tolerances`.
    """
    keys = list(dict.fromkeys([*old, *new]))
    by_key = read_tolerances(tolerances, keys)
    return [Change(key, old.get(key), new.get(key), by_key[key], (key in old, key in new)) for key in keys]


def read_tolerances(texts: Sequence[str], keys: Sequence[str]) -> dict[str, Tolerance]:
    """The tolerance of each of `keys`: `0.5%` is relative, `0.01` absolute, `KEY=…` for one metric or a pattern.

    Without any, what rounding may do (ROUNDING). The last that fits a key wins, whether for it or for all. Raises
    `InputError` for what is no tolerance and for a key that neither side has.
    """
    found = dict.fromkeys(keys, ROUNDING)
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
    return Tolerance(share=float(number[1]) / 100) if number[2] else Tolerance(amount=float(number[1]))


def flatten(values: dict, prefix: str = "") -> dict[str, object]:
    """Nested mappings as one, keys joined by dots."""
    flat = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat
