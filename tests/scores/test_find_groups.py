import numpy as np
import pandas as pd
import pytest

from stages.common.pca import fit_pca
from stages.common.samples_table import make_samples, numbered_samples
from stages.common.settings import load_params
from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments
from stages.scores.find_groups import effect_size, find_groups, score_groups, tabulate_groups, typicality
from stages.tsne.embedding import embed

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


def test_groups_of_a_class_are_told_apart_by_the_columns_in_which_they_differ(clusters):
    cluster, positions, labels = clusters
    groups = find_groups(positions, labels, 0.15)
    columns = pd.DataFrame({
        "heel": np.where(cluster == 0, 5.0, np.where(cluster == 2, 1.0, np.nan)),
        "country": pd.Categorical(np.where(cluster == 1, "France", "Peru")),
        "chance": np.random.default_rng(1).normal(size=240),
        "same": 1.0,
    })  # fmt: skip
    names = [f"{i}.png" for i in range(240)]
    samples = make_samples(np.repeat(["train"], 240), names, labels, ["a", "b"], columns)
    table = tabulate_groups(groups, typicality(positions, groups), positions, samples, labels)
    assert sorted(table["told_by"]) == ["country France (100%)", "country Peru (100%)", "heel 1", "heel 5"]
    assert table["effect"].tolist() == pytest.approx([1] * 4)
    without_classes = tabulate_groups(groups, typicality(positions, groups), positions, samples, np.full(240, -1))
    assert without_classes["told_by"].str.contains("country").all()


def test_effect_sizes_are_between_chance_and_one():
    generator, groups = np.random.default_rng(0), np.arange(600) % 6
    noise = pd.Series(generator.normal(size=600))
    assert effect_size(noise, groups) < 0.03
    assert effect_size(noise + 2 * groups, groups) == pytest.approx(35 / 3 / (35 / 3 + 1), abs=0.02)
    letters = pd.Series(generator.choice(list("abcdefgh"), 600), dtype="category")
    assert effect_size(letters, groups) < 0.02
    assert effect_size(pd.Series(groups, dtype="category"), groups) == pytest.approx(1, abs=0.01)


def test_too_few_points_are_in_no_group():
    assert (find_groups(np.zeros((8, 2)), np.zeros(8, int), 0.01) == -1).all()
    empty = tabulate_groups(np.full(8, -1), np.zeros(8, int), np.zeros((8, 2)), make_samples(
        np.repeat(["train"], 8), list("abcdefgh"), np.zeros(8, int), ["a"]), np.zeros(8, int))  # fmt: skip
    assert empty.empty


def test_groups_of_drawn_garments_are_classes_and_kinds_within_them():
    images, labels, factors = draw_garments(1500, seed=0)
    latents = fit_pca(images, 32).transform(images)
    positions, _ = embed(latents, load_params("tsne"), "cpu")
    groups = find_groups(positions, labels, 0.01)
    assert score_groups(groups, labels)["group_class_agreement"] >= 0.6
    samples = numbered_samples(1500, 0, labels, list(CLASS_NAMES), pd.DataFrame(factors, columns=list(FACTORS)))
    table = tabulate_groups(groups, typicality(latents, groups), positions, samples, labels)
    shapes = table[table["told_by"].str.contains("heel_height|shaft_height|sleeve_length|handle_height")]
    assert shapes[shapes["effect"] >= 0.5]["label"].nunique() >= 3
