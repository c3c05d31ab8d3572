"""The network: its scale, its encodings, its ensemble, and what is written of it."""

import numpy as np
import pytest
import torch

from stages.regression.network import Regressor, arrays_of, network_from, predict, resolutions

ARCHITECTURE = {
    "encoding": "fourier",
    "encoding_size": 16,
    "members": 3,
    "shortcut": True,
    "hidden_layers": [8, 4],
    "activation": "leaky_relu",
    "negative_slope": 0.2,
}


def build(**changes) -> Regressor:
    return Regressor({**ARCHITECTURE, **changes}, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("encoding", ["none", "fourier", "hat"])
def test_a_network_read_back_predicts_the_same_bits(encoding):
    network = build(encoding=encoding)
    x = torch.linspace(1e9, 1e9 + 7, 50, dtype=torch.float64)
    network.fit_scale(x, x.sin())
    network.half_band.fill_(2.5)
    y, lower, upper = predict(network, x.numpy())
    again = predict(network_from(network.architecture, arrays_of(network)), x.numpy())
    np.testing.assert_array_equal(np.stack([y, lower, upper]), np.stack(again))
    np.testing.assert_allclose(upper - lower, 5)


def test_no_hidden_layer_and_no_shortcut_is_a_straight_line():
    network = build(encoding="none", hidden_layers=[], shortcut=False)
    y = predict(network, np.linspace(-1, 2, 7))[0]
    np.testing.assert_allclose(np.diff(y, 2), 0, atol=1e-6)


def test_members_see_their_own_resolution_only():
    network = build()
    u = torch.linspace(-1, 1, 9)
    before = network.member_outputs(u).detach()
    with torch.no_grad():
        network.layers[0].weight[:, 8] += 1  # the sine of the eighth frequency
        network.shortcut.weight[:, 8] += 1
    changed = (network.member_outputs(u).detach() != before).any(dim=1)
    assert resolutions(3, 16) == [2, 7, 16]
    assert changed.tolist() == [False, False, True]


def test_hats_sum_to_one_inside_the_range():
    network = build(encoding="hat")
    encoded = network.encode(torch.linspace(-1, 1, 101))
    torch.testing.assert_close(encoded[:, :, 1:].sum(2), torch.ones(3, 101))


def test_each_member_is_a_network_of_its_own():
    network = build()
    u = torch.linspace(-1, 1, 20)
    before = network.member_outputs(u).detach()
    with torch.no_grad():
        for layer in network.layers:
            layer.weight[1] += 1
    after = network.member_outputs(u).detach()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_layer_sizes_are_those_of_the_weights():
    network = build()
    widths = [width for _, width in network.layer_sizes()]
    shapes = [tuple(layer.weight.shape[1:]) for layer in network.layers]
    assert widths == [1, 33, 8, 4, 1]
    assert shapes == [(33, 8), (8, 4), (4, 1)]


def test_nothing_to_predict_gives_nothing():
    assert predict(build(), [])[0].shape == (0,)


def test_read_only_and_whole_numbers_are_taken(recwarn):
    x = np.arange(5)
    x.flags.writeable = False
    assert predict(build(), x)[0].dtype == np.float64
    assert not recwarn
