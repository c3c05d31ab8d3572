"""Every command of the README runs, one after the other, in a clone of the tiny pipeline."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from stages.images.garments.garments import draw_garments
from tests.commands_in_docs import commands

WEIGHTS = "data/input/weights/random.pth"
NOT_HERE = ("make ", "pip ", "dvc exp run -S images.source=fashion-mnist")  # the machine's own, or a download


@pytest.mark.full
def test_the_commands_of_the_readme_run(pipeline, tmp_path):
    project = pipeline.copy(tmp_path)
    bring_inputs(project.folder)
    project.commit("my inputs")
    for command in commands(Path("README.md")):
        if command.startswith(NOT_HERE):
            continue
        command = command.replace("/path/or/s3://bucket/fitmap", str(tmp_path / "storage"))
        command = command.replace("torchvision/resnet18", f"torchvision/resnet18 -S latents.weights={WEIGHTS}")
        if command.startswith(("fitmap compare", "fitmap review")):  # status 1: something changed, or was found
            command = f"{command} || test $? = 1"
        project.run("bash", "-ec", command)
    assert (project.folder / "encoder.onnx").exists()
    assert (project.folder / "new.html").exists()
    assert "vectors" in (project.folder / "params.yaml").read_text()


def bring_inputs(folder: Path) -> None:
    """Put the files that the README speaks of into the project: points, photographs, vectors, and new images."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 5, 300)
    pd.DataFrame({"x": x, "y": np.sin(x) + generator.normal(0, 0.1, 300)}).to_csv(folder / "points.csv", index=False)
    images, labels, _ = draw_garments(120, seed=1)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"photos/{'shoe' if label in (5, 7, 9) else 'other'}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.stack([image, image, 255 - image], axis=2)).resize((48, 48)).save(path)
    shutil.copytree(folder / "photos/shoe", folder / "my_photos")
    for name in ("shoe.jpg", "coat.png"):
        Image.fromarray(images[0]).save(folder / name)
    vectors = pd.DataFrame(generator.normal(size=(120, 8)), columns=list("abcdefgh"))
    vectors.assign(title=[f"row {i}" for i in range(120)]).to_parquet(folder / "vectors.parquet")
    save_weights(folder / WEIGHTS)


def save_weights(path: Path) -> None:
    """Save random weights, in place of those that torchvision downloads."""
    from stages.common.torchvision_import import torchvision

    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
