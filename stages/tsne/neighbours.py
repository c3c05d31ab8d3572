"""Exact nearest neighbours by blocked matrix products.

|q - p|² = |q|² + (|p|² - 2 q·p). For one query only the brackets matter; a float32 matrix product gives them for a tile
of queries and points. Rounding can swap points at almost equal distances, so some more candidates than asked for are
kept and ordered by their exact distances in float64.

A block of queries is one thread's work and the products run on one BLAS thread each, so the result does not depend on
the number of threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import get_num_threads, njit
from threadpoolctl import ThreadpoolController

import stages.tsne.avx512  # noqa: F401

ROWS, COLUMNS = 128, 1024  # of a tile: half a MiB, which stays in a core's cache
DEPTH = 512  # dimensions in one product, which bounds its rounding error
STRIDE = 32  # scores compared together
SPARE = 16  # candidates kept beyond k
ROUNDING = float(np.finfo(np.float32).eps)
NEARER = 1 - 1e-12  # a squared distance below this share of another is strictly smaller: float64 rounds less
BLAS = ThreadpoolController()  # created once: finding the libraries takes as long as a small search
FARTHEST = 97  # percentile of the map's own distances to their neighbours: beyond it an image is off the map


def nearest(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the `k` of `points` (n, d) nearest to each of `queries` (m, d), k <= n.

    Returns Euclidean distances float32 and indices int64, both (m, k), nearest first; ties in the order of `points`.
    """
    return _search(points, queries, k, others=False)


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """Return the indices (n, k) of the `k` points nearest to each of `points` (n, d) except itself; k < n."""
    return _search(points, points, k, others=True)[1]


def reach(latents: np.ndarray, neighbours: np.ndarray) -> float:
    """Return the mean distance to its `neighbours` (n, k) that `FARTHEST` per cent of `latents` (n, d) stay below."""
    distances = np.sqrt(squared_distances(latents, latents, neighbours)).mean(axis=1)
    return float(np.percentile(distances, FARTHEST))


