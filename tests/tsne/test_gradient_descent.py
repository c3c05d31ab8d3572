import numpy as np
import pytest
import torch

from stages.common.settings import load_params
from stages.tsne import gradient_descent, gradient_descent_on_gpu
from stages.tsne.affinities import joint_affinities
from stages.tsne.forces import divergence
from stages.tsne.grid_repulsion import Grid
from tests.tsne.data import LATENTS

PARAMS = load_params("tsne").model_copy(update={"iterations": 250})
START = gradient_descent.principal_start(LATENTS, 2, seed=0)


def test_the_map_by_the_grid_is_as_good_as_by_all_pairs_and_ends_on_the_finer_grid(monkeypatch):
    affinities = joint_affinities(LATENTS, 20)
    exact = divergence(gradient_descent.descend(START, affinities, PARAMS), affinities)
    spacings = []

    class Watched(Grid):
        def repulsion(self, positions, forces):
            z = super().repulsion(positions, forces)
            spacings.append(float(self.spacing))
            return z

    monkeypatch.setattr(gradient_descent, "ALL_PAIRS_UP_TO", 0)
    monkeypatch.setattr(gradient_descent, "Grid", Watched)
    assert divergence(gradient_descent.descend(START, affinities, PARAMS), affinities) < 1.02 * exact
    assert max(spacings[: -gradient_descent.FINE_GRID_ITERATIONS]) == pytest.approx(0.5)
    assert max(spacings[-gradient_descent.FINE_GRID_ITERATIONS :]) == pytest.approx(0.35)


def test_torch_descends_as_far():
    affinities = joint_affinities(LATENTS[:120], 20)
    params = PARAMS.model_copy(update={"iterations": 20})
    start = gradient_descent.principal_start(LATENTS[:120], 2, 0)
    expected = divergence(gradient_descent.descend(start, affinities, params), affinities)
    reached = divergence(gradient_descent_on_gpu.descend(start, affinities, params, device="cpu"), affinities)
    assert reached == pytest.approx(expected, rel=0.03)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_makes_a_map_as_good_and_the_same_again():
    affinities = joint_affinities(LATENTS, 20)
    expected = divergence(gradient_descent.descend(START, affinities, PARAMS), affinities)
    first, again = (gradient_descent_on_gpu.descend(START, affinities, PARAMS) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert divergence(first, affinities) < 1.02 * expected
