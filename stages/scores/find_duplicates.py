"""Duplicates among the images: exact copies, and near copies that were resized, recompressed, shifted or edited.

Near copies are found in two steps, as in fastdup and imagededup. Candidates are the nearest rows of two small
descriptors: the blurred image, and the magnitudes of its Fourier transform, which a shift leaves as they are. Then each
pair is compared pixel by pixel. It is a near copy if one of three things holds:

- its normalised cross-correlation under shifts of one pixel, which brightness and contrast leave as it is, is far
  higher than that of what else resembles the two images, so the same limit holds for garments that all look alike and
  for photographs that never do;
- most of what the two show has equal pixels, as in an image of which a part was changed;
- in colour, the tones of one follow from those of the other (the correlation ratio of Roche et al. 1998), far more than
  those of what else resembles the two images, as in an image of which some colours were changed.
"""

import hashlib

import numpy as np
from numba import njit, prange
from PIL import Image
from scipy.fft import rfft2
from scipy.ndimage import gaussian_filter

from stages.common.pca import fit_pca
from stages.tsne.neighbours import nearest_others

SIDE = 32  # pixels at which images are compared
CANDIDATES = 20  # of each descriptor
COMPONENTS = 24  # of a descriptor, which halves the time of the search
FREQUENCIES = 5  # of the Fourier transform, in each direction
SCALE_QUANTILE = 0.75  # of the distances to the candidates: how far apart images are that merely resemble each other
CLOSEST = 0.2  # of that scale, up to which two images are near copies
EQUAL_SHARE = 0.75  # of the pixels that two images show, from which they are near copies
EQUAL_LEVELS = 6  # difference up to which two pixels count as equal; JPEG changes a pixel by as much
GROUND_LEVELS = 13  # difference from the ground, the tone of the border, up to which a pixel shows nothing
RECOLOURED = 0.3  # as `CLOSEST`, for tones that follow from each other,
RECOLOURED_EQUAL = 0.5  # and what is added to it if all pixels are equal
TONE = 8  # grey levels that count as one tone
FEWEST_SHOWN = 20  # pixels; with fewer, two nearly empty images would be equal


def exact_copies(images: np.ndarray) -> np.ndarray:
    """Return for each of the images (n, …) uint8 the first row (n,) int64 with the same pixels, itself if none."""
    first: dict[bytes, int] = {}
    hashes = (hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, row) for row, digest in enumerate(hashes)], dtype=np.int64)


