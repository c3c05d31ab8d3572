import functools
import os
import subprocess
import sys

import numpy as np
import openTSNE
import pytest
import torch

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.scores.map import knn_accuracy, knn_recall, trustworthiness
from stages.tsne.embedding import embed, place

PARAMS = load_params("tsne").model_copy(update={"early_iterations": 250, "iterations": 150, "perplexity": 15})


def kinds(n, seed, apart=4.0):
    """Six kinds in 16 dimensions, separate or, less far `apart`, overlapping."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 6
    centres = np.random.default_rng(9).normal(size=(6, 16)) * apart
    return (centres[labels] + generator.normal(size=(n, 16))).astype(np.float32), labels


LATENTS, LABELS = kinds(300, 0)
NEW_LATENTS, NEW_LABELS = kinds(90, 1)
OVERLAPPING, NEW_OVERLAPPING = kinds(300, 0, apart=0.7)[0], kinds(90, 1, apart=0.7)[0]


@functools.cache
def mapped(engine: str = "fitmap", dimensions: int = 2) -> tuple[np.ndarray, float]:
    """What `embed` gives for LATENTS; nobody changes it."""
    return embed(LATENTS, PARAMS.model_copy(update={"engine": engine, "n_components": dimensions}))


@pytest.mark.parametrize(("engine", "dimensions"), [("fitmap", 2), ("fitmap", 3), ("opentsne", 2), ("sklearn", 2)])
def test_kinds_stay_together_and_new_points_land_among_their_kind(engine, dimensions):
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


def test_the_same_bytes_every_time_and_other_bytes_for_another_perplexity():
    positions, _ = mapped()
    again, _ = embed(LATENTS.copy(), PARAMS)
    other, _ = embed(LATENTS, PARAMS.model_copy(update={"perplexity": 30}))
    np.testing.assert_array_equal(positions, again)
    assert not np.array_equal(positions, other)


def test_a_mapped_point_placed_again_lands_beside_itself():
    positions, _ = mapped()
    placed = place(LATENTS, positions, LATENTS[:60])
    distance = np.linalg.norm(placed - positions[:60], axis=1)
    assert np.median(distance) < 0.1 * np.ptp(positions, axis=0).max()


def test_nothing_to_place():
    positions, _ = mapped()
    assert place(LATENTS, positions, LATENTS[:0]).shape == (0, 2)


def test_too_few_points_for_the_perplexity():
    with pytest.raises(InputError, match=r"tsne\.perplexity = 15 is too large for 30 points: at most 10"):
        embed(LATENTS[:30], PARAMS)


def test_the_map_is_at_least_as_good_as_the_other_engines():
    def judge(engine):
        params = PARAMS.model_copy(update={"engine": engine, "iterations": 500})
        positions, kl_divergence = embed(OVERLAPPING, params)
        placed = place(OVERLAPPING, positions, NEW_OVERLAPPING)
        accuracy = knn_accuracy(positions, LABELS, placed, NEW_LABELS, 5)
        return kl_divergence, knn_recall(OVERLAPPING, positions, 15).mean(), accuracy

    ours = judge("fitmap")
    for engine in ("opentsne", "sklearn"):
        kl_divergence, recall, accuracy = judge(engine)
        assert ours[0] <= 1.02 * kl_divergence
        assert ours[1] >= recall - 0.02
        assert ours[2] >= accuracy - 0.05


def test_new_points_land_where_opentsne_puts_them_or_lower():
    positions, _ = embed(OVERLAPPING, PARAMS)
    affinities = openTSNE.affinity.PerplexityBasedNN(OVERLAPPING, perplexity=15, method="exact")
    peer = openTSNE.TSNEEmbedding(positions.astype(np.float64), affinities).transform(NEW_OVERLAPPING)
    distance = np.linalg.norm(place(OVERLAPPING, positions, NEW_OVERLAPPING) - peer, axis=1)
    assert np.median(distance) < 0.05


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_new_point_lands_in_the_same_place_alone_and_among_others(dimensions):
    positions, _ = mapped(dimensions=dimensions)
    together = place(LATENTS, positions, NEW_LATENTS)
    alone = np.concatenate([place(LATENTS, positions, row[None]) for row in NEW_LATENTS[:20]])
    np.testing.assert_array_equal(together[:20], alone)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_identical_latents_are_mapped_and_placed(dimensions):
    params = PARAMS.model_copy(update={"n_components": dimensions, "iterations": 50, "perplexity": 5})
    for latents in (np.ones((40, 3), np.float32), np.repeat(LATENTS[:20], 6, axis=0)):
        positions, kl_divergence = embed(latents, params)
        placed = place(latents, positions, latents[:5])
        assert np.isfinite(positions).all()
        assert np.isfinite(placed).all()
        assert np.isfinite(kl_divergence)


def test_as_few_latents_as_the_perplexity_allows():
    positions, _ = embed(LATENTS[:10], PARAMS.model_copy(update={"perplexity": 3}))
    assert np.isfinite(positions).all()
    assert np.isfinite(place(LATENTS[:10], positions, NEW_LATENTS)).all()


def test_latents_with_fewer_dimensions_than_the_map():
    params = PARAMS.model_copy(update={"n_components": 3, "iterations": 50})
    positions, _ = embed(np.ascontiguousarray(LATENTS[:, :2]), params)
    assert positions.shape == (300, 3)
    assert np.ptp(positions, axis=0).min() > 1


def test_a_gpu_that_is_not_there():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match=r"tsne\.device = 'cuda' is not available"):
        embed(LATENTS, PARAMS.model_copy(update={"device": "cuda"}))


@pytest.mark.parametrize("compiled", [True, pytest.param(False, marks=pytest.mark.full)])
def test_the_same_bytes_for_any_number_of_threads_and_whether_kernels_are_compiled_or_found_compiled(
    tmp_path, compiled
):
    np.savez(tmp_path / "latents.npz", latents=OVERLAPPING, new=NEW_OVERLAPPING)
    script = """
import sys
import numpy as np
from stages.tsne import embedding as tsne
from stages.tsne import descent
from stages.common.settings import load_params
arrays = np.load(sys.argv[1] + "/latents.npz")
params = load_params("tsne").model_copy(update={"perplexity": 15, "iterations": 50})
for limit in (0, 10_000):
    descent.ALL_PAIRS_UP_TO = limit
    positions, divergence = tsne.embed(arrays["latents"], params)
    placed = tsne.place(arrays["latents"], positions, arrays["new"])
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
