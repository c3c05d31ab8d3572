import numpy as np
import pandas as pd
import pytest

from stages.common import artifacts
from stages.common.errors import InputError


def test_csv_floats_come_back_to_the_bit(tmp_path):
    table = pd.DataFrame({"a": np.random.default_rng(0).normal(size=100) ** 9, "b": "text"})
    path = str(tmp_path / "t.csv")
    artifacts.write_csv(path, table)
    assert artifacts.read_csv(path).equals(table)


def test_arrays_and_weights_come_back_and_give_the_same_bytes_twice(tmp_path):
    arrays = {"images": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "names": np.array(["a", "b"])}
    state = {f"layer{i}": np.random.default_rng(i).normal(size=(3, 4)).astype(np.float32) for i in range(9)}
    architecture = {f"key{i}": [i, None, "π"] for i in range(9)}
    contents = []
    for name in ("one", "two"):
        artifacts.write_arrays(str(tmp_path / f"{name}.npz"), **arrays)
        artifacts.write_weights(str(tmp_path / f"{name}.safetensors"), architecture, state)
        contents.append([(tmp_path / f"{name}{suffix}").read_bytes() for suffix in (".npz", ".safetensors")])
    assert contents[0] == contents[1]
    for name, array in artifacts.read_arrays(str(tmp_path / "one.npz")).items():
        np.testing.assert_array_equal(array, arrays[name])
    read_architecture, read_state = artifacts.read_weights(str(tmp_path / "one.safetensors"))
    assert read_architecture == architecture
    assert all(np.array_equal(read_state[name], state[name]) for name in state)


def test_a_failed_write_keeps_the_old_artifact(tmp_path):
    path = tmp_path / "m.json"
    artifacts.write_json(str(path), {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        artifacts.write_json(str(path), {"a": float("nan")})
    with pytest.raises(TypeError):
        artifacts.write_bytes(str(path), "no bytes")
    assert artifacts.read_json(str(path)) == {"a": 1}


def test_an_unwritable_place_is_a_one_line_error(tmp_path):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match=r"folder\.json cannot be written"):
        artifacts.write_json(str(tmp_path / "folder.json"), {})


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.npz", "a.safetensors"])
def test_missing_and_damaged_artifacts_are_named(tmp_path, name):
    path = tmp_path / name
    read = {
        ".csv": artifacts.read_csv,
        ".json": artifacts.read_json,
        ".npz": artifacts.read_arrays,
        ".safetensors": artifacts.read_weights,
    }[path.suffix]
    with pytest.raises(InputError, match=f"{name} is missing"):
        read(str(path))
    path.write_bytes(b"" if path.suffix == ".csv" else b"\xff\x00garbage")
    with pytest.raises(InputError, match=f"{name} is damaged"):
        read(str(path))


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, a=np.array([{"code": 1}], dtype=object))
    with pytest.raises(InputError, match="damaged"):
        artifacts.read_arrays(str(path))
