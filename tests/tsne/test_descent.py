"""The parts of the project's own t-SNE against plain float64 sums."""

import numpy as np
import pytest
import torch
from openTSNE.affinity import PerplexityBasedNN
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist, squareform

from stages.common.settings import load_params
from stages.tsne import descent, forces, gpu
from stages.tsne.affinities import conditional_affinities, joint_affinities
from stages.tsne.grid import Grid
from stages.tsne.placing import evaluate

LATENTS = np.random.default_rng(0).normal(size=(400, 10)).astype(np.float32)
PARAMS = load_params("tsne")


def plain_divergence(positions, affinities):
    """KL(P || Q) in float64, positions (n, axes), affinities dense (n, n)."""
    w = 1 / (1 + squareform(pdist(positions, "sqeuclidean")))
    np.fill_diagonal(w, 0)
    there = affinities > 0
    return (affinities[there] * np.log(affinities[there] / (w / w.sum())[there])).sum()


def scattered(axes, spread=4.0):
    """Positions float32 (axes, n), apart as on a map, and the affinities of LATENTS."""
    positions = np.random.default_rng(1).normal(0, spread, (axes, len(LATENTS))).astype(np.float32)
    return positions, joint_affinities(LATENTS, 20)


def test_affinities_are_opentsnes():
    expected = PerplexityBasedNN(LATENTS.astype(np.float64), perplexity=20, method="exact").P.toarray()
    joint = joint_affinities(LATENTS, 20).toarray()
    np.testing.assert_allclose(joint, expected, rtol=1e-5, atol=1e-10)
    np.testing.assert_array_equal(joint, joint.T)
    assert joint.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_every_row_has_the_perplexity(scale):
    distances = scale * np.random.default_rng(0).chisquare(5, (200, 60))
    p = conditional_affinities(distances, 20.0).astype(np.float64)
    np.testing.assert_allclose(np.exp(-(p * np.log(p + 1e-300)).sum(axis=1)), 20, rtol=1e-5)


def test_equal_distances_get_equal_affinities():
    np.testing.assert_allclose(conditional_affinities(np.full((3, 30), 7.0), 10.0), 1 / 30, rtol=1e-6)


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
    pull, push = np.empty_like(positions), np.empty_like(positions)
    forces.attraction(positions, affinities.indptr, affinities.indices, affinities.data, pull)
    z = repulsion(positions, push)
    gradient = 4 * (pull.astype(np.float64) - push / z)
    exact, dense, step = positions.T.astype(np.float64), affinities.toarray().astype(np.float64), 1e-5
    scale = np.abs(gradient).max()
    for i in range(0, len(LATENTS), 40):
        for axis in range(axes):
            shifted = [exact.copy(), exact.copy()]
            shifted[0][i, axis] += step
            shifted[1][i, axis] -= step
            expected = (plain_divergence(shifted[0], dense) - plain_divergence(shifted[1], dense)) / (2 * step)
            assert gradient[axis, i] == pytest.approx(expected, abs=tolerance * scale)


@pytest.mark.parametrize("spread", [1e-4, 0.1, 3.0, 30.0])
def test_the_grid_agrees_with_all_pairs_at_every_size_of_the_map(spread):
    positions = np.random.default_rng(0).normal(0, spread, (2, 3000)).astype(np.float32)
    positions[1] *= 0.3  # no square
    exact, near = np.empty_like(positions), np.empty_like(positions)
    z = forces.repulsion(positions, exact)
    assert Grid().repulsion(positions, near) == pytest.approx(z, rel=2e-3)
    assert np.abs(near - exact).max() < 0.01 * np.abs(exact).max()


def test_a_grid_that_grew_is_as_good_as_a_new_one():
    grid, forces_of = Grid(), np.empty((2, 500), np.float32)
    positions = np.random.default_rng(0).normal(0, 1, (2, 500)).astype(np.float32)
    for growth in np.linspace(1, 20, 30, dtype=np.float32):
        z = grid.repulsion(positions * growth, forces_of)
        assert z == pytest.approx(forces.repulsion(positions * growth, np.empty_like(forces_of)), rel=2e-3)


