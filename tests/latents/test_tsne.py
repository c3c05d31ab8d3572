import numpy as np
import pytest

from stages.latents.scores import knn_accuracy, trustworthiness
from stages.latents.tsne import embed, place
from stages.pipeline.errors import InputError
from stages.pipeline.params import load_params

PARAMS = load_params("tsne").model_copy(update={"early_iterations": 250, "iterations": 150, "perplexity": 15})


def kinds(n, seed):
    """Six separate kinds in 16 dimensions."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 6
    centres = np.random.default_rng(9).normal(size=(6, 16)) * 4
    return (centres[labels] + generator.normal(size=(n, 16))).astype(np.float32), labels


LATENTS, LABELS = kinds(300, 0)
NEW_LATENTS, NEW_LABELS = kinds(90, 1)


@pytest.mark.parametrize(("engine", "dimensions"), [("opentsne", 2), ("sklearn", 2), ("sklearn", 3)])
def test_kinds_stay_together_and_new_points_land_among_their_kind(engine, dimensions):
    params = PARAMS.model_copy(update={"engine": engine, "n_components": dimensions})
    positions, kl_divergence = embed(LATENTS, params)
    assert positions.shape == (300, dimensions)
    assert positions.dtype == np.float32
    assert 0 < kl_divergence < 1.5
    assert trustworthiness(LATENTS, positions, 12) > 0.95
    before = positions.copy()
    placed = place(LATENTS, positions, NEW_LATENTS, params)
    assert placed.shape == (90, dimensions)
    assert knn_accuracy(positions, LABELS, placed, NEW_LABELS, 5) == 1
    np.testing.assert_array_equal(positions, before)


def test_the_same_bytes_every_time_and_other_bytes_for_another_perplexity():
    positions, _ = embed(LATENTS, PARAMS)
    again, _ = embed(LATENTS.copy(), PARAMS)
    other, _ = embed(LATENTS, PARAMS.model_copy(update={"perplexity": 30}))
    np.testing.assert_array_equal(positions, again)
    assert not np.array_equal(positions, other)


def test_a_mapped_point_placed_again_lands_beside_itself():
    positions, _ = embed(LATENTS, PARAMS)
    placed = place(LATENTS, positions, LATENTS[:60], PARAMS)
    distance = np.linalg.norm(placed - positions[:60], axis=1)
    assert np.median(distance) < 0.1 * np.ptp(positions, axis=0).max()


def test_nothing_to_place():
    positions, _ = embed(LATENTS, PARAMS)
    assert place(LATENTS, positions, LATENTS[:0], PARAMS).shape == (0, 2)


def test_too_few_points_for_the_perplexity():
    with pytest.raises(InputError, match=r"tsne\.perplexity = 15 is too large for 30 points: at most 10"):
        embed(LATENTS[:30], PARAMS)
