import pandas as pd

from experiments.tables import averaged, digest, put_into, resumed
from stages.common.settings import load_params


def test_rows_that_are_there_are_not_measured_again(tmp_path):
    path, calls = str(tmp_path / "rows.csv"), []

    def measure():
        calls.append(1)
        return [{"score": 0.5 + len(calls)}]

    assert resumed(path, "00000001", "a", 0, measure)["score"].tolist() == [1.5]
    assert resumed(path, "00000001", "a", 0, measure)["score"].tolist() == [1.5]
    assert resumed(path, "00000001", "a", 1, measure)["score"].tolist() == [2.5]
    assert resumed(path, "0000000f", "a", 0, measure)["score"].tolist() == [3.5]
    kept = pd.read_csv(path, dtype={"key": str})
    assert kept[["seed", "key", "score"]].to_numpy().tolist() == [[1, "00000001", 2.5], [0, "0000000f", 3.5]]


def test_a_key_follows_every_parameter():
    params = load_params("autoencoder")
    assert digest(params) == digest(load_params("autoencoder"))
    assert digest(params) != digest(params.model_copy(update={"seed": 1}))


def test_several_seeds_are_shown_with_their_spread():
    table = pd.DataFrame({"name": ["a", "b", "a"], "seed": [0, 0, 1], "score": [1.0, 3.0, 2.0]})
    shown = averaged(table, ["name"], {"score": 2})
    assert shown.to_numpy().tolist() == [["a", "1.50 ± 0.71"], ["b", "3.00"]]


def test_a_table_is_put_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- one -->\nold\n<!-- end -->\n<!-- two -->\nkept\n<!-- end -->\n")
    put_into(str(page), "one", pd.DataFrame({"name": ["a"], "score": ["1.5"]}))
    assert page.read_text() == (
        "before\n<!-- one -->\n| name | score |\n| --- | ---: |\n| a | 1.5 |\n<!-- end -->\n"
        "<!-- two -->\nkept\n<!-- end -->\n"
    )
