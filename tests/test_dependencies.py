"""`dvc.yaml` declares what is true: what each stage opens, writes and reads of params.yaml is what it declares.

The tiny pipeline's first run is audited. That the check bites is shown by faults put into copies of a stage.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.audit.declared import auditing, faults, seen_by_audit

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]


def run_audited(folder: Path, environment: dict, stage: str) -> str:
    """Run `stage` in `folder`, whether or not it succeeds, and return what is wrong with its entry in dvc.yaml."""
    log = folder.parent / "audit"
    (log / stage).unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-m", "stages", stage], cwd=folder, env=auditing(environment, log), capture_output=True
    )
    declared = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"][stage]
    return faults(stage, declared, seen_by_audit(log / stage, folder))


@pytest.fixture
def copy(pipeline, tmp_path) -> Path:
    """The project's files and artifacts, to change and run stages in without DVC."""
    left_out = shutil.ignore_patterns(".git", ".dvc", "docs", "benchmarks", "experiments", "tests")
    return shutil.copytree(pipeline.folder, tmp_path / "fitmap", ignore=left_out)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("stage", GRAPH)
def test_a_stage_does_what_it_declares(pipeline, stage, count):
    wrong = faults(stage, GRAPH[stage], pipeline.seen(stage))
    assert not wrong, wrong
    count("stages audited")


IN_MAIN = {
    "a hidden read": ("open('README.md').read()", "deps:\n+     - README.md"),
    "a hidden read by descriptor": ("__import__('os').open('README.md', 0)", "deps:\n+     - README.md"),
    "a file that is looked for in vain": (
        "__import__('contextlib').suppress(OSError).__enter__(); open('settings.ini')",
        "deps:\n+     - settings.ini",
    ),
    "a hidden look into a folder": ("__import__('os').listdir('plots')", "deps:\n+     - plots"),
    "a hidden import": ("__import__('stages.common.progress')", "deps:\n+     - stages/pipeline/progress.py"),
    "an undeclared parameter": ("load_params('figures')", "params:\n+     - figures"),
    "parameters read behind the schema's back": ("open('params.yaml').read()", "deps:\n+     - params.yaml"),
    "a second write": ("open('data/more.csv', 'w')", "outs:\n+     - data/more.csv"),
    "a written log": ("open('log.txt', 'a')", "outs:\n+     - log.txt"),
    "a process": ("__import__('subprocess').run(['cat', 'README.md'])", "no stage may do: subprocess.Popen ('cat'"),
    "a fork": ("__import__('os').fork()", "no stage may do: os.fork"),
    "a connection": (
        "__import__('socket').socket().connect_ex(('127.0.0.1', 9))",
        "no stage may do: socket.connect",
    ),
}
IN_DVC_YAML = {
    "a parameter that is not read": ("params: [curve]", "params: [curve, tsne]", "params:\n-     - tsne"),
    "an out that is not written": (
        "- data/curve.csv",
        "- data/curve.csv\n      - data/b.csv",
        "outs:\n-     - data/b.csv",
    ),
    "a dependency left out": (
        "      - stages/regression/points.py\n",
        "",
        "deps:\n+     - stages/regression/points.py",
    ),
}


@pytest.mark.parametrize("fault", IN_MAIN)
def test_a_fault_in_the_code_is_caught(copy, pipeline, fault, count):
    statement, told = IN_MAIN[fault]
    replace(copy / "stages/generate_curve.py", "def main() -> None:\n", f"def main() -> None:\n    {statement}\n")
    assert told in run_audited(copy, pipeline.environment, "generate_curve")
    count("mutations caught")


@pytest.mark.parametrize("fault", IN_DVC_YAML)
def test_a_fault_in_the_graph_is_caught(copy, pipeline, fault, count):
    old, new, told = IN_DVC_YAML[fault]
    replace(copy / "dvc.yaml", old, new)
    assert told in run_audited(copy, pipeline.environment, "generate_curve")
    count("mutations caught")


@pytest.mark.full
@pytest.mark.parametrize("stage", GRAPH)
def test_faults_in_any_stage_are_caught(copy, pipeline, stage, count):
    faulty = "open('README.md').read(); open('data/more.csv', 'w'); load_params('{}')"
    section = next(name for name in ("curve", "tsne") if name not in GRAPH[stage].get("params", []))
    replace(
        copy / f"stages/{stage}.py",
        "def main() -> None:\n",
        f"def main() -> None:\n    from stages.common.settings import load_params\n\n    {faulty.format(section)}\n",
    )
    told = run_audited(copy, pipeline.environment, stage)
    for line in ("deps:\n+     - README.md", "outs:\n+     - data/more.csv", f"params:\n+     - {section}"):
        assert line in told
        count("mutations caught")
