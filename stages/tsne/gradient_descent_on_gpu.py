"""The descent of `gradient_descent.py` on a CUDA GPU with PyTorch: the same equations, grid and schedule, for 2-D maps.

The sums run in another order than on the CPU, but always in the same one: maps are byte-identical on one type of GPU
and differ in the last digits between types. torch is imported on first use.
"""

import shutil

import numpy as np
from scipy.sparse import csr_array

from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import TsneParams
from stages.tsne.gradient_descent import (
    EARLY_ITERATIONS,
    EXAGGERATION,
    GAIN_DECAY,
    GAIN_STEP,
    MAX_STEP,
    MIN_GAIN,
    MOMENTUM,
)
from stages.tsne.grid_repulsion import SUPPORT, Grid, spline_transform

FIXED_POINT = 2.0**32  # charges are summed as integers, so that their order does not matter


def use_gpu(device: str) -> bool:
    """Return whether the setting `device` asks for a CUDA GPU, or leaves it open and there is one.

    Raises `InputError` if it asks for one that PyTorch does not find.
    """
    if device in ("cpu", "mps") or (device == "auto" and shutil.which("nvidia-smi") is None):
        return False  # without importing torch, which takes seconds
    import torch

    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise InputError("params.yaml: device = cuda, but PyTorch finds no CUDA GPU: set device to auto or cpu")
    return found


def descend(start: np.ndarray, affinities: csr_array, params: TsneParams, device: str = "cuda") -> np.ndarray:
    """Minimise the KL divergence from `start` float32 (2, n); return the final positions of the same shape."""
    import torch

    n = start.shape[1]
    positions = torch.tensor(start, device=device)
    columns, p = (torch.tensor(part, device=device) for part in (affinities.indices, affinities.data))
    starts = torch.tensor(affinities.indptr, dtype=torch.int64, device=device)
    rows = torch.repeat_interleave(starts.diff()).int()
    velocity, gains = torch.zeros_like(positions), torch.ones_like(positions)
    grid = GridOnTorch(device)
    for iteration in progress(range(EARLY_ITERATIONS + params.iterations), "t-SNE", unit="iteration"):
        exaggeration = EXAGGERATION if iteration < EARLY_ITERATIONS else 1
        repulsion, z = grid.repulsion(positions)
        gradient = exaggeration * attraction(positions, starts, rows, columns, p) - repulsion / z
        shrunk = (gains * float(GAIN_DECAY)).clamp_min(float(MIN_GAIN))
        gains = torch.where((velocity > 0) == (gradient > 0), shrunk, gains + float(GAIN_STEP))
        velocity = float(MOMENTUM) * velocity - n / exaggeration * gains * gradient
        velocity *= (float(MAX_STEP) / velocity.norm(dim=0)).clamp_max(1)
        positions = positions + velocity
        positions -= positions.mean(dim=1, keepdim=True)
    return positions.cpu().numpy()


def attraction(positions, starts, rows, columns, p):
    """Return sum_j p_ij w_ij (y_i - y_j), a tensor float32 (2, n), for positions (2, n).

    `starts`, `columns` and `p` are the parts of a CSR matrix, `rows` the row of each of its entries.
    """
    import torch

    difference = positions.index_select(1, rows) - positions.index_select(1, columns)
    pairs = difference * (p / (1 + difference.square().sum(dim=0)))
    return torch.stack([torch.segment_reduce(axis, "sum", offsets=starts) for axis in pairs])


class GridOnTorch(Grid):
    """A grid whose kernels are tensors on `device`."""

    def __init__(self, device: str):
        import torch

        super().__init__()
        self.device = device
        # row k, column e: the coefficient of t^e in the weight of node k of the four around a point
        self.spline = torch.tensor([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]], device=device) / 6
        self.steps = torch.arange(SUPPORT, device=device)[:, None]

    def transform_size(self, nodes: int, size: int) -> int:
        """Return the next power of two: planning a new size takes a GPU longer than a thousand transforms."""
        return 1 << (2 * nodes - 1).bit_length()

    def transformed_kernels(self):
        """Return the kernels as on the CPU, but w doubled where a frequency stands for its conjugate too, and the
        other two as one tensor (2, rows, columns // 2 + 1), times i."""
        import torch

        lags = (torch.fft.fftfreq(nodes, 1 / nodes, device=self.device) * float(self.spacing) for nodes in self.size)
        first, second = torch.meshgrid(*lags, indexing="ij")
        w = 1 / (1 + first**2 + second**2)
        along, across = (torch.tensor(spline_transform(nodes), device=self.device).float() for nodes in self.size)
        kernels = torch.fft.rfft2(torch.stack([w, w * w * first, w * w * second]))
        kernels = kernels / (along[:, None] * across[: self.size[1] // 2 + 1])
        kernels[0, :, 1 : (self.size[1] + 1) // 2] *= 2
        return kernels[0].real, 1j * kernels[1:].imag

    def repulsion(self, positions):
        """Return sum_j w_ij² (y_i - y_j), float32 (2, n), and Z, as tensors, for positions (2, n)."""
        import torch

        low, high = positions.aminmax(dim=1, keepdim=True)
        shape = self.fit((high - low)[:, 0].cpu().numpy())
        (w, odd), numbers = self.kernels, self.size[0] * self.size[1]

        places = (positions - low) / float(self.spacing)
        nodes = places.long()
        t = places - nodes
        square = t * t
        splines = torch.tensordot(self.spline, torch.stack([torch.ones_like(t), t, square, square * t]), 1)  # (4, 2, n)
        at = ((nodes[0] + self.steps) * shape[1])[:, None] + (nodes[1] + self.steps)  # (4, 4, n)
        shares = splines[:, None, 0] * splines[None, :, 1]
        charges = torch.zeros(shape, dtype=torch.int64, device=self.device)
        charges.view(-1).index_add_(0, at.flatten(), (shares.flatten() * FIXED_POINT).long())

        spectrum = torch.fft.rfft2(charges.float() / FIXED_POINT, s=self.size)
        z = (torch.view_as_real(spectrum).square().sum(dim=2) * w).sum(dtype=torch.float64) / numbers
        fields = torch.fft.irfft2(spectrum * odd, s=self.size)[:, : shape[0], : shape[1]].flatten(1)
        return (fields[:, at] * shares).sum(dim=(1, 2)), z.float() - positions.shape[1]
