"""The READMEs name files, commands, options and settings that exist."""

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from dvc.cli import DvcParserError
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides
from typer.testing import CliRunner

from commands.fitmap import app
from stages.common.settings import load_params
from tests.commands_in_docs import commands

FOLDERS = "stages|tests|data|metrics|plots|docs|experiments|benchmarks"
READMES = [Path("README.md"), Path("README.ko.md")]
PAGES = [*READMES, *sorted(Path("docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_linked_files_and_named_modules_exist(page):
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text):
        assert link.startswith("https://") or (page.parent / link).exists(), link
    for module in re.findall(r"python -m ((?:stages|experiments|benchmarks|commands)[\w.]*)", text):
        assert Path(*module.split(".")).with_suffix(".py").exists(), module


@pytest.mark.parametrize("readme", READMES, ids=str)
def test_named_files_exist(readme):
    made = {out for stage in yaml.safe_load(Path("dvc.yaml").read_text())["stages"].values() for out in _outs(stage)}
    for name in re.findall(rf"`((?:{FOLDERS})/[^`*]*)`", readme.read_text()):
        assert name in made or Path(name).exists(), name


def _outs(stage: dict) -> list[str]:
    entries = stage.get("outs", []) + stage.get("metrics", [])
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


@pytest.mark.parametrize("readme", READMES, ids=str)
def test_make_targets_exist(readme):
    targets = set(re.findall(r"^([a-z-]+):.*##", Path("Makefile").read_text(), flags=re.MULTILINE))
    named = re.findall(r"\bmake ([a-z-]+)", readme.read_text())
    assert {"run", "test"} <= set(named) <= targets


@pytest.mark.parametrize("readme", READMES, ids=str)
def test_parameters_set_by_commands_are_taken(readme, tmp_path):
    experiments = [shlex.split(command) for command in commands(readme) if command.startswith("dvc exp run")]
    assert len(experiments) >= 5
    for words in experiments:
        path = tmp_path / "params.yaml"
        shutil.copy("params.yaml", path)
        apply_overrides(path, [value for option, value in pairwise(words) if option == "-S"])
        load_params("curve", str(path))
        assert yaml.safe_load(path.read_text()) != yaml.safe_load(Path("params.yaml").read_text()), words


@pytest.mark.parametrize("readme", READMES, ids=str)
def test_dvc_commands_and_their_options_exist(readme):
    asked = [shlex.split(command) for command in commands(readme) if command.startswith("dvc")]
    assert len(asked) >= 12
    for words in asked:
        assert get_main_parser().parse_args(words[1:]).func, words  # raises what `dvc` would say of a wrong option


def test_a_dvc_option_that_is_none_would_be_found():
    for words in (["repro", "--pulled"], ["exp", "run", "--set-parm", "a=1"], ["metric", "show"]):
        with pytest.raises(DvcParserError):
            get_main_parser().parse_args(words)


@pytest.mark.parametrize("page", [*READMES, Path("docs/claims.md")], ids=str)
def test_fitmap_commands_and_their_options_exist(page):
    asked = [shlex.split(command) for command in commands(page) if command.startswith("fitmap")]
    assert asked
    for words in asked:
        shown = CliRunner().invoke(app, [words[1], "--help"])
        assert shown.exit_code == 0, words
        for option in (word for word in words if word.startswith("--")):
            assert f"{option} " in shown.stdout, words


def test_both_languages_show_the_same_commands_and_pictures():
    english, korean = READMES
    assert commands(english) == commands(korean)
    pictures = [re.findall(r'src="([^"]+)"', readme.read_text()) for readme in READMES]
    assert pictures[0] == pictures[1]
