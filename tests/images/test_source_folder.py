import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.errors import InputError
from stages.common.samples_table import classes_of, columns_of, is_train, labels_of
from stages.common.settings import load_params
from stages.images.source_folder import folder_images
from tests.images.sixteen_bits import SixteenBits

PARAMS = load_params("images").model_copy(update={"pixels": 16})


def save(path, level=0, size=(20, 16), colour=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour or (level, level, level)).save(path)


def write(folder, *names):
    for i, name in enumerate(names):
        save(folder / name, level=i)
    return folder


def read(folder, **changes):
    samples, arrays = folder_images(PARAMS.model_copy(update={"source": str(folder), **changes}))
    assert len(samples) == len(arrays["images"])
    assert samples["split"].is_monotonic_increasing, "training rows come first"
    return samples, arrays


def label_of(samples) -> dict:
    return dict(zip(samples["file_name"], samples["label"].astype(object), strict=True))


def two_classes(n=20):
    return [f"{name}/{i}.png" for name in ("boots", "bags") for i in range(n)]


def test_the_first_folder_is_the_class_and_names_lead_to_the_images(tmp_path):
    names = [*two_classes(), *(f"bags/deep/{i}.png" for i in range(10))]
    samples, arrays = read(write(tmp_path, *names))
    assert arrays["images"].shape == (50, 16, 16)
    assert is_train(samples).sum() == 40
    for name, label, image in zip(samples["file_name"], samples["label"], arrays["images"], strict=True):
        assert label == name.split("/")[0]
        assert image[0, 0] == names.index(name)
    assert set(samples["label"][:10]) == {"bags", "boots"}, "a map takes the first rows: classes are mixed"
    again, _ = read(tmp_path)
    pd.testing.assert_frame_equal(samples, again)


def test_images_without_folders_have_no_class_and_none_need_be_for_test(tmp_path):
    samples, _ = read(write(tmp_path, *(f"{i}.png" for i in range(20))), test_fraction=0.0)
    assert (labels_of(samples) == -1).all()
    assert is_train(samples).all()
    assert classes_of(samples) == []


@pytest.mark.parametrize("test", ["test", "Val", "valid", "validation"])
def test_train_and_test_folders_are_splits_with_the_classes_below_them(tmp_path, test):
    names = [f"wrapped/{split}/{name}" for split in ("train", test) for name in two_classes(8)]
    samples, _ = read(write(tmp_path, *names))
    assert classes_of(samples) == ["bags", "boots"]
    assert dict(samples["split"].value_counts()) == {"train": 16, "test": 16}
    assert samples["file_name"][is_train(samples)].str.startswith("wrapped/train/").all()


def test_a_class_called_train_is_no_split(tmp_path):
    samples, _ = read(write(tmp_path, *(f"{name}/{i}.png" for name in ("bus", "train") for i in range(9))))
    assert classes_of(samples) == ["bus", "train"]


def test_images_beside_the_splits_are_left_out_and_named(tmp_path, capsys):
    names = [f"{split}/{i}.png" for split in ("train", "test") for i in range(12)]
    samples, _ = read(write(tmp_path, *names, "extra/1.png", "cover.png"))
    assert len(samples) == 24
    assert "images left out, in no split: 2 (cover.png, extra/1.png)" in capsys.readouterr().out


def test_columns_of_the_metadata_keep_their_types(tmp_path, capsys):
    folder = write(tmp_path / "photos" / "inner", *(f"images/{i}.png" for i in range(20)))
    rows = pd.DataFrame(
        {
            "file_name": [f"images/{i}.png" for i in range(21)],
            "label": ["</script>", "고양이", "None", "NA"] * 5 + ["cat"],
            "split": (["train"] * 3 + ["val"]) * 5 + ["test"],
            "price": ["1.5", ""] * 10 + ["2"],
            "code": ["01", "02"] * 10 + ["03"],
            "taken": ["2024-05-06"] * 21,
            "artist": ["Ada, “the” first", "Bo"] * 10 + ["Bo"],
            "link": [f"https://example.org/{i}" for i in range(21)],
        }
    )
    rows.to_csv(folder / "metadata.csv", index=False)
    save(folder / "images/extra.png")
    samples, _ = read(tmp_path / "photos")
    printed = capsys.readouterr().out
    assert "metadata rows without an image: 1 (inner/images/20.png)" in printed
    assert "images without a metadata row: 1 (inner/images/extra.png)" in printed
    write_and_read = columns_of(samples)
    assert list(write_and_read) == ["price", "code", "taken", "artist", "link"]
    assert [kind.name for kind in write_and_read.dtypes] == ["float64", "category", "datetime64[us]", "category", "str"]
    assert set(classes_of(samples)) == {"</script>", "고양이", "None", "NA"}
    row = samples.set_index("file_name").loc["inner/images/3.png"]
    assert (row["split"], row["label"], row["code"]) == ("test", "NA", "02")
    assert samples.set_index("file_name").loc["inner/images/extra.png"].isna()[["label", "price", "link"]].all()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_another_column_is_the_class_in_every_format(tmp_path, ending):
    write(tmp_path, *(f"{i}.png" for i in range(20)))
    rows = pd.DataFrame({"file_name": [f"./{i}.png" for i in range(20)], "year": [2000 + i % 3 * 9 for i in range(20)]})
    {"csv": rows.to_csv, "jsonl": lambda path, **_: rows.to_json(path, orient="records", lines=True),
     "parquet": rows.to_parquet}[ending](tmp_path / f"metadata.{ending}", index=False)  # fmt: skip
    samples, _ = read(tmp_path, label="year")
    assert classes_of(samples) == ["2000", "2009", "2018"]
    assert label_of(samples)["4.png"] == "2009"
    with pytest.raises(InputError, match=r"images\.label = 'artist' is no column of the metadata; found: year"):
        read(tmp_path, label="artist")


