"""Unscaled inputs and targets spoil the training

First weights and learning rates are made for numbers near 1. The same network, optimizer and number of steps end
farther from the curve when x or y keep their own units. (fitmap always scales; this experiment has a loop of its own.)
"""

import numpy as np
import torch
from pandas import DataFrame

from experiments.claim_verdicts import Finding, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, points_of
from experiments.pictures import DISTANCE
from stages.regressor.network import Network

TREND = {
    "x": "units",
    "y": "truth_rmse",
    "group": "trained on",
    "title": "The same training in different units",
    "note": "mean and standard deviation over the seeds, in the unit of the default curve",
    "y_label": DISTANCE,
}


def in_units(x: str, y: float, x_min: float, x_max: float) -> dict:
    """Return the short curve with another x and with y times larger."""
    formula = SHORT_CURVE["formula"].replace("x", x)
    noise = SHORT_CURVE["noise_std"] * y
    return SHORT_CURVE | {"formula": f"{y:g}*({formula})", "noise_std": noise, "x_min": x_min, "x_max": x_max}


UNITS = {  # x in the formula, factor on y, range of x
    "x −3 … 3, y ±100": ("x", 1.0, -3.0, 3.0),
    "x 100 times larger": ("(x/100)", 1.0, -300.0, 300.0),
    "x in years, 1970 … 2030": ("((x-2000)/10)", 1.0, 1970.0, 2030.0),
    "y 1,000 times larger": ("x", 1000.0, -3.0, 3.0),
}
STANDARDISED, OWN = "standardised numbers", "their own units"
CASES = [
    Case({"units": units, "trained on": name}, in_units(*numbers), PLAIN)
    for units, numbers in UNITS.items()
    for name in (STANDARDISED, OWN)
]
SEEDS, STEPS = 3, 2500


def measure(case: Case, seed: int) -> list[dict]:
    """Return distances in the unit of the default curve, so that they compare."""
    points, test = points_of(case, seed)
    x, y = (torch.tensor(points[name].to_numpy(), dtype=torch.float32) for name in "xy")
    at = torch.tensor(test["x"].to_numpy(), dtype=torch.float32)
    standardised = case.labels["trained on"] == STANDARDISED
    (x_mean, x_std), (y_mean, y_std) = ((v.mean(), v.std()) if standardised else (0.0, 1.0) for v in (x, y))
    network = train_plainly((x - x_mean) / x_std, (y - y_mean) / y_std, case.regressor, seed)
    with torch.no_grad():
        fitted = network(((at - x_mean) / x_std)[:, None])[0] * y_std + y_mean
    truth, y_unit = test["truth"].to_numpy(), UNITS[case.labels["units"]][1]
    rmse = float(np.sqrt(np.mean((fitted.numpy() - truth) ** 2)))
    return [{"truth_rmse": rmse / y_unit, "constant": float(truth.std()) / y_unit}]


def train_plainly(x: torch.Tensor, y: torch.Tensor, settings: dict, seed: int) -> Network:
    """Train the plain network on x, y (n,) exactly as they are."""
    torch.manual_seed(seed)
    network = Network(1, 1, settings["hidden_layers"], settings["activation"], settings["negative_slope"])
    optimizer = torch.optim.Adam(network.parameters(), settings["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(x), (settings["batch_size"],))
        loss = (network(x[batch, None])[0] - y[batch]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network


def judge(rows: DataFrame) -> Finding:
    errors = rows.groupby(["trained on", "units"], sort=False)["truth_rmse"].mean()
    scaled, own = errors[STANDARDISED], errors[OWN]
    sentence = (
        f"Standardised, the fits end {scaled.mean():.1f} from the true curve (RMSE) in any units. "
        f"Unscaled: {', '.join(f'{units}: {error:.1f}' for units, error in own.items())}. The best constant is "
        f"{rows['constant'].mean():.0f} off."
    )
    return Finding(tabulate(rows, "units", "trained on", {"truth_rmse": 3}), tuple(own > 1.5 * scaled), sentence)
