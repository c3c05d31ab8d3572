import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn import datasets, manifold

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.scores.map_faithfulness import knn_accuracy, knn_recall, trustworthiness
from stages.tsne import embedding
from stages.tsne.embedding import embed, place
from tests.tsne.data import clusters

DEFAULT = load_params("tsne")
PARAMS = DEFAULT.model_copy(update={"iterations": 150, "perplexity": 15})
LATENTS, LABELS = clusters(300, 0)
NEW_LATENTS, NEW_LABELS = clusters(90, 1)
OVERLAPPING, NEW_OVERLAPPING = clusters(300, 0, apart=0.7)[0], clusters(90, 1, apart=0.7)[0]


@functools.cache
def mapped(engine: str = "fitmap", dimensions: int = 2) -> tuple[np.ndarray, float]:
    return embed(LATENTS, PARAMS.model_copy(update={"engine": engine, "n_components": dimensions}), "cpu")


@pytest.mark.parametrize(("engine", "dimensions"), [("fitmap", 2), ("fitmap", 3), ("sklearn", 2)])
def test_classes_stay_together_and_new_points_land_in_theirs(engine, dimensions):
    positions, kl_divergence = mapped(engine, dimensions)
    assert positions.shape == (300, dimensions)
    assert positions.dtype == np.float32
    assert 0 < kl_divergence < 1.5
    assert trustworthiness(LATENTS, positions, 12) > 0.95
    before = positions.copy()
    placed = place(LATENTS, positions, NEW_LATENTS)
    assert placed.shape == (90, dimensions)
    assert knn_accuracy(positions, LABELS, placed, NEW_LABELS, 5) == 1
    np.testing.assert_array_equal(positions, before)


def test_the_same_bytes_every_time_and_others_for_another_perplexity():
    again, _ = embed(LATENTS.copy(), PARAMS, "cpu")
    other, _ = embed(LATENTS, PARAMS.model_copy(update={"perplexity": 30}), "cpu")
    np.testing.assert_array_equal(mapped()[0], again)
    assert not np.array_equal(again, other)


def test_the_map_is_at_least_as_good_as_scikit_learns():
    def score(engine):
        positions, kl_divergence = embed(OVERLAPPING, DEFAULT.model_copy(update={"engine": engine}), "cpu")
        placed = place(OVERLAPPING, positions, NEW_OVERLAPPING)
        accuracy = knn_accuracy(positions, LABELS, placed, NEW_LABELS, 5)
        return kl_divergence, knn_recall(OVERLAPPING, positions, 15).mean(), accuracy

    (kl, recall, accuracy), (peer_kl, peer_recall, peer_accuracy) = score("fitmap"), score("sklearn")
    assert kl <= 1.02 * peer_kl
    assert recall >= peer_recall - 0.02
    assert accuracy >= peer_accuracy - 0.05


SMALL = {
    "digits": datasets.load_digits().data,
    "blobs": datasets.make_blobs(500, 10, centers=5, random_state=0)[0],
    "swiss roll": datasets.make_swiss_roll(500, random_state=0)[0],
}


@pytest.mark.parametrize("n", [50, 100, 300])
@pytest.mark.parametrize("name", SMALL)
def test_small_data_is_mapped_as_faithfully_as_by_scikit_learn_and_does_not_collapse(name, n):
    points = SMALL[name][np.random.default_rng(0).permutation(len(SMALL[name]))[:n]]
    perplexity = min(30.0, (len(points) - 1) / 3)
    positions, _ = embed(points.astype(np.float32), DEFAULT, "cpu")
    peer = manifold.TSNE(perplexity=perplexity, random_state=0, n_jobs=1).fit_transform(points)
    ours, theirs = (manifold.trustworthiness(points, found, n_neighbors=12) for found in (positions, peer))
    assert ours >= theirs - 0.01
    variances = np.linalg.eigvalsh(np.cov(positions.T))
    assert variances[0] >= 0.1 * variances[1]


@pytest.mark.parametrize("n", [10, 11, 40])
def test_the_perplexity_is_lowered_for_few_points(n, capsys):
    positions, _ = embed(LATENTS[:n], DEFAULT, "cpu")
    assert f"perplexity = 30 is too large for {n} points: lowered to {(n - 1) / 3:.3g}\n" in capsys.readouterr().err
    assert np.isfinite(place(LATENTS[:n], positions, NEW_LATENTS)).all()
    assert np.ptp(positions, axis=0).min() > 1
    assert trustworthiness(LATENTS[:n], positions, 12) > 0.6
    assert 0 <= knn_recall(LATENTS[:n], positions, 15).mean() <= 1


def test_nine_points_are_no_map():
    with pytest.raises(InputError, match="at least 10 points, but there are 9"):
        embed(LATENTS[:9], DEFAULT, "cpu")


@pytest.mark.parametrize("engine", ["fitmap", "sklearn"])
def test_duplicates_are_tight_spots_with_perfect_recall(engine, capsys):
    corners = np.random.default_rng(1).normal(0, 5, (4, 8)).astype(np.float32)
    latents = np.repeat(corners, 50, axis=0)
    positions, kl_divergence = embed(latents, DEFAULT.model_copy(update={"engine": engine}), "cpu")
    assert np.isfinite(kl_divergence)
    assert np.isfinite(positions).all()
    spots = positions.reshape(4, 50, 2)
    widest = np.linalg.norm(spots - spots.mean(axis=1, keepdims=True), axis=2).max()
    centres = spots.mean(axis=1)
    nearest = min(np.linalg.norm(centres[i] - centres[j]) for i in range(4) for j in range(i))
    assert nearest > 3 * widest
    assert knn_recall(latents, positions, 15).mean() == 1
    assert trustworthiness(latents, positions, 12) == 1
    assert np.linalg.norm(place(latents, positions, corners) - centres, axis=1).max() < 2 * widest
    assert "equal" not in capsys.readouterr().err


