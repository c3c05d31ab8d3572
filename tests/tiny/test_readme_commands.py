"""Every command of the README runs, one after the other, in a clone of the tiny pipeline."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.commands_in_docs import commands
from tests.tiny.own_data import write_photographs, write_points, write_songs

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
        # Status 1: something changed, or was found, such as data that nobody has added to DVC.
        if command.startswith(("fitmap compare", "fitmap review", "fitmap verify")):
            command = f"{command} || test $? = 1"
        project.run("bash", "-ec", command)
    assert (project.folder / "encoder.onnx").exists()
    assert (project.folder / "new.html").exists()
    assert "vectors" in (project.folder / "params.yaml").read_text()


def bring_inputs(folder: Path) -> None:
    """Put the files that the README speaks of into the project: points, photographs, vectors, and new images."""
    write_points(folder / "points.csv")
    write_photographs(folder / "photos", n=120)
    shutil.copytree(folder / "photos/shoes", folder / "my_photos")
    for name in ("shoe.jpg", "coat.png"):
        Image.new("L", (28, 28)).save(folder / name)
    write_songs(folder / "vectors.parquet")
    save_weights(folder / WEIGHTS)


def save_weights(path: Path) -> None:
    """Save random weights, in place of those that torchvision downloads."""
    from stages.common.torchvision_import import torchvision

    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
