"""What the page holds of a run."""

import base64
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from stages.curve.formula import evaluate
from stages.curve_page.curve_page import curve_page, header_of, noise_floor, packed
from tests.curve_page.recorded import CURVE, record, record_own


def unpack(content: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    length = int.from_bytes(content[:4], "little")
    header, at, arrays = json.loads(content[4 : 4 + length]), 4 + length, {}
    for name, dtype, shape in header["arrays"]:
        size = np.prod(shape, dtype=int) * np.dtype(dtype).itemsize
        planes = np.frombuffer(content, np.uint8, size, at).reshape(np.dtype(dtype).itemsize, -1)
        arrays[name] = np.ascontiguousarray(planes.T).view(dtype).reshape(shape)
        at += size
    assert at == len(content)
    return header, arrays


def runs_in(page: str) -> list[tuple[dict, dict]]:
    texts = re.findall(r'<script type="text/plain" data-run="[^"]*">(.*?)</script>', page)
    return [unpack(zlib.decompress(base64.b85decode(text.replace(".", "<")))) for text in texts]


def test_the_page_holds_the_recorded_arrays():
    runs = [record("plain")[0], record("waves")[0]]
    for run, (header, arrays) in zip(runs, runs_in(curve_page(runs)), strict=True):
        assert header["name"] == run.name
        for name, array in run.recording.items():
            np.testing.assert_array_equal(arrays[name], array.astype(np.float32) if name == "u" else array)


def test_equal_runs_give_equal_pages():
    assert curve_page([record("plain")[0]]) == curve_page([record("plain")[0]])


def test_points_and_true_curve_are_scaled_as_the_fit():
    run = record("plain")[0]
    x_centre, x_scale, y_centre, y_scale = run.recording["scale"]
    _, arrays = unpack(packed(run))
    rows = run.points[run.points["split"] == "test"]
    np.testing.assert_allclose(arrays["test"][:, 0] * x_scale + x_centre, rows["x"], atol=1e-5)
    np.testing.assert_allclose(arrays["test"][:, 1] * y_scale + y_centre, rows["y"], atol=1e-5)
    x = arrays["u"] * x_scale + x_centre
    np.testing.assert_allclose(arrays["truth"] * y_scale + y_centre, evaluate(CURVE.formula, x), atol=1e-4)


def test_own_points_have_their_names_a_logarithmic_axis_and_no_true_curve():
    run = record_own()[0]
    header, arrays = unpack(packed(run))
    assert (header["xName"], header["yName"], header["logX"], header["floor"]) == (
        "dose, mg/l",
        "<b>growth</b>",
        True,
        None,
    )
    assert not arrays["truth"].size
    assert arrays["train"].min() > -5
    assert "<b>growth" not in curve_page([run])
    dates = replace(run, architecture=run.architecture | {"x_name": "day (days since 1970-01-01)"})
    assert (header_of(dates)["xName"], header_of(dates)["dates"]) == ("day", True)


def test_many_points_are_thinned_evenly():
    run = replace(record("plain")[0], most_points={"train": 100, "test": 7})
    _, arrays = unpack(packed(run))
    assert len(arrays["train"]) == 100
    assert len(arrays["test"]) == 7


@pytest.mark.parametrize(("loss", "floor"), [("l1", 30 * np.sqrt(2 / np.pi)), ("l2", 900), ("huber", None)])
def test_the_floor_is_the_loss_of_the_noise(loss, floor):
    assert noise_floor(CURVE.model_copy(update={"noise_std": 30.0}), loss) == (floor and pytest.approx(floor))
