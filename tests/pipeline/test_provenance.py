from pathlib import Path

import pytest
from dvc.repo import Repo

from stages.common.errors import InputError
from stages.pipeline.provenance import made_from, md5


def hash_of_dvc(path: str) -> str:
    stage = Repo.init(no_scm=True).stage.create(name="any", cmd="true", deps=[path])
    stage.save_deps()
    return stage.deps[0].hash_info.value


def test_a_folder_has_the_hash_that_dvc_gives_it(tmp_path, monkeypatch):
    ignored = Path(".dvcignore").read_bytes()
    monkeypatch.chdir(tmp_path)
    Path(".dvcignore").write_bytes(ignored)
    for name in ["b/ä_ü", "b/a", "a_b/z", "a.b", "a/c", "a-b", "__pycache__/x.pyc", "a/__pycache__/y", "A", "z.pyc"]:
        Path("inputs", name).parent.mkdir(parents=True, exist_ok=True)
        Path("inputs", name).write_text(name)
    Path("inputs/link").symlink_to("b")
    Path("inputs/link.txt").symlink_to("A")
    assert md5("inputs") == hash_of_dvc("inputs")


def test_a_file_has_the_hash_that_dvc_gives_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_bytes(b"one\r\ntwo\r\n")
    assert md5("lines.txt") == hash_of_dvc("lines.txt")


def test_what_a_stage_is_made_from_are_its_dependencies_and_sections(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text("stages: {one: {cmd: x, deps: [a], params: [curve]}}")
    Path("params.yaml").write_text("curve: {x_min: 1e-3}\nregressor: {}\n")
    with pytest.raises(InputError, match="a cannot be read"):
        made_from("one")
    Path("a").write_bytes(b"")
    assert made_from("one") == {
        "deps": {"a": "d41d8cd98f00b204e9800998ecf8427e"},
        "params": {"curve": {"x_min": 0.001}},
    }
