"""Train the regressor: choose the Fourier features, train the networks, measure the band."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import RegressorParams
from stages.curve.points import neighbour_medians, wild_x
from stages.regressor.feature_amplitudes import Choice, choose_features
from stages.regressor.network import Network, Regressor, angular_frequencies
from stages.regressor.prediction_band import BAND_KNOTS, fit_band

FOLDS = 5  # every network trains without one fold of the points
LEAST_BATCHES = 15  # of an epoch: it passes over few points several times, so that training takes enough steps
WARM_UP = 0.1  # share of the steps in which the learning rate rises
WAVE_PENALTY = 1000  # penalty on a squared weight from a wave to the layers, where one of the skip connection costs 1
GATES = torch.linspace(0, 1, 21)
CHANCE = 4  # what the layers must gain on the skip connection, in losses of a point: about so much is chance
CLIP = 4  # the features are chosen on y clipped to this many 90 % quantiles of the distance from the neighbours' median
LOSSES = {  # of the error, in scaled y
    "l1": torch.abs,
    "l2": torch.square,
    "huber": lambda error: nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none", delta=0.1),
}
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
HISTORY = ["epoch", "train_loss", "validation_loss", "learning_rate", "first_layer_gradient_norm"]
ARCHITECTURE = ("encoding", "frequencies", "hidden_layers", "activation", "negative_slope", "ensemble_size")

OnStep = Callable[[int, int, Regressor, Tensor], None]  # steps taken, of how many, the regressor, losses (members,)
OnEpoch = Callable[[list[list[float]]], None]  # the rows of the history so far


def train(
    x: np.ndarray,
    y: np.ndarray,
    params: RegressorParams,
    log_x: bool = False,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[Regressor, pd.DataFrame]:
    """Fit the ensemble to points x, y (n,) float64; with `log_x` to the logarithm of x.

    Points far from all others in x are left out. Returns the regressor and its history, a row for each epoch with the
    columns `HISTORY`: means over the networks, losses in the unit of y (or its square), the validation loss on the
    points held out. Raises `InputError` if all x are equal, `log_x` meets an x that is not positive, or the loss stops
    being finite.

    `on_step` and `on_epoch` may watch: `on_step` is called before each step, when losses (in the unit of y) and
    gradients are those of the regressor as it is; its band is not measured yet. `on_epoch` is called after each epoch.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as fast for so small a network, and sums do not depend on the number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(params.seed)
            return _train(np.asarray(x, np.float64), np.asarray(y, np.float64), params, log_x, on_step, on_epoch)
    finally:
        torch.set_num_threads(threads)


