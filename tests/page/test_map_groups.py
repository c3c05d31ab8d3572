"""The groups of the map on the page: names, medoids and outlines."""

import numpy as np
import pandas as pd
from matplotlib.path import Path

from stages.page.map_groups import group_names, groups_of, outline


def blob(count: int, centre: tuple[float, float], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1.0, (count, 2)).astype(np.float32)


def inside(polygons: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    return np.any([Path(polygon).contains_points(points) for polygon in polygons], axis=0)


def test_groups_are_named_by_their_main_class():
    table = pd.DataFrame({"group": [0, 0, 0, 1, 2, -1], "label": ["a", "b", "a", "a", None, "b"]})
    assert group_names(table) == ["a 1", "a 2", "group 1"]


def test_an_outline_holds_nearly_all_points_of_its_group_and_none_of_another():
    for count in (15, 200, 5000):
        points, others = blob(count, (0, 0)), blob(count, (9, 0), seed=1)
        polygons = outline(points)
        assert inside(polygons, points).mean() > 0.9
        assert not inside(polygons, others).any()
        for polygon in polygons:
            np.testing.assert_array_equal(polygon[0], polygon[-1])
            assert len(polygon) < 400


def test_the_outline_of_a_bent_group_follows_it():
    angles = np.random.default_rng(0).uniform(0, 4.5, 800)
    bow = 10 * np.column_stack([np.cos(angles), np.sin(angles)]) + blob(800, (0, 0)) / 2
    polygons = outline(bow)
    assert inside(polygons, bow).mean() > 0.9
    assert not inside(polygons, np.zeros((1, 2))).any()


def test_equal_or_collinear_points_have_an_outline_too():
    for points in (np.ones((20, 2)), np.column_stack([np.arange(20), np.zeros(20)])):
        assert inside(outline(points), points).mean() >= 0.9


def test_groups_of_the_table_have_their_medoid_and_on_a_flat_map_an_outline():
    table = pd.DataFrame({"group": [1] * 20 + [0] * 20, "group_rank": [*range(20, 0, -1), *range(1, 21)]})
    table["label"] = "x"
    positions = np.concatenate([blob(20, (0, 0)), blob(20, (30, 0))])
    listed = pd.DataFrame({"group": [0, 1], "told_by": ["heel 5", None]})
    found = groups_of(table, listed, positions)
    assert [(g.name, g.medoid, g.told_by) for g in found] == [("x 1", 20, "heel 5"), ("x 2", 19, "")]
    assert inside(found[0].outline, positions[20:]).mean() > 0.8
    assert [group.outline for group in groups_of(table, listed, np.pad(positions, ((0, 0), (0, 1))))] == [[], []]
