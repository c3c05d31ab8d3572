from pathlib import Path

import pytest
import yaml

from stages.common.errors import InputError
from stages.common.settings import SECTIONS, check_section, load_params

VALUES = yaml.safe_load(Path("params.yaml").read_text())


def test_the_committed_file_is_valid_and_every_value_has_its_line():
    for section in SECTIONS:
        load_params(section)
    lines = Path("params.yaml").read_text().splitlines()
    for section, schema in SECTIONS.items():
        for key in getattr(schema, "model_fields", ()):
            assert any(line.startswith(f"  {key}: ") for line in lines), f"{section}.{key}"


def test_an_int_is_accepted_for_a_float():
    assert check_section("curve", {**VALUES["curve"], "noise_std": 5}).noise_std == 5.0


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("curve", {"noise_std": -1}, "curve.noise_std = -1: input should be greater than or equal to 0"),
        ("curve", {"noise_std": "30"}, "curve.noise_std = '30': input should be a valid number"),
        ("curve", {"noise_std": float("nan")}, "curve.noise_std"),
        ("curve", {"samples": 2.5}, "curve.samples = 2.5: input should be a valid integer"),
        ("curve", {"samples": True}, "curve.samples = True"),
        ("curve", {"nois_std": 1}, "curve.nois_std is not a setting; did you mean noise_std?"),
        ("curve", {"x_min": 10}, r"x_min \(10\) must be less than x_max \(10\)"),
        ("regressor", {"activation": "gelu"}, "regressor.activation = 'gelu': input should be 'leaky_relu'"),
        ("regressor", {"hidden_layers": [8, 0]}, r"regressor.hidden_layers.1 = 0"),
        ("autoencoder", {"epochs": 0}, "autoencoder.epochs = 0: must be auto or 1 to 1000000"),
        ("autoencoder", {"channels": 0}, "autoencoder.channels = 0"),
        ("images", {"pixels": 32}, "set pixels to auto"),
        ("tsne", {"engine": "opentsne"}, "tsne.engine = 'opentsne': input should be 'fitmap' or 'sklearn'"),
        ("tsne", {"n_components": 4}, "tsne.n_components = 4"),
        ("page", {"columns": ["name", 3]}, r"page.columns = \['name', 3\]: must be all or a list of column names"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_would_be_right(section, change, message):
    with pytest.raises(InputError, match=message) as caught:
        check_section(section, {**VALUES[section], **change})
    assert str(caught.value).startswith("params.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_missing_value_is_named():
    values = {key: value for key, value in VALUES["tsne"].items() if key != "perplexity"}
    with pytest.raises(InputError, match=r"tsne\.perplexity is missing"):
        check_section("tsne", values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold sections"),
        ("- a\n- b\n", "must hold sections"),
        ("curve: [", "not valid YAML"),
        ("curve: {a: 1, a: 2}", "duplicate key"),
        ("curve: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("kurve: {}", "`kurve` is not a section; did you mean curve"),
        ("curve: 3", "section `curve` must hold"),
        ("tsne: {}", "section `curve` is missing"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_params("curve", str(path))


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(InputError, match="run from the project's folder"):
        load_params("curve", str(tmp_path / "params.yaml"))


def test_numbers_in_exponent_form_are_numbers(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(Path("params.yaml").read_text().replace("learning_rate: 0.05 ", "learning_rate: 1e-3 "))
    assert load_params("regressor", str(path)).learning_rate == 0.001


def test_a_mistake_in_any_section_shows_in_the_first_stage_that_runs(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({**VALUES, "tsne": {**VALUES["tsne"], "perplexty": 30}}))
    with pytest.raises(InputError, match=r"tsne\.perplexty is not a setting; did you mean perplexity\?"):
        load_params("curve", str(path))
