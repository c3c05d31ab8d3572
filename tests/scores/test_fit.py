"""The scores, each against a case whose answer is known."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from stages.regressor.network import Regressor, predict
from stages.scores.fit import breakpoints, dead_units, linear_baseline_mae, linear_pieces, noise_floor_mae

RAW = {"encoding": "raw", "resolution": 0, "inputs": 1}
HATS = [{"encoding": "hat", "resolution": 4, "inputs": 6}, {"encoding": "hat", "resolution": 8, "inputs": 10}]


def build(**changes) -> Regressor:
    architecture = {
        "groups": [RAW],
        "members": 1,
        "shortcut": False,
        "hidden_layers": [6, 5],
        "activation": "leaky_relu",
        "negative_slope": 0.2,
        **changes,
    }
    network = Regressor(architecture, torch.Generator().manual_seed(3))
    network.fit_scale(torch.tensor([-10.0, 10], dtype=torch.float64), torch.tensor([0.0, 1], dtype=torch.float64))
    return network


def set_layer(network: Regressor, layer: int, weight: list, bias: list) -> None:
    with torch.no_grad():
        network.groups[0].layers[layer].weight.copy_(torch.tensor(weight))
        network.groups[0].layers[layer].bias.copy_(torch.tensor(bias))


def test_the_floor_of_normal_noise():
    noise = np.random.default_rng(0).normal(0, 30, 1_000_000)
    assert noise_floor_mae(30) == pytest.approx(np.abs(noise).mean(), rel=2e-3)


def test_the_linear_baseline_is_zero_on_a_line():
    x = np.arange(10.0)
    assert linear_baseline_mae(x, 3 * x + 1, x + 20, 3 * (x + 20) + 2) == pytest.approx(1)


def test_known_kinks_are_found_exactly():
    network = build(hidden_layers=[2], activation="relu")
    set_layer(network, 0, [[1.0, -2.0]], [0.25, 1.5])  # zero at u = -0.25 and 0.75: x = -2.5 and 7.5
    set_layer(network, 1, [[1.0], [1.0]], [0.0])
    np.testing.assert_allclose(breakpoints(network, -10, 10), [-2.5, 7.5])
    assert linear_pieces(network, -10, 10) == 3
    assert linear_pieces(network, 0, 10) == 2


@pytest.mark.parametrize("changes", [{}, {"groups": [*HATS, RAW], "members": 2, "shortcut": True}])
def test_between_breakpoints_the_fit_is_straight_and_at_them_it_is_not(changes):
    network = build(**changes)
    points = np.concatenate([[-10.0], breakpoints(network, -10, 10), [10.0]])
    assert len(points) > 3
    network = network.double()
    for left, right in pairwise(points):
        y = predict(network, np.linspace(left, right, 5))[0]
        np.testing.assert_allclose(np.diff(y, 2), 0, atol=1e-9)


def test_curves_have_no_pieces_and_a_line_has_one():
    assert linear_pieces(build(activation="tanh"), -10, 10) is None
    assert linear_pieces(build(groups=[{"encoding": "smooth", "resolution": 4, "inputs": 3}]), -10, 10) is None
    assert linear_pieces(build(activation="identity"), -10, 10) == 1


def test_dead_units_are_those_that_no_point_moves():
    network, x = build(hidden_layers=[3], activation="relu"), np.linspace(-10, 10, 50)
    set_layer(network, 0, [[1.0, 1.0, 1.0]], [0.0, -1.5, 1.5])  # the second never wakes
    assert dead_units(network, x) == 1
    network.groups[0].activation = "leaky_relu"
    assert dead_units(network, x) == 0
    network.groups[0].negative_slope = 0.0
    assert dead_units(network, x) == 1
