"""Stages on a cluster write the bytes that they write on this machine, also if a node is lost."""

import subprocess
import sys
import time

import pytest
import yaml

from stages.cluster.map_on_ray import ray_map

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(
    ("stage", "where"),
    [
        ("extract_latents", "auto"),
        ("embed_latents", "auto"),
        ("evaluate_map", "local:2"),
        ("extract_latents", "client"),
    ],
)
def test_a_stage_writes_the_same_files(pipeline, nodes, stage, where):
    where = nodes.client if where == "client" else where
    graph, lock = (yaml.safe_load((pipeline.folder / name).read_text()) for name in ("dvc.yaml", "dvc.lock"))
    outs = [out["path"] for out in lock["stages"][stage]["outs"]]
    before = {out: (pipeline.folder / out).read_bytes() for out in outs}
    environment = pipeline.environment | {"FITMAP_CLUSTER": where, "RAY_ADDRESS": nodes.cluster.address}
    command = [sys.executable, *graph["stages"][stage]["cmd"].split()[1:]]
    done = subprocess.run(command, cwd=pipeline.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"on {where}: " in done.stdout
    assert [out for out in outs if (pipeline.folder / out).read_bytes() != before[out]] == []


@pytest.mark.parametrize("where", ["auto", "ray://127.0.0.1:9"])
def test_an_unreachable_cluster_is_one_line(pipeline, where):
    environment = pipeline.environment | {"FITMAP_CLUSTER": where, "RAY_ADDRESS": "127.0.0.1:9"}
    command = [sys.executable, "-m", "stages.latents.extract_latents"]
    done = subprocess.run(command, cwd=pipeline.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"fitmap: FITMAP_CLUSTER = {where} cannot be reached (")
    assert done.stderr.count("\n") == 1


def square(piece: int) -> int:
    time.sleep(0.2)
    return piece * piece


def refuse(piece: int) -> None:
    raise ValueError("no part")


def test_work_of_a_lost_node_is_done_again(connected):
    def pieces():
        for piece in range(20):
            if piece == 6:  # both nodes have work by now
                connected.kill()
            yield piece

    assert list(ray_map(square, pieces())) == [piece * piece for piece in range(20)]
    assert len(connected.nodes) == 1


def test_an_error_of_a_task_is_raised_here(connected):
    with pytest.raises(ValueError, match="no part"):
        list(ray_map(refuse, [1, 2]))