def _train(x, y, params, log_x, on_step, on_epoch) -> tuple[Regressor, pd.DataFrame]:
    if log_x and x.min() <= 0:
        raise InputError(f"params.yaml: curve.x_scale = 'log' needs positive x, the least is {x.min():g}: use 'linear'")
    usual = ~wild_x(np.log(x) if log_x else x)
    x, y = torch.tensor(x[usual]), torch.tensor(y[usual])
    if x.min() == x.max():
        raise InputError(f"data/curve.csv: every x to learn from is {x.min():g}: give a wider range of x")
    scale = measure_scale(x.log() if log_x else x, y)
    u = ((x.log() if log_x else x) - scale["x_centre"]) / scale["x_scale"]
    target, order = (y - scale["y_centre"]) / scale["y_scale"], torch.randperm(len(u))

    penalty, chosen = 0.0, None
    if params.encoding == "fourier":
        chosen = choose_features(angular_frequencies(params.frequencies), u, clip_wild(u, target), order.chunk(FOLDS))
        penalty = penalty_of(chosen, params.loss) / len(u)
    architecture = {name: getattr(params, name) for name in ARCHITECTURE} | {"log_x": log_x, "band_knots": BAND_KNOTS}
    regressor = Regressor({**architecture, "components": chosen.mix.shape[1] if chosen else 0})
    if chosen:
        regressor.features.mix.copy_(chosen.mix)
    for name, value in {**scale, "x_low": x.min(), "x_high": x.max()}.items():
        getattr(regressor, name).fill_(value)

    size = max(len(u) // max(FOLDS, params.ensemble_size), 1)  # of the part that each network is not trained on
    turned = torch.stack([order.roll(-member * size) for member in range(params.ensemble_size)])
    held_out, seen = turned[:, :size], turned[:, size:]
    rows = train_networks(regressor, u, target.float(), seen, held_out, penalty, params, on_step, on_epoch)

    with torch.no_grad():
        fits = regressor.network(regressor.encode(u)).gather(1, held_out).double()
    residual = y[held_out] - (fits * regressor.y_scale + regressor.y_centre)
    fit_band(regressor, u[held_out].flatten(), residual.flatten())
    return regressor.eval(), pd.DataFrame(rows, columns=HISTORY)


def train_networks(
    regressor: Regressor,
    u: Tensor,
    target: Tensor,
    seen: Tensor,
    held_out: Tensor,
    penalty: float,
    params: RegressorParams,
    on_step: OnStep | None,
    on_epoch: OnEpoch | None,
) -> list[list[float]]:
    """Train all networks side by side, each on its own batches of points u, target (n,), both scaled.

    `seen` and `held_out` (members, …) are the points that each member learns from and is validated on. Returns a row
    for each epoch with the columns `HISTORY`.
    """
    network, features = regressor.network, regressor.encode(u)
    members, points = seen.shape
    batch_size = min(params.batch_size, points)
    passes = math.ceil(LEAST_BATCHES * batch_size / points)  # over the points in an epoch
    steps = params.epochs * math.ceil(passes * points / batch_size)
    loss_of, unit = LOSSES[params.loss], regressor.y_scale.item() ** (1 if params.loss == "l1" else 2)
    optimizer = OPTIMIZERS[params.optimizer](network.parameters(), lr=params.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, params.learning_rate, total_steps=steps + 1, pct_start=WARM_UP, cycle_momentum=False
    )
    rows, step = [], 0
    for epoch in progress(range(1, params.epochs + 1), "training the regressor", "epoch"):
        rate, losses, norms = schedule.get_last_lr()[0], [], []
        order = torch.rand(members, passes, points).argsort(dim=2).flatten(1)
        for batch in seen.gather(1, order).split(batch_size, dim=1):
            paths = network.paths(features[batch])
            loss = loss_of(paths - target[batch]).mean(dim=2).sum() + penalty * squared_weights(network)
            optimizer.zero_grad()
            loss.backward()
            losses.append(unit * loss_of(network.blend(paths.detach()) - target[batch]).mean(dim=1))
            norms.append(network.layers[0].weight.grad.flatten(1).norm(dim=1).mean())
            if on_step:
                on_step(step, steps, regressor, losses[-1])
            optimizer.step()
            schedule.step()
            step += 1
        with torch.no_grad():
            paths = network.paths(features[held_out])
            if network.skip:
                network.gate.copy_(best_gate(paths, target[held_out], loss_of))
            validation_loss = unit * loss_of(network.blend(paths) - target[held_out]).mean().item()
        train_loss, gradient_norm = torch.stack(losses).mean().item(), torch.stack(norms).mean().item()
        if not math.isfinite(train_loss):
            name = f"params.yaml: regressor.learning_rate = {params.learning_rate:g}"
            raise InputError(f"{name} is too large: the loss is no longer finite, try a tenth of it")
        rows.append([epoch, train_loss, validation_loss, rate, gradient_norm])
        if on_epoch:
            on_epoch(rows)
    return rows


def best_gate(paths: Tensor, target: Tensor, loss_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the gate of least loss, from `paths` (2, members, n) to the points' `target` (members, n)."""
    losses = torch.stack([loss_of(torch.lerp(*paths, gate) - target).mean() for gate in GATES])
    return GATES[(losses + CHANCE / target.numel() * losses[0] * GATES).argmin()]


def squared_weights(network: Network) -> Tensor | float:
    """Sum the squared weights of the waves: of the skip connection, and `WAVE_PENALTY` times of the first layer."""
    if network.skip is None:
        return 0.0
    skip, first = (layer.weight[:, 1:].square().sum() for layer in (network.skip, network.layers[0]))
    return skip + WAVE_PENALTY * first


def penalty_of(chosen: Choice, loss: str) -> float:
    """Return the penalty, times the number of points, that makes the skip connection the ridge regression.

    The mean absolute error has the curvature √(2/π)/noise instead of 2 under normal noise, and its minimum, a median,
    the variance π/2 · noise² instead of noise².
    """
    return chosen.ridge * (math.sqrt(math.pi / 8) / chosen.noise if loss == "l1" and chosen.noise > 0 else 1)


def measure_scale(x: Tensor, y: Tensor) -> dict[str, float]:
    """Measure the centre and reach of x, and the centre and spread of y, (n,) float64.

    y is scaled by quantiles, which a few wild values do not move.
    """
    low, high = x.min().item(), x.max().item()
    lower, middle, upper = (y.quantile(q).item() for q in (0.1, 0.5, 0.9))
    spread = (upper - lower) / 2.56 or y.std().item() or 1.0  # the standard deviation of normal y
    return {"x_centre": (low + high) / 2, "x_scale": (high - low) / 2, "y_centre": middle, "y_scale": spread}


def clip_wild(u: Tensor, y: Tensor) -> Tensor:
    """Clip y (n,) where it is far from the median of its neighbours in u: squared errors bear no wild values."""
    middle = torch.from_numpy(neighbour_medians(u.numpy(), y.numpy()))
    reach = CLIP * (y - middle).abs().quantile(0.9)
    return y.clamp(middle - reach, middle + reach) if reach > 0 else y
