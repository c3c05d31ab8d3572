import hashlib

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments

GOLDEN = "9bdbde05132e0e787142b0a983692b036523750764f8185a00b4bf6116cd5546"

APPLIES = {
    "T-shirt/top": {"width", "length", "sleeve_length", "neck_depth", "hem_flare"},
    "Trouser": {"width", "length", "leg_width"},
    "Pullover": {"width", "length", "sleeve_length", "neck_depth"},
    "Dress": {"width", "length", "sleeve_length", "neck_depth", "hem_flare"},
    "Coat": {"width", "length", "sleeve_length", "hem_flare"},
    "Sandal": {"heel_height", "shaft_height", "sole_thickness", "strap_width"},
    "Shirt": {"width", "length", "sleeve_length"},
    "Sneaker": {"shaft_height", "sole_thickness"},
    "Bag": {"width", "length", "handle_height"},
    "Ankle boot": {"heel_height", "shaft_height", "sole_thickness"},
}


@pytest.fixture(scope="module")
def drawn():
    return draw_garments(5000, seed=0)


def test_the_same_bytes_on_every_machine():
    images, labels, factors = draw_garments(200, seed=0)
    content = images.tobytes() + labels.astype("<i8").tobytes() + factors.astype("<f4").tobytes()
    assert hashlib.sha256(content).hexdigest() == GOLDEN


@pytest.mark.parametrize("n", [0, 1, 7, 1005])
def test_classes_are_balanced_and_shuffled(n):
    images, labels, factors = draw_garments(n, seed=3)
    assert len(images) == len(labels) == len(factors) == n
    counts = np.bincount(labels, minlength=10)
    assert counts.max() - counts.min() <= 1
    if n > 100:
        assert (np.diff(labels) != 0).mean() > 0.8


def test_factors_are_nan_exactly_where_they_do_not_apply(drawn):
    _, labels, factors = drawn
    for label, garment in enumerate(CLASS_NAMES):
        missing = np.isnan(factors[labels == label])
        for name, column in zip(FACTORS, missing.T, strict=True):
            applies = name in APPLIES[garment] | {"tone", "texture"}
            assert not column.any() if applies else column.all(), (garment, name)


@pytest.mark.parametrize("garment", CLASS_NAMES)
def test_every_factor_can_be_read_off_the_pictures(drawn, garment):
    images, labels, factors = drawn
    rows = np.flatnonzero(labels == CLASS_NAMES.index(garment))
    pixels = images[rows].reshape(len(rows), -1) / 255
    seen = np.hstack([pixels, pixels > 0.06])
    fit, held_out = slice(0, 380), slice(380, None)
    names = sorted(APPLIES[garment] | {"tone"})
    values = factors[rows][:, [FACTORS.index(name) for name in names]]
    read = Ridge(30).fit(seen[fit], values[fit]).predict(seen[held_out])
    for i, name in enumerate(names):
        assert np.corrcoef(read[:, i], values[held_out, i])[0, 1] > 0.35, name
