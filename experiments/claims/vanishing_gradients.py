"""Sigmoid makes gradients vanish

A sigmoid's slope is at most 1/4, so each layer shrinks the gradient that reaches the first one. LeakyReLU lets it pass.
"""

from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.findings import Finding, means_of, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit
from experiments.pictures import draw_trend

ACTIVATIONS = {"sigmoid": "sigmoid", "LeakyReLU": "leaky_relu"}
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


def measure(case: Case, seed: int) -> list[dict]:
    trained = fit(case, seed)
    first, last = (fitted.history["first_layer_gradient_norm"] for fitted in (fit(case, seed, trained=False), trained))
    return [{BEFORE: first.iloc[0], AFTER: last.iloc[-1], "test_mae": trained.test_mae}]


def judge(rows: DataFrame) -> Finding:
    before = means_of(rows, "hidden layers", "activation", BEFORE)
    few, many = before.index[0], before.index[-1]
    per_layer = (before.iloc[0] / before.iloc[-1]) ** (1 / (many - few))
    errors = means_of(rows, "hidden layers", "activation", "test_mae").loc[many]
    sentence = (
        f"Before training, from {few} to {many} hidden layers, each further layer divides the gradient of the first "
        f"one by {per_layer['sigmoid']:.1f} with sigmoid and by {per_layer['LeakyReLU']:.1f} with LeakyReLU, where the "
        f"small first weights of PyTorch shrink it, too. After training with {many} hidden layers the test error is "
        f"{errors['sigmoid']:.1f} with sigmoid and {errors['LeakyReLU']:.1f} with LeakyReLU."
    )
    parts = per_layer["sigmoid"] > 4, per_layer["LeakyReLU"] < 2, errors["LeakyReLU"] < errors["sigmoid"]
    return Finding(tabulate(rows, "hidden layers", "activation", {BEFORE: 2, AFTER: 2, "test_mae": 3}), parts, sentence)


def draw(rows: DataFrame) -> Figure:
    return draw_trend(
        rows,
        *("hidden layers", BEFORE, "activation"),
        title="The gradient that reaches the first layer before training",
        note="norm of the loss's gradient by the weights of the first layer",
        y_scale="log",
        y_label="gradient norm of the first layer",
    )
