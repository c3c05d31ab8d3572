"""`fitmap summary`: the results of the last run in words, from `metrics/*.json` and the samples."""

import math
from pathlib import Path

import pandas as pd

from stages.common.artifacts import read_json
from stages.common.errors import InputError
from stages.common.samples_table import classes_of, is_train, labels_of, read_samples
from stages.common.settings import load_params

METRICS = ("regressor", "latents", "map")
NEAR = 1.05  # times the noise floor up to which nothing is left to learn
NO_BETTER = 0.98  # of a straight line's error, from which the network is no better than the line
NEXT = {  # what to open, by the metrics that go with it
    "plots/map.html": ("map", "the map, in a browser"),
    "plots/groups.png": ("map", "the groups on the map, each by its most typical images"),
    "plots/curve.html": ("regressor", "the training of the curve, played back, in a browser"),
}


def summary() -> None:
    """Print the summary. Raises `InputError` if no stage has written metrics yet."""
    metrics = {name: read_json(f"metrics/{name}.json") for name in METRICS if Path(f"metrics/{name}.json").exists()}
    if not metrics:
        raise InputError("metrics/ holds no scores: run `dvc repro` first")
    lines = describe_fit(metrics["regressor"]) if "regressor" in metrics else []
    if "latents" in metrics and "map" in metrics:
        params = load_params("latents")
        rows_alone = params.is_file and metrics["latents"]["pca_test_mse"] is None
        things = "rows" if rows_alone else "images"
        lines += describe_latents(metrics["latents"], read_samples(), params.source, things)
        lines += describe_map(metrics["map"])
    print("\n".join(lines + describe_next(metrics)))


def describe_fit(scores: dict) -> list[str]:
    """Say how near the fit is to the noise floor, and how far from a straight line."""
    mae, line, floor, over = (
        scores[key] for key in ("test_mae", "linear_baseline_mae", "noise_floor_mae", "mae_over_floor")
    )
    lines = ["Curve", f"  The fit misses the test points by {mae:.4g} on average, a straight line by {line:.4g}."]
    if mae > NO_BETTER * line:
        lines.append("  So the network is no better than a straight line.")
    if over is None:
        lines.append("  The size of the noise is unknown, and with it the error that no fit can avoid.")
    elif over <= NEAR:
        lines.append(
            f"  The noise alone makes {floor:.4g}; the error is {over:.3f} times that, so little is left to learn."
        )
    else:
        lines.append(
            f"  The noise alone makes {floor:.4g}; the error is {over:.3g} times that: see plots/residuals.png."
        )
    band = f"  The 90 % band holds {scores['coverage_90']:.1%} of the test points."
    if scores["truth_rmse"] is not None:
        band += f" The fit is {scores['truth_rmse']:.3g} off the true curve (RMS)."
    return [*lines, band]


def describe_latents(scores: dict, samples: pd.DataFrame, source: str, things: str = "images") -> list[str]:
    """Say what the latents of `things` are worth beside PCA, pixels and always guessing the largest class."""
    train, classes = is_train(samples), len(classes_of(samples))
    trained, pixels = source == "autoencoder", scores["pixel_knn_accuracy"]
    labelled = f"{classes} classes" if classes > 1 else "one class" if classes else "no labels"
    lines = [f"Latents of {things} ({train.sum():,} for training, {(~train).sum():,} for test; {labelled})"]
    if scores["test_mse"] is not None and scores["pca_test_mse"]:
        share = scores["test_mse"] / scores["pca_test_mse"]
        lines.append(f"  Reconstruction error {scores['test_mse']:.4f}: {share:.2f} times that of PCA of equal length.")
    if scores["knn_accuracy"] is None:
        return [*lines, "  No score of classes: that takes test data of at least two known classes."]
    accuracies = {"latents": scores["knn_accuracy"], "PCA": scores["pca_knn_accuracy"], "pixels": pixels}
    told = ", ".join(f"{name} {value:.1%}" for name, value in accuracies.items() if value is not None)
    guess = largest_class_accuracy(samples)
    lines.append(f"  Class of test {things} right by 5 neighbours: {told}.")
    lines.append(f"  Right by always guessing the largest class: {guess:.1%}.")
    if pixels is not None:
        judged = int((labels_of(samples)[~train] >= 0).sum())
        gain, error = scores["knn_accuracy"] - pixels, math.sqrt(pixels * (1 - pixels) / max(judged, 1))
        if gain < error:  # one standard error of an accuracy
            name = "autoencoder" if trained else "encoder"
            if gain < -error:
                lines.append(f"  The {name} tells classes worse than pixels do.")
            else:
                lines.append(f"  By these {judged:,}, the {name} tells classes no better than pixels do.")
    return lines


def largest_class_accuracy(samples: pd.DataFrame) -> float | None:
    """Return the share of labelled test rows that are of the largest training class; None if there are none."""
    train, labels = is_train(samples), samples["label"]
    known, test = labels[train].dropna(), labels[~train].dropna()
    if not len(known) or not len(test):
        return None
    return float((test == known.value_counts(sort=False).idxmax()).mean())


def describe_map(scores: dict) -> list[str]:
    """Say how faithful the map is to the latents."""
    lines = [f"Map of {scores['points']:,} points"]
    if scores["trustworthiness"] is not None:
        trust = f"trustworthiness {scores['trustworthiness']:.3f} (1 at best, about 0.5 at random)"
        lines.append(f"  Neighbours on the map are alike: {trust}.")
    if scores["knn_recall"] is not None:
        lines.append(
            f"  Of the 15 nearest latents, {scores['knn_recall']:.0%} are also among the 15 nearest on the map."
        )
    accuracy, placed = scores["placed_knn_accuracy"], scores["placed_points"]
    if accuracy is not None:
        lines.append(f"  Of {placed:,} test points placed afterwards, {accuracy:.1%} land among their class.")
    if scores["groups"]:
        purity = scores["group_purity"]
        share = "" if purity is None else f"; {purity:.0%} of their points are of their group's main class"
        lines.append(f"  It falls into {scores['groups']} groups{share}.")
    copies, leaks = scores["exact_duplicates"], scores["leaks"]
    lines.append(f"  Exact duplicates: {copies:,}; copies in training and in test: {leaks:,}. See `fitmap review`.")
    return lines


def describe_next(metrics: dict[str, dict]) -> list[str]:
    """Name the files to open, as far as they are there."""
    shown = [path for path, (name, _) in NEXT.items() if name in metrics and Path(path).exists()]
    lines = [f"  {path:<17} {NEXT[path][1]}" for path in shown]
    return ["Open, or any other picture in plots/", *lines] if lines else []
