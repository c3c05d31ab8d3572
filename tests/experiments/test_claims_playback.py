"""The recorded trainings of the claims."""

from experiments.claims_playback import RECORDED, record, recorded_cases
from experiments.measure import SHORT_CURVE, Case, claim
from stages.curve_page.curve_page import packed
from tests.curve_page.test_curve_page import unpack


def test_every_recording_is_a_case_of_its_claim():
    cases = recorded_cases()
    assert len(cases) == sum(map(len, RECORDED.values()))
    assert all(case in claim(name).CASES for name, case in cases)


def test_a_recorded_case_names_its_claim_and_fits_into_a_page():
    settings = claim("depth").CASES[0].regressor | {"hidden_layers": [8], "epochs": 4}
    case = Case({"activation": "tanh", "hidden layers": 1}, SHORT_CURVE, settings)
    content = packed(record(("linear_pieces", case)))
    header, arrays = unpack(content)
    assert header["name"] == "Linear pieces – tanh, hidden layers 1"
    assert len(arrays["train"]) <= 600
    assert len(arrays["inside"]) == 2
    assert arrays["inside"][-1] == len(arrays["step"]) - 1
    assert len(content) < 50_000
