import numpy as np
import pytest
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from stages.scores import map_faithfulness as scores
from stages.tsne.neighbours import nearest_others


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 12])
@pytest.mark.parametrize(("n", "d", "centre"), [(300, 8, 0), (300, 3000, 5)], ids=["narrow", "wide, nearly as far"])
def test_trustworthiness_is_scikit_learns(n, d, centre, k):
    latents = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32) + np.float32(centre)
    positions = latents[:, :2].copy()
    expected = sklearn_trustworthiness(latents.astype(np.float64), positions, n_neighbors=k)
    assert scores.trustworthiness(latents, positions, k) == pytest.approx(expected, abs=1e-9)


def test_knn_recall_is_the_share_of_common_neighbours(latents):
    positions = latents[:, :2]
    in_space, on_map = nearest_others(latents, 5), nearest_others(positions, 5)
    expected = [len(set(a) & set(b)) / 5 for a, b in zip(in_space, on_map, strict=True)]
    np.testing.assert_allclose(scores.knn_recall(latents, positions, 5), expected)


def test_ties_count_as_found_in_the_recall():
    corners = np.repeat(np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32), 50, axis=0)
    positions = corners[:, :2] + np.random.default_rng(1).normal(0, 0.01, (200, 2)).astype(np.float32)
    assert scores.knn_recall(corners, positions, 15).mean() == 1  # any 15 of 49 equal latents
    assert scores.knn_recall(positions, corners, 15).mean() == 1  # any 15 of 49 coincident points
    neighbours, kept = scores.neighbourhoods(corners, np.random.default_rng(2).normal(size=(200, 2)), 15)
    assert neighbours.shape == (200, 15)
    assert kept.mean() < 0.5


def test_few_points_are_scored_with_fewer_neighbours(latents):
    few = latents[:10]
    assert scores.trustworthiness(few, few[:, :2].copy(), 12) == pytest.approx(
        sklearn_trustworthiness(few, few[:, :2], n_neighbors=4)
    )
    assert scores.knn_recall(few, few, 15).mean() == 1


def test_knn_accuracy_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    points, labels = generator.normal(size=(600, 7)).astype(np.float32), generator.integers(0, 4, 600)
    expected = KNeighborsClassifier(6, algorithm="brute").fit(points[:400], labels[:400])
    assert scores.knn_accuracy(points[:400], labels[:400], points[400:], labels[400:], 6) == expected.score(
        points[400:], labels[400:]
    )


def test_unlabelled_points_take_no_part():
    points = np.arange(40, dtype=np.float32)[:, None]
    labels = np.where(np.arange(40) < 20, np.arange(40) // 10, -1)
    assert scores.knn_accuracy(points, labels, points, labels, 3) == 1
    assert scores.knn_accuracy(points, np.full(40, -1), points, np.full(40, -1), 3) is None
    assert scores.knn_accuracy(points, labels, points, np.full(40, -1), 3) is None
    assert scores.knn_accuracy(points, np.zeros(40, np.int64), points, np.zeros(40, np.int64), 3) is None, "one class"


def two_classes(n=600):
    """Two classes in the plane: one's factor is the first coordinate, the other's the second."""
    generator = np.random.default_rng(0)
    points, labels = generator.uniform(size=(n, 2)), np.arange(n) % 2
    factors = np.where(labels[:, None] == [0, 1], points, np.nan)
    return points.astype(np.float32), labels, factors


def test_neighbours_agree_in_what_places_them_and_not_in_what_does_not():
    points, labels, factors = two_classes()
    shuffled = np.random.default_rng(1).permutation(len(points))
    agreement = scores.factor_agreement(points, labels, factors, 5)
    assert (agreement > 0.8).all()
    assert np.abs(scores.factor_agreement(points[shuffled], labels, factors, 5)).max() < 0.1


def test_factors_that_never_apply_or_never_vary_are_not_judged():
    points, labels, factors = two_classes()
    nowhere, constant = np.full(len(points), np.nan), np.ones(len(points))
    few = np.where(np.arange(len(points)) < 6, factors[:, 0], np.nan)
    agreement = scores.factor_agreement(points, labels, np.stack([nowhere, constant, few], axis=1), 5)
    assert np.isnan(agreement).all()
    assert np.isnan(scores.factor_agreement(points, np.full(len(points), -1), factors, 5)).all()
