"""Training of the regressor by cross-fitting, and what the held-out points decide: best epochs, mixture and band.

Each member of a group is trained without another fold of the points. The members' predictions for the points that they
have not seen weigh the groups (stacking, Wolpert 1992; van der Laan, Polley & Hubbard 2007) and set the width of the
band (Barber et al. 2021), so that every point serves all three purposes.
"""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stages.common.checkpoint import NoCheckpoint
from stages.common.errors import InputError
from stages.common.network_weights import restore, state_of
from stages.common.progress import Bar, progress
from stages.common.settings import RegressorParams
from stages.regressor.network import FOURIER, Group, Regressor, least_squares_line, unit_range
from stages.regressor.spectrum import Spectrum, fit_spectrum

HUBER_DELTA = 0.1  # residual, in standard deviations of y, from which the Huber loss grows linearly
LEAST_STEPS = 20  # steps in an epoch; with few points it passes over them more than once
LEAST_NOISE = 1e-3  # in standard deviations of y
SINGLE_FOLDS = 5  # a single member is trained without a fifth of the points
BETAS = (0.9, 0.99)  # of Adam: training ends before its usual 0.999 has forgotten the start
BAND_LEVEL = 0.9
# By `encoding`: what each group of networks sees of x, at which share of the finest resolution, and how many times the
# weight penalty its stacked layers pay. Beside a fitted spectrum they have to win much; with little of it raw networks
# learn corners in much noise, free of it steps.
GROUPS = {
    "none": [("raw", 1, 1 / 10)],
    "fourier": [("smooth", 1, 10), ("rough", 1, 10), ("raw", 1, 1 / 10), ("raw", 1, 0)],
    "hat": [("hat", 1 / 8, 1), ("hat", 1 / 4, 1), ("hat", 1 / 2, 1), ("hat", 1, 1)],
}
SHARED = ("members", "shortcut", "hidden_layers", "activation", "negative_slope")


