"""The density of the points lies where they are, and is dark where they are many."""

import numpy as np
import pytest

from stages.common.map_density import LEVELS, density_beneath, density_of

DRAW = np.random.default_rng(0)


def places(density) -> tuple[np.ndarray, np.ndarray]:
    """The middles of its columns and of its rows, in units of the map."""
    left, right, bottom, top = density.extent
    rows, columns = density.shades.shape
    return (
        left + (np.arange(columns) + 0.5) / columns * (right - left),
        top - (np.arange(rows) + 0.5) / rows * (top - bottom),
    )


def test_the_shades_lie_where_the_points_are():
    centre, spread = np.array([30.0, -5.0]), np.array([6.0, 2.0])
    density = density_of(DRAW.normal(centre, spread, (20_000, 2)).astype(np.float32))
    x, y = places(density)
    side = x[1] - x[0]
    assert y[0] - y[1] == pytest.approx(side)  # cells are square
    weights = np.expm1(density.shades / 255.0)
    found = np.array([(weights.sum(0) * x).sum(), (weights.sum(1) * y).sum()]) / weights.sum()
    assert np.abs(found - centre).max() < side
    assert density.count == 20_000
    assert (density.shades.max(), density.shades.min()) == (255, 0)
    edges = [density.shades[0], density.shades[-1], density.shades[:, 0], density.shades[:, -1]]
    assert max(edge.max() for edge in edges) <= 255 // LEVELS * 2  # it fades before it ends


@pytest.mark.parametrize("points", [np.zeros((1, 2)), np.zeros((9, 2)), np.array([[0.0, 0], [1e6, 0]])])
def test_few_points_and_points_in_a_row_have_a_density(points):
    density = density_of(points)
    assert density.shades.max() == 255
    assert max(density.shades.shape) < 300


def test_without_others_and_for_a_map_that_turns_there_is_none():
    positions = DRAW.normal(size=(50, 2)).astype(np.float32)
    assert density_beneath(positions, positions[:0]) is None
    assert density_beneath(np.zeros((5, 3)), np.zeros((5, 3))) is None
    assert density_beneath(positions, positions).count == 100
