"""Forces and divergence, from all pairs and by the grid, against plain float64 sums."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from stages.tsne import forces
from stages.tsne.gradient_descent_on_gpu import GridOnTorch
from stages.tsne.grid_repulsion import Grid
from tests.tsne.data import LATENTS, scattered


def plain_divergence(positions, affinities):
    """KL(P || Q) in float64, positions (n, axes), affinities dense (n, n)."""
    w = 1 / (1 + squareform(pdist(positions, "sqeuclidean")))
    np.fill_diagonal(w, 0)
    there = affinities > 0
    return (affinities[there] * np.log(affinities[there] / (w / w.sum())[there])).sum()


@pytest.mark.parametrize("axes", [2, 3])
def test_the_divergence_is_the_plain_sum(axes):
    positions, affinities = scattered(axes)
    expected = plain_divergence(positions.T.astype(np.float64), affinities.toarray().astype(np.float64))
    assert forces.divergence(positions, affinities) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("axes", "repulsion", "tolerance"),
    [(2, forces.repulsion, 1e-4), (3, forces.repulsion, 1e-4), (2, Grid().repulsion, 1e-2)],
    ids=["2-D", "3-D", "grid"],
)
def test_the_gradient_is_that_of_finite_differences(axes, repulsion, tolerance):
    positions, affinities = scattered(axes)
    attraction, repelled = np.empty_like(positions), np.empty_like(positions)
    forces.attraction(positions, affinities.indptr, affinities.indices, affinities.data, attraction)
    z = repulsion(positions, repelled)
    gradient = 4 * (attraction.astype(np.float64) - repelled / z)
    exact, dense, step = positions.T.astype(np.float64), affinities.toarray().astype(np.float64), 1e-5
    scale = np.abs(gradient).max()
    for i in range(0, len(LATENTS), 80):
        for axis in range(axes):
            shifted = [exact.copy(), exact.copy()]
            shifted[0][i, axis] += step
            shifted[1][i, axis] -= step
            expected = (plain_divergence(shifted[0], dense) - plain_divergence(shifted[1], dense)) / (2 * step)
            assert gradient[axis, i] == pytest.approx(expected, abs=tolerance * scale)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 129, 397])
def test_all_pairs_are_the_plain_sum_for_any_number_of_points(axes, n):
    positions = scattered(axes)[0][:, :n].copy()
    apart = positions.T[:, None].astype(np.float64) - positions.T
    w = 1 / (1 + (apart**2).sum(axis=2))
    found = np.empty_like(positions)
    assert forces.repulsion(positions, found) == pytest.approx(w.sum() - n, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(found, (w[:, :, None] ** 2 * apart).sum(axis=1).T, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("spread", [1e-4, 0.1, 3.0, 30.0])
def test_the_grid_agrees_with_all_pairs_at_every_size_of_the_map(spread):
    positions = np.random.default_rng(0).normal(0, spread, (2, 3000)).astype(np.float32)
    positions[1] *= 0.3  # not square
    exact, near = np.empty_like(positions), np.empty_like(positions)
    z = forces.repulsion(positions, exact)
    assert Grid().repulsion(positions, near) == pytest.approx(z, rel=2e-3)
    assert np.abs(near - exact).max() < 0.01 * np.abs(exact).max()


def test_the_grid_on_torch_repels_as_the_grid_does():
    positions, _ = scattered(2)
    expected = np.empty_like(positions)
    z = Grid().repulsion(positions, expected)
    repelled, torch_z = GridOnTorch("cpu").repulsion(torch.from_numpy(positions))
    assert torch_z.item() == pytest.approx(z, rel=1e-4)
    np.testing.assert_allclose(repelled.numpy(), expected, atol=1e-4 * np.abs(expected).max())
