import pytest

from commands.compare.metric_verdicts import UNKNOWN, compare_metrics, metric_of
from stages.common.errors import InputError


def verdicts(old: dict, new: dict, *tolerances: str) -> list[str]:
    return [change.verdict for change in compare_metrics(old, new, tolerances)]


@pytest.mark.parametrize(
    ("key", "old", "new", "verdict"),
    [
        ("regressor.test_mae", 25, 24, "better"),
        ("regressor.test_mae", 24, 25, "worse"),
        ("map.trustworthiness", 0.98, 0.99, "better"),
        ("regressor.coverage_90", 0.95, 0.89, "better"),
        ("regressor.coverage_90", 0.9, 0.91, "worse"),
        ("latents.pca_knn_accuracy", 0.9, 0.8, "changed"),
        ("regressor.linear_pieces", None, 65, "missing on one side"),
        ("regressor.linear_pieces", None, None, "same"),
        ("somebody.elses", 1, 2, "changed"),
    ],
)
def test_each_metric_is_judged_by_its_own_direction(key, old, new, verdict):
    assert verdicts({key: old}, {key: new}) == [verdict]


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [  # the same code on an AMD EPYC and on an Intel Xeon, as docs/reproducibility.md has it
        ("regressor.truth_rmse", 5.367964, 5.367963),
        ("latents.test_mse", 0.0029003689, 0.0029003688),
        ("map.kl_divergence", 1.01643, 1.01493),
        ("map.trustworthiness", 0.99714, 0.99715),
        ("map.knn_recall", 0.5673, 0.5670),
        ("map.placed_knn_accuracy", 0.92, 0.9175),
    ],
)
def test_what_another_processor_changes_is_within_the_default_tolerance(key, old, new):
    assert verdicts({key: old}, {key: new}) == verdicts({key: new}, {key: old}) == ["same"]


@pytest.mark.parametrize("name", ["regressor", "latents", "map"])
def test_every_metric_of_the_pipeline_is_in_the_table(pipeline, name):
    assert [key for key in pipeline.metrics(name) if metric_of(f"{name}.{key}") is UNKNOWN] == []


def test_a_metric_of_one_side_is_missing_on_the_other():
    assert verdicts({"map.points": 1}, {"map.placed_points": 2}) == ["missing on one side"] * 2


def test_tolerances_are_relative_with_a_percent_sign_and_absolute_without():
    old = {"regressor.test_mae": 20.0, "map.knn_recall": 0.5}
    new = {"regressor.test_mae": 20.15, "map.knn_recall": 0.51}
    assert verdicts(old, new) == ["worse", "better"]
    assert verdicts(old, new, "1%") == ["same", "better"]
    assert verdicts(old, new, "0.02") == ["worse", "same"]
    assert verdicts(old, new, "regressor.*=1%", "map.knn_recall=0.02") == ["same", "same"]
    assert verdicts(old, new, "map.knn_recall=0", "50%") == ["same", "better"], "the metric's own wins"


@pytest.mark.parametrize("text", ["a lot", "-1", "nan", "inf", "1e999", "", "map.knn_recall=", "5%%"])
def test_text_that_is_no_tolerance_is_refused(text):
    with pytest.raises(InputError, match="write 0.5%"):
        compare_metrics({"map.knn_recall": 1}, {"map.knn_recall": 1}, [text])


def test_a_tolerance_for_no_metric_is_refused():
    with pytest.raises(InputError, match="no metric is called map.knn_recal; there are map.knn_recall"):
        compare_metrics({"map.knn_recall": 1}, {"map.knn_recall": 1}, ["map.knn_recal=1%"])
