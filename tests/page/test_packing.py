import base64
import zlib

import numpy as np
import pytest

from stages.page.packing import Encoder, as_text, packed


@pytest.fixture
def encoder() -> Encoder:
    draw = np.random.default_rng(0)
    arrays = {
        "mean": draw.random((1, 1, 4, 4), dtype=np.float32),
        "encoder.10.weight": draw.normal(size=(2, 3)),
        "encoder.10.bias": draw.normal(size=2),
        "encoder.2.weight": draw.normal(size=(3, 16)),
        "encoder.2.bias": draw.normal(size=3),
        "decoder.0.weight": draw.normal(size=(3, 2)),
    }
    architecture = {"image_shape": [4, 4], "linear_path": False, "length_compression": 0.75}
    return Encoder(architecture, arrays, draw.normal(size=(50, 2)), far=1.5, framing={"size": 4})


@pytest.mark.parametrize("length", range(1, 9))
def test_text_holds_the_bytes_and_begins_no_tag(length):
    content = np.random.default_rng(length).integers(0, 256, length * 1001, dtype=np.uint8)
    text = as_text(content)
    assert "<" not in text
    assert base64.b85decode(text.replace(".", "<")) == content.tobytes()


def test_layers_come_in_the_order_of_their_use_without_the_decoder(encoder):
    described, _ = packed(encoder)
    assert described["layers"] == [[3, 16], [2, 3]]
    assert described["latents"] == [2, 50]
    assert described["linear"] is None
    assert described["lengthPower"] == 0.25


def test_rounded_values_are_near_the_true_ones(encoder):
    described, content = packed(encoder)
    content = zlib.decompress(content)
    floats = np.frombuffer(content, "<f4", described["floats"])
    levels = np.frombuffer(content, np.int8, offset=4 * described["floats"])
    assert len(levels) == 3 * 16 + 2 * 3 + 2 * 50
    np.testing.assert_array_equal(floats[:16], encoder.arrays["mean"].ravel())
    scales, weights = floats[16:19], levels[: 3 * 16].reshape(3, 16)
    np.testing.assert_allclose(weights * scales[:, None], encoder.arrays["encoder.2.weight"], atol=scales.max() / 2)
    np.testing.assert_allclose(floats[19:22], encoder.arrays["encoder.2.bias"], rtol=1e-6)
    scales, latents = floats[-2:], levels[-100:].reshape(2, 50)
    np.testing.assert_allclose(latents * scales[:, None], encoder.latents.T, atol=scales.max() / 2)
    assert np.abs(weights).max() == 31
