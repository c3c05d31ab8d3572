"""What FITMAP_CLUSTER accepts, and that nothing of Ray is imported without it."""

import subprocess
import sys

import pytest

from stages.cluster.connection import address, on_cluster
from stages.common.errors import InputError


@pytest.mark.parametrize("value", ["local:4", "auto", "ray://head:10001", "ray://[::1]:10001"])
def test_the_known_forms(monkeypatch, value):
    monkeypatch.setenv("FITMAP_CLUSTER", value)
    assert address() == value


@pytest.mark.parametrize("value", ["local", "local:0", "4", "head:6379", "ray://head", "AUTO", "auto "])
def test_any_other_value_is_refused(monkeypatch, value):
    monkeypatch.setenv("FITMAP_CLUSTER", value)
    with pytest.raises(InputError, match=r"is no cluster: use local:4, auto or ray://head:10001"):
        on_cluster(lambda: None)()


def test_without_the_variable_a_stage_runs_here(monkeypatch):
    monkeypatch.delenv("FITMAP_CLUSTER", raising=False)
    ran = []
    on_cluster(lambda: ran.append(True))()
    assert ran == [True]


def test_without_ray_a_cluster_is_refused(monkeypatch):
    monkeypatch.setenv("FITMAP_CLUSTER", "auto")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"needs Ray: pip install 'fitmap\[cluster\]'"):
        on_cluster(lambda: None)()


def test_nothing_of_ray_is_imported_without_the_variable():
    stages = ("autoencoder.train_autoencoder", "latents.extract_latents", "tsne.embed_latents", "scores.evaluate_map")
    imports = "; ".join(f"import stages.{stage}" for stage in stages)
    code = f"import sys; {imports}; print([name for name in sys.modules if name.split('.')[0] == 'ray'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
