import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes

from stages.scores.align_maps import neighbours_kept, procrustes

MAP = np.random.default_rng(0).normal(0, 20, (300, 2))


@pytest.mark.parametrize("mirrored", [1, -1])
def test_a_turned_mirrored_scaled_and_moved_map_is_laid_exactly_over_the_other(mirrored):
    angle = 2.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [1, mirrored]
    moved = 0.3 * MAP @ turn + [400, -70]
    over = procrustes(moved, MAP)
    np.testing.assert_allclose(over(moved), MAP, atol=1e-9)
    assert over.disparity == pytest.approx(0, abs=1e-12)
    assert neighbours_kept(MAP, moved, 15).mean() == 1


def test_the_disparity_is_scipys():
    moved = np.random.default_rng(1).normal(0, 5, MAP.shape) + 0.4 * MAP
    assert procrustes(moved, MAP).disparity == pytest.approx(scipy_procrustes(MAP, moved)[2], abs=1e-12)


def test_a_map_without_spread_is_moved_to_the_others_centre():
    over = procrustes(np.ones_like(MAP), MAP)
    assert over.disparity == 1
    np.testing.assert_allclose(over(np.ones_like(MAP)), np.broadcast_to(MAP.mean(axis=0), MAP.shape))
