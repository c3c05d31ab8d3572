"""Train the regressor: choose the fall-off of the Fourier features, train an ensemble, measure the band."""

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stages.common.errors import InputError
from stages.common.progress import Bar, progress
from stages.common.settings import RegressorParams
from stages.curve.points import neighbour_medians, wild_x
from stages.regressor.falloff import FallOff, choose_falloff
from stages.regressor.network import Network, Regressor, angular_frequencies
from stages.regressor.prediction_band import BAND_KNOTS, fit_band

FOLDS = 5  # every network trains without one fold of the points
LEAST_BATCHES = 15  # of an epoch: it passes over few points several times, so that training takes enough steps
LAYER_PENALTY = 300  # penalty on a squared weight of the layers, where one of the skip connection costs 1
CLIP = 4  # the fall-off is chosen on y clipped to this many 90 % quantiles of the distance from the neighbours' median
LOSSES = {"l1": nn.L1Loss, "l2": nn.MSELoss, "huber": lambda: nn.HuberLoss(delta=0.1)}  # delta in scaled y
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
HISTORY = ["epoch", "train_loss", "validation_loss", "learning_rate", "first_layer_gradient_norm"]


def train(x: np.ndarray, y: np.ndarray, params: RegressorParams, log_x: bool = False) -> tuple[Regressor, pd.DataFrame]:
    """Fit the ensemble to points x, y (n,) float64; with `log_x` to the logarithm of x.

    Points far from all others in x are left out. Returns the network and its history, a row for each epoch with the
    columns `HISTORY`: means over the networks, losses in the unit of y (or its square), the validation loss on the
    points held out. Raises `InputError` if all x are equal, `log_x` meets an x that is not positive, or the loss stops
    being finite.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as fast for so small a network, and sums do not depend on the number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(params.seed)
            return _train(np.asarray(x, np.float64), np.asarray(y, np.float64), params, log_x)
    finally:
        torch.set_num_threads(threads)


def _train(x: np.ndarray, y: np.ndarray, params: RegressorParams, log_x: bool) -> tuple[Regressor, pd.DataFrame]:
    if log_x and x.min() <= 0:
        raise InputError(f"params.yaml: curve.x_scale = 'log' needs positive x, the least is {x.min():g}: use 'linear'")
    x = np.log(x) if log_x else x
    usual = ~wild_x(x)
    x, y = torch.tensor(x[usual]), torch.tensor(y[usual])
    if x.min() == x.max():
        raise InputError(f"data/curve.csv: every x to learn from is {x.min():g}: give a wider range of x")
    scale = measure_scale(x, y, params.standardise)
    u, target = (x - scale["x_centre"]) / scale["x_scale"], (y - scale["y_centre"]) / scale["y_scale"]
    fold = torch.randperm(len(u)) % max(FOLDS, params.ensemble_size)

    names = ("encoding", "frequencies", "hidden_layers", "activation", "negative_slope", "ensemble_size")
    architecture = {name: getattr(params, name) for name in names} | {"log_x": log_x, "band_knots": BAND_KNOTS}
    if params.encoding == "fourier":
        chosen = choose_falloff(angular_frequencies(params.frequencies), u, clip_wild(u, target), fold % FOLDS)
        network = Regressor({**architecture, "components": chosen.mix.shape[1]})
        network.features.mix.copy_(chosen.mix)
        penalty = penalty_of(chosen, params.loss) / len(u)
    else:
        network, penalty = Regressor({**architecture, "components": 0}), 0.0
    for name, value in scale.items():
        getattr(network, name).fill_(value)
    if log_x:
        network.x_low.exp_(), network.x_high.exp_()

    features, target, histories = network.encode(u), target.float(), []
    with progress(None, "training the regressor", "epoch", params.epochs * params.ensemble_size) as bar:
        for member, one in enumerate(network.networks):
            histories.append(train_network(one, features, target, fold == member, penalty, params, bar))

    with torch.no_grad():
        fits = torch.stack([one(features) for one in network.networks])
    judged = fold < params.ensemble_size
    held_out = fits[fold[judged], judged].double() * network.y_scale + network.y_centre
    fit_band(network, u[judged], y[judged] - held_out)
    history = pd.DataFrame(np.nanmean(histories, axis=0), columns=HISTORY).astype({"epoch": int})
    history[["train_loss", "validation_loss"]] *= scale["y_scale"] ** (1 if params.loss == "l1" else 2)
    return network.eval(), history


def train_network(
    network: Network,
    features: Tensor,
    target: Tensor,
    held_out: Tensor,
    penalty: float,
    params: RegressorParams,
    bar: Bar,
) -> list[list[float]]:
    """Train one network on features (n, inputs) and targets (n,) without the points in `held_out` (n,) bool.

    Returns a row for each epoch with the columns `HISTORY`, in scaled y.
    """
    seen, unseen = (~held_out).nonzero()[:, 0], held_out.nonzero()[:, 0]
    batch_size = min(params.batch_size, len(seen))
    passes = math.ceil(LEAST_BATCHES * batch_size / len(seen))
    batches = math.ceil(passes * len(seen) / batch_size)
    loss_of = LOSSES[params.loss]()
    optimizer = OPTIMIZERS[params.optimizer](network.parameters(), lr=params.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=params.epochs * batches)
    rows = []
    for epoch in range(1, params.epochs + 1):
        train_loss = gradient_norm = 0.0
        rate = schedule.get_last_lr()[0]
        order = torch.cat([torch.randperm(len(seen)) for _ in range(passes)])
        for batch in seen[order].split(batch_size):
            loss = loss_of(network(features[batch]), target[batch])
            optimizer.zero_grad()
            (loss + penalty * squared_weights(network)).backward()
            optimizer.step()
            schedule.step()
            train_loss += loss.item() / batches
            gradient_norm += network.layers[0].weight.grad.norm().item() / batches
        with torch.no_grad():
            validation_loss = loss_of(network(features[unseen]), target[unseen]).item()
        if not math.isfinite(train_loss):
            name = f"params.yaml: regressor.learning_rate = {params.learning_rate:g}"
            raise InputError(f"{name} is too large: the loss is no longer finite, try a tenth of it")
        rows.append([epoch, train_loss, validation_loss, rate, gradient_norm])
        bar.update()
    return rows


def squared_weights(network: Network) -> Tensor | float:
    """Sum the squared weights, those of the layers `LAYER_PENALTY` times; the straight line in u is free."""
    if network.skip is None:
        return 0.0
    layers = sum(layer.weight.square().sum() for layer in network.layers if isinstance(layer, nn.Linear))
    return network.skip.weight[:, 1:].square().sum() + LAYER_PENALTY * layers


def penalty_of(chosen: FallOff, loss: str) -> float:
    """Return the penalty, times the number of points, that makes the skip connection alone the ridge regression.

    The mean absolute error has the curvature √(2/π)/noise instead of 2 under normal noise, and its minimum, a median,
    the variance π/2 · noise² instead of noise².
    """
    return chosen.ridge * (math.sqrt(math.pi / 8) / chosen.noise if loss == "l1" and chosen.noise > 0 else 1)


def measure_scale(x: Tensor, y: Tensor, standardise: bool) -> dict[str, float]:
    """Measure the range of x and the centre and spread of y, (n,) float64.

    y is scaled by quantiles, which a few wild values do not move. Without `standardise` centres are 0 and spreads 1.
    """
    low, high = x.min().item(), x.max().item()
    scale = {"x_low": low, "x_high": high, "x_centre": 0.0, "x_scale": 1.0, "y_centre": 0.0, "y_scale": 1.0}
    if standardise:
        lower, middle, upper = (y.quantile(q).item() for q in (0.1, 0.5, 0.9))
        spread = (upper - lower) / 2.56  # the standard deviation of normal y
        scale |= {"x_centre": (low + high) / 2, "x_scale": (high - low) / 2, "y_centre": middle}
        scale["y_scale"] = spread or y.std().item() or 1.0
    return scale


def clip_wild(u: Tensor, y: Tensor) -> Tensor:
    """Clip y (n,) where it is far from the median of its neighbours in u: squared errors bear no wild values."""
    middle = torch.from_numpy(neighbour_medians(u.numpy(), y.numpy()))
    reach = CLIP * (y - middle).abs().quantile(0.9)
    return y.clamp(middle - reach, middle + reach) if reach > 0 else y
