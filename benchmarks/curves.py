"""Curves other than the default one, that no setting was made for: six shapes, noise, few and many points, gaps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

GAPS = ((0.3, 0.42), (0.7, 0.76))  # left out of the training points, not of the judging grid
NOISE = {"small noise": 0.05, "large noise": 0.5}  # in standard deviations of the curve
COUNTS = {"few": 200, "many": 1000}

CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "straight line": lambda x: 3 * x - 1,
    "step": lambda x: np.where(x < 0.37, -1.0, 2.0),
    "corner": lambda x: np.abs(x - 0.45),
    "Doppler": lambda x: np.sqrt(x * (1 - x)) * np.sin(2.1 * np.pi / (x + 0.05)),
    "chirp": lambda x: np.sin(60 * x**2),
    "sines": lambda x: np.sin(3 * x) + 0.5 * np.sin(11 * x + 1) + 0.25 * np.sin(37 * x),
}


@dataclass(frozen=True)
class Problem:
    """Noisy points x, y (n,) of one curve to learn from, and the truth to judge by."""

    name: str
    train: tuple[np.ndarray, np.ndarray]
    grid: np.ndarray
    truth: np.ndarray


def problems(seed: int = 0) -> Iterator[Problem]:
    """Yield each curve with small and large noise, few and many points, and the sines with gaps; x is from 0 to 1."""
    for name, curve in CURVES.items():
        for noise in NOISE:
            for count in COUNTS:
                yield _problem(f"{name}, {noise}, {count} points", curve, NOISE[noise], COUNTS[count], seed)
    for noise in NOISE:
        yield _problem(f"sines with gaps, {noise}", CURVES["sines"], NOISE[noise], 1000, seed, GAPS)


def _problem(name: str, curve, noise: float, count: int, seed: int, gaps: tuple = ()) -> Problem:
    grid = np.linspace(0, 1, 2001)
    truth, spread = curve(grid), curve(grid).std()
    generator = np.random.default_rng([seed, 0])
    x = generator.uniform(0, 1, 2 * count)
    x = x[~np.any([(low < x) & (x < high) for low, high in gaps], axis=0)][:count] if gaps else x[:count]
    return Problem(name, (x, curve(x) + generator.normal(0, noise * spread, len(x))), grid, truth)
