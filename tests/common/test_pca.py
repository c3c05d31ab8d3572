import numpy as np
import pytest
from sklearn.decomposition import PCA

from stages.common import pca
from stages.common.pca import fit_pca, pca_mse

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 4, 5), dtype=np.uint8)


def low_rank(n, d):
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(n, 30)) * np.geomspace(10, 0.1, 30)
    return (scores @ draw.normal(size=(30, d)) + 0.1 * draw.normal(size=(n, d)) + 3).astype(np.float32)


@pytest.mark.parametrize("shape", [(200, 40), (40, 3000), (300, 250)], ids=["narrow", "few rows", "randomised"])
def test_components_are_scikit_learns(shape, monkeypatch):
    monkeypatch.setattr(pca, "BLOCK", 5000)  # several blocks
    monkeypatch.setattr(pca, "EXACT_UP_TO", 100)
    rows = low_rank(*shape)
    ours, expected = fit_pca(rows, 10), PCA(10, svd_solver="full").fit(rows)
    np.testing.assert_allclose(np.abs((ours.directions * expected.components_).sum(axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(
        ours.transform(rows).var(axis=0, ddof=1, dtype=np.float64), expected.explained_variance_, rtol=1e-3
    )
    again = fit_pca(rows, 10)
    np.testing.assert_array_equal(again.directions, ours.directions)


def test_a_row_has_the_same_components_alone_and_among_others():
    rows = low_rank(200, 3000)
    fitted = fit_pca(rows, 20)
    np.testing.assert_array_equal(fitted.transform(rows)[150], fitted.transform(rows[150:151])[0])


def test_the_error_of_images_is_the_variance_left_over():
    flat = IMAGES.reshape(60, -1) / 255
    left = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)[3:] ** 2
    assert pca_mse(fit_pca(IMAGES, 3), IMAGES) == pytest.approx(left.sum() / flat.size, rel=1e-4)
    assert pca_mse(fit_pca(IMAGES, 20), IMAGES) < 1e-9
    assert pca_mse(fit_pca(IMAGES, 99), IMAGES) < 1e-9


def test_few_large_images_and_equal_ones():
    photos = np.random.default_rng(0).integers(0, 256, (54, 128, 128, 3), dtype=np.uint8)
    assert fit_pca(photos, 50).transform(photos).shape == (54, 50)
    assert np.isfinite(fit_pca(np.full((20, 64), 7, np.uint8), 5).transform(photos[:3, :8, :8, 0])).all()
    assert np.isfinite(fit_pca(np.full((20, 640), 7, np.uint8), 5).directions).all()
