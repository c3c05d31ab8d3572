"""Every setting of params.yaml is part of DVC's run-cache key of the stages that read it.

DVC leaves keys called `size` and `nfiles` out of that key: after a change of such a setting, DVC restores the outputs
of the old value and reports that all is up to date.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from dvc.stage.cache import _get_stage_hash

PARAMS = yaml.safe_load(Path("params.yaml").read_text())
DECLARED = {
    name: stage["params"]
    for name, stage in yaml.safe_load(Path("dvc.yaml").read_text())["stages"].items()
    if "params" in stage
}
SETTINGS = [
    f"{section}.{key}" if key else section
    for section, values in PARAMS.items()
    for key in (values if isinstance(values, dict) else [None])
]


@pytest.fixture(scope="module")
def run_cache_keys(tmp_path_factory) -> Callable[[dict], dict[str, str]]:
    """Return a function that takes settings and returns DVC's run-cache key of each of the stages."""
    folder = tmp_path_factory.mktemp("settings")
    Repo.init(str(folder), no_scm=True).close()
    (folder / "code").touch()
    stages = {
        name: {"cmd": "true", "deps": ["code"], "params": [{"params.json": params}], "outs": [f"{name}.out"]}
        for name, params in DECLARED.items()
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))

    def keys(params: dict) -> dict[str, str]:
        (folder / "params.json").write_text(json.dumps(params))  # which DVC reads much faster than YAML
        for stage in repo.index.stages:
            stage.save_deps()
        return {stage.name: _get_stage_hash(stage) for stage in repo.index.stages}

    with Repo(str(folder)) as repo:
        yield keys


@pytest.fixture(scope="module")
def keys_before(run_cache_keys) -> dict[str, str]:
    return run_cache_keys(PARAMS)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_changed_setting_changes_the_run_cache_key_of_the_stages_that_read_it(run_cache_keys, keys_before, setting):
    section, _, key = setting.partition(".")
    changed = PARAMS | {section: PARAMS[section] | {key: "changed"} if key else "changed"}
    keys = run_cache_keys(changed)
    readers = {name for name, params in DECLARED.items() if section in params or setting in params}
    assert readers
    assert {name for name, key in keys.items() if key != keys_before[name]} == readers


@pytest.mark.parametrize("name", ["size", "nfiles"])
def test_names_that_dvc_leaves_out_of_the_key_are_recognised(run_cache_keys, name):
    section = next(iter(PARAMS))
    keys = [run_cache_keys(PARAMS | {section: PARAMS[section] | {name: value}}) for value in (28, 64)]
    assert keys[0] == keys[1], "DVC no longer leaves out this name: the rule in the docstring can go"
