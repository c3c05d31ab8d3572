"""What FITMAP_CLUSTER says, where no Ray is needed to tell."""

import subprocess
import sys

import pytest

from stages.cluster.connection import address, cluster
from stages.common.errors import InputError


@pytest.mark.parametrize("value", ["local:4", "auto", "ray://head:10001", "ray://[::1]:10001"])
def test_the_known_forms(monkeypatch, value):
    monkeypatch.setenv("FITMAP_CLUSTER", value)
    assert address() == value


@pytest.mark.parametrize("value", ["local", "local:0", "4", "head:6379", "ray://head", "AUTO", "auto "])
@pytest.mark.parametrize("stage", ["generate_curve", "extract_latents"])
def test_anything_else_is_refused_in_every_stage(monkeypatch, value, stage):
    monkeypatch.setenv("FITMAP_CLUSTER", value)
    with pytest.raises(InputError, match=r"is no cluster: use local:4, auto or ray://head:10001"), cluster(stage):
        pass


def test_without_it_a_stage_runs_here(monkeypatch, capsys):
    monkeypatch.delenv("FITMAP_CLUSTER", raising=False)
    with cluster("extract_latents"):
        assert capsys.readouterr().out == "extract_latents runs on this machine\n"


def test_without_the_extra_a_cluster_is_refused(monkeypatch):
    monkeypatch.setenv("FITMAP_CLUSTER", "auto")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"needs Ray: pip install 'fitmap\[cluster\]'"), cluster("extract_latents"):
        pass


def test_nothing_of_ray_is_imported_without_it():
    stages = "extract_latents, embed_latents, evaluate_map, train_autoencoder, load_images"
    code = f"import sys; from stages import {stages}; print([name for name in sys.modules if name.startswith('ray')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
