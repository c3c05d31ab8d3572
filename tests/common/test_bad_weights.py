"""Damaged or foreign weights files are refused with one line, before memory is taken for what they ask."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from torch import nn

from stages.common.artifacts import read_weights, write_weights
from stages.common.errors import InputError
from stages.common.network_weights import filled

ARRAYS = {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(2, np.float32)}
GOOD = save(ARRAYS, {"architecture": json.dumps({"width": 3})})


def raw(header: bytes, length: int | None = None, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def rebuild(architecture: dict, arrays: dict[str, np.ndarray]) -> nn.Module:
    def call(network: nn.Module) -> None:
        network(torch.zeros(1, 3))

    return filled(lambda: nn.Linear(architecture["width"], 2), arrays, call, "network")


def test_good_weights_come_back(tmp_path):
    write_weights(str(tmp_path / "weights"), {"width": 3}, ARRAYS)
    assert (tmp_path / "weights").read_bytes() == GOOD
    network = rebuild(*read_weights(str(tmp_path / "weights")))
    assert network.state_dict()["weight"].tolist() == [[1] * 3] * 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(GOOD[:-4], id="truncated"),
        pytest.param(GOOD + b"more", id="longer"),
        pytest.param(b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00", id="a pickle"),
        pytest.param(raw(b"{}", 2**40), id="header of a terabyte"),
        pytest.param(raw(b"{{{{{{{{"), id="header that is not JSON"),
        pytest.param(
            raw(b'{"a":{"dtype":"F32","shape":[99],"data_offsets":[0,396]}}', body=b"\0" * 8), id="beyond its end"
        ),
        pytest.param(save(ARRAYS), id="no architecture"),
        pytest.param(save(ARRAYS, {"architecture": "{"}), id="architecture that is not JSON"),
        pytest.param(save(ARRAYS, {"architecture": json.dumps([1] * 100_000)}), id="long architecture"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged .* run `dvc repro`"):
        read_weights(str(path))


@pytest.mark.parametrize(
    ("architecture", "arrays"),
    [
        pytest.param({"width": 4}, {}, id="another shape"),
        pytest.param({"width": 10**15}, {}, id="a petabyte"),
        pytest.param({"width": 10**30}, {}, id="beyond 64 bits"),
        pytest.param({"width": -1}, {}, id="negative"),
        pytest.param({"width": "a"}, {}, id="text"),
        pytest.param([], {}, id="a list"),
        pytest.param({"width": 3}, {"bias": np.zeros(2)}, id="another dtype"),
        pytest.param({"width": 3}, {"bias": np.full(2, np.nan, np.float32)}, id="NaN"),
        pytest.param({"width": 3}, {"more": np.zeros(2, np.float32)}, id="one array more"),
        pytest.param({"width": 2}, {"weight": np.ones((2, 2), np.float32)}, id="cannot be called"),
    ],
)
def test_weights_that_do_not_fit_their_architecture_are_refused(architecture, arrays):
    with pytest.raises(InputError, match="the network's weights do not fit its architecture"):
        rebuild(architecture, ARRAYS | arrays)