def train(
    x: np.ndarray, y: np.ndarray, params: RegressorParams, checkpoint: NoCheckpoint | None = None
) -> tuple[Regressor, pd.DataFrame]:
    """Fit networks to points x, y (n,), float64.

    Each member keeps the weights of its best epoch on the points held out from it.

    Returns the network and its history, a row for each epoch: epoch, train_loss, validation_loss (on seen and on
    held-out points, means over the members of the group that is best on held-out points by then, in the units of y, or
    their square for l2 and huber), learning_rate, first_layer_gradient_norm (of that group, mean over steps and
    members). What `checkpoint` holds of an interrupted training is gone on with, to the same bits. Raises `InputError`
    if the loss stops being finite, or every x is the same.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as fast for so small a network, and sums do not depend on the machine's cores
    try:
        network, history = _fit(_tensor(x), _tensor(y), params, checkpoint or NoCheckpoint())
    finally:
        torch.set_num_threads(threads)
    return network.eval(), history


def _fit(x: Tensor, y: Tensor, params: RegressorParams, checkpoint: NoCheckpoint) -> tuple[Regressor, pd.DataFrame]:
    generator = torch.Generator().manual_seed(params.seed)
    if x.min() == x.max():
        raise InputError(f"data/curve.csv: every x to learn from is {x.min():g}: give a wider range of x")
    u, target = unit_range(x, x.min(), x.max()), (y - y.mean()) / (y.std() if y.std() > 0 else 1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        spectra = pool.map(lambda kind: fit_spectrum(kind, u, target, params.encoding_size), FOURIER)
        spectra = dict(zip(FOURIER, spectra, strict=True))
    noises = {kind: max(spectrum.noise, LEAST_NOISE) for kind, spectrum in spectra.items()}
    network = new_network(spectra, params, generator)
    network.fit_scale(x, y)
    encoded = [group.encode(u) for group in network.groups]
    held_out = held_out_folds(x, params.members, generator)
    with progress(None, "training the regressor", unit="epoch", total=params.epochs * len(network.groups)) as bar:

        def train_group(at: int, group: Group, inputs: Tensor, penalties: float) -> list[tuple]:
            noise = noises.get(group.encoding, min(noises.values()))
            penalty, kept = penalties * params.weight_penalty, checkpoint.part(f"{at}")
            return _train_group(group, inputs, target.float(), held_out, noise, penalty, params, bar, kept)

        penalties = [penalties for _, _, penalties in GROUPS[params.encoding]]
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # the groups share nothing: the cores may take one each
            trained = pool.map(train_group, range(len(encoded)), network.groups, encoded, penalties)
            histories = np.array(list(trained))
    _mix_and_measure(network, encoded, u, target, held_out, params.loss)
    leaders = histories[:, :, 1].argmin(axis=0)
    rows = histories[leaders, np.arange(params.epochs)]
    rows[:, :2] *= float(network.y_std) ** (1 if params.loss == "l1" else 2)
    history = pd.DataFrame(
        rows, columns=["train_loss", "validation_loss", "learning_rate", "first_layer_gradient_norm"]
    )
    history.insert(0, "epoch", np.arange(1, params.epochs + 1))
    return network, history


def new_network(spectra: dict[str, Spectrum], params: RegressorParams, generator: torch.Generator) -> Regressor:
    """The untrained network: groups of `params.encoding`, those of a Fourier basis fitted to `spectra`."""
    groups = []
    for encoding, share, _ in GROUPS[params.encoding]:
        resolution = max(round(params.encoding_size * share), 1)
        inputs = {"raw": 1, "hat": 2 + resolution}.get(encoding) or max(len(spectra[encoding].prior), 1)
        groups.append({"encoding": encoding, "resolution": resolution, "inputs": inputs})
    network = Regressor({"groups": groups, **{name: getattr(params, name) for name in SHARED}}, generator)
    for group in network.groups:
        if group.encoding in FOURIER:
            group.fit_prior(spectra[group.encoding].projection, spectra[group.encoding].prior)
    return network


def held_out_folds(x: Tensor, members: int, generator: torch.Generator) -> Tensor:
    """True (members, n) for the points x (n,) that a member does not learn from: another fold for each member.

    Of as many neighbouring points as there are folds one goes to each, so that no member misses a stretch of x; the two
    outermost go to none, so that none has to guess beyond what it has seen.
    """
    folds = members if members > 1 else SINGLE_FOLDS
    blocks = torch.rand(math.ceil(len(x) / folds), folds, generator=generator).argsort(dim=1)
    fold = blocks.flatten()[: len(x)]
    fold[[0, -1]] = folds
    return fold[x.argsort(stable=True).argsort()] == torch.arange(members)[:, None]


def _train_group(
    group: Group,
    encoded: Tensor,
    target: Tensor,
    held_out: Tensor,
    noise: float,
    weight_penalty: float,
    params: RegressorParams,
    bar: Bar,
    checkpoint: NoCheckpoint,
) -> list[tuple[float, float, float, float]]:
    """Train a group's members at once, each on its own points, and leave each with its best weights.

    A row for each epoch: train_loss and validation_loss in units of y's standard deviation (or their squares),
    learning_rate, first_layer_gradient_norm.
    """
    points, generator = len(target), torch.Generator().manual_seed(params.seed)
    optimizer, seen = _optimizer(group, params), ~held_out
    steps = max(math.ceil(points / params.batch_size), LEAST_STEPS)
    best_loss = torch.full(held_out.shape[:1], math.inf)
    best = [parameter.detach().clone() for parameter in group.parameters()]
    spread, rows = 1.0, []
    if state := checkpoint.load():
        restore(state, group, optimizer, generator)
        rows, best_loss = list(map(tuple, state["rows"].tolist())), torch.from_numpy(state["best_loss"])
        best = [torch.from_numpy(state[f"best.{i}"]) for i in range(len(best))]
        spread = float(state["spread"])
    bar.update(len(rows))
    for epoch in range(len(rows), params.epochs):
        jitter = params.target_jitter * max(noise, spread)  # residuals are within it from the first step to the last
        penalty = curvature(params.loss, noise, jitter) * noise**2
        train_loss, gradient = 0.0, 0.0
        for step, batch in enumerate(_batches(points, steps, params.batch_size, generator)):
            rate = learning_rate(params, (epoch * steps + step) / (params.epochs * steps))
            optimizer.param_groups[0]["lr"] = rate
            residual, share = group(encoded[batch]) - target[batch], _shares(seen[:, batch])
            loss = (share * elementwise_loss(residual, params.loss, jitter)).sum()
            optimizer.zero_grad()
            # the members share no weight, so each descends its own loss
            (loss + penalty * _squared_weights(group, points, weight_penalty)).backward()
            optimizer.step()
            train_loss += float((share * elementwise_loss(residual.detach(), params.loss)).sum())
            gradient += float(group.layers[0].weight.grad.flatten(1).norm(dim=1).mean())
        with torch.no_grad():
            residual = group(encoded) - target
            spread = mean_spread((_shares(seen) * residual.abs()).sum(dim=1).mean())
            losses = (_shares(held_out) * elementwise_loss(residual, params.loss)).sum(dim=1)
            improved = losses < best_loss
            best_loss = torch.where(improved, losses, best_loss)
            for kept, parameter in zip(best, group.parameters(), strict=True):
                kept[improved] = parameter[improved]
        rows.append((train_loss / steps / len(held_out), float(losses.mean()), rate, gradient / steps))
        if not math.isfinite(sum(rows[-1])):
            raise InputError(
                f"params.yaml: regressor.learning_rate = {params.learning_rate:g} is too large: the loss is no longer "
                "finite, try a tenth of it"
            )
        bar.update()
        kept = {f"best.{i}": parameter.numpy() for i, parameter in enumerate(best)}
        kept |= {"rows": np.array(rows), "best_loss": best_loss.numpy(), "spread": np.array(spread)}
        checkpoint.save(lambda kept=kept: {**state_of(group, optimizer, generator), **kept})
    with torch.no_grad():
        for parameter, kept in zip(group.parameters(), best, strict=True):
            parameter.copy_(kept)
    return rows


def _shares(mask: Tensor) -> Tensor:
    """Weights (members, n) that give the mean over a member's points in `mask`; zeros for one that has none."""
    return mask / mask.sum(dim=1, keepdim=True).clamp_min(1)


