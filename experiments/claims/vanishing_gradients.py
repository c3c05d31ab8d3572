"""Sigmoid makes gradients vanish

A sigmoid's slope is at most 1/4, so each layer shrinks the gradient that reaches the first one. LeakyReLU lets it pass.

The small first weights of PyTorch shrink the gradient, too. How much, the same layers without an activation tell; what
is left over is the activation's own share.
"""

import numpy as np
from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit

ACTIVATIONS = {"sigmoid": "sigmoid", "LeakyReLU": "leaky_relu", "no activation": "identity"}
CASES = [
    Case(
        {"activation": name, "hidden layers": layers},
        SHORT_CURVE,
        PLAIN | {"activation": activation, "hidden_layers": [32] * layers},
    )
    for name, activation in ACTIVATIONS.items()
    for layers in (1, 2, 4, 8)
]
SEEDS = 3
BEFORE, AFTER = "gradient before training", "gradient after training"
NORM = "first_layer_gradient_norm"
TREND = {
    "x": "hidden layers",
    "y": BEFORE,
    "group": "activation",
    "title": "The gradient that reaches the first layer before training",
    "note": "norm of the loss's gradient by the weights of the first layer",
    "y_scale": "log",
    "y_label": "gradient norm of the first layer",
}


def measure(case: Case, seed: int) -> list[dict]:
    row = {BEFORE: fit(case, seed, trained=False).history[NORM].iloc[0], AFTER: np.nan, "test_mae": np.nan}
    if case.regressor["activation"] != "identity":  # a straight line, whatever its layers learn
        trained = fit(case, seed)
        row |= {AFTER: trained.history[NORM].iloc[-1], "test_mae": trained.test_mae}
    return [row]


def judge(rows: DataFrame) -> Finding:
    before = means_of(rows, "hidden layers", "activation", BEFORE)
    few, many = before.index[0], before.index[-1]
    per_layer = (before.iloc[0] / before.iloc[-1]) ** (1 / (many - few))
    share = per_layer / per_layer["no activation"]
    errors = means_of(rows, "hidden layers", "activation", "test_mae").loc[many]
    sentence = (
        f"Before training, from {few} to {many} hidden layers, each further layer divides the gradient of the first "
        f"one by {per_layer['sigmoid']:.1f} with sigmoid, by {per_layer['LeakyReLU']:.1f} with LeakyReLU and by "
        f"{per_layer['no activation']:.1f} without an activation. So sigmoid itself divides it by "
        f"{share['sigmoid']:.1f}, LeakyReLU by {share['LeakyReLU']:.1f}. After training with {many} hidden layers the "
        f"test error is {errors['sigmoid']:.1f} with sigmoid and {errors['LeakyReLU']:.1f} with LeakyReLU."
    )
    parts = share["sigmoid"] > 2, share["LeakyReLU"] < 2, errors["LeakyReLU"] < errors["sigmoid"]
    table = tabulate(rows, "hidden layers", "activation", {BEFORE: 2, AFTER: 2, "test_mae": 3})
    return Finding(table.loc[:, (table != "").any()], parts, sentence)
