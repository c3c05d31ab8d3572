import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stages.tsne import neighbours
from stages.tsne.neighbours import nearest, nearest_others, ranks


@pytest.fixture(params=[0.0, 1000.0], ids=["centred", "far from zero"])
def points(request, monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS", 32)
    monkeypatch.setattr(neighbours, "COLUMNS", 100)  # several tiles, the last of each row narrower
    return (request.param + np.random.default_rng(0).normal(size=(333, 7))).astype(np.float32)


def test_nearest_others_are_those_of_all_distances(points):
    distances = cdist(points.astype(np.float64), points.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(nearest_others(points, 20), distances.argsort(axis=1)[:, :20])


def test_nearest_and_their_distances(points):
    queries = points[:41] + np.float32(0.01)
    expected = cdist(queries.astype(np.float64), points.astype(np.float64))
    distances, indices = nearest(points, queries, 9)
    np.testing.assert_array_equal(indices, expected.argsort(axis=1)[:, :9])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :9], rtol=1e-3)


def test_a_query_alone_has_the_neighbours_it_has_among_others(points):
    _, together = nearest(points, points + np.float32(0.1), 12)
    alone = np.concatenate([nearest(points, point[None] + np.float32(0.1), 12)[1] for point in points[:40]])
    np.testing.assert_array_equal(together[:40], alone)


def test_ranks_count_the_strictly_nearer(points):
    others = np.random.default_rng(1).integers(0, len(points), (len(points), 5))
    others[others == np.arange(len(points))[:, None]] -= 1
    distances = cdist(points.astype(np.float64), points.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    expected = 1 + (distances[:, None, :] < np.take_along_axis(distances, others, axis=1)[:, :, None]).sum(axis=2)
    np.testing.assert_array_equal(ranks(points, others), expected)


def test_identical_points_and_huge_numbers():
    same = np.full((60, 4), 3, np.float32)
    found = nearest_others(same, 59)
    assert all(sorted([*row, i]) == list(range(60)) for i, row in enumerate(found))
    assert (ranks(same, found) == 1).all()
    points = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    np.testing.assert_array_equal(nearest_others(points * np.float32(1e30), 10), nearest_others(points, 10))
