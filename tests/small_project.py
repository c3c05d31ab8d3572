"""A DVC project of two stages that take no time, with the settings, ignore files and folders of the real one."""

import shutil
from pathlib import Path

import yaml

from tests.conftest import ROOT, Clone

STAGES = {
    "load": {
        "cmd": "mkdir -p data && ls -R data/input/images > data/list.csv && cp params.yaml data/copy.npz",
        "params": ["curve"],
        "deps": ["data/input/images"],
        "outs": ["data/list.csv", "data/copy.npz"],
    },
    "evaluate": {
        "cmd": "mkdir -p plots && wc data/list.csv > plots/count.png && echo '{\"points\": 3}' > metrics/map.json",
        "deps": ["data/list.csv"],
        "params": ["tsne.seed"],
        "outs": ["plots/count.png"],
        "metrics": [{"metrics/map.json": {"cache": False}}],
    },
}


def make_small_project(folder: Path) -> Clone:
    """Create the project in `folder` as a git repository with one commit, and run it."""
    for name in (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in ("data/input/images", "data/input/points", "data/input/latents", "plots", "metrics"):
        (folder / name).mkdir(parents=True)
        (folder / name / ".gitkeep").touch()
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    project = Clone(folder)
    project.run("git", "init", "-q")
    project.repro()
    project.commit("first")
    return project
