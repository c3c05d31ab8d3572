"""The summary says in words what the scores mean, and nothing of what they do not know."""

from types import SimpleNamespace

import numpy as np
import pytest

from commands.summary import describe_fit, describe_latents, describe_map, largest_class_accuracy, summary
from stages.common.artifacts import write_json
from stages.common.errors import InputError
from stages.common.samples_table import make_samples, write_samples

FIT = {
    "test_mae": 24.53, "noise_floor_mae": 23.94, "mae_over_floor": 1.025, "truth_rmse": 5.43,
    "linear_baseline_mae": 81.5, "coverage_90": 0.898, "linear_pieces": None, "dead_units": 0,
}  # fmt: skip
LATENTS = {
    "test_mse": 0.0121, "pca_test_mse": 0.0160,
    "knn_accuracy": 0.83, "pca_knn_accuracy": 0.80, "pixel_knn_accuracy": 0.78,
}  # fmt: skip
MAP = {
    "points": 6000, "kl_divergence": 1.0, "trustworthiness": 0.992, "knn_recall": 0.45,
    "placed_knn_accuracy": 0.795, "placed_points": 2000,
    "groups": 30, "group_purity": 0.8, "group_class_agreement": 0.63, "exact_duplicates": 2, "leaks": 1,
}  # fmt: skip


def samples(train=(0, 0, 1), test=(0, 1, 1), classes=("a", "b")):
    split = np.repeat(["train", "test"], [len(train), len(test)])
    return make_samples(split, [f"{i}.png" for i in range(len(split))], np.array([*train, *test]), list(classes))


def many(n=2000):
    return samples(np.arange(n) % 10, np.arange(n) % 10, [f"class {k}" for k in range(10)])


def test_the_fit_is_told_beside_the_noise_and_a_straight_line():
    text = "\n".join(describe_fit(FIT))
    for part in ("24.53", "81.5", "23.94", "1.025 times", "little is left", "89.8%", "5.43"):
        assert part in text
    assert "residuals.png" in "\n".join(describe_fit(FIT | {"mae_over_floor": 1.4}))
    assert "no better than a straight line" in "\n".join(describe_fit(FIT | {"test_mae": 81.4}))


def test_measured_points_have_no_floor():
    text = "\n".join(describe_fit(FIT | dict.fromkeys(("noise_floor_mae", "mae_over_floor", "truth_rmse"))))
    assert "size of the noise is unknown" in text
    assert "None" not in text


def test_latents_are_told_beside_pca_pixels_and_the_largest_class():
    text = "\n".join(describe_latents(LATENTS, many(), "autoencoder"))
    assert "latents 83.0%, PCA 80.0%, pixels 78.0%." in text
    assert "largest class: 10.0%" in text
    assert "0.76 times that of PCA" in text
    assert "than pixels do" not in text


@pytest.mark.parametrize(
    ("source", "accuracy", "told"),
    [
        (
            "autoencoder",
            0.781,
            "By these 2,000, the autoencoder tells classes no better than pixels do.",
        ),
        ("autoencoder", 0.7, "The autoencoder tells classes worse than pixels do."),
        (
            "torchvision/resnet18",
            0.78,
            "By these 2,000, the encoder tells classes no better than pixels do.",
        ),
    ],
)
def test_an_encoder_that_adds_nothing_is_told_so(source, accuracy, told):
    assert f"  {told}" in describe_latents(LATENTS | {"knn_accuracy": accuracy}, many(), source)


@pytest.mark.parametrize("known", [(-1, -1, -1), (0, 0, 0)])
def test_vectors_without_classes_are_rows_without_a_score(known):
    scores = dict.fromkeys(LATENTS)
    lines = describe_latents(
        scores, samples(known, known, ["a"] if known[0] == 0 else []), "data/input/latents/v.npz", "rows"
    )
    assert lines[0].startswith("Latents of rows (3 for training, 3 for test; ")
    assert "No score of classes" in lines[1]
    assert len(lines) == 2


def test_the_largest_class_is_that_of_training():
    assert largest_class_accuracy(samples()) == pytest.approx(1 / 3)
    assert largest_class_accuracy(samples(test=(-1, 0, 0))) == 1
    assert largest_class_accuracy(samples(test=())) is None


def test_a_map_without_placed_classes_says_nothing_of_them():
    assert "79.5%" in "\n".join(describe_map(MAP))
    assert "test points" not in "\n".join(describe_map(MAP | {"placed_knn_accuracy": None}))


def test_it_takes_the_metrics_that_are_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="dvc repro"):
        summary()
    write_json("metrics/regressor.json", FIT)
    summary()
    assert "Map" not in capsys.readouterr().out
    write_json("metrics/latents.json", LATENTS)
    write_json("metrics/map.json", MAP)
    write_samples(many())
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/map.html").touch()
    monkeypatch.setattr(
        "commands.summary.load_params", lambda key: SimpleNamespace(source="autoencoder", is_file=False)
    )
    summary()
    lines = capsys.readouterr().out.splitlines()
    assert 12 <= len(lines) <= 18
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("  plots/map.html")
