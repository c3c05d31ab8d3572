"""Repulsion by interpolation on a grid, in time that grows as n + m log m for m grid nodes (2-D only).

As in FIt-SNE (Linderman et al. 2019), a kernel K(y_i - y_j) is interpolated between the nodes a, b of a regular grid,
    sum over j of K(y_i - y_j) ≈ sum over a of s(y_i - a) [sum over b of C(a - b) [sum over j of s(y_j - b)]],
so that each point is spread over the nodes around it, the nodes are convolved by Fourier transforms, and each point
gathers the result from the nodes around it. Two things differ, and make it several times faster:

- s is the cubic B-spline in place of polynomials on boxes, and C not K itself but what makes the result nearest to K in
  least squares over all places that points can have between the nodes (Hockney & Eastwood 1981, chapter 8): at each
  frequency K times S / B², see `spline_transform`. On a map of 6,000 points with nodes 0.35 apart Z is off by 3e-5 and
  the forces by 0.4 %; splines that meet K at the nodes are off by 3e-4 and 0.6 %.
- One spreading serves three kernels: w = 1 / (1 + |d|²) for Z, and the two components of w² d, which is the force
  itself. Z needs no way back from the frequencies, it is a sum over them (Parseval's theorem).
"""

import numpy as np
from numba import get_num_threads, njit, prange
from scipy import fft

import stages.tsne.avx512  # noqa: F401

SPACING = 0.35  # of the nodes; at less than a third of their width the kernels are nearly whole
COARSE_SPACING = 0.5  # for points that have far to go: half as many nodes, which cost 1 % of the divergence if kept
TINIEST = 1e-20  # span; all points in one place need a grid too
FEWEST_STEPS = 24  # along the longer axis, while the map is still small
SUPPORT = 4  # nodes that a cubic B-spline spans
SPARE = 1.06  # room to grow: the transforms' size, and with it the kernels, last for some iterations


class Grid:
    """The repulsion of one map; its kernels are kept from one iteration to the next as long as they fit."""

    def __init__(self, spacing: np.float32 | None = None, size: tuple[int, int] = (0, 0)):
        self.spacing, self.size, self.finest = spacing, size, True
        self.kernels = None if spacing is None else self.transformed_kernels()

    def fit(self, spans: np.ndarray) -> tuple[int, int]:
        """How many nodes a map of these `spans` float32 (2,) needs; sets the spacing, and the transforms' size to twice
        that or more. Kernels are made anew if either has to change."""
        most = SPACING if self.finest else COARSE_SPACING
        spacing = np.float32(min(most, max(spans.max(), TINIEST) / FEWEST_STEPS))
        shape = tuple(int(span / spacing) + SUPPORT + 1 for span in spans)
        size = tuple(map(self.room, shape, self.size))
        if (spacing, size) != (self.spacing, self.size):
            self.spacing, self.size = spacing, size
            self.kernels = self.transformed_kernels()
        return shape

    def room(self, nodes: int, size: int) -> int:
        """The transforms' size along an axis of so many nodes: `size` again, unless it is too small or too large."""
        if 2 * nodes <= size <= 2 * nodes * SPARE**3:
            return size
        return fft.next_fast_len(int(2 * nodes * SPARE), real=True)

    def transformed_kernels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The transforms of w (real), and of the components of w² d (imaginary), each float32, for cubic B-splines.

        Lags count from zero up to half of the size, then from minus half: a grid of half that never reaches around.
        """
        first, second = (np.fft.fftfreq(nodes, 1 / nodes) * self.spacing for nodes in self.size)
        first, second = first.astype(np.float32)[:, None], second.astype(np.float32)
        w = 1 / (1 + first**2 + second**2)
        along, across = map(spline_transform, self.size)
        scale = np.outer(along, across)[:, : self.size[1] // 2 + 1].astype(np.float32)

        def transform(kernel: np.ndarray) -> np.ndarray:
            return fft.rfft2(kernel, workers=get_num_threads()) / scale

        return transform(w).real.copy(), transform(w * w * first).imag.copy(), transform(w * w * second).imag.copy()

    def repulsion(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Set `forces`_i = sum over j of w_ij² (y_i - y_j) for positions float32 (2, n); return Z."""
        low = positions.min(axis=1)
        shape = self.fit(np.ptp(positions, axis=1))
        rows, columns = self.size
        threads = get_num_threads()

        charges = spread(positions, low, self.spacing, shape)
        spectrum = fft.rfft(charges, columns, axis=1, workers=threads)
        spectrum = fft.fft(spectrum, rows, axis=0, workers=threads, overwrite_x=True)
        *products, sums = convolve(spectrum, *self.kernels, columns)
        fields = []
        for product in products:
            back = fft.ifft(product, axis=0, workers=threads, overwrite_x=True)[: shape[0]]
            fields.append(fft.irfft(back, columns, axis=1, workers=threads))
        gather(positions, low, self.spacing, *fields, forces)
        return float(sums.sum() / (rows * columns)) - positions.shape[1]  # without each point's own


