"""The network: its scale, its encodings, its ensemble, and what is written of it."""

import numpy as np
import pytest
import torch

from stages.common.errors import InputError
from stages.regressor.network import Regressor, arrays_of, network_from, predict
from stages.regressor.spectrum import fit_spectrum

GROUPS = {
    "none": {"encoding": "raw", "resolution": 0, "inputs": 1},
    "fourier": {"encoding": "smooth", "resolution": 16, "inputs": 9},
    "hat": {"encoding": "hat", "resolution": 16, "inputs": 18},
}
ARCHITECTURE = {
    "members": 3,
    "shortcut": True,
    "hidden_layers": [8, 4],
    "activation": "leaky_relu",
    "negative_slope": 0.2,
}


def build(*encodings: str, **changes) -> Regressor:
    groups = [GROUPS[encoding] for encoding in encodings or ("fourier",)]
    return Regressor({**ARCHITECTURE, "groups": groups, **changes}, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("encodings", [["none"], ["fourier"], ["hat"], ["fourier", "none", "none"]])
def test_a_network_read_back_predicts_the_same_bits(encodings):
    network = build(*encodings)
    x = torch.linspace(1e9, 1e9 + 7, 50, dtype=torch.float64)
    network.fit_scale(x, x.sin())
    network.half_band.fill_(2.5)
    y, lower, upper = predict(network, x.numpy())
    again = predict(network_from(network.architecture, arrays_of(network)), x.numpy())
    np.testing.assert_array_equal(np.stack([y, lower, upper]), np.stack(again))
    np.testing.assert_allclose(upper - lower, 5)


@pytest.mark.parametrize(
    ("encoding", "wrong"),
    [
        ("hat", {"resolution": 10**12}),  # more hats than memory has room for
        ("hat", {"inputs": 17}),
        ("fourier", {"resolution": 17}),
        ("none", {"inputs": 10**12}),
        ("none", {"encoding": "fourrier"}),
    ],
)
def test_weights_of_another_architecture_are_refused_in_one_line(encoding, wrong):
    arrays, architecture = arrays_of(build(encoding)), build(encoding).architecture
    with pytest.raises(InputError, match="the regressor's weights do not fit its architecture"):
        network_from({**architecture, "groups": [{**architecture["groups"][0], **wrong}]}, arrays)


def test_no_hidden_layer_and_no_shortcut_is_a_straight_line():
    network = build("none", hidden_layers=[], shortcut=False)
    y = predict(network, np.linspace(-1, 2, 7))[0]
    np.testing.assert_allclose(np.diff(y, 2), 0, atol=1e-6)


def test_hats_sum_to_one_inside_the_range():
    encoded = build("hat").groups[0].encode(torch.linspace(-1, 1, 101))
    torch.testing.assert_close(encoded[:, 1:].sum(1), torch.ones(101))


def test_each_member_is_a_network_of_its_own():
    group = build("hat").groups[0]
    encoded = group.encode(torch.linspace(-1, 1, 20))
    before = group(encoded).detach()
    with torch.no_grad():
        for layer in group.layers:
            layer.weight[1] += 1
    after = group(encoded).detach()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_the_fit_is_the_weighted_mean_of_the_line_and_the_groups():
    network = build("hat", "none")
    x = torch.linspace(-3, 5, 30, dtype=torch.float64)
    network.fit_scale(x, 2 * x)
    _, hats, raw = network.candidates(x)
    torch.testing.assert_close(network(x), (hats + raw) / 2 * network.y_std + network.y_mean)
    network.mixture.copy_(torch.tensor([1.0, 0, 0]))
    torch.testing.assert_close(network(x), 2 * x)


def test_encoded_networks_start_as_what_their_shortcut_sees():
    network = build("fourier")
    x = torch.linspace(-1, 1, 40, dtype=torch.float64)
    spectrum = fit_spectrum("smooth", x, (5 * x).sin(), 16)
    network = build("fourier", groups=[{**GROUPS["fourier"], "inputs": len(spectrum.prior)}])
    network.groups[0].fit_prior(spectrum.projection, spectrum.prior)
    encoded = network.groups[0].encode(x)
    assert not network.groups[0](encoded).any()
    torch.testing.assert_close(encoded.square().mean(0), torch.ones(len(spectrum.prior)), rtol=1e-3, atol=1e-3)


def test_layer_sizes_are_those_of_the_weights():
    network = build()
    widths = [width for _, width in network.layer_sizes()]
    shapes = [tuple(layer.weight.shape[1:]) for layer in network.groups[0].layers]
    assert widths == [1, 9, 8, 4, 1]
    assert shapes == [(9, 8), (8, 4), (4, 1)]


def test_nothing_to_predict_gives_nothing():
    assert predict(build(), [])[0].shape == (0,)


def test_read_only_and_whole_numbers_are_taken(recwarn):
    x = np.arange(5)
    x.flags.writeable = False
    assert predict(build(), x)[0].dtype == np.float64
    assert not recwarn
