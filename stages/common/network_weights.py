"""Rebuild a trained network from its arrays."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from stages.common.errors import InputError


def filled(
    build: Callable[[], nn.Module], arrays: dict[str, np.ndarray], call: Callable[[nn.Module], object], owner: str
) -> nn.Module:
    """Return the network that `build` makes, with `arrays` as its weights and buffers, after one use by `call`.

    It is built without memory first, so that an architecture of any size costs nothing until the arrays fit it. Raises
    `InputError` if names, shapes or dtypes differ, if a value is not finite, or if `call` fails.
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
    except Exception as error:  # a wrong architecture fails in many ways
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"the {owner}'s weights do not fit its architecture ({reason}): run `dvc repro`") from None
    return network
