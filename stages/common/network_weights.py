"""Networks as arrays: trained ones put together again, and the state of training ones."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from stages.common.errors import InputError


def state_of(network: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator) -> dict[str, np.ndarray]:
    """All that training changes, as arrays by name, for `restore`."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in moments.items() if tensor is not None}
    tensors["generator"] = generator.get_state()
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}


def restore(
    state: dict[str, np.ndarray], network: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator
) -> None:
    """Bring back what `state_of` has kept; the rest of `state` is the caller's."""
    weights, moments = {}, {}
    for name, array in state.items():
        match name.split("."):
            case ["network", *path]:
                weights[".".join(path)] = torch.from_numpy(array)
            case ["optimizer", index, moment]:
                moments.setdefault(int(index), {})[moment] = torch.from_numpy(array)
    network.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    generator.set_state(torch.from_numpy(state["generator"]))


def filled(
    build: Callable[[], nn.Module], arrays: dict[str, np.ndarray], call: Callable[[nn.Module], object], owner: str
) -> nn.Module:
    """The network that `build` makes, with `arrays` as its weights and buffers, after `call` has used it once.

    It is built without memory of its own, so that an architecture of any size costs nothing until it is known to fit.
    Raises `InputError` if names, shapes or dtypes differ, if a value is not finite, or if it cannot be called.
    """
    try:
        with torch.device("meta"):
            network = build()
        for name, expected in network.state_dict().items():
            array = arrays[name]
            if (found := torch.from_numpy(array).dtype) != expected.dtype:
                raise ValueError(f"{name} is {found}, not {expected.dtype}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds a value that is not finite")
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, assign=True)
        with torch.no_grad():
            call(network)
    except Exception as error:  # an architecture that is none fails in many ways
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"the {owner}'s weights do not fit its architecture ({reason}): run `dvc repro`") from None
    return network