@pytest.mark.parametrize("dimensions", [2, 3])
def test_equal_vectors_are_said_to_be_equal(dimensions, capsys):
    latents = np.full((200, 6), 3, np.float32)
    positions, kl_divergence = embed(latents, PARAMS.model_copy(update={"n_components": dimensions}), "cpu")
    assert "all 200 vectors are equal" in capsys.readouterr().err
    assert np.isfinite(positions).all()
    assert np.isfinite(kl_divergence)
    assert np.isfinite(place(latents, positions, latents[:5])).all()
    assert knn_recall(latents, positions, 15).mean() == 1


def test_half_of_the_vectors_equal_and_constant_columns():
    latents = LATENTS.copy()
    latents[::2] = latents[0]
    positions, _ = embed(latents, PARAMS, "cpu")
    assert np.isfinite(positions).all()
    assert trustworthiness(latents, positions, 12) > 0.9
    constant = np.column_stack([LATENTS, np.full((300, 3), 7, np.float32)])
    assert trustworthiness(LATENTS, embed(constant, PARAMS, "cpu")[0], 12) > 0.95


def test_latents_with_fewer_dimensions_than_the_map():
    positions, _ = embed(LATENTS[:, :2], PARAMS.model_copy(update={"n_components": 3}), "cpu")
    assert positions.shape == (300, 3)
    assert np.ptp(positions, axis=0).min() > 1


def wide_vectors(n, d, seed=0):
    """Rows of rank 60 with falling variances and some noise, (n, d) float32."""
    draw = np.random.default_rng(seed)
    scores = (draw.normal(size=(n, 60)) * np.geomspace(1, 0.01, 60)).astype(np.float32)
    return scores @ np.random.default_rng(7).standard_normal((60, d), np.float32) + 0.01 * draw.standard_normal(
        (n, d), np.float32
    )


def test_wide_vectors_are_mapped_from_their_principal_components(capsys, monkeypatch):
    latents, new = wide_vectors(400, 2000), wide_vectors(50, 2000, seed=1)
    positions, _ = embed(latents, PARAMS, "cpu")
    assert "first 100 principal components" in capsys.readouterr().err
    placed = place(latents, positions, new)
    alone = np.concatenate([place(latents, positions, row[None]) for row in new[:10]])
    np.testing.assert_array_equal(placed[:10], alone)
    monkeypatch.setattr(embedding, "WIDE", 10_000)
    exact, _ = embed(latents, PARAMS, "cpu")
    assert trustworthiness(latents, positions, 12) > trustworthiness(latents, exact, 12) - 0.01


@pytest.mark.full
def test_a_very_wide_table_takes_under_two_gigabytes(tmp_path):
    script = """
import resource
from tests.tsne.test_embedding import DEFAULT, embed, place, trustworthiness, wide_vectors
rows = wide_vectors(2331, 41376)
positions, _ = embed(rows[:1865], DEFAULT, "cpu")
place(rows[:1865], positions, rows[1865:])
assert trustworthiness(rows[:1865], positions, 12) > 0.85
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2e6


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_new_point_lands_in_the_same_place_alone_and_among_others(dimensions):
    positions, _ = mapped(dimensions=dimensions)
    together = place(LATENTS, positions, NEW_LATENTS)
    alone = np.concatenate([place(LATENTS, positions, row[None]) for row in NEW_LATENTS[:20]])
    np.testing.assert_array_equal(together[:20], alone)
    assert place(LATENTS, positions, LATENTS[:0]).shape == (0, dimensions)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(InputError, match="device = cuda, but PyTorch finds no CUDA GPU"):
        embed(LATENTS, PARAMS, "cuda")


@pytest.mark.parametrize("compiled", [True, pytest.param(False, marks=pytest.mark.full)])
def test_the_same_bytes_for_any_number_of_threads_and_whether_kernels_are_cached(tmp_path, compiled):
    np.savez(tmp_path / "latents.npz", latents=OVERLAPPING, new=NEW_OVERLAPPING)
    script = """
import sys
import numpy as np
from stages.common.settings import load_params
from stages.tsne import gradient_descent
from stages.tsne.embedding import embed, place
arrays = np.load(sys.argv[1] + "/latents.npz")
params = load_params("tsne").model_copy(update={"perplexity": 15, "iterations": 50})
for limit in (0, 10_000):
    gradient_descent.ALL_PAIRS_UP_TO = limit
    positions, divergence = embed(arrays["latents"], params, "cpu")
    placed = place(arrays["latents"], positions, arrays["new"])
    print(positions.tobytes().hex(), divergence, placed.tobytes().hex())
"""
    environment = {**os.environ, "PYTHONPATH": "."}
    if not compiled:
        environment["NUMBA_CACHE_DIR"] = str(tmp_path)  # empty for the first
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env={**environment, "NUMBA_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert len(outputs[0]) > 1000
    assert outputs[0] == outputs[1]