def ranks(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the ranks int64 (n, k) of the points `others` (n, k) as neighbours of each of `points` (n, d).

    A rank is one more than the number of strictly nearer points: the nearest has rank 1, and ties share a rank.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    normalise, scale = _normaliser(points)
    right = _right_factor(points, normalise)
    lengths = np.sqrt(right[-1].astype(np.float64))
    longest = lengths.max()
    additions = min(DEPTH, len(right)) + len(right) // DEPTH + 4  # in one sum of a tile, and of rounded factors
    error = (additions * ROUNDING * (2 * lengths * longest + longest**2))[:, None]  # bound of a tile's error
    distances = squared_distances(points, points, others)
    expected = distances / scale**2 - lengths[:, None] ** 2  # in the tile of each point's row
    below, above = (expected - error).astype(np.float32), (expected + error).astype(np.float32)
    result = np.ones(others.shape, dtype=np.int64)

    def count(rows: slice) -> None:
        for start, tile in _tiles(_left_factor(normalise(points[rows])), right):
            _count_nearer(tile, points, distances[rows], below[rows], above[rows], rows.start, start, result[rows])

    _over_blocks(count, len(points))
    return result


def squared_distances(points: np.ndarray, queries: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return |q_i - p_j|² float64 (m, k) for the points j = `neighbours` (m, k) of each of `queries` (m, d)."""
    result = np.empty(neighbours.shape)
    _over_blocks(lambda rows: _distances(points, queries[rows], neighbours[rows], result[rows]), len(queries))
    return result


def _search(points: np.ndarray, queries: np.ndarray, k: int, others: bool) -> tuple[np.ndarray, np.ndarray]:
    points, queries = (np.ascontiguousarray(rows, dtype=np.float32) for rows in (points, queries))
    normalise, _ = _normaliser(points)
    right = _right_factor(points, normalise)
    distances, indices = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    keep = min(k + SPARE, len(points) - others)
    room = 3 * keep + STRIDE

    def search(rows: slice) -> None:
        size = rows.stop - rows.start
        values, places = np.empty((size, room), np.float32), np.empty((size, room), np.int32)
        filled, limits = np.zeros(size, np.int64), np.full(size, np.inf, np.float32)
        own = rows.start if others else -len(points) - size  # the first query's own column
        for start, tile in _tiles(_left_factor(normalise(queries[rows])), right):
            _collect(tile, start, own, keep, values, places, filled, limits)
        _finish(points, queries[rows], keep, values, places, filled, distances[rows], indices[rows])

    _over_blocks(search, len(queries))
    return distances, indices


def _over_blocks(work: Callable[[slice], None], n: int) -> None:
    blocks = [slice(start, min(start + ROWS, n)) for start in range(0, n, ROWS)]
    with BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(get_num_threads()) as pool:
        list(pool.map(work, blocks))


def _tiles(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield `left` @ `right` some columns at a time, each with the number of its first; all in the same memory."""
    memory = np.empty((len(left), COLUMNS), np.float32)
    for start in range(0, right.shape[1], COLUMNS):
        columns = right[:, start : start + COLUMNS]
        tile = np.matmul(left[:, :DEPTH], columns[:DEPTH], out=memory[:, : columns.shape[1]])
        for depth in range(DEPTH, len(right), DEPTH):
            tile += left[:, depth : depth + DEPTH] @ columns[depth : depth + DEPTH]
        yield start, tile


def _normaliser(points: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """Return a function that maps rows to float32 with the mean of `points` at zero and divided by a scale; the scale.

    Smaller numbers round less. The scale is the largest deviation from the mean, so that squares do not overflow.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    scale = float(max((points.max(axis=0) - mean).max(), (mean - points.min(axis=0)).max())) or 1.0
    return lambda rows: ((rows - mean) / scale).astype(np.float32), scale


def _left_factor(queries: np.ndarray) -> np.ndarray:
    """Return the rows (-2 q, 1), float32 (m, d + 1), of normalised `queries` (m, d)."""
    return np.column_stack([-2 * queries, np.ones(len(queries), np.float32)])


def _right_factor(points: np.ndarray, normalise: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the columns (p, |p|²), float32 (d + 1, n), of `points` (n, d) once normalised."""
    right = np.empty((points.shape[1] + 1, len(points)), np.float32)
    for start in range(0, len(points), ROWS):
        part = normalise(points[start : start + ROWS])
        right[:-1, start : start + ROWS] = part.T
        right[-1, start : start + ROWS] = np.square(part, dtype=np.float64).sum(axis=1)
    return right


@njit(nogil=True, cache=True)
def _collect(tile, first_column, first_row, keep, values, places, filled, limits):
    """Add to each row's candidates the scores of its row of `tile` below its limit; keep the best of a full row."""
    rows, columns = tile.shape
    for row in range(rows):
        line, candidates, numbers = tile[row], values[row], places[row]
        count, limit, itself = filled[row], limits[row], first_row + row
        for start in range(0, columns, STRIDE):
            stretch = line[start : start + STRIDE]
            below = np.int32(0)
            for offset in range(len(stretch)):  # vectorised; mostly none is below
                below += np.int32(stretch[offset] < limit)
            if below == 0:
                continue
            at, number = np.uint64(count), np.int32(first_column + start)
            for offset in range(len(stretch)):  # written first, then counted: no branch to mispredict
                candidates[at], numbers[at] = stretch[offset], number
                at += np.uint64((stretch[offset] < limit) & (number != itself))
                number += np.int32(1)
            count = np.int64(at)
            if count > len(candidates) - STRIDE:
                _select(candidates, numbers, count, keep)
                count, limit = keep, candidates[:keep].max()
        filled[row], limits[row] = count, limit


@njit(nogil=True, cache=True)
def _select(values, places, count, keep):
    """Move the `keep` smallest of the first `count` values to the front (Hoare's quickselect)."""
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                places[i], places[j] = places[j], places[i]
                i += 1
                j -= 1
        if keep - 1 <= j:
            high = j
        elif keep - 1 >= i:
            low = i
        else:
            return


@njit(nogil=True, fastmath={"reassoc"}, cache=True)
def _finish(points, queries, keep, values, places, filled, distances, indices):
    """Set each row's `distances` and `indices` to its first candidates by float64 distance, then by index."""
    exact, candidates = np.empty(keep), np.empty(keep, np.int64)
    for row in range(len(queries)):
        _select(values[row], places[row], filled[row], keep)
        for found in range(keep):
            place = places[row, found]
            distance = _squared_distance(queries[row], points[place])
            at = found  # insertion sort
            while at > 0 and (exact[at - 1], candidates[at - 1]) > (distance, place):
                exact[at], candidates[at] = exact[at - 1], candidates[at - 1]
                at -= 1
            exact[at], candidates[at] = distance, place
        for found in range(distances.shape[1]):
            distances[row, found], indices[row, found] = np.sqrt(exact[found]), candidates[found]


@njit(nogil=True, fastmath={"reassoc"}, cache=True)
def _count_nearer(tile, points, distances, below, above, first_row, first_column, result):
    """Add to `result` how many of the tile's points are nearer to each row's point than each of its `distances`.

    Scores under `below` are surely nearer, those over `above` surely not; between them the exact distance decides.
    """
    rows, columns = tile.shape
    for row in range(rows):
        i = first_row + row
        for which in range(distances.shape[1]):
            low, high = below[row, which], above[row, which]
            surely, maybe = np.int32(0), np.int32(0)
            for column in range(columns):
                surely += np.int32(tile[row, column] < low)
                maybe += np.int32(tile[row, column] <= high)
            surely -= first_column <= i < first_column + columns and tile[row, i - first_column] < low
            if maybe > surely:
                for column in range(columns):
                    j = first_column + column
                    if low <= tile[row, column] <= high and j != i:
                        surely += _squared_distance(points[i], points[j]) < NEARER * distances[row, which]
            result[row, which] += surely


@njit(nogil=True, fastmath={"reassoc"}, cache=True)
def _distances(points, queries, neighbours, result):
    for i in range(len(neighbours)):
        for a in range(neighbours.shape[1]):
            result[i, a] = _squared_distance(queries[i], points[neighbours[i, a]])


@njit(inline="always")
def _squared_distance(a, b):
    total = 0.0
    for axis in range(len(a)):
        difference = np.float64(a[axis]) - np.float64(b[axis])
        total += difference * difference
    return total
