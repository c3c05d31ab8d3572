"""t-SNE (van der Maaten & Hinton 2008): lay the latents out so that neighbours in latent space stay neighbours.

The schedule is the one that serves large data best (Belkina et al. 2019; Kobak & Berens 2019): start from the first
principal components, learning rate n / exaggeration while neighbours attract more strongly, then n.
"""

import numpy as np
import openTSNE
from openTSNE.affinity import PerplexityBasedNN
from sklearn.manifold import TSNE

from stages.latents.neighbours import nearest
from stages.pipeline.errors import InputError
from stages.pipeline.params import TsneParams
from stages.pipeline.progress import progress

THREADS = 2  # a fixed number, so that floating-point sums are cut alike on every machine
CALLBACK_EVERY = 10
PLACING_NEIGHBOURS = 25
FEW = 500  # new points that one thread places sooner: threads wait for each other in every short iteration


def embed(latents: np.ndarray, params: TsneParams) -> tuple[np.ndarray, float]:
    """Map `latents` (n, d) float32.

    Returns their positions (n, 2 or 3) float32, centred on zero, and the Kullback-Leibler divergence in nats that
    t-SNE has reached. Raises `InputError` if there are too few latents for the perplexity.
    """
    most = (len(latents) - 1) / 3
    if params.perplexity > most:
        raise InputError(
            f"params.yaml: tsne.perplexity = {params.perplexity:g} is too large for {len(latents)} points: "
            f"at most {most:.0f} (a third of tsne.points, or of the images there are)"
        )
    positions, kl_divergence = (_opentsne if params.engine == "opentsne" else _sklearn)(latents, params)
    positions = positions - (positions.max(axis=0) + positions.min(axis=0)) / 2
    return positions.astype(np.float32), kl_divergence


def place(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray, params: TsneParams) -> np.ndarray:
    """Positions (m, 2 or 3) float32 for `new_latents` (m, d) in the finished map of `latents`, which does not move.

    In 2-D by openTSNE's transform: each new point starts at the median of its nearest latents and descends the KL
    divergence to the map alone, so that new points do not see each other (Policar, Strazar & Zupan 2023). In 3-D,
    which openTSNE lacks, it stays at that median.
    """
    if len(new_latents) == 0:
        return np.empty((0, positions.shape[1]), np.float32)
    if positions.shape[1] != 2:
        _, neighbours = nearest(latents, new_latents, min(PLACING_NEIGHBOURS, len(latents)))
        return np.median(positions[neighbours], axis=1).astype(np.float32)
    threads = THREADS if len(new_latents) > FEW else 1  # each point is placed by itself, so the same bytes either way
    finished = openTSNE.TSNEEmbedding(
        positions.astype(np.float64), _affinities(latents, params), random_state=params.seed, n_jobs=threads
    )
    return np.asarray(finished.transform(new_latents, k=min(PLACING_NEIGHBOURS, len(latents)))).astype(np.float32)


def _affinities(latents: np.ndarray, params: TsneParams) -> PerplexityBasedNN:
    return PerplexityBasedNN(
        latents, perplexity=params.perplexity, method="exact", n_jobs=THREADS, random_state=params.seed
    )  # fmt: skip


def _opentsne(latents: np.ndarray, params: TsneParams) -> tuple[np.ndarray, float]:
    start = openTSNE.initialization.pca(latents, random_state=params.seed)
    embedding = openTSNE.TSNEEmbedding(
        start, _affinities(latents, params), negative_gradient_method="bh", random_state=params.seed, n_jobs=THREADS
    )
    with progress(None, "t-SNE", unit="iteration", total=params.early_iterations + params.iterations) as bar:

        def show(_iteration: int, kl_divergence: float, _embedding: np.ndarray) -> None:
            bar.update(CALLBACK_EVERY)
            bar.set_postfix(KL=f"{kl_divergence:.3f}")

        watched = {"callbacks": show, "callbacks_every_iters": CALLBACK_EVERY}
        embedding = embedding.optimize(params.early_iterations, exaggeration=params.early_exaggeration, **watched)
        embedding = embedding.optimize(params.iterations, **watched)
    # openTSNE's threads add up the divergence in any order: its last digits are chance, so float32's are kept
    return np.asarray(embedding), float(np.float32(embedding.kl_divergence))


def _sklearn(latents: np.ndarray, params: TsneParams) -> tuple[np.ndarray, float]:
    engine = TSNE(
        n_components=params.n_components,
        perplexity=params.perplexity,
        early_exaggeration=params.early_exaggeration,
        max_iter=params.early_iterations + params.iterations,
        random_state=params.seed,
        n_jobs=THREADS,
        verbose=2,
    )
    return engine.fit_transform(latents), float(engine.kl_divergence_)
