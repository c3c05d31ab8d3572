import numpy as np
import pytest
from scipy.optimize import minimize

from stages.tsne.place_new_rows import EXAGGERATION, evaluate, minimise
from tests.tsne.data import scattered

AFFINITIES = np.random.default_rng(2).dirichlet(np.ones(25), 20).astype(np.float32)


def plain_cost(place, positions, neighbours, affinities):
    w = 1 / (1 + ((place - positions.T.astype(np.float64)) ** 2).sum(axis=1))
    return -EXAGGERATION * (affinities * np.log(w[neighbours])).sum() + np.log(w.sum())


@pytest.mark.parametrize("axes", [2, 3])
def test_the_gradient_is_that_of_finite_differences(axes):
    positions, _ = scattered(axes)
    point, neighbours, affinities = np.arange(1.0, 1.0 + axes), np.arange(25), AFFINITIES[0]

    def cost(place):
        return plain_cost(place, positions, neighbours, affinities)

    value, gradient, _ = evaluate(point[:, None], positions, neighbours[None], affinities[None])
    assert value[0] == pytest.approx(cost(point), rel=1e-5)
    steps = 1e-5 * np.eye(axes)
    expected = [(cost(point + step) - cost(point - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(2 * gradient[:, 0], expected, atol=1e-4)


def test_points_land_where_a_general_optimiser_puts_them():
    positions, _ = scattered(2)
    distances = np.linalg.norm(positions[:, None] - positions[:, :20, None], axis=0)
    neighbours = distances.argsort(axis=1)[:, :25]
    placed = minimise(positions, neighbours, AFFINITIES).T
    for point, near, p in zip(placed, neighbours, AFFINITIES, strict=True):
        start = np.median(positions[:, near], axis=1)
        best = minimize(plain_cost, start, args=(positions, near, p)).fun
        assert plain_cost(point, positions, near, p) < best + 1e-3
