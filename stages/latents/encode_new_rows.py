"""New images or vectors on the finished map: where they stand, what they are like, and whether they belong there.

Classes are told by the nearest latents, not by the nearest points of the map: among the mapped images themselves, each
left out in turn, ten latents agree with the label in 84.6 of 100 real garments and ten points of the map in 82.3.

A row is off the map if it is stranger than nearly all rows of the map in one of three ways: it lies far from its
nearest latents (Sun et al. 2022, arXiv:2204.06507), the autoencoder misses much of it, or, if it is a garment on plain
ground, it fills little of its frame. The limits are percentiles of the map's own rows, each with itself left out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.common.samples_table import classes_of, labels_of
from stages.images.garment_framing import extent_of
from stages.tsne.embedding import place
from stages.tsne.neighbours import FARTHEST, nearest, nearest_others

NEIGHBOURS = 10
MOST_MISSED, SMALLEST = 99, 0.5  # percentiles of the map's own rows, beyond which a row is off the map
FEWEST_JUDGED = 200  # images on the map; an autoencoder of fewer rebuilds those it learned far better than others
FAINTEST = 1e-4  # variance that every image is taken to have, so that an empty one is not divided by zero

# Takes images uint8 (n, h, w[, 3]) to latents float32 (n, d), and to reconstructions and errors (n,) if it can decode.
Encode = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]


@dataclass(frozen=True)
class Measures:
    """How strange rows are; None where that does not apply.

    distance: float64 (n,), mean Euclidean distance to the nearest latents. missed: float64 (n,), mean squared error of
    the reconstruction over the image's own variance, so 1 is as bad as an even grey. extent: int64 (n,), pixels on the
    longer side of the garment in an image.
    """

    distance: np.ndarray
    missed: np.ndarray | None = None
    extent: np.ndarray | None = None


@dataclass(frozen=True)
class FinishedMap:
    """The n rows of the map.

    samples: n rows of the samples. latents: float32 (n, d). positions: float32 (n, 2 | 3). images: uint8
    (n, h, w[, 3]), None if the latents came without. measures: each row's among the others.
    """

    samples: pd.DataFrame
    latents: np.ndarray
    positions: np.ndarray
    images: np.ndarray | None
    measures: Measures


@dataclass(frozen=True)
class Placed:
    """m new rows on the map.

    positions: float32 (m, 2 | 3). neighbours: int64 (m, k), rows of the map with the nearest latents, nearest first, at
    Euclidean distances `distances` float64 (m, k). measures: as for the map. warnings: why each row is off the map,
    none if it is on it. images, reconstructions: uint8 (m, h, w[, 3]), errors: float32 (m,); None for vectors and where
    nothing was decoded.
    """

    latents: np.ndarray
    positions: np.ndarray
    neighbours: np.ndarray
    distances: np.ndarray
    measures: Measures
    warnings: list[list[str]]
    images: np.ndarray | None = None
    reconstructions: np.ndarray | None = None
    errors: np.ndarray | None = None


def finish_map(
    samples: pd.DataFrame,
    latents: np.ndarray,
    positions: np.ndarray,
    images: np.ndarray | None = None,
    errors: np.ndarray | None = None,
    framed: bool = False,
) -> FinishedMap:
    """Return the map of n rows; `framed` if the images are garments on plain ground, `errors` (n,) if decoded."""
    neighbours = nearest_others(latents, min(NEIGHBOURS, len(latents) - 1))
    measures = measure(distances_to(latents, neighbours, latents), images, errors, framed)
    return FinishedMap(samples, latents, positions, images, measures)


def place_vectors(vectors: np.ndarray, finished: FinishedMap) -> Placed:
    """Place vectors (m, d) float32; each is treated alone, so a batch gives what single vectors give."""
    neighbours, distances = neighbours_of(vectors, finished)
    measures = measure(distances)
    positions = place(finished.latents, finished.positions, vectors)
    return Placed(vectors, positions, neighbours, distances, measures, warn(measures, finished.measures))


def place_images(images: np.ndarray, strange: list[list[str]], encode: Encode, finished: FinishedMap) -> Placed:
    """Encode images (m, h, w[, 3]) uint8 and place them; each is treated alone.

    `strange` are warnings from reading them. A garment that is off the map while its negative is on it is placed as its
    negative, with a warning.
    """
    encoded = encode_each(images, encode)
    measures = measures_of(images, encoded, finished)
    warnings = warn(measures, finished.measures, images)
    if finished.measures.extent is not None:
        negatives = encode_each(255 - images, encode)
        others = warn(measures_of(255 - images, negatives, finished), finished.measures, images)
        turned = np.array([bool(own) and not other for own, other in zip(warnings, others, strict=True)])
        if turned.any():
            images = np.where(turned[:, None, None], 255 - images, images)
            encoded = encode_each(images, encode)
            measures = measures_of(images, encoded, finished)
            note = ["only its negative is like the training images, so that is placed"]
            warnings = [note if turn else own for turn, own in zip(turned, warnings, strict=True)]
    latents, reconstructions, errors = encoded
    warnings = [read + own for read, own in zip(strange, warnings, strict=True)]
    positions = place(finished.latents, finished.positions, latents)
    neighbours, distances = neighbours_of(latents, finished)
    return Placed(latents, positions, neighbours, distances, measures, warnings, images, reconstructions, errors)


def encode_each(images: np.ndarray, encode: Encode) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Encode images (m, h, w[, 3]) one by one, as the last bits of a matrix product depend on the size of a batch."""
    columns = zip(*(encode(images[i : i + 1]) for i in range(len(images))), strict=True)
    return tuple(None if column[0] is None else np.concatenate(column) for column in columns)


