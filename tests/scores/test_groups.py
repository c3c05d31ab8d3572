import numpy as np
import pandas as pd
import pytest

from stages.common.samples import make_samples
from stages.scores.groups import find_groups, score_groups, tabulate_groups, typicality

CENTRES = np.array([[0, 0], [40, 0], [0, 40], [40, 40]])


@pytest.fixture
def clusters():
    """Four round clusters of 60 positions, two for each of two classes, in random order."""
    generator = np.random.default_rng(0)
    cluster = generator.permutation(np.repeat(np.arange(4), 60))
    return cluster, CENTRES[cluster] + generator.normal(size=(240, 2)), cluster % 2


def test_groups_are_the_clusters_and_those_of_one_class_have_adjacent_numbers(clusters):
    cluster, positions, labels = clusters
    groups = find_groups(positions, labels, 0.15)
    assert pd.crosstab(groups[groups >= 0], cluster[groups >= 0]).astype(bool).sum(axis=1).tolist() == [1, 1, 1, 1]
    assert (groups >= 0).mean() > 0.9
    assert [labels[groups == group][0] for group in range(4)] == [0, 0, 1, 1]


def test_scores_of_groups_that_are_pure_and_of_random_ones(clusters):
    _, positions, labels = clusters
    groups = find_groups(positions, labels, 0.15)
    scores = score_groups(groups, labels)
    assert scores["groups"] == 4
    assert scores["group_purity"] == 1.0
    assert scores["group_class_agreement"] > 0.6
    shuffled = score_groups(np.random.default_rng(1).permutation(groups), labels)
    assert abs(shuffled["group_class_agreement"]) < 0.05, "chance does not inflate it"
    assert score_groups(groups, np.full(240, -1))["group_purity"] is None


def test_each_group_is_told_by_its_medoid_and_extent(clusters):
    _, positions, labels = clusters
    groups = find_groups(positions, labels, 0.15)
    ranks = typicality(positions, groups)
    samples = make_samples(np.repeat(["train"], 240), [f"{i}.png" for i in range(240)], labels, ["a", "b"])
    table = tabulate_groups(groups, ranks, positions, samples, labels)
    assert table["label"].tolist() == ["a", "a", "b", "b"]
    assert table["rows"].sum() == (groups >= 0).sum()
    for row in table.itertuples():
        nearest = np.linalg.norm(CENTRES - [row.x, row.y], axis=1).min()
        assert nearest < 0.5
        assert 1.5 < row.extent < 3


def test_too_few_points_are_in_no_group():
    assert (find_groups(np.zeros((8, 2)), np.zeros(8, int), 0.01) == -1).all()
    empty = tabulate_groups(np.full(8, -1), np.zeros(8, int), np.zeros((8, 2)), make_samples(
        np.repeat(["train"], 8), list("abcdefgh"), np.zeros(8, int), ["a"]), np.zeros(8, int))  # fmt: skip
    assert empty.empty
