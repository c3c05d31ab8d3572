"""Tables of vectors as people have them: what is the vector, what the class, and what is kept beside."""

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from PIL import Image

from stages.common.errors import InputError
from stages.common.samples_table import classes_of, columns_of, is_train, labels_of, read_samples, write_samples
from stages.common.settings import load_params
from stages.images.source_vectors import vector_latents, vector_samples

PARAMS = load_params("latents")
VECTORS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
TABLE = pd.DataFrame(VECTORS, columns=list("abcd"))
LABELS = np.array(["cat", "dog", "eel"])[np.arange(60) % 3]
PICTURES = np.arange(60, dtype=np.uint8)[:, None, None] * np.ones((1, 5, 6), np.uint8)


def write(path, table, **options):
    table.to_csv(path, index=False, **options)
    return path


def read(path, **changes):
    """Return samples, arrays of `data/images.npz` and of `data/latents.npz`."""
    params = PARAMS.model_copy(update={"source": str(path), **changes})
    samples, arrays = vector_samples(params, load_params("images"))
    latents = vector_latents(params)
    assert len(samples) == len(latents["latents"])
    assert samples["split"].is_monotonic_increasing
    return samples, arrays, latents


def row_of(latents) -> np.ndarray:
    """Return which row of `VECTORS` each latent is."""
    return np.array([np.flatnonzero((VECTORS == latent).all(axis=1))[0] for latent in latents["latents"]])


def test_every_row_stays_together_in_every_format(tmp_path):
    rows = pd.DataFrame({"label": LABELS, "name": [f"n{i}" for i in range(60)], "note": ["x y"] * 60})
    (pd.concat([TABLE, rows], axis=1)).to_csv(tmp_path / "a.csv", index=False)
    (pd.concat([TABLE, rows], axis=1)).to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    (pd.concat([TABLE, rows], axis=1)).to_parquet(tmp_path / "a.parquet")
    rows.assign(vector=list(VECTORS)).to_parquet(tmp_path / "lists.parquet")
    rows.assign(vector=VECTORS.tolist()).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    named = {name: rows[name].to_numpy(dtype=str) for name in ("name", "note")}
    np.savez(tmp_path / "a.npz", latents=VECTORS, labels=LABELS, **named)
    seen = []
    for name in ("a.csv", "a.tsv", "a.parquet", "lists.parquet", "a.jsonl", "a.npz"):
        samples, arrays, latents = read(tmp_path / name)
        assert arrays["images"].shape == (0, 1, 1)
        assert is_train(samples).sum() == 48
        assert latents["latents"].dtype == np.float32
        row = row_of(latents) if "jsonl" not in name else seen[0]
        np.testing.assert_allclose(latents["latents"], VECTORS[row], atol=1e-6)
        assert list(samples["label"]) == list(LABELS[row])
        assert list(samples["file_name"]) == list(samples["name"]) == [f"n{i}" for i in row]
        assert set(columns_of(samples)) == {"name", "note"}
        seen.append(row)
        assert (row == seen[0]).all(), "the order depends on the seed alone"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_vectors_alone_of_any_type(tmp_path, dtype):
    values = (VECTORS * 100).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    safetensors.numpy.save_file({"embeddings": values}, tmp_path / "a.safetensors")
    pd.DataFrame(values, columns=list("abcd")).to_parquet(tmp_path / "a.parquet")
    for name in ("a.npy", "a.safetensors", "a.parquet"):
        samples, _, latents = read(tmp_path / name)
        assert (labels_of(samples) == -1).all()
        assert samples["file_name"].str.fullmatch(r"row \d+").all()
        first = int(samples["file_name"][0].split()[1]) - 1
        np.testing.assert_array_equal(latents["latents"][0], values[first].astype(np.float32))


def test_an_index_is_no_dimension(tmp_path, capsys):
    TABLE.assign(label=LABELS).to_csv(tmp_path / "unnamed.csv")
    write(tmp_path / "counted.csv", TABLE.assign(number=range(60), id=np.arange(60)[::-1] * 7))
    TABLE.set_index(pd.Index(range(60), name="row")).to_parquet(tmp_path / "index.parquet")
    TABLE.set_index(pd.Index([f"word {i}" for i in range(60)])).to_parquet(tmp_path / "words.parquet")
    assert read(tmp_path / "unnamed.csv")[2]["latents"].shape == (60, 4)
    assert "a column of numbers without a name is taken for an index" in capsys.readouterr().out
    samples, _, latents = read(tmp_path / "counted.csv")
    assert list(latents["vector_columns"]) == list("abcd")
    assert set(columns_of(samples)) == {"number", "id"}
    printed = capsys.readouterr().out
    assert "column `number` counts the rows" in printed
    assert "column `id` is not a dimension by its name" in printed
    assert read(tmp_path / "index.parquet")[2]["latents"].shape == (60, 4)
    samples, _, latents = read(tmp_path / "words.parquet")
    assert list(samples["file_name"]) == [f"word {i}" for i in row_of(latents)]


