"""An edit while a stage runs: DVC's lock claims that it was used, and the stage's own record says otherwise."""

import subprocess

import pytest

from commands.provenance import edited_during_run
from stages.common.errors import InputError

CODE = "stages/regression/training.py"


def repro_with_an_edit(clone, stage: str, edit) -> str:
    """Run `stage`, call `edit` once its progress bar is there, and return what was printed."""
    process = subprocess.Popen(
        ["dvc", "repro", stage], cwd=clone.folder, env=clone.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    printed = b""
    while b"0%" not in printed:
        more = process.stderr.read1()
        assert more, f"it ended before its progress was shown: {printed}"
        printed += more
    edit()
    printed += process.stderr.read()
    assert process.wait() == 0, printed
    return printed.decode()


def test_an_edit_of_code_and_parameters_during_a_run_is_found_and_repaired(pipeline, tmp_path):
    clone = pipeline.copy(tmp_path)
    folder = clone.folder
    assert edited_during_run(folder) == []
    params, code = (folder / "params.yaml").read_text(), (folder / CODE).read_text()
    clone.set({"regressor": {"seed": 9, "members": 1}})

    def edit():
        (folder / CODE).write_text(code + "# what the run did not use\n")
        clone.set({"regressor": {"hidden_layers": [7]}})

    printed = repro_with_an_edit(clone, "train_regressor", edit)
    assert "fitmap: code, parameters or inputs of train_regressor were edited while it ran" in printed
    findings = edited_during_run(folder)
    assert [finding.path for finding in findings] == ["data/regressor.safetensors", "data/regressor_history.csv"]
    for finding in findings:
        assert f"{CODE}, params.yaml:regressor.hidden_layers was edited while train_regressor ran" in finding.problem
    clone.run("sh", "-c", findings[0].repair.split("&&")[0])
    assert edited_during_run(folder) == []

    (folder / "params.yaml").write_text(params)
    (folder / CODE).write_text(code)
    clone.repro("train_regressor")
    assert edited_during_run(folder) == []
    assert clone.run("git", "status", "--porcelain") == ""


def test_a_damaged_record_or_lock_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"dvc\.lock is missing"):
        edited_during_run(tmp_path)
    (tmp_path / "dvc.lock").write_text("stages:\n  a:\n    cmd: x\n    outs:\n    - path: b\n      md5: c\n")
    assert edited_during_run(tmp_path) == [], "no record, nothing to say"
    (tmp_path / "data/made_from").mkdir(parents=True)
    (tmp_path / "data/made_from/a.json").write_text("{")
    with pytest.raises(InputError, match="is damaged: `dvc checkout --force"):
        edited_during_run(tmp_path)
    (tmp_path / "dvc.lock").write_text("[")
    with pytest.raises(InputError, match="is damaged"):
        edited_during_run(tmp_path)


def test_a_stage_that_is_none_is_one_line(pipeline):
    printed = pipeline.run("python", "-m", "stages", "train_regresor", fails=True)
    assert printed.startswith("fitmap: dvc.yaml: `train_regresor` is no stage; known are generate_curve, ")
    assert printed.count("\n") == 1
    assert pipeline.run("python", "-m", "stages", fails=True).startswith("fitmap: name one stage")