def near_copies(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows (m, 2) that are near copies, the smaller first, and their similarity (m,), from 0.5 to 1.

    `images` are uint8 (n, h, w) or (n, h, w, 3), none an exact copy of another. A similarity of 1 is the same image
    under a shift or another brightness, 0.5 a pair at one of the limits.
    """
    if len(images) < 4:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    small = images.ndim == 3 and max(images.shape[1:]) <= SIDE
    sharp = images if small else np.stack([thumbnail(image) for image in images])
    grey = gaussian_filter(sharp, (0, 0.7, 0.7))  # uint8, as `sharp`
    k = min(CANDIDATES, len(images) - 1)
    descriptors = [fit_pca(values, COMPONENTS).transform(values) for values in (blurred(sharp), spectrum(sharp))]
    candidates = np.hstack([nearest_others(descriptor, k) for descriptor in descriptors])
    distances = correlation_distances(grey, candidates)
    ground = ground_of(sharp)
    shares = equal_shares(sharp, ground, candidates)
    apart = np.minimum(relative(distances, candidates) / CLOSEST, (1 - shares) / (1 - EQUAL_SHARE))
    if images.ndim > 3:
        tones = relative(tone_distances(sharp, ground, candidates), candidates)
        apart = np.minimum(apart, tones / (RECOLOURED + RECOLOURED_EQUAL * shares))
    similarity = 1 - 0.5 * apart
    rows, columns = np.nonzero(similarity >= 0.5)
    found = similarity[rows, columns]
    pairs = np.sort(np.column_stack([rows, candidates[rows, columns]]), axis=1)
    best_first = np.argsort(-found, kind="stable")
    pairs, first = np.unique(pairs[best_first], axis=0, return_index=True)
    return pairs, found[best_first][first]


def relative(distances: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return distances (n, k) in units of how far the two images' other candidates are, a quantile of theirs."""
    scale = np.quantile(distances, SCALE_QUANTILE, axis=1)
    return distances / np.maximum(np.minimum(scale[:, None], scale[candidates]), 1e-9)


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return an image (h, w) or (h, w, 3) uint8 as grey uint8, at most `SIDE` pixels a side."""
    grey = Image.fromarray(image).convert("L")
    if max(grey.size) > SIDE:
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(grey)


def blurred(grey: np.ndarray) -> np.ndarray:
    """Return the images (n, h, w) blurred, subsampled and normalised: float32 (n, d)."""
    return normalised(gaussian_filter(grey.astype(np.float32), (0, 2, 2))[:, 1::4, 1::4])


def spectrum(grey: np.ndarray) -> np.ndarray:
    """Return the magnitudes of the lowest frequencies of the images (n, h, w), normalised: float32 (n, d)."""
    waves = np.abs(rfft2(grey - grey.mean(axis=(1, 2), keepdims=True, dtype=np.float32)))
    rows = np.r_[0:FREQUENCIES, -FREQUENCIES + 1 : 0]
    return normalised(waves[:, rows, :FREQUENCIES])


def ground_of(grey: np.ndarray) -> np.ndarray:
    """Return the median tone (n,) int32 along the border of images (n, h, w)."""
    border = [grey[:, 0], grey[:, -1], grey[:, 1:-1, 0], grey[:, 1:-1, -1]]
    return np.median(np.concatenate(border, axis=1), axis=1).astype(np.int32)


def normalised(arrays: np.ndarray) -> np.ndarray:
    """Return arrays (n, …) as rows of mean 0 and length 1, float32 (n, d)."""
    rows = arrays.reshape(len(arrays), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-6)).astype(np.float32)


@njit(parallel=True, cache=True)
def correlation_distances(grey, candidates):
    """Return sqrt(2 - 2 r) float32 (n, k) of each image and its candidates, r the largest correlation of nine shifts.

    `grey` is uint8 (n, h, w), `candidates` int64 (n, k). The border of one pixel is left out. The sums are integers,
    so they are exact in any order.
    """
    n, height, width = grey.shape
    pixels = (height - 2) * (width - 2)
    distances = np.empty(candidates.shape, np.float32)
    sums, lengths = np.empty((n, 3, 3)), np.empty((n, 3, 3))
    for i in prange(n):
        for down in range(3):
            for right in range(3):
                total = squares = np.int32(0)
                for y in range(height - 2):
                    for x in range(width - 2):
                        value = np.int32(grey[i, y + down, x + right])
                        total += value
                        squares += value * value
                sums[i, down, right] = total
                lengths[i, down, right] = np.sqrt(max(squares - total * (total / pixels), 1e-6))
    for i in prange(n):
        for a in range(candidates.shape[1]):
            j, best = candidates[i, a], -1.0
            for down in range(3):
                for right in range(3):
                    product = np.int32(0)
                    for y in range(height - 2):
                        for x in range(width - 2):
                            product += np.int32(grey[i, y + 1, x + 1]) * np.int32(grey[j, y + down, x + right])
                    covariance = product - sums[i, 1, 1] * sums[j, down, right] / pixels
                    best = max(best, covariance / (lengths[i, 1, 1] * lengths[j, down, right]))
            distances[i, a] = np.sqrt(max(2 - 2 * best, 0.0))
    return distances


@njit(parallel=True, cache=True)
def equal_shares(grey, ground, candidates):
    """Return the share of equal pixels float32 (n, k) of each image and its candidates.

    `grey` is uint8 (n, h, w). Only pixels that differ from the ground int32 (n,) of their image in one of the two
    count.
    """
    n, height, width = grey.shape
    shares = np.zeros(candidates.shape, np.float32)
    for i in prange(n):
        for a in range(candidates.shape[1]):
            j = candidates[i, a]
            shown = equal = np.int32(0)
            for y in range(height):
                for x in range(width):
                    here, there = np.int32(grey[i, y, x]), np.int32(grey[j, y, x])
                    shows = (abs(here - ground[i]) > GROUND_LEVELS) | (abs(there - ground[j]) > GROUND_LEVELS)
                    shown += np.int32(shows)
                    equal += np.int32(shows & (abs(here - there) <= EQUAL_LEVELS))
            if shown >= FEWEST_SHOWN:
                shares[i, a] = equal / shown
    return shares


@njit(parallel=True, cache=True)
def tone_distances(grey, ground, candidates):
    """Return float32 (n, k) how little the tones of each image and its candidates follow from each other, 0 to about 1.

    It is the square root of 1 - η², η the correlation ratio of the shown pixels (see `equal_shares`): the share of the
    variance within the pixels of one tone, corrected for the number of tones. The smaller of the two directions counts.
    """
    n, height, width = grey.shape
    distances = np.ones(candidates.shape, np.float32)
    for i in prange(n):
        for a in range(candidates.shape[1]):
            j = candidates[i, a]
            counts, sums = np.zeros((2, 256 // TONE)), np.zeros((2, 256 // TONE))
            squares, shown = np.zeros(2), 0
            for y in range(height):
                for x in range(width):
                    here, there = np.int32(grey[i, y, x]), np.int32(grey[j, y, x])
                    if (abs(here - ground[i]) > GROUND_LEVELS) | (abs(there - ground[j]) > GROUND_LEVELS):
                        shown += 1
                        for side, tone, value in ((0, here, there), (1, there, here)):
                            counts[side, tone // TONE] += 1
                            sums[side, tone // TONE] += value
                            squares[side] += value * value
            if shown < FEWEST_SHOWN:
                continue
            for side in range(2):
                tones = np.count_nonzero(counts[side])
                within = squares[side] - (sums[side] ** 2 / np.maximum(counts[side], 1)).sum()
                total = squares[side] - sums[side].sum() ** 2 / shown
                unexplained = (within + shown) / (total + shown) * (shown - 1) / max(shown - tones, 1)
                distances[i, a] = min(distances[i, a], np.sqrt(unexplained))
    return distances
