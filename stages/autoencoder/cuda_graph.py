"""Steps on a GPU at the GPU's own pace.

A step of a small network is dozens of kernels of a few microseconds each; to launch them one by one from Python takes
several times as long as they run.
"""

from collections.abc import Callable

import torch
from torch import Tensor

FIRST_STEPS = 3  # taken as usual: the libraries choose their ways, the optimizer makes its state


class Recorded:
    """A step on n images, given as tensors, that is launched as one, as a CUDA graph.

    It returns a tensor, which the next step overwrites. The graph runs on copies of what it is given. The first steps,
    and those on another n than the first one's, are taken as usual; the same kernels run, so the results are the same.
    """

    def __init__(self, step: Callable[..., Tensor]):
        self.step, self.stream, self.taken, self.graph = step, torch.cuda.Stream(), 0, None

    def __call__(self, n: int, *tensors: Tensor) -> Tensor:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            result = self._take(n, *tensors)
        torch.cuda.current_stream().wait_stream(self.stream)
        return result

    def _take(self, n: int, *tensors: Tensor) -> Tensor:
        if self.taken == 0:
            self.n, self.copies = n, [tensor.clone() for tensor in tensors]
        self.taken += 1
        if self.taken <= FIRST_STEPS or n != self.n:
            return self.step(n, *tensors)
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=self.stream):  # records, but takes no step
                self.result = self.step(n, *self.copies)
        for copy, tensor in zip(self.copies, tensors, strict=True):
            copy.copy_(tensor)
        self.graph.replay()
        return self.result