@pytest.mark.parametrize("name", ["class", "Class", "target", "labels", "y"])
def test_a_column_of_classes_by_another_name_is_recognised_and_reported(tmp_path, capsys, name):
    samples, _, latents = read(write(tmp_path / "a.csv", TABLE.assign(**{name: np.arange(60) % 5})))
    assert latents["latents"].shape == (60, 4)
    assert classes_of(samples) == list("01234")
    assert f"column `{name}` is taken for the class" in capsys.readouterr().out


def test_coordinates_and_targets_are_no_classes(tmp_path, capsys):
    samples, _, latents = read(write(tmp_path / "a.csv", TABLE.rename(columns={"a": "x", "b": "y"})))
    assert latents["latents"].shape == (60, 4)
    samples, _, latents = read(write(tmp_path / "b.csv", TABLE.assign(target=np.linspace(0, 1, 60))))
    assert latents["latents"].shape == (60, 4)
    assert classes_of(samples) == []
    assert "target" in samples
    assert "column `target` is not a dimension by its name" in capsys.readouterr().out


def test_classes_keep_their_text_and_numbers_sort_by_number(tmp_path):
    names = np.array(["None", "NA", "null", "crack", ""])[np.arange(60) % 5]
    samples, _, _ = read(write(tmp_path / "a.csv", TABLE.assign(label=names)))
    assert classes_of(samples) == ["NA", "None", "crack", "null"]
    assert (labels_of(samples) == -1).sum() == 12
    codes = np.array(["01", "1", "10", "9"])[np.arange(60) % 4]
    assert classes_of(read(write(tmp_path / "a.csv", TABLE.assign(label=codes)))[0]) == ["01", "1", "9", "10"]
    np.savez(tmp_path / "a.npz", latents=VECTORS, labels=np.where(np.arange(60) % 2, 10.0, np.nan))
    assert classes_of(read(tmp_path / "a.npz")[0]) == ["10"]


def test_a_file_without_a_header_keeps_its_first_row(tmp_path, capsys):
    samples, _, latents = read(write(tmp_path / "a.csv", TABLE.assign(label=LABELS), header=False))
    assert latents["latents"].shape == (60, 4)
    assert classes_of(samples) == ["cat", "dog", "eel"]
    printed = capsys.readouterr().out
    assert "has no header" in printed
    assert "`column 5` is taken for the class, as it alone holds text" in printed
    assert read(write(tmp_path / "a.csv", TABLE, header=False))[2]["latents"].shape == (60, 4)
    assert read(write(tmp_path / "a.csv", pd.DataFrame(VECTORS)))[2]["latents"].shape == (60, 4), "0,1,2,3 is a header"


def test_lists_written_as_text_are_the_vector(tmp_path):
    rows = pd.DataFrame(
        {"text": [f"row {i}" for i in range(60)], "embedding": [str(list(v)) for v in VECTORS.tolist()]}
    )
    samples, _, latents = read(write(tmp_path / "a.csv", rows.assign(n=3)))
    assert latents["latents"].shape == (60, 4)
    assert set(columns_of(samples)) == {"text", "n"}
    number = int(samples["text"][0].split()[1])
    assert samples["file_name"][0] == f"row {number + 1}: row {number}"


def test_a_row_without_a_name_is_named_by_its_number_and_the_beginning_of_its_text(tmp_path):
    texts = [f"Delivery {i}\nwas  late. " * 9 if i else None for i in range(60)]
    samples, _, _ = read(write(tmp_path / "a.csv", TABLE.assign(review=texts)))
    assert samples["file_name"].is_unique
    assert samples["file_name"].str.len().max() <= 60
    assert {"row 1", "row 6: Delivery 5 was late. Delivery 5 was late. Deliver…"} <= set(samples["file_name"])


def test_a_column_of_few_integers_may_be_the_class(tmp_path, capsys):
    read(write(tmp_path / "a.csv", TABLE.assign(species=np.arange(60) % 3)))
    assert "1 columns (species) of few integers are dimensions; if one is the class" in capsys.readouterr().out


