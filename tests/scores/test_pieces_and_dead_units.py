"""Straight pieces and dead units, each against a case whose answer is known."""

import numpy as np
import pytest
import torch

from stages.regressor.network import predict
from stages.scores.pieces_and_dead_units import activations, breakpoints, dead_units, linear_pieces
from tests.regressor.test_network import build


def plain(weights: list[float], biases: list[float], **changes):
    """Return a plain network with one hidden layer, whose units see weight · x / 10 + bias."""
    changes = {"activation": "relu", **changes}
    network = build(encoding="none", hidden_layers=[len(weights)], ensemble_size=1, **changes)
    with torch.no_grad():
        network.network.layers[0].weight.copy_(torch.tensor(weights))
        network.network.layers[0].bias.copy_(torch.tensor(biases))
    return network


def test_finds_known_bends():
    network = plain([1.0, -2.0], [0.25, 1.5])  # zero at x = -2.5 and 7.5
    np.testing.assert_allclose(breakpoints(network, -10, 10), [-2.5, 7.5], rtol=1e-6)
    assert linear_pieces(network, -10, 10) == 3
    assert linear_pieces(network, 0, 10) == 2


def test_between_bends_the_fit_is_straight():
    network = build(encoding="none").double()
    ends = [-10, *breakpoints(network, -10, 10), 10]
    assert len(ends) > 3
    for left, right in zip(ends, ends[1:], strict=False):
        inner = np.linspace(left, right, 7)[1:-1]
        np.testing.assert_allclose(np.diff(predict(network, inner)[0], 2), 0, atol=1e-6)


def test_bends_are_where_units_change_their_sign():
    network = build(encoding="none", hidden_layers=[16, 16])
    x = np.linspace(-10, 10, 200_001)
    signs = [(before > 0).numpy() for _, before in activations(network, x)]
    left = np.flatnonzero(sum(np.diff(sign, axis=1).any(axis=(0, 2)) for sign in signs))
    assert len(left) > 20
    found = breakpoints(network, -10, 10)
    np.testing.assert_array_equal(np.unique(np.searchsorted(x, found) - 1), left)


def test_curves_have_no_pieces_and_a_line_has_one():
    assert linear_pieces(build(encoding="none", activation="tanh"), -10, 10) is None
    assert linear_pieces(build(), -10, 10) is None
    assert linear_pieces(build(encoding="none", activation="identity"), -10, 10) == 1


@pytest.mark.parametrize(("changes", "dead"), [({}, 1), ({"activation": "leaky_relu"}, 0),
                                               ({"activation": "leaky_relu", "negative_slope": 0.0}, 1)])  # fmt: skip
def test_a_unit_that_no_point_wakes_is_dead(changes, dead):
    network = plain([1.0, 1.0, 1.0], [0.0, -1.5, 1.5], **changes)
    assert dead_units(network, np.linspace(-10, 10, 50)) == dead