def test_the_map_by_the_grid_is_as_good_as_by_all_pairs(monkeypatch):
    affinities = joint_affinities(LATENTS, 20)
    exact = forces.divergence(descent.optimise(LATENTS, affinities, PARAMS), affinities)
    monkeypatch.setattr(descent, "ALL_PAIRS_UP_TO", 0)
    assert forces.divergence(descent.optimise(LATENTS, affinities, PARAMS), affinities) < 1.02 * exact


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 129, 397])
def test_all_pairs_are_the_plain_sum_for_any_number_of_points(axes, n):
    positions = scattered(axes)[0][:, :n].copy()
    apart = positions.T[:, None].astype(np.float64) - positions.T
    w = 1 / (1 + (apart**2).sum(axis=2))
    found = np.empty_like(positions)
    assert forces.repulsion(positions, found) == pytest.approx(w.sum() - n, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(found, (w[:, :, None] ** 2 * apart).sum(axis=1).T, rtol=1e-3, atol=1e-5)


def test_a_large_map_settles_on_the_finer_grid(monkeypatch):
    spacings = []

    class Watched(Grid):
        def repulsion(self, positions, forces):
            z = super().repulsion(positions, forces)
            spacings.append(float(self.spacing))
            return z

    monkeypatch.setattr(descent, "ALL_PAIRS_UP_TO", 0)
    monkeypatch.setattr(descent, "Grid", Watched)
    params = PARAMS.model_copy(update={"early_iterations": 50, "iterations": 250})
    descent.descend(descent.principal_start(LATENTS, 2, 0), joint_affinities(LATENTS, 20), params)
    assert max(spacings[: -descent.SETTLING]) == pytest.approx(0.5)
    assert max(spacings[-descent.SETTLING :]) == pytest.approx(0.35)


def test_torch_repels_as_the_grid_does():
    positions, _ = scattered(2)
    expected = np.empty_like(positions)
    z = Grid().repulsion(positions, expected)
    push, torch_z = gpu.GridOnTorch("cpu").repulsion(torch.from_numpy(positions))
    assert torch_z.item() == pytest.approx(z, rel=1e-4)
    np.testing.assert_allclose(push.numpy(), expected, atol=1e-4 * np.abs(expected).max())


def test_torch_descends_as_far():
    affinities = joint_affinities(LATENTS[:120], 20)
    params = PARAMS.model_copy(update={"early_iterations": 40, "iterations": 40})
    start = descent.principal_start(LATENTS[:120], 2, 0)
    expected = forces.divergence(descent.descend(start, affinities, params), affinities)
    reached = forces.divergence(gpu.descend(start, affinities, params, device="cpu"), affinities)
    assert reached == pytest.approx(expected, rel=0.03)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_lays_out_a_map_as_good_and_the_same_again():
    affinities = joint_affinities(LATENTS, 20)
    expected = forces.divergence(descent.optimise(LATENTS, affinities, PARAMS), affinities)
    first, again = (descent.optimise(LATENTS, affinities, PARAMS.model_copy(update={"device": "cuda"})) for _ in "12")
    np.testing.assert_array_equal(first, again)
    assert forces.divergence(first, affinities) < 1.02 * expected


@pytest.mark.parametrize("axes", [2, 3])
def test_the_gradient_of_placing_is_that_of_finite_differences(axes):
    positions, _ = scattered(axes)
    point, neighbours = np.arange(1.0, 1.0 + axes), np.arange(25)
    affinities = np.full(25, 0.04, np.float32)

    def cost(place):
        w = 1 / (1 + ((place - positions.T.astype(np.float64)) ** 2).sum(axis=1))
        return -1.5 * (affinities * np.log(w[neighbours])).sum() + np.log(w.sum())

    value, gradient, _ = evaluate(point[:, None], positions, neighbours[None], affinities[None])
    assert value[0] == pytest.approx(cost(point), rel=1e-5)
    steps = 1e-5 * np.eye(axes)
    expected = [(cost(point + step) - cost(point - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(2 * gradient[:, 0], expected, atol=1e-4)


def test_the_start_is_the_principal_components():
    start = descent.principal_start(LATENTS * np.arange(10, 0, -1), 3, seed=0)
    centred = LATENTS * np.arange(10, 0, -1) - (LATENTS * np.arange(10, 0, -1)).mean(axis=0)
    expected = np.linalg.svd(centred, full_matrices=False)[0][:, :3]
    for axis in range(3):
        assert abs(np.corrcoef(start[axis], expected[:, axis])[0, 1]) > 0.999
    assert start[0].std() == pytest.approx(descent.START_DEVIATION, rel=0.01)


def test_affinities_are_a_sorted_sparse_matrix_that_the_kernels_can_walk():
    joint = joint_affinities(LATENTS, 5)
    assert isinstance(joint, csr_array)
    assert joint.has_sorted_indices
    assert joint.dtype == np.float32
    assert joint.indptr.dtype == joint.indices.dtype == np.int32
