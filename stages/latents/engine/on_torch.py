"""The descent of `descent.py` on a GPU: the same equations, grid and schedule, for 2-D maps of any size, by torch.

Its sums run in another order than the CPU's, so the last digits differ, and from there on small things on the map.
torch is imported only when it is used.
"""

import numpy as np
from scipy.sparse import csr_array

from stages.latents.engine.interpolation import SUPPORT, Grid
from stages.pipeline.params import TsneParams
from stages.pipeline.progress import progress


def gpu_is_there() -> bool:
    import torch

    return torch.cuda.is_available()


def descend(start: np.ndarray, affinities: csr_array, params: TsneParams, device: str = "cuda") -> np.ndarray:
    """The positions float32 (2, n) to which `start` descends, as `descent.descend`."""
    import torch

    from stages.latents.engine import descent

    n = start.shape[1]
    positions = torch.tensor(start.T.copy(), device=device)
    starts, columns, p = (torch.tensor(part, device=device) for part in (
        affinities.indptr.astype(np.int64), affinities.indices.astype(np.int64), affinities.data[:, None]))  # fmt: skip
    rows = torch.repeat_interleave(starts.diff())
    velocity, gains, grid = torch.zeros_like(positions), torch.ones_like(positions), Grid()
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # points that share a node are added in one order
    for iteration in progress(range(params.early_iterations + params.iterations), "t-SNE", unit="iteration"):
        exaggeration = params.early_exaggeration if iteration < params.early_iterations else 1
        difference = positions[rows] - positions[columns]
        pairs = p / (1 + difference.square().sum(dim=1, keepdim=True)) * difference
        pull = torch.segment_reduce(pairs, "sum", offsets=starts)
        push, z = repulsion(positions, grid)
        gradient = exaggeration * pull - push / z
        same = (velocity > 0) == (gradient > 0)
        shrunk = (gains * float(descent.GAIN_DECAY)).clamp_min(float(descent.SMALLEST_GAIN))
        gains = torch.where(same, shrunk, gains + float(descent.GAIN_STEP))
        velocity = float(descent.MOMENTUM) * velocity - n / exaggeration * gains * gradient
        velocity *= (float(descent.LONGEST_STEP) / velocity.norm(dim=1, keepdim=True)).clamp_max(1)
        positions = positions + velocity
        positions -= positions.mean(dim=0)
    torch.use_deterministic_algorithms(deterministic)
    return np.ascontiguousarray(positions.cpu().numpy().T)


def repulsion(positions, grid: Grid):
    """The sum over j of w_ij² (y_i - y_j) for each point, float32 (n, 2), and Z: tensors like `positions` (n, 2)."""
    import torch

    low, high = positions.amin(dim=0), positions.amax(dim=0)
    shape = grid.fit((high - low).cpu().numpy())
    rows, columns = grid.size
    w, *odd = (torch.from_numpy(kernel).to(positions.device) for kernel in grid.kernels)

    places = (positions - low) / float(grid.spacing)
    nodes = places.long()
    t = places - nodes
    s = 1 - t
    splines = torch.stack([s**3, (3 * t - 6) * t**2 + 4, (3 * s - 6) * s**2 + 4, t**3], dim=1) / 6  # (n, 4, 2)
    steps = torch.arange(SUPPORT, device=positions.device)
    at = ((nodes[:, 0, None] + steps) * shape[1])[:, :, None] + (nodes[:, 1, None] + steps)[:, None, :]
    shares = splines[:, :, None, 0] * splines[:, None, :, 1]
    charges = torch.zeros(shape[0] * shape[1], device=positions.device)
    charges.index_add_(0, at.flatten(), shares.flatten())

    spectrum = torch.fft.rfft2(charges.view(shape), s=(rows, columns))
    power = spectrum.abs().square().double() * w
    power[:, 1 : (columns + 1) // 2] *= 2  # those stand for their conjugates too
    z = (power.sum() / (rows * columns)).float() - len(positions)
    fields = (torch.fft.irfft2(1j * spectrum * kernel, s=(rows, columns))[: shape[0], : shape[1]] for kernel in odd)
    push = torch.stack([(field.flatten()[at] * shares).sum(dim=(1, 2)) for field in fields], dim=1)
    return push, z
