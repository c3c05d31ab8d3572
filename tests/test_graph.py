"""`dvc.yaml` declares what is true: the rooms that a stage imports, the files it names and the settings it reads."""

import ast
import re
from pathlib import Path

import pytest
import yaml

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
FIGURES_OF = {"render_figures": r"plots/[a-z_]+\.png"}  # outs whose names the script builds
MODULES = sorted(Path("stages").rglob("*.py"))


def script(stage: str) -> Path:
    """Return the stage's script, as its command names it."""
    return Path(*GRAPH[stage]["cmd"].removeprefix("python -m ").split(".")).with_suffix(".py")


def paths(entries: list) -> set[str]:
    """Return the paths of deps or outs, each given as a path or as `path: options`."""
    return {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}


def outs(stage: str) -> set[str]:
    return paths(GRAPH[stage].get("outs", []) + GRAPH[stage].get("metrics", []))


def imported_modules(path: Path) -> set[Path]:
    """Return the modules of `stages/` that `path` imports, anywhere in its text."""
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
def test_what_a_stage_imports_lies_in_the_rooms_it_declares(stage):
    rooms = {f"stages/{module.parts[1]}" for module in import_closure(script(stage))}
    assert rooms == {dep for dep in paths(GRAPH[stage]["deps"]) if dep.startswith("stages/")}


@pytest.mark.parametrize("stage", GRAPH)
def test_the_files_a_stage_names_are_its_dependencies_and_outputs(stage):
    code = script(stage).read_text()
    named = set(re.findall(r'"((?:data|metrics|plots)/[\w./]+\.\w+)"', code))
    named |= {"data/samples.parquet"} if re.search(r"\b(read|write)_samples\(", code) else set()
    declared = {dep for dep in paths(GRAPH[stage]["deps"]) if not dep.startswith(("stages/", "data/input"))}
    built = {out for out in outs(stage) if re.fullmatch(FIGURES_OF.get(stage, "none"), out)}
    assert named == (declared | outs(stage)) - built


@pytest.mark.parametrize("stage", GRAPH)
def test_the_settings_a_stage_reads_are_declared(stage):
    code = script(stage).read_text()
    read = set(re.findall(r'load_params\("([\w.]+)"\)', code))
    if "map_params(" in code:
        read |= {"images", "autoencoder", "latents", "tsne"}
    declared = set(GRAPH[stage].get("params", []))
    assert {name for name in read if name not in declared and name.split(".")[0] not in declared} == set()
    assert {name for name in declared if name not in read and name.split(".")[0] not in read} == set()


def test_every_stage_has_a_script_in_a_room_and_every_script_a_stage():
    scripts = {module for module in MODULES if re.search(r"^    run\((on_cluster\()?main", module.read_text(), re.M)}
    assert scripts == {script(stage) for stage in GRAPH}


def test_nothing_imports_a_stage_script():
    scripts = {script(stage) for stage in GRAPH}
    for module in [*MODULES, *Path("commands").rglob("*.py")]:
        assert not imported_modules(module) & scripts, module


def test_rooms_import_in_one_direction():
    allowed = {
        "common": set(),
        "cluster": {"common"},
        "curve": {"common"},
        "regressor": {"common", "curve"},
        "images": {"common"},
        "autoencoder": {"common", "cluster", "images"},
        "latents": {"common", "cluster", "images", "autoencoder", "tsne"},
        "tsne": {"common"},
        "scores": {"common", "regressor", "tsne"},
        "figures": {"common"},
        "page": {"common", "tsne"},
        "curve_page": {"common", "curve", "page", "regressor", "scores"},
    }
    scripts = {script(stage) for stage in GRAPH}
    for module in MODULES:
        if module not in scripts:
            room = module.parts[1]
            assert {path.parts[1] for path in imported_modules(module)} <= allowed[room] | {room}, module


def test_every_out_is_one_file():
    for stage in GRAPH:
        assert all(Path(out).suffix for out in outs(stage)), stage


def test_compiled_functions_call_only_functions_of_their_own_file():
    """Numba compiles a cached function again when its own file changes, not when a file that it imports changes."""
    for module in MODULES:
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
