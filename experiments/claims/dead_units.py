"""ReLU lets units die, LeakyReLU does not

A ReLU unit that is below zero on every point has slope zero and never learns again. A LeakyReLU unit always has a
slope.
"""

from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit
from stages.scores.pieces_and_dead_units import dead_units

RATE, DEAD = "learning rate", "dead units, %"
RATES = {"untrained": 0.001, "0.001": 0.001, "0.01": 0.01, "0.1": 0.1}
CASES = [
    Case({"activation": name, RATE: label}, SHORT_CURVE, PLAIN | {"activation": activation, "learning_rate": rate})
    for name, activation in {"ReLU": "relu", "LeakyReLU": "leaky_relu"}.items()
    for label, rate in RATES.items()
]
SEEDS = 3
TREND = {
    "x": RATE,
    "y": DEAD,
    "group": "activation",
    "title": "Units that are dead on every training point",
    "note": "share of all hidden units after training",
}


def measure(case: Case, seed: int) -> list[dict]:
    fitted = fit(case, seed, trained=False) if case.labels[RATE] == "untrained" else fit(case, seed)
    dead = dead_units(fitted.network, fitted.train["x"].to_numpy())
    return [{DEAD: 100 * dead / sum(case.regressor["hidden_layers"]), "truth_rmse": fitted.truth_rmse}]


def judge(rows: DataFrame) -> Finding:
    relu = means_of(rows, RATE, "activation", DEAD)["ReLU"]
    leaky = rows.loc[rows["activation"] == "LeakyReLU", DEAD].max()
    trained = ", ".join(f"{value:.1f} % at a learning rate of {rate}" for rate, value in relu.drop("untrained").items())
    sentence = (
        f"{relu['untrained']:.1f} % of the ReLU units are dead before training; after it {trained}. With LeakyReLU it "
        f"is {leaky:.0f} % in the worst run, as it must be: its slope is nowhere zero."
    )
    parts = relu.max() > 1.1 * relu["untrained"], leaky == 0
    return Finding(tabulate(rows, RATE, "activation", {DEAD: 3, "truth_rmse": 3}), parts, sentence)
