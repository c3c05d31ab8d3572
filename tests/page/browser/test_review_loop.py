"""The loop of inspecting, labelling and comparing: labels set right on the page raise the scores."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.samples_table import numbered_samples
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.images.source_fashion_mnist import read_idx
from tests.conftest import ROOT, Clone, clone_project
from tests.run_in_fork import dvc, fitmap, stages

REAL = Path("../shared/fashion-mnist/FashionMNIST/raw")
LABELS = "data/input/images/labels.csv"
ONCE = ("load_images", "train_autoencoder", "extract_latents", "embed_latents", "embed_baselines")
AGAIN = ("evaluate_map", "render_map_page")  # what follows from other labels
SCORES = ("latents.knn_accuracy", "map.placed_knn_accuracy")


def flipped(labels: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (n,) of which `count` random ones are another class of ten, and which."""
    draw = np.random.default_rng(seed)
    wrong, rows = labels.copy(), draw.choice(len(labels), count, replace=False)
    wrong[rows] = (labels[rows] + draw.integers(1, 10, count)) % 10
    return wrong, rows


def review_on_page(opened, truth: dict[str, str], into: Path) -> tuple[int, int]:
    """Step through the suspect labels, set those right that are wrong, and download labels.csv.

    A suggestion that is true is accepted; if it is not, the class is typed. Returns the numbers of suspects and of
    accepted suggestions.
    """
    page, card, accepted = opened.page, opened.card, 0
    page.locator("#review-lists button", has_text="Suspect labels").click()
    opened.settle()
    steps = opened.state("steps")
    for point in steps:
        assert opened.state("pinned") == point
        right = truth[opened.name()]
        accept = card.get_by_role("button", name=f"Set class to {right}", exact=True)
        if accept.count():
            accept.click()
            accepted += 1
        elif card.locator("[data-part=class]").text_content() != right:
            card.locator("[data-part=tag]").click()
            page.locator("#new-label").fill(right)
            page.locator("#new-label").press("Enter")
        card.locator("[data-part=next]").click()
    shutil.copy(opened.download("#download-labels"), into)
    assert opened.problems == []
    return len(steps), accepted


def review_and_compare(clone: Clone, open_page, run_again, truth: dict[str, str], wrong: set[str]) -> dict:
    """Review the page of a finished run, call `run_again` with labels.csv in its place, and return what came of it."""
    clone.commit("wrong labels")
    opened = open_page((clone.folder / "plots/map.html").as_uri())
    suspects, accepted = review_on_page(opened, truth, clone.folder / LABELS)
    corrected = set(pd.read_csv(clone.folder / LABELS)["file_name"])
    run_again()
    printed = clone.fork(fitmap, "compare", "HEAD", "--json", fails=True)  # status 1: the metrics have changed
    metrics = {change["key"]: change for change in json.loads(printed)["metrics"]}
    assert corrected <= wrong
    found = {"wrong": len(wrong), "suspects": suspects, "found": len(corrected), "accepted": accepted}
    found |= {key: [metrics[key][side] for side in ("old", "new", "verdict")] for key in SCORES}
    print(json.dumps(found))
    return found


def assert_scores_rise(found: dict) -> None:
    for key in SCORES:
        before, after, verdict = found[key]
        assert after > before, key
        assert verdict == "better", key


def write_garments(folder: Path, count: int, mistakes: int) -> tuple[dict[str, str], set[str]]:
    """Write drawn garments with a table of their classes, some of them wrong; return the truth and the wrong names."""
    images, labels, _ = draw_garments(count, seed=3)
    given, rows = flipped(labels, mistakes)
    names, classes = [f"{i:03}.png" for i in range(count)], np.array(CLASS_NAMES)
    folder.mkdir()
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / name)
    pd.DataFrame({"file_name": names, "label": classes[given]}).to_csv(folder / "metadata.csv", index=False)
    return dict(zip(names, classes[labels], strict=True)), {names[row] for row in rows}


def test_wrong_labels_are_found_on_the_page_and_set_right(pipeline, tmp_path, open_page):
    clone = pipeline.copy(tmp_path)
    truth, wrong = write_garments(clone.folder / "data/input/images/garments", 320, 30)
    clone.set({"images": {"source": "data/input/images/garments", "test_fraction": 0.4}, "tsne": {"points": 192}})
    clone.fork(
        stages, "load_images", "train_autoencoder", "extract_latents", "embed_latents", "embed_baselines", *AGAIN
    )

    def run_again() -> None:
        clone.set({"images": {"labels": LABELS}})
        clone.fork(stages, "load_images", *AGAIN)

    found = review_and_compare(clone, open_page, run_again, truth, wrong)
    assert found["found"] >= 10
    assert_scores_rise(found)


@pytest.mark.full
@pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist")
def test_a_hundred_wrong_labels_of_fashion_mnist_are_found_on_the_page_and_set_right(tmp_path, open_page):
    clone = clone_project(tmp_path / "fitmap")
    shutil.copy(ROOT / "params.yaml", clone.folder)
    raw = clone.folder / "data/fashion-mnist/FashionMNIST/raw"
    raw.mkdir(parents=True)
    for path in REAL.iterdir():
        (raw / path.name).write_bytes(path.read_bytes())
    parts = [raw / f"{part}-labels-idx1-ubyte" for part in ("train", "t10k")]
    labels = [read_idx(str(path), False) for path in parts]
    counts, classes = [len(part) for part in labels], np.array(CLASS_NAMES)
    given, rows = flipped(np.concatenate(labels).astype(np.int64), 100)
    for path, part in zip(parts, np.split(given, counts[:1]), strict=True):
        path.write_bytes(path.read_bytes()[:8] + part.astype(np.uint8).tobytes())
    names = numbered_samples(*counts, given, CLASS_NAMES)["file_name"].to_numpy()
    clone.set({"images": {"source": "fashion-mnist"}})
    clone.repro("render_map_page")
    truth, wrong = dict(zip(names, classes[np.concatenate(labels)], strict=True)), {*names[rows]}
    again = ("exp", "run", "-S", f"images.labels={LABELS}", "render_map_page")
    found = review_and_compare(clone, open_page, lambda: clone.fork(dvc, *again), truth, wrong)
    assert found["found"] >= 65  # 72; with other seeds 76 and 83
    assert_scores_rise(found)
