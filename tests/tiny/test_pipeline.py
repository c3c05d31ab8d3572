"""The real `dvc repro` of a small configuration in a fresh clone."""

import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.run_in_fork import dvc

STAGES = {
    "generate_curve", "train_regressor", "evaluate_regressor", "load_images", "train_autoencoder", "extract_latents",
    "embed_latents", "embed_baselines", "evaluate_map", "render_figures", "render_map_page",
    "render_curve_page",
}  # fmt: skip

CHEAP = {"evaluate_regressor", "evaluate_map"}  # their metrics are kept in git, which DVC's run cache leaves out


def test_a_fresh_clone_runs_every_stage_and_a_second_run_none(pipeline):
    assert set(pipeline.first_run) == STAGES
    assert pipeline.repro() == []
    assert pipeline.run("git", "status", "--porcelain") == ""


def test_the_fit_beats_a_straight_line(pipeline):
    scores = pipeline.metrics("regressor")
    assert scores["test_mae"] < 0.6 * scores["linear_baseline_mae"]
    assert 0.9 < scores["mae_over_floor"] < 1.5
    assert scores["noise_floor_mae"] == pytest.approx(23.9365, abs=1e-4)


def test_the_map_beats_a_random_one_and_placed_images_land_with_their_class(pipeline):
    scores = pipeline.metrics("map")
    assert scores["points"] == 500
    assert scores["placed_points"] == 150
    assert scores["trustworthiness"] > 0.9
    assert scores["knn_recall"] > 0.2
    assert scores["placed_knn_accuracy"] > 0.5
    assert pipeline.metrics("latents")["knn_accuracy"] > 0.5


def test_the_map_is_compared_with_one_of_principal_components(pipeline):
    maps = pd.read_csv(pipeline.folder / "plots/map_comparison.csv", index_col="map of")
    assert maps["trustworthiness"].min() > 0.9
    assert maps["placed_knn_accuracy"].min() > 0.5
    factors = pd.read_csv(pipeline.folder / "plots/factor_agreement.csv", index_col="factor")
    assert factors.loc[["heel_height", "handle_height"], "map"].min() > 0.4


def test_every_table_names_the_same_samples(pipeline):
    samples = pd.read_parquet(pipeline.folder / "data/samples.parquet")
    assert samples["file_name"].is_unique
    assert samples["split"].tolist() == ["train"] * 600 + ["test"] * 150
    points = pd.read_csv(pipeline.folder / "plots/map_points.csv")
    assert points["file_name"].tolist() == samples["file_name"][:500].tolist()
    assert points["label"].tolist() == samples["label"][:500].tolist()


def test_every_picture_is_there_and_shows_something(pipeline):
    pictures = sorted((pipeline.folder / "plots").glob("*.png"))
    assert len(pictures) >= 10
    for picture in pictures:
        with Image.open(picture) as image:
            assert min(image.size) >= 400, picture
            assert len(image.convert("L").resize((200, 200)).getcolors()) > 5, picture
    for name in ("map", "curve"):
        assert "<html" in (pipeline.folder / f"plots/{name}.html").read_text()[:500]
    assert (pipeline.folder / "plots/curve.html").stat().st_size < 1_000_000


FROM_CURVE = {"generate_curve", "train_regressor", "evaluate_regressor", "render_figures", "render_curve_page"}
FROM_SEED = FROM_CURVE - {"generate_curve"}
FROM_PERPLEXITY = {"embed_latents", "embed_baselines", "evaluate_map", "render_figures", "render_map_page"}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"curve": {"test_samples": 500}}, FROM_CURVE),
        pytest.param({"regressor": {"seed": 5}}, FROM_SEED, marks=pytest.mark.full),
        pytest.param({"tsne": {"perplexity": 20}}, FROM_PERPLEXITY, marks=pytest.mark.full),
    ],
    ids=["curve.test_samples", "regressor.seed", "tsne.perplexity"],
)
def test_a_changed_parameter_runs_only_what_follows_from_it(pipeline, tmp_path, change, names):
    clone = pipeline.copy(tmp_path)
    clone.set(change)
    assert set(clone.repro()) == names
    clone.run("git", "checkout", "--", "params.yaml")
    assert set(clone.repro()) <= CHEAP, "what is costly comes back from the cache"
    assert clone.run("git", "status", "--porcelain") == "", "the same bytes as before"


def test_a_wrong_parameter_is_one_line_and_loses_nothing(pipeline):
    before = (pipeline.folder / "params.yaml").read_text()
    pipeline.set({"curve": {"samples": -3}})
    printed = pipeline.fork(dvc, "repro", "generate_curve", fails=True)
    assert "fitmap: params.yaml: curve.samples = -3: input should be greater than or equal to 20" in printed
    assert "Traceback" not in printed
    (pipeline.folder / "params.yaml").write_text(before)
    assert pipeline.repro() == []
    assert pipeline.run("git", "status", "--porcelain") == ""


def test_a_wrong_points_file_is_one_line(pipeline, tmp_path):
    clone = pipeline.copy(tmp_path)
    (clone.folder / "data/input/points/wrong.csv").write_text("x,z\n" + "1,2\n" * 3)
    clone.set({"curve": {"source": "data/input/points/wrong.csv"}})
    printed = clone.fork(dvc, "repro", "generate_curve", fails=True)
    assert "fitmap: data/input/points/wrong.csv has 3 points, at least" in printed
    assert "Traceback" not in printed


def test_metrics_and_plots_show_and_compare(pipeline):
    assert "mae_over_floor" in pipeline.fork(dvc, "metrics", "show")
    pipeline.fork(dvc, "plots", "show")
    page = (pipeline.folder / "dvc_plots/index.html").read_text()
    for name in yaml.safe_load((pipeline.folder / "dvc.yaml").read_text())["plots"]:
        name = name if isinstance(name, str) else next(iter(name))
        assert name.split("/")[-1].split(".")[0] in page, name