def neighbours_of(latents: np.ndarray, finished: FinishedMap) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest rows of the map (m, k), nearest first, and their distances (m, k)."""
    _, neighbours = nearest(finished.latents, latents, min(NEIGHBOURS, len(finished.latents)))
    return neighbours, distances_to(finished.latents, neighbours, latents)


def distances_to(latents: np.ndarray, neighbours: np.ndarray, new_latents: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (m, k) float64 from `new_latents` (m, d) to the rows `neighbours` (m, k) of `latents`.

    By differences: exact where a search by matrix products loses digits, at distance zero above all.
    """
    pairs = zip(neighbours, new_latents, strict=True)  # row by row: all at once may not fit into memory
    return np.stack([np.linalg.norm(latents[near].astype(np.float64) - new, axis=1) for near, new in pairs])


def measures_of(images: np.ndarray, encoded: tuple, finished: FinishedMap) -> Measures:
    """Return the measures of new images and what `encode_each` made of them."""
    latents, _, errors = encoded
    return measure(neighbours_of(latents, finished)[1], images, errors, finished.measures.extent is not None)


def measure(
    distances: np.ndarray, images: np.ndarray | None = None, errors: np.ndarray | None = None, framed: bool = False
) -> Measures:
    """Return the measures of rows at `distances` (n, k) from their neighbours, with images and errors (n,) if any."""
    missed = None
    if errors is not None:
        variances = np.array([image.var(dtype=np.float64) for image in images]) / 255**2
        missed = errors / (variances + FAINTEST)
    return Measures(distances.mean(axis=1), missed, extent_of(images) if framed else None)


def warn(measures: Measures, usual: Measures, images: np.ndarray | None = None) -> list[list[str]]:
    """Return why each row is off the map, in words; an empty list if it is on it. `usual` are the map's measures."""
    warnings: list[list[str]] = [[] for _ in measures.distance]
    if measures.extent is not None:
        smallest = np.percentile(usual.extent, SMALLEST)
        for reasons, extent in zip(warnings, measures.extent, strict=True):
            if extent < smallest:
                reasons.append(
                    f"it fills {extent} of {max(images.shape[1:])} pixels, images on the map at least {smallest:.0f}"
                )
    farthest, median = np.percentile(usual.distance, FARTHEST), np.median(usual.distance)
    for reasons, distance in zip(warnings, measures.distance, strict=True):
        if distance > farthest:
            far = f"{distance / median:.1f} times as far as is usual on the map" if median else "not equal to it"
            reasons.append(f"its nearest latents are {far}")
    if measures.missed is not None and len(usual.missed) >= FEWEST_JUDGED:
        most, median = np.percentile(usual.missed, MOST_MISSED), np.median(usual.missed)
        for reasons, missed in zip(warnings, measures.missed, strict=True):
            if missed > most:
                reasons.append(f"the autoencoder misses {min(missed, 9.99):.0%} of it, usual is {median:.0%}")
    if measures.extent is not None:
        nothing = ["nothing stands out of its ground"]
        warnings = [reasons if extent else nothing for reasons, extent in zip(warnings, measures.extent, strict=True)]
    return warnings


def classes_near(neighbours: np.ndarray, finished: FinishedMap) -> list[dict[str, float]]:
    """Return for each row the classes among its `neighbours` (m, k) with their shares, largest first, ties by nearness.

    Neighbours without a label count as none, so shares may add up to less than 1.
    """
    names, known = classes_of(finished.samples), labels_of(finished.samples)
    classes = []
    for labels in known[neighbours]:
        found = [names[label] for label in labels if label >= 0]
        shares = {name: found.count(name) / len(labels) for name in dict.fromkeys(found)}
        classes.append(dict(sorted(shares.items(), key=lambda item: -item[1])))
    return classes
