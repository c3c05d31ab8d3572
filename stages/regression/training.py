"""Training of the regressor, and what the validation points decide: the best epoch, the mixture and the band."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stages.pipeline.errors import InputError
from stages.pipeline.params import RegressorParams
from stages.pipeline.progress import progress
from stages.regression.network import Regressor, resolutions

HUBER_DELTA = 0.1  # residual, in standard deviations of y, from which the Huber loss grows linearly
LEAST_STEPS = 20  # steps in an epoch; with few points it passes over them more than once
BAND_LEVEL = 0.9
ARCHITECTURE = ("encoding", "encoding_size", "shortcut", "hidden_layers", "activation", "negative_slope", "members")


def train(
    train_x: np.ndarray,
    train_y: np.ndarray,
    validation_x: np.ndarray,
    validation_y: np.ndarray,
    params: RegressorParams,
) -> tuple[Regressor, pd.DataFrame]:
    """Fit a network to points x, y (n,), float64.

    Each member keeps the weights of its best epoch on the validation points; these also weigh the members and set the
    width of the predictive band.

    Returns the network and its history, a row for each epoch: epoch, train_loss, validation_loss (those of the member
    that is best on validation by then, in the units of y, or their square for l2 and huber), learning_rate,
    first_layer_gradient_norm (mean over steps and members). Raises `InputError` if the loss stops being finite.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as fast for so small a network, and sums do not depend on the machine's cores
    try:
        network, history = _fit(*map(_tensor, (train_x, train_y, validation_x, validation_y)), params)
    finally:
        torch.set_num_threads(threads)
    return network.eval(), history


def _fit(x: Tensor, y: Tensor, validation_x: Tensor, validation_y: Tensor, params: RegressorParams):
    generator = torch.Generator().manual_seed(params.seed)
    network = Regressor({name: getattr(params, name) for name in ARCHITECTURE}, generator)
    network.fit_scale(x, y)
    target, validation_target = ((t - network.y_mean).div(network.y_std).float() for t in (y, validation_y))
    u, validation_u = network.scale_x(x).float(), network.scale_x(validation_x).float()
    optimizer = _optimizer(network, params)
    steps = max(math.ceil(len(x) / params.batch_size), LEAST_STEPS)
    unit = float(network.y_std) ** (1 if params.loss == "l1" else 2)
    sharpness = torch.tensor(resolutions(params.members, params.encoding_size)) / params.encoding_size
    penalty = params.weight_penalty / math.sqrt(len(x)) * sharpness  # who sees little can overfit little
    best_loss = torch.full((params.members,), math.inf)
    best = [parameter.detach().clone() for parameter in network.parameters()]
    rows = []
    for epoch in (bar := progress(range(params.epochs), "training the regressor", unit="epoch")):
        train_loss, gradient = torch.zeros(params.members), 0.0
        for step, batch in enumerate(_batches(len(x), steps, params.batch_size, generator)):
            rate = learning_rate(params, (epoch * steps + step) / (params.epochs * steps))
            optimizer.param_groups[0]["lr"] = rate
            residual = network.member_outputs(u[batch]) - target[batch]
            loss = elementwise_loss(residual, params.loss).mean(dim=1)
            objective = loss.sum()  # the members share no weight, so each descends its own loss
            if params.weight_penalty:
                objective = objective + (penalty * _squared_weights(network, residual.detach(), params.loss)).sum()
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
            train_loss += loss.detach()
            gradient += float(network.layers[0].weight.grad.flatten(1).norm(dim=1).mean())
        with torch.no_grad():
            residual = network.member_outputs(validation_u) - validation_target
            loss = elementwise_loss(residual, params.loss).mean(dim=1)
            improved = loss < best_loss
            best_loss = torch.where(improved, loss, best_loss)
            for kept, parameter in zip(best, network.parameters(), strict=True):
                kept[improved] = parameter[improved]
        leader = int(loss.nan_to_num(math.inf).argmin())
        losses = float(train_loss[leader]) / steps * unit, float(loss[leader]) * unit
        if not all(map(math.isfinite, losses)):
            raise InputError(
                f"params.yaml: regressor.learning_rate = {params.learning_rate:g} is too large: the loss is no longer "
                "finite, try a tenth of it"
            )
        rows.append((epoch + 1, *losses, rate, gradient / steps))
        bar.set_postfix(loss=f"{losses[0]:.4g}", validation=f"{losses[1]:.4g}")
    with torch.no_grad():
        for parameter, kept in zip(network.parameters(), best, strict=True):
            parameter.copy_(kept)
        _mix_and_measure(network, validation_x, validation_y, params)
    columns = ["epoch", "train_loss", "validation_loss", "learning_rate", "first_layer_gradient_norm"]
    return network, pd.DataFrame(rows, columns=columns)


