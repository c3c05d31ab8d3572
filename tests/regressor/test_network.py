"""The network: scale, features, what is written of it, and what the band says."""

import numpy as np
import pytest
import torch

from stages.common.errors import InputError
from stages.regressor.network import FourierFeatures, Regressor, arrays_of, interpolate, network_from, predict

ARCHITECTURE = {
    "encoding": "fourier",
    "frequencies": 16,
    "components": 9,
    "hidden_layers": [8, 4],
    "activation": "leaky_relu",
    "negative_slope": 0.2,
    "ensemble_size": 3,
    "log_x": False,
    "band_knots": 5,
}


def build(**changes) -> Regressor:
    """Return a regressor of random weights for x in -10 … 10, y around 300."""
    torch.manual_seed(0)
    changes |= {"components": 0} if changes.get("encoding") == "none" else {}
    network = Regressor({**ARCHITECTURE, **changes})
    if network.features:
        torch.nn.init.normal_(network.features.mix, std=0.3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for name, value in {"x_low": -10, "x_high": 10, "x_scale": 10, "y_centre": 300, "y_scale": 50}.items():
        getattr(network, name).fill_(value)
    network.band[:] = torch.tensor([[-3.0, -2, -1, -2, -3], [1, 2, 3, 4, 5]])
    return network


@pytest.mark.parametrize("encoding", ["none", "fourier"])
def test_a_network_read_back_predicts_the_same_bits(encoding):
    network, x = build(encoding=encoding), np.linspace(-12, 12, 50)
    again = network_from(network.architecture, arrays_of(network))
    np.testing.assert_array_equal(np.stack(predict(network, x)), np.stack(predict(again, x)))


def test_chunks_do_not_change_the_prediction():
    network, x = build(), np.linspace(-10, 10, 50)
    np.testing.assert_allclose(np.stack(predict(network, x)), np.stack(predict(network, x, chunk=7)), rtol=1e-6)
    assert [len(values) for values in predict(network, [])] == [0, 0, 0]


def test_beyond_the_training_range_the_fit_is_a_straight_line():
    network = build()
    for x in (np.linspace(11, 40, 5), np.linspace(-40, -11, 5)):
        y = predict(network.double(), x)[0]
        np.testing.assert_allclose(np.diff(y, 2), 0, atol=1e-9)


def test_logarithmic_x_equals_the_network_of_the_logarithm():
    network, other = build(log_x=True), build()
    x = np.geomspace(1e-3, 1e3, 50)
    np.testing.assert_allclose(predict(network, x)[0], predict(other, np.log(x))[0])


def test_features_are_x_and_mixed_waves():
    features = FourierFeatures(2, 6)
    features.mix.copy_(torch.eye(6))
    u = torch.tensor([-1.0, 0.3], dtype=torch.float64)
    waves = [*((k * torch.pi / 1.5 * u).sin() for k in (1, 2)), *((k * torch.pi / 1.5 * u).cos() for k in (1, 2))]
    torch.testing.assert_close(features(u), torch.stack([u, torch.ones(2), u, *waves], dim=1).double())


def test_the_band_is_interpolated_and_constant_outside():
    x, knots, values = (torch.tensor(v) for v in ([-9.0, 0, 0.5, 1, 2, 9], [0.0, 1, 3], [10.0, 20, 0]))
    torch.testing.assert_close(interpolate(x, knots, values), torch.tensor([10.0, 10, 15, 20, 10, 0]))


@pytest.mark.parametrize("changes", [{"hidden_layers": [8]}, {"ensemble_size": 4}, {"components": 8}])
def test_refuses_weights_of_another_architecture(changes):
    with pytest.raises(InputError, match="regressor's weights do not fit"):
        network_from({**ARCHITECTURE, **changes}, arrays_of(build()))


def test_refuses_weights_that_are_not_finite():
    with pytest.raises(InputError, match="not finite"):
        network_from(ARCHITECTURE, arrays_of(build()) | {"band": np.full((2, 5), np.nan)})
