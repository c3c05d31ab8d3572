"""Repulsion by interpolation on a grid, in time that grows as n + m log m for m grid nodes (2-D only).

As in FIt-SNE (Linderman et al. 2019), a kernel K(y_i - y_j) is interpolated between the nodes a, b of a regular grid,
    sum over j of K(y_i - y_j) ≈ sum over a of s(y_i - a) [sum over b of K(a - b) [sum over j of s(y_j - b)]],
so that each point's share is spread over the nodes around it, the nodes are convolved by Fourier transforms, and each
point gathers the result from the nodes around it. It differs in two ways, which make it several times faster:

- s is the cubic B-spline in place of polynomials on boxes. Splines pass through K at the nodes once its Fourier
  transform is divided by that of s sampled at the nodes, (2 + cos k) / 3 for each axis and side, and they are smooth:
  the same accuracy needs fewer nodes.
- One spreading and three kernels are enough: w = 1 / (1 + |d|²) for Z, and the two components of w² d, which is the
  force itself. Z needs no way back, as by Parseval's theorem it is a sum over frequencies.
"""

import os

import numpy as np
from numba import njit, prange
from scipy import fft

SPACING = 0.5  # of the grid; the kernels are as wide as 1
FEWEST_STEPS = 24  # along an axis, when the map is still small
SUPPORT = 4  # nodes that a cubic spline spans
ROUND_UP = 1.05  # spare room, so that the grid's size and with it the kernels last for some iterations


class Grid:
    """Repulsion on a grid that follows the map; it keeps the kernels' transforms from one iteration to the next."""

    def __init__(self):
        self._key = None
        self._kernels = None

    def repulsion(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Set `forces`_i = sum over j of w_ij² (y_i - y_j) for positions float32 (2, n); return Z."""
        low, high = positions.min(axis=1), positions.max(axis=1)
        spacing = np.float32(min(SPACING, max(high - low) / FEWEST_STEPS))
        shape = tuple(int(np.ceil(side / spacing)) + SUPPORT for side in high - low)
        kernels, size = self._transformed_kernels(shape, spacing)
        cells, offsets = locate(positions, low, spacing)
        charges = spread(cells, offsets, shape)
        spectrum = forward(charges, size)
        z = convolve(spectrum, *kernels)
        for axis, field in enumerate(spectra):
            gather(cells, offsets, backward(field, size, shape), forces[axis])
        return z - positions.shape[1]