def test_each_split_may_have_its_own_metadata(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / split, *(f"{i}.png" for i in range(12)))
        rows = pd.DataFrame(
            {"file_name": [f"{i}.png" for i in range(12)], "label": [f"{split} {i % 2}" for i in range(12)]}
        )
        rows.to_json(tmp_path / split / "metadata.jsonl", orient="records", lines=True)
    samples, _ = read(tmp_path)
    assert dict(samples["split"].value_counts()) == {"train": 12, "test": 12}
    assert label_of(samples)["test/3.png"] == "test 1"


def test_metadata_about_no_image_or_without_file_names_is_refused(tmp_path):
    write(tmp_path, *(f"{i}.png" for i in range(20)))
    pd.DataFrame({"file_name": ["a/0.png"], "label": ["x"]}).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(InputError, match=r"no `file_name` of the metadata is an image there"):
        read(tmp_path)
    pd.DataFrame({"who": ["a"], "label": ["x"]}).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(InputError, match=r"metadata\.csv has no column `file_name`; found: who, label"):
        read(tmp_path)


def test_names_that_are_not_utf8_or_decomposed_survive(tmp_path):
    write(tmp_path, *(f"{i}.png" for i in range(12)))
    for name in (b"caf\xe9.png", b"caf\xe8.png"):
        save(tmp_path / os.fsdecode(name))
    save(tmp_path / "\u1112\u1161\u11ab.png")  # Korean as macOS writes it
    pd.DataFrame({"file_name": ["\ud55c.png"], "note": ["found"]}).to_csv(tmp_path / "metadata.csv", index=False)
    samples, _ = read(tmp_path)
    assert {"caf\\xe9.png", "caf\\xe8.png"} < set(samples["file_name"])
    assert samples["note"].notna().sum() == 1


def test_colour_is_kept_unless_every_image_is_grey(tmp_path):
    write(tmp_path, *(f"{i}.png" for i in range(20)))
    assert read(tmp_path)[1]["images"].shape == (20, 16, 16)
    assert read(tmp_path, colour="rgb")[1]["images"].shape == (20, 16, 16, 3)
    save(tmp_path / "red.png", colour=(255, 0, 0))
    assert read(tmp_path)[1]["images"].shape == (21, 16, 16, 3)
    assert read(tmp_path, colour="grey")[1]["images"].shape == (21, 16, 16)


def test_images_have_64_pixels_a_side_unless_all_are_small(tmp_path):
    write(tmp_path, *(f"{i}.png" for i in range(20)))
    assert read(tmp_path, pixels="auto")[1]["images"].shape == (20, 32, 32)
    save(tmp_path / "large.png", size=(40, 33))
    assert read(tmp_path, pixels="auto")[1]["images"].shape == (21, 64, 64)


def test_a_data_set_that_is_nearly_black_is_reported(tmp_path, capsys):
    write(tmp_path, *(f"{i}.png" for i in range(12)))
    read(tmp_path)
    assert "no image has a level above 11 of 255" in capsys.readouterr().out


def test_twelve_bit_images_are_scaled_by_what_the_data_set_uses(tmp_path):
    for i in range(20):
        image = np.linspace(0, 4080 if i == 7 else 2000, 256).astype(np.uint16).reshape(16, 16)
        Image.fromarray(image).save(tmp_path / f"{i:02}.tif")
    samples, arrays = read(tmp_path)
    levels = dict(zip(samples["file_name"], arrays["images"].reshape(20, -1).max(axis=1), strict=True))
    assert levels["07.tif"] >= 253
    assert abs(int(levels["03.tif"]) - 125) <= 2
    assert arrays["levels"].tolist() == [0, 4095]