def elementwise_loss(residual: Tensor, loss: str) -> Tensor:
    """The loss of each residual, in units of y's standard deviation."""
    match loss:
        case "l1":
            return residual.abs()
        case "l2":
            return residual.square()
    return nn.functional.huber_loss(residual, torch.zeros_like(residual), reduction="none", delta=HUBER_DELTA)


def learning_rate(params: RegressorParams, done: float) -> float:
    """The learning rate when the share `done` (0 … 1) of all steps is behind: constant, or half a cosine to zero."""
    if params.schedule == "constant":
        return params.learning_rate
    return params.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def conformal_half_band(residuals: np.ndarray, level: float = BAND_LEVEL) -> float:
    """Half the width of the band that holds a new point with probability `level` at least.

    The ⌈(n + 1)·level⌉-th smallest absolute residual of points held out from training (split conformal prediction, Lei
    et al. 2018); with fewer points than that needs, their largest.
    """
    ranked = np.sort(np.abs(residuals))
    return float(ranked[min(math.ceil((len(ranked) + 1) * level), len(ranked)) - 1])


def mixture_weights(candidates: np.ndarray, y: np.ndarray, loss: str, iterations: int = 1000) -> np.ndarray:
    """Weights, positive and of sum 1, of the candidates (k, n) whose mean has least loss against y (n,).

    By exponentiated gradient (Kivinen and Warmuth 1997). The first candidate is the simplest: it is taken alone when
    the mixture's gain over it is within two standard errors of the paired differences.
    """
    errors = torch.from_numpy(candidates - y)
    logits = -len(y) * elementwise_loss(errors, loss).mean(1) / elementwise_loss(errors, loss).mean(1).min()
    logits = (logits - logits.max()).clamp(min=-20).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.05)
    with torch.enable_grad():
        for _ in range(iterations):
            optimizer.zero_grad()
            elementwise_loss(logits.softmax(0) @ errors, loss).mean().backward()
            optimizer.step()
    weights = logits.detach().softmax(0)
    gain = elementwise_loss(errors[0], loss) - elementwise_loss(weights @ errors, loss)
    if gain.mean() < 2 * gain.std() / math.sqrt(len(y)):
        return np.eye(len(candidates))[0]
    return weights.numpy()


def _mix_and_measure(network: Regressor, x: Tensor, y: Tensor, params: RegressorParams) -> None:
    if params.members > 1:
        target = ((y - network.y_mean) / network.y_std).numpy()
        network.mixture.copy_(torch.from_numpy(mixture_weights(network.candidates(x).numpy(), target, params.loss)))
    network.half_band.fill_(conformal_half_band((y - network(x)).numpy()))


def _squared_weights(network: Regressor, residual: Tensor, loss: str) -> Tensor:
    """Half the squared weights of each member's stacked layers (members,), times its loss's mean slope.

    Noise of any size then needs the same penalty. With two layers this is a group lasso on the units (Neyshabur et al.
    2015): those that earn too little fade out.
    """
    match loss:
        case "l1":
            slope = torch.ones(len(residual))
        case "l2":
            slope = 2 * residual.abs().mean(dim=1)
        case _:
            slope = residual.abs().clamp(max=HUBER_DELTA).mean(dim=1)
    squares = sum(layer.weight.square().sum(dim=(1, 2)) for layer in network.layers)
    return slope * squares / 2


def _optimizer(network: Regressor, params: RegressorParams) -> torch.optim.Optimizer:
    match params.optimizer:
        case "adam":
            return torch.optim.Adam(network.parameters(), lr=params.learning_rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(network.parameters(), lr=params.learning_rate, fused=True)
    return torch.optim.SGD(network.parameters(), lr=params.learning_rate, momentum=params.momentum)


def _batches(points: int, steps: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """`steps` batches of indices, passing over all points in random order, again and again where they are few."""
    size = min(size, points)
    passes = math.ceil(steps * size / points)
    order = torch.cat([torch.randperm(points, generator=generator) for _ in range(passes)])
    return iter(order[: steps * size].split(size))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