def elementwise_loss(residual: Tensor, loss: str, jitter: float = 0.0) -> Tensor:
    """The loss of each residual, in units of y's standard deviation.

    With `jitter` L1 is that of targets to which normal noise of that standard deviation is added anew in each step, in
    expectation and without what the jitter itself costs: E|r + jitter ε| - E|jitter ε|, of which the first is
    r erf(r / (√2 jitter)) + jitter √(2/π) exp(-r² / (2 jitter²)). Its kink is round, and where L1 alone uses 64 % of
    what normal noise leaves to be known (the median's efficiency), jitter of the noise's own size brings that to 95 %,
    of twice its size to 99 %; far outliers still pull no harder than near ones.
    """
    match loss:
        case "l1" if jitter:
            z = residual / jitter
            rounding = jitter * math.sqrt(2 / math.pi) * torch.expm1(-z.square() / 2)
            return residual * torch.erf(z / math.sqrt(2)) + rounding
        case "l1":
            return residual.abs()
        case "l2":
            return residual.square()
    return nn.functional.huber_loss(residual, torch.zeros_like(residual), reduction="none", delta=HUBER_DELTA)


def mean_spread(mean_absolute: Tensor) -> float:
    """The standard deviation of normal residuals of this mean absolute size."""
    return math.sqrt(math.pi / 2) * float(mean_absolute)


def curvature(loss: str, noise: float, jitter: float) -> float:
    """Mean second derivative of `elementwise_loss` under normal noise: what a penalty is weighed against."""
    match loss:
        case "l1":
            return math.sqrt(2 / math.pi) / math.hypot(noise, jitter)
        case "l2":
            return 2.0
    return math.erf(HUBER_DELTA / (noise * math.sqrt(2)))


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


