import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import cdist

from stages.tsne.affinities import conditional_affinities, joint_affinities
from tests.tsne.data import LATENTS


def plain_affinities(latents, perplexity):
    """p_ij in float64 (n, n), each row's bandwidth by Brent's method, among three times the perplexity neighbours."""
    distances = cdist(latents.astype(np.float64), latents.astype(np.float64), "sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    conditional = np.zeros_like(distances)
    for row, near in enumerate(distances.argsort(axis=1)[:, : int(3 * perplexity)]):

        def p(log_b, row=row, near=near):
            weights = np.exp(-np.exp(log_b) * (distances[row, near] - distances[row, near].min()))
            return weights / weights.sum()

        def excess(log_b, p=p):
            return -(p(log_b) * np.log(np.maximum(p(log_b), 1e-300))).sum() - np.log(perplexity)

        conditional[row, near] = p(brentq(excess, -10, 10, xtol=1e-12))
    return (conditional + conditional.T) / (2 * len(latents))


def test_affinities_are_those_of_the_equations():
    joint = joint_affinities(LATENTS[:150], 20).toarray()
    np.testing.assert_allclose(joint, plain_affinities(LATENTS[:150], 20), rtol=1e-5, atol=1e-10)
    np.testing.assert_array_equal(joint, joint.T)
    assert joint.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_every_row_has_the_perplexity(scale):
    distances = scale * np.random.default_rng(0).chisquare(5, (200, 60))
    p = conditional_affinities(distances, 20.0).astype(np.float64)
    np.testing.assert_allclose(np.exp(-(p * np.log(p + 1e-300)).sum(axis=1)), 20, rtol=1e-5)