def spline_transform(nodes: int) -> np.ndarray:
    """What spreading and gathering do to the frequencies of one axis, float64 (nodes,): B² / S.

    S = sinc⁸ is the square of the transform of s, and B that of s convolved with itself at the nodes.
    """
    turn = np.fft.fftfreq(nodes)
    cosines = (np.cos(2 * np.pi * m * turn) for m in (1, 2, 3))
    repeated = (2416 + sum(2 * share * cosine for share, cosine in zip((1191, 120, 1), cosines, strict=True))) / 5040
    return repeated**2 / np.sinc(turn) ** 8


@njit(inline="always")
def _spline(place):
    """The first of the four nodes around `place` (one node lies before the grid) and their B-spline weights."""
    node = int(place)
    t = place - np.float32(node)
    s = np.float32(1) - t
    sixth, three, four = np.float32(1 / 6), np.float32(3), np.float32(4)
    return (
        node, s * s * s * sixth, ((three * t - three - three) * t * t + four) * sixth,
        ((three * s - three - three) * s * s + four) * sixth, t * t * t * sixth,
    )  # fmt: skip


@njit(fastmath=True, cache=True)
def spread(positions, low, spacing, shape):
    """Charges float32 `shape`: sum over j of s(y_j - b) at every node b. One thread, since points share nodes."""
    charges = np.zeros(shape, np.float32)
    for i in range(positions.shape[1]):
        row, r0, r1, r2, r3 = _spline((positions[0, i] - low[0]) / spacing)
        column, c0, c1, c2, c3 = _spline((positions[1, i] - low[1]) / spacing)
        for step, r in enumerate((r0, r1, r2, r3)):
            charges[row + step, column] += r * c0
            charges[row + step, column + 1] += r * c1
            charges[row + step, column + 2] += r * c2
            charges[row + step, column + 3] += r * c3
    return charges


@njit(parallel=True, cache=True)
def convolve(spectrum, w, first_kernel, second_kernel, columns):
    """The spectrum times the two odd kernels, and for each row the sum of its power times `w`, over all frequencies.

    The sum has a loop of its own: it is to be added up in order, which would slow the products down.
    """
    first, second, sums = np.empty_like(spectrum), np.empty_like(spectrum), np.empty(len(spectrum))
    for row in prange(len(spectrum)):
        for column in range(spectrum.shape[1]):
            real, imag = spectrum[row, column].real, spectrum[row, column].imag
            a, b = first_kernel[row, column], second_kernel[row, column]  # times i
            first[row, column], second[row, column] = complex(-imag * a, real * a), complex(-imag * b, real * b)
        total = 0.0
        for column in range(spectrum.shape[1]):
            value = spectrum[row, column]
            power = np.float64((value.real * value.real + value.imag * value.imag) * w[row, column])
            alone = column == 0 or 2 * column == columns  # the others stand for their conjugates too
            total += power if alone else 2 * power
        sums[row] = total
    return first, second, sums


@njit(parallel=True, cache=True)
def gather(positions, low, spacing, first, second, forces):
    """`forces`_i = sum over nodes a of s(y_i - a) times the two fields at a."""
    for i in prange(positions.shape[1]):
        row, r0, r1, r2, r3 = _spline((positions[0, i] - low[0]) / spacing)
        column, c0, c1, c2, c3 = _spline((positions[1, i] - low[1]) / spacing)
        fx = fy = np.float32(0)
        for step, r in enumerate((r0, r1, r2, r3)):
            at = row + step
            fx += r * (first[at, column] * c0 + first[at, column + 1] * c1
                       + first[at, column + 2] * c2 + first[at, column + 3] * c3)  # fmt: skip
            fy += r * (second[at, column] * c0 + second[at, column + 1] * c1
                       + second[at, column + 2] * c2 + second[at, column + 3] * c3)  # fmt: skip
        forces[0, i], forces[1, i] = fx, fy
