"""What the page stores comes back as it was."""

import base64
import io
import json
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.page.pack_bytes import as_text
from stages.page.pack_columns import pack_column
from stages.page.pack_images import sheet_layout, sprite_sheets

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("length", range(1, 9))
def test_text_holds_the_bytes_and_begins_no_tag(length):
    content = np.random.default_rng(length).integers(0, 256, length * 1001, dtype=np.uint8)
    text = as_text(content)
    assert "<" not in text
    assert base64.b85decode(text.replace(".", "<")) == content.tobytes()


def values_of(header: dict, content: bytes) -> list:
    raw = zlib.decompress(content)
    values = np.frombuffer(raw, header["dtype"]).tolist() if "dtype" in header else json.loads(raw)
    if header["type"] == "category":
        return [header["categories"][code - 1] if code else None for code in values]
    return values


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (pd.Series([1.5, np.nan, -2]), "number", [1.5, np.nan, -2]),
        (pd.Series([1.5, np.inf, 2]), "number", [1.5, np.nan, 2]),
        (pd.Series([1, 123_456_789_012]), "number", [1, 123_456_789_012]),
        (pd.Series([1, None], dtype="Int64"), "number", [1, np.nan]),
        (pd.Series([True, False, None], dtype="boolean"), "category", ["yes", "no", None]),
        (pd.to_datetime(pd.Series(["1970-01-02", None])), "date", [86_400_000, np.nan]),
        (pd.to_datetime(pd.Series(["1970-01-02"])).dt.tz_localize("Asia/Seoul"), "date", [15 * 3_600_000]),
        (pd.Series(["b", "a", None, "b"]), "category", ["b", "a", None, "b"]),
        (pd.Series(pd.Categorical(["x", None], categories=["z", "x"])), "category", ["x", None]),
        (pd.Series(["https://a.example/1", None, "http://b.example"]), "link", None),
        (pd.Series(["https://a.example", "javascript:alert(1)"]), "category", None),
        (pd.Series([f"text {i}" for i in range(300)]), "text", [f"text {i}" for i in range(300)]),
        (pd.Series([[1, 2], {"a": 1}]), "category", ["[1, 2]", "{'a': 1}"]),
        (pd.Series([None, None], dtype="object"), "category", [None, None]),
    ],
)
def test_columns_keep_their_type_and_values(values, kind, expected):
    header, content = pack_column("name", values)
    assert (header["name"], header["type"]) == ("name", kind)
    if expected is not None:
        found = values_of(header, content)
        assert [None if v != v else v for v in found] == [None if v != v else v for v in expected]


def test_ten_columns_of_seventy_thousand_rows_take_a_few_megabytes():
    n = 70_000
    columns = [pd.Series(DRAW.normal(size=n)) for _ in range(5)]
    columns += [pd.Series(DRAW.choice([f"class {i}" for i in range(50)], n)) for _ in range(5)]
    assert sum(len(as_text(pack_column("c", column)[1])) for column in columns) < 3e6


def cells(images: np.ndarray) -> np.ndarray:
    """The images of all sheets, cut out as the page does it."""
    layout, found = sheet_layout(images), []
    for sheet in sprite_sheets(images):
        pixels = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB" if images.ndim == 4 else "L"))
        rows = pixels.shape[0] // layout["height"]
        grid = pixels.reshape(rows, layout["height"], layout["columns"], layout["width"], *images.shape[3:])
        found.append(grid.swapaxes(1, 2).reshape(-1, *images.shape[1:]))
    return np.concatenate(found)[: len(images)]


@pytest.mark.parametrize("shape", [(30, 6, 9), (11, 600, 700), (13, 40, 40, 3)])
def test_drawings_and_small_grey_images_arrive_without_loss(shape):
    images = DRAW.integers(0, 256, shape, dtype=np.uint8)
    if images[0].size > 100:
        images = np.where(DRAW.random((*shape[:3], *[1] * (len(shape) - 3))) < 0.02, images, 200).astype(np.uint8)
    np.testing.assert_array_equal(cells(images), images)


def test_photographs_are_small_and_near():
    waves = np.sin(np.linspace(0, 9, 64))[:, None] * np.cos(np.linspace(0, 7, 64))
    images = (
        127 + 90 * waves[None, ..., None] * DRAW.random((100, 1, 1, 3)) + DRAW.normal(0, 5, (100, 64, 64, 3))
    ).clip(0, 255)
    images = images.astype(np.uint8)
    assert sum(map(len, sprite_sheets(images))) < 0.2 * images.size
    assert np.abs(cells(images).astype(int) - images).mean() < 8
