"""`dvc.yaml` declares what is true: each stage's code dependencies are its import closure inside `stages/`."""

import ast
import json
from pathlib import Path

import pytest
import yaml

from stages.common.colours import CLASS_COLOURS
from stages.common.settings import MAP_SECTIONS, SECTIONS
from tests.audit.declared import lines_to_change, paths

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]


def imported_modules(path: Path) -> set[Path]:
    """The modules of `stages/` that `path` imports anywhere in its text."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = (Path(*name.split(".")).with_suffix(".py") for name in names if name.split(".")[0] == "stages")
    return {file for file in files if file.is_file()}


def import_closure(path: Path) -> set[Path]:
    closure, waiting = set(), [path]
    while waiting:
        module = waiting.pop()
        if module not in closure:
            closure.add(module)
            waiting.extend(imported_modules(module))
    return closure


@pytest.mark.parametrize("stage", GRAPH)
def test_code_dependencies_are_the_import_closure(stage):
    assert GRAPH[stage]["cmd"] == f"python -m stages {stage}"
    declared = {dep for dep in GRAPH[stage]["deps"] if dep.endswith(".py")}
    entry = import_closure(Path("stages/__main__.py"))
    imported = {str(path) for path in entry | import_closure(Path(f"stages/{stage}.py"))}
    to_change = lines_to_change(stage, "deps", imported - declared, declared - imported)
    assert not to_change, to_change


def test_there_is_one_file_for_each_stage_and_one_params_section_at_most():
    assert sorted(GRAPH) == sorted(path.stem for path in Path("stages").glob("[a-z]*.py"))
    for stage in GRAPH.values():
        assert set(stage.get("params", [])) <= set(SECTIONS)


def test_the_page_runs_again_when_a_parameter_changes_that_it_lists():
    assert set(GRAPH["render_map_page"]["params"]) == {*MAP_SECTIONS, "map_page"}


def test_the_branches_share_no_stage():
    produced = {
        out: name for name, stage in GRAPH.items() for kind in ("outs", "metrics") for out in paths(stage.get(kind, []))
    }

    def ancestors(stage: str) -> set[str]:
        parents = {produced[dep] for dep in GRAPH[stage]["deps"] if dep in produced}
        return parents | {stage} | {name for parent in parents for name in ancestors(parent)}

    assert not ancestors("evaluate_regressor") & ancestors("render_map_page")


def test_every_out_is_one_file_made_by_the_stage():
    for stage in GRAPH.values():
        for out in paths(stage.get("outs", []) + stage.get("metrics", [])):
            assert Path(out).suffix, out


def test_packages_keep_to_their_direction():
    allowed = {
        "regression": {"regression", "pipeline"},
        "latents": {"latents", "pipeline"},
        "figures": {"figures", "pipeline"},
        "pipeline": {"pipeline"},
    }
    for package, permitted in allowed.items():
        for module in Path("stages", package).rglob("*.py"):
            assert {path.parts[1] for path in imported_modules(module)} <= permitted, module


def test_cached_machine_code_depends_on_its_own_file_alone():
    """Numba compiles a cached function again when its file changes, not when what it takes from another one does."""
    for module in Path("stages").rglob("*.py"):
        tree = ast.parse(module.read_text())
        taken = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module.startswith("stages")
            for alias in node.names
        }
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any("njit" in ast.unparse(d) for d in function.decorator_list):
                names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
                assert not names & taken, f"{module}: {function.name} takes {names & taken} from another module"


def test_figures_need_no_torch():
    for module in Path("stages/figures").rglob("*.py"):
        assert "torch" not in module.read_text(), module


def test_the_charts_classes_have_the_colours_of_the_pictures():
    template = json.loads(Path(".dvc/plots/map.json").read_text())
    assert tuple(template["spec"]["encoding"]["color"]["scale"]["range"]) == CLASS_COLOURS
