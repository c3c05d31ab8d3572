import numpy as np
import pandas as pd
import pytest

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.latents.latent_set import read_latents

LATENTS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
LABELS = np.array(["cat", "dog", "eel"])[np.arange(60) % 3]
IMAGES = np.arange(60, dtype=np.uint8)[:, None, None] * np.ones((1, 5, 6), np.uint8)


def read(path):
    return read_latents(load_params("latents").model_copy(update={"source": str(path)}))


def test_latents_with_labels_and_images_stay_together(tmp_path):
    path = tmp_path / "l.npz"
    np.savez(path, latents=LATENTS, labels=LABELS, images=IMAGES)
    rows = read(path)
    assert (len(rows.train_latents), len(rows.test_latents)) == (48, 12)
    for split in ("train", "test"):
        latents, images = getattr(rows, f"{split}_latents"), getattr(rows, f"{split}_images")
        original = images[:, 0, 0].astype(int)
        np.testing.assert_array_equal(latents, LATENTS[original])
        np.testing.assert_array_equal(rows.class_names[getattr(rows, f"{split}_labels")], LABELS[original])
    assert read(path).train_latents.tobytes() == rows.train_latents.tobytes()


def test_latents_alone(tmp_path):
    path = tmp_path / "l.npz"
    np.savez(path, latents=LATENTS.astype(np.float64))
    rows = read(path)
    assert (rows.train_labels == -1).all()
    assert len(rows.train_images) == len(rows.class_names) == 0
    assert rows.train_latents.dtype == np.float32


def test_csv_with_and_without_a_label(tmp_path):
    table = pd.DataFrame(LATENTS, columns=list("abcd"))
    table.to_csv(tmp_path / "a.csv", index=False)
    table.assign(label=LABELS).to_csv(tmp_path / "b.csv", index=False)
    assert (read(tmp_path / "a.csv").test_labels == -1).all()
    rows = read(tmp_path / "b.csv")
    assert list(rows.class_names) == ["cat", "dog", "eel"]
    np.testing.assert_array_equal(rows.train_latents, read(tmp_path / "a.csv").train_latents)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": LATENTS}, "needs an array `latents`"),
        ({"latents": LATENTS[0]}, r"\(4,\)"),
        ({"latents": LATENTS[:, :1]}, "d >= 2"),
        ({"latents": LATENTS[:49]}, "49 latents, at least 50"),
        ({"latents": LATENTS.astype(str)}, "numbers"),
        ({"latents": np.where(np.arange(60)[:, None] == 7, np.nan, LATENTS)}, "latent 7 "),
        ({"latents": LATENTS.astype(np.float64) * 1e300}, "no finite float32"),
        ({"latents": LATENTS, "labels": LABELS[:9]}, r"labels are <U3 \(9,\)"),
        ({"latents": LATENTS, "images": IMAGES[:9]}, r"needed are uint8 \(60, height, width\)"),
        ({"latents": LATENTS, "images": IMAGES / 255}, "images are float64"),
        ({"latents": np.array([{}] * 60, dtype=object)}, "pickled"),
    ],
)
def test_wrong_files_are_named(tmp_path, arrays, message):
    path = tmp_path / "l.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_damaged_missing_and_foreign_files(tmp_path):
    for name, content in {"a.npz": b"no zip", "a.csv": b"\xff\xfe\x00", "b.csv": b"a,b\n1,x\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)
    for name in ("none.npz", "a.pkl"):
        with pytest.raises(InputError, match=r"latents\.source"):
            read(tmp_path / name)
