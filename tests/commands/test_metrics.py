import json
from pathlib import Path

import pytest

from commands.metrics import BETTER, compare_metrics, direction, flatten
from stages.common.errors import InputError


def verdicts(old: dict, new: dict, *tolerances: str) -> list[str]:
    return [change.verdict for change in compare_metrics(old, new, tolerances)]


def test_the_table_knows_every_metric_and_only_those():
    measured = [
        key for path in Path("metrics").glob("*.json") for key in flatten({path.stem: json.loads(path.read_text())})
    ]
    for key in measured:
        assert any(_fits(key, pattern) for pattern in BETTER), f"say in commands/metrics.py which way {key} is better"
    for pattern in BETTER:
        assert any(_fits(key, pattern) for key in measured), f"{pattern} is no metric"


def _fits(key: str, pattern: str) -> bool:
    return key == pattern or (pattern.endswith("*") and key.startswith(pattern[:-1]))


@pytest.mark.parametrize(
    ("key", "old", "new", "verdict"),
    [
        ("regressor.test_mae", 25, 24, "better"),
        ("regressor.test_mae", 24, 25, "worse"),
        ("map.trustworthiness", 0.98, 0.99, "better"),
        ("map.factor_agreement.heel_height", 0.8, 0.7, "worse"),
        ("regressor.coverage_90", 0.95, 0.89, "better"),
        ("regressor.coverage_90", 0.9, 0.91, "worse"),
        ("latents.pca_knn_accuracy", 0.9, 0.8, "moved"),
        ("regressor.linear_pieces", None, 65, "moved"),
        ("regressor.linear_pieces", None, None, "same"),
        ("regressor.test_mae", 24.5, 24.5 * (1 + 1e-7), "same"),
    ],
)
def test_each_metric_is_judged_by_its_own_direction(key, old, new, verdict):
    assert verdicts({key: old}, {key: new}) == [verdict]


def test_a_metric_of_one_side_is_said_to_be_so():
    assert verdicts({"map.points": 1}, {"map.placed_points": 2}) == ["on one side only"] * 2


def test_tolerances_are_relative_with_a_percent_sign_and_absolute_without():
    old, new = (
        {"regressor.test_mae": 20.0, "map.knn_recall": 0.5},
        {"regressor.test_mae": 20.15, "map.knn_recall": 0.51},
    )
    assert verdicts(old, new) == ["worse", "better"]
    assert verdicts(old, new, "1%") == ["same", "better"]
    assert verdicts(old, new, "0.02") == ["worse", "same"]
    assert verdicts(old, new, "regressor.*=1%", "map.knn_recall=0.02") == ["same", "same"]
    assert verdicts(old, new, "map.knn_recall=0", "50%") == ["same", "better"], "the metric's own wins"


@pytest.mark.parametrize("text", ["a lot", "-1", "nan", "inf", "1e999", "", "map.knn_recall=", "5%%"])
def test_what_is_no_tolerance_is_refused(text):
    with pytest.raises(InputError, match="write 0.5%"):
        compare_metrics({"map.knn_recall": 1}, {"map.knn_recall": 1}, [text])


def test_a_tolerance_for_no_metric_is_refused():
    with pytest.raises(InputError, match="no metric is called map.knn_recal; there are map.knn_recall"):
        compare_metrics({"map.knn_recall": 1}, {"map.knn_recall": 1}, ["map.knn_recal=1%"])


def test_directions_are_those_of_the_table():
    assert direction("map.mean_factor_agreement.pca_map") is None
    assert direction("map.kl_divergence") == "lower"
    assert direction("somebody.elses") is None
