"""Without an activation, depth adds nothing

Linear layers with nothing between them are one linear layer. Only the activation lets them bend.
"""

from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit
from stages.scores.linear_baseline import linear_baseline_mae
from stages.scores.pieces_and_dead_units import linear_pieces

ACTIVATIONS = {"identity": "identity", "LeakyReLU": "leaky_relu"}
CASES = [
    Case(
        {"activation": name, "hidden layers": layers},
        SHORT_CURVE,
        PLAIN | {"activation": activation, "hidden_layers": [64] * layers, "loss": "l2"},  # that of the line
    )
    for name, activation in ACTIVATIONS.items()
    for layers in (1, 2, 4)
]
SEEDS = 3
RATIO = "test error / error of a straight line"
TREND = {
    "x": "hidden layers",
    "y": RATIO,
    "group": "activation",
    "title": "Without an activation, depth adds nothing",
    "note": "mean absolute error on test points, divided by that of the least-squares line",
}


def measure(case: Case, seed: int) -> list[dict]:
    fitted = fit(case, seed)
    points = fitted.train["x"], fitted.train["y"], fitted.test["x"], fitted.test["y"]
    line = linear_baseline_mae(*(column.to_numpy() for column in points))
    pieces = linear_pieces(fitted.network, fitted.train["x"].min(), fitted.train["x"].max())
    return [{RATIO: fitted.test_mae / line, "linear pieces": pieces}]


def judge(rows: DataFrame) -> Finding:
    straight = rows[rows["activation"] == "identity"]
    off, pieces = (straight[RATIO] - 1).abs().max(), straight["linear pieces"].max()
    bent = means_of(rows, "hidden layers", "activation", RATIO)["LeakyReLU"]
    sentence = (
        f"Without an activation no fit has more than {pieces} straight piece, and its error is that of the "
        f"least-squares line to within {100 * off:.1f} % at any depth. The same layers with LeakyReLU bring the error "
        f"down to {bent.iloc[0]:.2f} of the line's with {bent.index[0]} hidden layer and to {bent.iloc[-1]:.2f} with "
        f"{bent.index[-1]}."
    )
    table = tabulate(rows, "hidden layers", "activation", {RATIO: 3})
    return Finding(table, (off < 0.02 and pieces == 1, bent.max() < 0.95), sentence)