def test_colours_of_more_than_eight_bits_stay_beside_other_images(tmp_path):
    write(tmp_path, *(f"{i}.png" for i in range(10)))
    for i in range(4):
        SixteenBits(np.full((16, 16, 3), (4000, 1000, 0))).save(tmp_path / f"deep{i}.png")
        Image.fromarray(np.full((16, 16), 2000, np.uint16)).save(tmp_path / f"grey{i}.tif")
    samples, arrays = read(tmp_path)
    image_of = dict(zip(samples["file_name"], arrays["images"], strict=True))
    assert image_of["deep2.png"][8, 8].tolist() == [249, 62, 0]
    assert image_of["grey2.tif"][8, 8].tolist() == [125, 125, 125]
    assert image_of["7.png"][8, 8].tolist() == [7, 7, 7]
    assert read(tmp_path, colour="grey")[1]["images"].shape == (18, 16, 16)


def test_files_of_other_kinds_and_hidden_ones_are_left_out_and_counted(tmp_path, capsys):
    folder = write(tmp_path, *two_classes(8))
    for name in ("notes.txt", "more.txt", "boots/a.svg", ".hidden.png", ".trash/old.png", "plain"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / "linked").symlink_to(folder / "boots")
    assert len(read(folder)[0]) == 16
    lines = capsys.readouterr().out.splitlines()
    assert "files left out, .txt: 2 (more.txt, notes.txt)" in lines
    assert "files left out, .svg: 1 (boots/a.svg)" in lines
    assert "files left out, without an ending: 1 (plain)" in lines
    assert "files left out, a linked folder: 1 (linked)" in lines
    assert not any("hidden" in line or "trash" in line for line in lines)


def test_broken_images_are_all_named_and_refused_or_skipped(tmp_path, capsys):
    folder = write(tmp_path, *two_classes())
    for name in ("boots/x.png", "boots/y.png"):
        (folder / name).write_bytes(b"no image")
    with pytest.raises(InputError, match=r"boots/x\.png cannot be read.*2 of 42 images.*on_broken to skip"):
        read(folder)
    assert "boots/y.png cannot be read" in capsys.readouterr().err
    samples, arrays = read(folder, on_broken="skip")
    assert len(samples) == 40
    assert "skipped: " in capsys.readouterr().err
    assert not {"boots/x.png", "boots/y.png"} & set(samples["file_name"])
    names = two_classes()
    for name, image in zip(samples["file_name"], arrays["images"], strict=True):
        assert image[0, 0] == names.index(name)


def test_a_missing_folder_and_too_few_images_are_named(tmp_path):
    with pytest.raises(InputError, match=r"images\.source = .* is no folder: use drawn, fashion-mnist"):
        read(tmp_path / "fashion_mnist")
    save(tmp_path / "one.png")
    with pytest.raises(InputError, match="holds 1 readable images, at least 10"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train_set/boots", "test_set/boots"),
        ("seg_train/seg_train/boots", "seg_test/seg_test/boots"),
        ("photos/Training images/boots", "photos/Test images/boots"),
        ("trainset/images/boots", "testset/images/boots"),
        ("boots/train", "boots/test"),
    ],
)
def test_folders_of_splits_by_other_names(tmp_path, train, test):
    names = [f"{folder}/{i}.png" for folder, count in ((train, 12), (test, 4)) for i in range(count)]
    write(tmp_path, *names, *(name.replace("boots", "hats") for name in names))
    samples, _ = read(tmp_path)
    assert classes_of(samples) == ["boots", "hats"]
    assert is_train(samples).sum() == 24


def test_classes_that_sound_like_splits_stay_classes(tmp_path):
    write(tmp_path, *(f"{name}/{i}.png" for name in ("train station", "test tube", "tree") for i in range(6)))
    assert classes_of(read(tmp_path)[0]) == ["test tube", "train station", "tree"]


def test_a_folder_called_images_is_no_class(tmp_path):
    write(tmp_path, *(f"train/images/{i}.png" for i in range(12)), *(f"test/images/{i}.png" for i in range(4)))
    samples, _ = read(tmp_path)
    assert classes_of(samples) == []
    assert is_train(samples).sum() == 12


def test_columns_that_may_be_the_class_and_other_tables_are_named(tmp_path, capsys):
    folder = write(tmp_path, *(f"{i}.png" for i in range(20)))
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(20))
    (folder / "metadata.csv").write_text("file_name,kind\n" + rows)
    (folder / "labels.csv").write_text("file_name,label\n" + rows)
    assert classes_of(read(folder)[0]) == []
    out = capsys.readouterr().out
    assert "if `kind` is it, set images.label to that" in out
    assert "the table of the images is metadata.csv: 1 (labels.csv)" in out
    assert classes_of(read(folder, label="kind")[0]) == ["a", "b"]
    assert "set images.label" not in capsys.readouterr().out
    (folder / "metadata.csv").write_text("file_name,label\n" + "".join(f"{i}.png,{i / 7}\n" for i in range(25)))
    write(folder, *(f"{i}.png" for i in range(25)))
    read(folder)
    assert "`label` has 25 different numbers" in capsys.readouterr().out