def mixture_weights(candidates: np.ndarray, y: np.ndarray, loss: str) -> np.ndarray:
    """Weights, positive and of sum 1, of the candidates (k, n) whose mean has least loss against y (n,).

    By quasi-Newton steps on their logarithms (L-BFGS, Liu and Nocedal 1989) from weights that fall with each
    candidate's own loss, so that one far behind stays out. L1 is smoothed by jitter of the best candidate's own spread:
    as good a judge of normal noise as the square, and no worse than L1 of a step's far residuals. The first candidate
    is the simplest: it is taken alone when the mixture's gain over it is within three standard errors of the paired
    differences.
    """
    errors = torch.from_numpy(candidates - y)
    jitter = mean_spread(errors.abs().mean(1).min())
    losses = elementwise_loss(errors, loss, jitter).mean(1).clamp_min(1e-12)
    logits = (len(y) * (1 - losses / losses.min())).clamp(min=-20).requires_grad_()
    optimizer = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")

    def mean_loss() -> Tensor:
        optimizer.zero_grad()
        mean = elementwise_loss(logits.softmax(0) @ errors, loss, jitter).mean() / losses.min()
        mean.backward()
        return mean

    with torch.enable_grad():
        optimizer.step(mean_loss)
    weights = logits.detach().softmax(0)
    gain = elementwise_loss(errors[0], loss, jitter) - elementwise_loss(weights @ errors, loss, jitter)
    if gain.mean() < 3 * gain.std() / math.sqrt(len(y)):
        return np.eye(len(candidates))[0]
    return weights.numpy()


@torch.no_grad()
def _mix_and_measure(
    network: Regressor, encoded: list[Tensor], u: Tensor, target: Tensor, held_out: Tensor, loss: str
) -> None:
    """Weigh the groups, and measure the band, by what members say of points held out from them."""
    judged, line = held_out.any(dim=0), torch.zeros_like(target)
    for fold in held_out:
        intercept, slope = least_squares_line(u[~fold], target[~fold])
        line[fold] = intercept + slope * u[fold]
    groups = [(group(inputs) * held_out).sum(dim=0) for group, inputs in zip(network.groups, encoded, strict=True)]
    candidates = torch.stack([line, *groups])[:, judged].double()
    if len(groups) > 1:
        weights = mixture_weights(candidates.numpy(), target[judged].numpy(), loss)
        network.mixture.copy_(torch.from_numpy(weights))
    residuals = (network.mixture @ candidates - target[judged]) * network.y_std
    network.half_band.fill_(conformal_half_band(residuals.numpy()))


def _squared_weights(group: Group, points: int, weight_penalty: float) -> Tensor:
    """What the weights of all members cost, in units of curvature · noise².

    The shortcut's are weighed as their prior asks: with the squared loss their best values are then the mean of the
    Gaussian process. Half the squared weights of two stacked layers are a group lasso on the units between (Neyshabur
    et al. 2015): those that earn too little fade out.
    """
    cost = torch.zeros(())
    if group.shortcut is not None:
        cost = cost + (group.shortcut.scaled_weight() / group.prior).square().sum() / (2 * points)
    if weight_penalty:
        squares = sum(layer.weight.square().sum() for layer in group.layers)
        cost = cost + weight_penalty / math.sqrt(points) * squares / 2
    return cost


def _optimizer(group: Group, params: RegressorParams) -> torch.optim.Optimizer:
    match params.optimizer:
        case "adam":
            return torch.optim.Adam(group.parameters(), lr=params.learning_rate, betas=BETAS, fused=True)
        case "adamw":
            return torch.optim.AdamW(group.parameters(), lr=params.learning_rate, betas=BETAS, fused=True)
    return torch.optim.SGD(group.parameters(), lr=params.learning_rate, momentum=params.momentum)


def _batches(points: int, steps: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """`steps` batches of indices, passing over all points in random order, again and again where they are few."""
    size = min(size, points)
    passes = math.ceil(steps * size / points)
    order = torch.cat([torch.randperm(points, generator=generator) for _ in range(passes)])
    return iter(order[: steps * size].split(size))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
