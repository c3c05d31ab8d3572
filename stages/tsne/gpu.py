"""The descent of `descent.py` on a GPU: the same equations, grid and schedule, for 2-D maps of any size, by torch.

Its sums run in another order than the CPU's, but always in the same one: on one kind of GPU a map has the same bytes
again. The last digits differ between kinds, and from there on small things on the map. Nothing but the map's extent
leaves the GPU in an iteration. torch is imported only when it is used.
"""

import numpy as np
from scipy.sparse import csr_array

from stages.common.progress import progress
from stages.common.settings import TsneParams
from stages.tsne.grid import SUPPORT, Grid, spline_transform

FIXED_POINT = 2.0**32  # what points give to the nodes they share is added as whole numbers: in any order the same


def gpu_is_there() -> bool:
    import torch

    return torch.cuda.is_available()


def descend(start: np.ndarray, affinities: csr_array, params: TsneParams, device: str = "cuda") -> np.ndarray:
    """The positions float32 (2, n) to which `start` descends, as `descent.descend`."""
    import torch

    from stages.tsne import descent

    n = start.shape[1]
    positions = torch.tensor(start, device=device)
    columns, p = (torch.tensor(part, device=device) for part in (affinities.indices, affinities.data))
    starts = torch.tensor(affinities.indptr, dtype=torch.int64, device=device)
    rows = torch.repeat_interleave(starts.diff()).int()
    velocity, gains = torch.zeros_like(positions), torch.ones_like(positions)
    grid = GridOnTorch(device)
    for iteration in progress(range(descent.EARLY_ITERATIONS + params.iterations), "t-SNE", unit="iteration"):
        exaggeration = params.early_exaggeration if iteration < descent.EARLY_ITERATIONS else 1
        push, z = grid.repulsion(positions)
        gradient = exaggeration * attraction(positions, starts, rows, columns, p) - push / z
        same = (velocity > 0) == (gradient > 0)
        shrunk = (gains * float(descent.GAIN_DECAY)).clamp_min(float(descent.SMALLEST_GAIN))
        gains = torch.where(same, shrunk, gains + float(descent.GAIN_STEP))
        velocity = float(descent.MOMENTUM) * velocity - n / exaggeration * gains * gradient
        velocity *= (float(descent.LONGEST_STEP) / velocity.norm(dim=0)).clamp_max(1)
        positions = positions + velocity
        positions -= positions.mean(dim=1, keepdim=True)
    return positions.cpu().numpy()


def attraction(positions, starts, rows, columns, p):
    """The sum over j of p_ij w_ij (y_i - y_j) for positions (2, n): float32 (2, n), from the parts of a CSR matrix and
    the row of each of its entries."""
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
        # node k of the four around a point weighs the sum over e of row k, column e, times t^e
        self.spline = torch.tensor([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]], device=device) / 6
        self.steps = torch.arange(SUPPORT, device=device)[:, None]

    def room(self, nodes: int, size: int) -> int:
        """The next power of two: to plan transforms of a new size takes a GPU longer than a thousand large ones."""
        return 1 << (2 * nodes - 1).bit_length()

    def transformed_kernels(self):
        """As the CPU's, but w is doubled where it stands for a conjugate too, and the others (2, rows, columns / 2 + 1)
        are times i."""
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
        """For positions (2, n) the sum over j of w_ij² (y_i - y_j) for each point, float32 (2, n), and Z: tensors."""
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
