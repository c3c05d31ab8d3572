"""Exact nearest neighbours by blocked matrix products.

|q - p|² = |q|² + (|p|² - 2 q·p). For one query only what is in brackets matters, and a float32 matrix product gives it
for a whole tile of queries and points. Rounding can swap points that are almost equally far: a few more than asked for
are kept and their distances taken again from the differences, in float64.

A block of queries is one thread's work and the products run on one thread each, so the result does not depend on how
many threads there are.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import get_num_threads, njit
from threadpoolctl import ThreadpoolController

import stages.tsne.avx512  # noqa: F401

ROWS, COLUMNS = 128, 1024  # of a tile: half a MiB, which stays in a core's cache
STRIDE = 32  # scores looked at together
SPARE = 16  # candidates kept beyond k
ROUNDING = float(np.finfo(np.float32).eps)
BLAS = ThreadpoolController()  # found once: looking for the libraries takes as long as a small search
FARTHEST = 97  # percentile of the map's own distances to their neighbours: beyond it an image is off the map


def nearest(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` of `points` (n, d) nearest to each of `queries` (m, d), k <= n.

    Returns Euclidean distances float32 and indices int64, both (m, k), nearest first; of equally near ones the first.
    """
    return _search(points, queries, k, others=False)


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """Indices (n, k) of the `k` points nearest to each point, itself left out; k < n."""
    return _search(points, points, k, others=True)[1]


def reach(latents: np.ndarray, neighbours: np.ndarray) -> float:
    """How far from its `neighbours` (n, k), on average over them, nearly every point of the map lies at most."""
    distances = np.linalg.norm(latents[neighbours] - latents[:, None], axis=2).mean(axis=1)
    return float(np.percentile(distances, FARTHEST))


def ranks(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Ranks (n, k) int64 of the points `others` (n, k) as neighbours of each of `points` (n, d); 1 is the nearest.

    A rank is one more than the number of points that are strictly nearer, so equally near ones share it.
    """
    points, _ = _normalised(points, points)
    left, right = _factors(points, points)
    lengths = np.sqrt(right[-1])
    # the rounding error of a product of d + 1 terms, at most
    error = len(right) * ROUNDING * (2 * lengths * lengths.max() + lengths.max() ** 2)
    result = np.ones(others.shape, dtype=np.int64)

    def count(rows: slice) -> None:
        for start, tile in _tiles(left[rows], right):
            _count_nearer(tile, points, others, error, rows.start, start, result)

    _over_blocks(count, len(points))
    return result


def _search(points: np.ndarray, queries: np.ndarray, k: int, others: bool) -> tuple[np.ndarray, np.ndarray]:
    points, queries, scale = *_normalised(points, queries), _scale(points)
    left, right = _factors(points, queries)
    distances, indices = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    keep = min(k + SPARE, len(points) - others)
    room = 3 * keep + STRIDE

    def search(rows: slice) -> None:
        size = rows.stop - rows.start
        values, places = np.empty((size, room), np.float32), np.empty((size, room), np.int32)
        filled, limits = np.zeros(size, np.int64), np.full(size, np.inf, np.float32)
        for start, tile in _tiles(left[rows], right):
            _collect(tile, start, rows.start if others else -len(points) - size, keep, values, places, filled, limits)
        _finish(points, queries[rows], keep, values, places, filled, distances[rows], indices[rows])

    _over_blocks(search, len(queries))
    return distances * scale, indices


def _over_blocks(work: Callable[[slice], None], n: int) -> None:
    blocks = [slice(start, min(start + ROWS, n)) for start in range(0, n, ROWS)]
    with BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(get_num_threads()) as pool:
        list(pool.map(work, blocks))


def _tiles(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """`left` @ `right`, some columns at a time, each with the first's number; all in the same memory."""
    memory = np.empty((len(left), COLUMNS), np.float32)
    for start in range(0, right.shape[1], COLUMNS):
        columns = right[:, start : start + COLUMNS]
        yield start, np.matmul(left, columns, out=memory[:, : columns.shape[1]])


def _scale(points: np.ndarray) -> np.float32:
    """The largest deviation from the mean in any dimension: squares of larger numbers could leave float32's range."""
    spread = np.abs(points - points.mean(axis=0, dtype=np.float64)).max()
    return np.float32(spread or 1)


def _normalised(points: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both float32, moved so that the points' mean is zero (smaller numbers round less) and divided by their scale."""
    mean, scale = points.mean(axis=0, dtype=np.float64), _scale(points)
    return tuple(np.ascontiguousarray((rows - mean) / scale, dtype=np.float32) for rows in (points, queries))


def _factors(points: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`left` (m, d + 1) and `right` (d + 1, n), whose product is |p|² - 2 q·p."""
    left = np.column_stack([-2 * queries, np.ones(len(queries), np.float32)])
    right = np.vstack([points.T, (points * points).sum(axis=1)])
    return left, right


@njit(nogil=True, cache=True)
def _collect(tile, first_column, first_row, keep, values, places, filled, limits):
    """Add to each row's candidates what in its row of `tile` is below its limit; full rows fall back to the best."""
    rows, columns = tile.shape
    for row in range(rows):
        line, candidates, numbers = tile[row], values[row], places[row]
        count, limit, itself = filled[row], limits[row], first_row + row
        for start in range(0, columns, STRIDE):
            stretch = line[start : start + STRIDE]
            below = np.int32(0)
            for offset in range(len(stretch)):  # compiled to wide instructions; mostly none is below
                below += np.int32(stretch[offset] < limit)
            if below == 0:
                continue
            at, number = np.uint64(count), np.int32(first_column + start)
            for offset in range(len(stretch)):  # written first and counted then: no branch to mispredict
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
    """The first of each row's candidates by their distances in float64, then by index."""
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
def _count_nearer(tile, points, others, error, first_row, first_column, result):
    """Add to `result` how many of the tile's points are nearer to each row's point than each of its `others`."""
    rows, columns = tile.shape
    for row in range(rows):
        i = first_row + row
        length = _squared_distance(points[i], np.zeros_like(points[i]))
        for which in range(others.shape[1]):
            distance = _squared_distance(points[i], points[others[i, which]])
            below, above = np.float32(distance - length - error[i]), np.float32(distance - length + error[i])
            surely, maybe = np.int32(0), np.int32(0)
            for column in range(columns):
                surely += np.int32(tile[row, column] < below)
                maybe += np.int32(tile[row, column] <= above)
            surely -= first_column <= i < first_column + columns and tile[row, i - first_column] < below
            if maybe > surely:
                for column in range(columns):
                    j = first_column + column
                    if below <= tile[row, column] <= above and j != i:
                        surely += _squared_distance(points[i], points[j]) < distance
            result[i, which] += surely


@njit(inline="always")
def _squared_distance(a, b):
    total = 0.0
    for axis in range(len(a)):
        difference = np.float64(a[axis]) - np.float64(b[axis])
        total += difference * difference
    return total
