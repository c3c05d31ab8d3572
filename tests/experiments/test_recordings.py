"""The recorded trainings of the claims."""

import numpy as np
import pytest

from experiments.measure import SHORT_CURVE, Case, claim
from experiments.recordings import INSIDE, RECORDED, compact, record, recorded_cases
from stages.curve_page.curve_page import packed
from tests.curve_page.recorded import record as record_small
from tests.curve_page.test_curve_page import unpack


def test_every_recording_is_a_case_of_its_claim():
    cases = recorded_cases()
    assert len(cases) == sum(map(len, RECORDED.values()))
    assert all(case in claim(name).CASES for name, case in cases)


@pytest.mark.parametrize("name", ["plain", "waves", "sigmoid"])
def test_a_compact_recording_holds_the_same_training(monkeypatch, name):
    monkeypatch.setattr("experiments.recordings.MOMENTS", 10)
    whole = record_small(name)[0].recording
    small = compact(whole)
    rows = np.searchsorted(whole["step"], small["step"])
    assert len(rows) == 10 < len(whole["step"])
    assert (small["step"][0], small["step"][-1]) == (0, whole["step"][-1])
    np.testing.assert_allclose(small["fit"], whole["fit"][rows][:, ::2], rtol=1e-3, atol=1e-3)
    assert small["train_loss"][-1] == pytest.approx(whole["train_loss"][rows[-2] + 1 :].mean())
    if name == "waves":
        assert not len(small["inside"])
        return
    assert len(small["inside"]) == len(small["weights"]) == INSIDE
    assert rows[small["inside"][-1]] == whole["inside"][-1]
    np.testing.assert_allclose(small["weights"][-1], whole["weights"][-1], rtol=1e-3, atol=1e-6)
    if name == "plain":
        count = small["corner_counts"][-1]
        np.testing.assert_array_equal(small["corners"][-count:], whole["corners"][-count:])


def test_a_recorded_case_names_its_claim_and_fits_into_a_page():
    settings = claim("depth").CASES[0].regressor | {"hidden_layers": [8], "epochs": 2}
    case = Case({"activation": "tanh", "hidden layers": 1}, SHORT_CURVE, settings)
    content = packed(record(("linear_pieces", case)))
    header, arrays = unpack(content)
    assert header["name"] == "Linear pieces – tanh, hidden layers 1"
    assert len(arrays["train"]) <= 600
    assert len(content) < 50_000