def test_columns_beside_the_vector_keep_their_types(tmp_path, monkeypatch):
    others = pd.DataFrame(
        {
            "when": ["2024-05-06T07:08:09Z", "2024-05-07T07:08:09Z"] * 30,
            "genre": ["jazz", "folk"] * 30,
            "title": [f"a title, “{i}”" for i in range(60)],
            "code": ["01", "02"] * 30,
            "split": ["train"] * 40 + ["validation"] * 20,
        }
    )
    samples = read(write(tmp_path / "a.csv", pd.concat([others, TABLE], axis=1)))[0]
    monkeypatch.chdir(tmp_path)
    assert is_train(samples).sum() == 40
    assert [kind.name for kind in columns_of(samples).dtypes] == ["datetime64[us]", "category", "str", "category"]
    assert samples["file_name"].equals(samples["title"].rename("file_name"))
    write_samples(samples)
    pd.testing.assert_frame_equal(read_samples().drop(columns="label"), samples.drop(columns="label"))


def test_ten_rows_are_all_on_the_map_and_bytes_are_ignored(tmp_path, capsys):
    table = TABLE[:10].assign(label=pd.Categorical(LABELS[:10]), image=[{"bytes": b"x", "path": None}] * 10)
    table.to_parquet(tmp_path / "a.parquet")
    samples = read(tmp_path / "a.parquet")[0]
    assert is_train(samples).all()
    assert classes_of(samples) == ["cat", "dog", "eel"]
    assert "column `image` holds bytes and is ignored" in capsys.readouterr().out


def test_an_unknown_split_is_named(tmp_path):
    with pytest.raises(InputError, match="column `split` holds 'half'"):
        read(write(tmp_path / "b.csv", TABLE.assign(split="half")))


def test_named_columns_are_the_vector(tmp_path):
    path = write(tmp_path / "a.csv", TABLE.assign(id=range(60)))
    samples, _, latents = read(path, columns=["b", "id"])
    assert list(latents["vector_columns"]) == ["b", "id"]
    assert set(columns_of(samples)) == {"a", "c", "d"}
    with pytest.raises(InputError, match=r"latents\.columns names 'z', which .*a\.csv has not; found: a, b"):
        read(path, columns=["z"])
    np.savez(tmp_path / "a.npz", first=VECTORS, second=VECTORS * 2)
    assert read(tmp_path / "a.npz", columns=["second"])[2]["latents"].shape == (60, 4)


def test_scales(tmp_path, capsys):
    shifted = VECTORS * np.float32([1, 1000, 1, 1]) + 5
    path = write(tmp_path / "a.csv", pd.DataFrame(shifted, columns=list("abcd")).assign(same=7))
    samples, _, latents = read(path)
    printed = capsys.readouterr().out
    assert "1 columns (same) are the same in every row and left out" in printed
    assert "scales differ by a factor of" in printed
    assert "set latents.scale in params.yaml to standard" in printed
    train = is_train(samples)
    standard = read(path, scale="standard")[2]
    np.testing.assert_allclose(standard["latents"][train].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(standard["latents"][train].std(axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(
        (latents["latents"] - standard["vector_mean"]) / standard["vector_scale"], standard["latents"], atol=1e-5
    )
    assert "scales differ" not in capsys.readouterr().out
    unit = read(path, scale="unit")[2]["latents"]
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
    np.save(tmp_path / "unit.npy", unit)
    read(tmp_path / "unit.npy")
    assert "nearly all rows have length 1" in capsys.readouterr().out


def test_equal_vectors_are_kept_with_a_line(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.ones((60, 4), np.float32))
    assert read(tmp_path / "a.npy")[2]["latents"].shape == (60, 4)
    assert "all vectors are equal" in capsys.readouterr().out


@pytest.mark.parametrize("column", ["image", "file_name"])
def test_a_column_of_paths_brings_pictures(tmp_path, capsys, column):
    (tmp_path / "pictures").mkdir()
    for i in range(60):
        Image.new("RGB", (9, 9), (i, 0, 0)).save(tmp_path / "pictures" / f"{i}.png")
    path = write(tmp_path / "a.csv", TABLE.assign(**{column: [f"pictures/{i}.png" for i in range(60)]}))
    samples, arrays, latents = read(path)
    assert arrays["images"].shape == (60, 32, 32, 3)
    row = row_of(latents)
    assert arrays["images"][:, 0, 0, 0].tolist() == row.tolist()
    assert list(samples["file_name"]) == [f"pictures/{i}.png" for i in row]
    (tmp_path / "pictures/7.png").unlink()
    with pytest.raises(InputError, match=r"7\.png cannot be read.*on_broken"):
        read(path)


def test_pictures_and_extra_arrays_of_an_npz(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", latents=VECTORS, images=PICTURES, year=np.arange(60) % 7, extra=np.zeros((3, 3)))
    samples, arrays, latents = read(tmp_path / "a.npz")
    row = row_of(latents)
    assert arrays["images"][:, 0, 0].tolist() == row.tolist()
    assert list(samples["year"]) == list(row % 7)
    assert "array `extra` float64 (3, 3) is ignored" in capsys.readouterr().out


def test_damaged_missing_and_unusable_files(tmp_path):
    contents = {
        "a.npz": b"no zip",
        "a.csv": b"\xff\xfe\x00",
        "b.csv": b"a,b\n1,x\n",
        "a.parquet": b"PAR1",
        "a.npy": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)
    with pytest.raises(InputError, match=r"latents\.source = .* is missing"):
        read(tmp_path / "none.npz")
    holes = TABLE.astype(object)
    holes.iloc[3, 2] = "NA"
    with pytest.raises(InputError, match=r"1 of 60 rows have a missing value.*the first is row 4"):
        read(write(tmp_path / "a.csv", holes))
    TABLE.assign(u=list(VECTORS), v=list(VECTORS)).to_parquet(tmp_path / "two.parquet")
    with pytest.raises(InputError, match=r"u, v each hold vectors: set latents\.columns"):
        read(tmp_path / "two.parquet")


@pytest.mark.parametrize("name", ["species", "Klasse", "targets"])
def test_the_only_text_that_repeats_is_the_class(tmp_path, capsys, name):
    table = TABLE.assign(**{name: LABELS}, title=[f"t{i}" for i in range(60)])
    samples, _, latents = read(write(tmp_path / "a.csv", table))
    assert classes_of(samples) == ["cat", "dog", "eel"]
    assert f"column `{name}` is taken for the class" in capsys.readouterr().out
    assert latents["latents"].shape == (60, 4)
    two = table.assign(city=["here", "there"] * 30)
    assert name == "targets" or classes_of(read(write(tmp_path / "b.csv", two))[0]) == []
    assert name == "targets" or "hold text that repeats; if one is the class" in capsys.readouterr().out


def test_columns_that_number_the_rows_are_no_dimensions(tmp_path):
    numbers = np.random.default_rng(1).permutation(60)
    table = TABLE.assign(**{"No.": numbers + 1, "CustomerID": 7 * numbers})
    assert read(write(tmp_path / "a.csv", table))[2]["vector_columns"].tolist() == list("abcd")


@pytest.mark.parametrize("form", ["[{}]", "({})", "[\n{}  ]"])
@pytest.mark.parametrize("separator", [",", ", ", " "])
def test_lists_in_text(tmp_path, form, separator):
    texts = [form.format(separator.join(map(repr, vector.tolist()))) for vector in VECTORS]
    row_of(read(write(tmp_path / "a.csv", pd.DataFrame({"vector": texts, "label": LABELS})))[2])


def test_lists_that_are_cut_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", pd.DataFrame({"vector": ["[0.1 0.2 ... 0.3 0.4]"] * 60, "label": LABELS}))
    with pytest.raises(InputError, match=r"'vector' holds lists cut by `\.\.\.`: save them as Parquet"):
        read(path)


def test_a_label_of_measured_numbers_is_pointed_out(tmp_path, capsys):
    read(write(tmp_path / "a.csv", TABLE.assign(label=VECTORS[:, 0] * 2)))
    assert "`label` has 60 different numbers" in capsys.readouterr().out
    samples, _, _ = read(write(tmp_path / "b.csv", TABLE.assign(label=np.arange(60) % 3 + 0.0)))
    assert classes_of(samples) == ["0", "1", "2"]


def test_a_wild_value_is_named_rather_than_the_scales(tmp_path, capsys):
    table = TABLE.copy()
    table.iloc[7, 2] = -99999
    read(write(tmp_path / "a.csv", table), test_fraction=0.0)
    out = capsys.readouterr().out
    assert "1 values such as -99999 are far from all others" in out
    assert "scales differ" not in out


def test_empty_columns_without_a_name_are_dropped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("".join(line + ",,\n" for line in TABLE.to_csv(index=False).splitlines()))
    assert read(path)[2]["latents"].shape == (60, 4)


def test_a_dimension_of_another_name_than_the_others_is_pointed_out(tmp_path, capsys):
    table = pd.DataFrame(VECTORS, columns=[f"f{i}" for i in range(VECTORS.shape[1])])
    table.assign(year=1990 + np.arange(60) % 34).to_csv(tmp_path / "a.csv", index=False)
    read(tmp_path / "a.csv")
    assert "dimensions beside f0, f1, …: 1 columns (year); " in capsys.readouterr().out
    table.to_csv(tmp_path / "b.csv", index=False)
    read(tmp_path / "b.csv")
    assert "beside" not in capsys.readouterr().out
