"""Stages on a cluster of several nodes give the bytes that they give on this machine, whatever happens to the nodes."""

import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import yaml

from stages import evaluate_map, extract_latents
from stages.autoencoder.training import CHUNK, new_network
from stages.cluster.tasks import ray_map
from stages.common.settings import load_params
from stages.images.garments.garments import draw_garments
from stages.tsne import embedding as tsne
from tests.cluster.conftest import NODES, STORE

OUTS = {
    "extract_latents": ["data/latents.npz"],
    "embed_latents": ["data/map.npz"],
    "evaluate_map": ["metrics/latents.json", "metrics/map.json", "plots/factor_agreement.csv", "plots/map_points.csv"],
}


WHERE = [(where, stage) for where in ("auto", "client") for stage in OUTS] + [("local:2", "embed_latents")]


@pytest.mark.parametrize(("where", "stage"), WHERE)
def test_a_stage_writes_the_same_files(pipeline, nodes, stage, where, count):
    number = 1 if where == "local:2" else NODES + 1
    where = nodes.client if where == "client" else where
    before = {out: (pipeline.folder / out).read_bytes() for out in OUTS[stage]}
    environment = {**pipeline.environment, "FITMAP_CLUSTER": where, "RAY_ADDRESS": nodes.cluster.address}
    command = [sys.executable, "-m", "stages", stage]
    done = subprocess.run(command, cwd=pipeline.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{stage} runs on {where}: {number} nodes, 2 CPUs" in done.stdout
    different = [out for out, content in before.items() if (pipeline.folder / out).read_bytes() != content]
    assert not different
    assert "up to date" in pipeline.run("dvc", "status", stage)
    count("cluster: stages run")
    count("cluster: nodes", number)
    count("cluster: files compared", len(before))
    count("cluster: differences", len(different))


def test_all_others_are_placed_among_landmarks(pipeline, nodes, tmp_path, count):
    folder = shutil.copytree(pipeline.folder, tmp_path / "fitmap", ignore=shutil.ignore_patterns(".git", ".dvc"))
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["tsne"] |= {"landmarks": "density", "points": 200}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    found = []
    for where in ("", "auto"):
        environment = {**pipeline.environment, "FITMAP_CLUSTER": where, "RAY_ADDRESS": nodes.cluster.address}
        for stage in ("embed_latents", "evaluate_map"):
            subprocess.run([sys.executable, "-m", "stages", stage], cwd=folder, env=environment, check=True)
        found.append((folder / "data/map.npz").read_bytes() + (folder / "metrics/map.json").read_bytes())
    with np.load(folder / "data/map.npz") as tsne:
        assert len(tsne["landmarks"]) == len(tsne["positions"]) == 200
        assert len(tsne["others"]) == params["images"]["drawn_train"] - 200
    count("cluster: differences", found[0] != found[1])
    assert found[0] == found[1]


@pytest.mark.parametrize("where", ["auto", "ray://127.0.0.1:9"])
def test_an_unreachable_cluster_is_one_line(pipeline, where):
    environment = {**pipeline.environment, "FITMAP_CLUSTER": where, "RAY_ADDRESS": "127.0.0.1:9"}
    command = [sys.executable, "-m", "stages", "extract_latents"]
    done = subprocess.run(command, cwd=pipeline.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"fitmap: FITMAP_CLUSTER = {where} cannot be reached (")
    assert done.stderr.count("\n") == 1


def extraction(run) -> list[np.ndarray]:
    images, _, _ = draw_garments(16 * CHUNK, seed=0)
    rows = {"train_images": images, "test_images": images[: 2 * CHUNK], "class_names": [], "factor_names": []}
    rows |= {f"{split}_{name}": [] for split in ("train", "test") for name in ("labels", "factors")}
    network = new_network((28, 28), load_params("autoencoder"))
    latents = extract_latents.extract(network, rows, "cpu", run)
    return [latents.train_latents, latents.train_reconstructions, latents.train_errors, latents.test_latents]


def placing(run) -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    latents, new = draw.normal(size=(3000, 32)), draw.normal(size=(12 * tsne.PIECE, 32))
    return [tsne.place(latents.astype(np.float32), latents[:, :2].astype(np.float32) * 10, new.astype(np.float32), run)]


def scoring(run) -> list:
    draw = np.random.default_rng(0)
    n = 3000
    rows = {
        f"{split}_{name}": values
        for split in ("train", "test")
        for name, values in {
            "images": draw.integers(0, 255, (n, 28, 28)).astype(np.uint8),
            "latents": draw.normal(size=(n, 32)).astype(np.float32),
            "labels": draw.integers(0, 10, n),
            "errors": draw.random(n, dtype=np.float32),
            "factors": draw.random((n, 5), dtype=np.float32),
        }.items()
    } | {"factor_names": np.array(list("abcde"))}
    positions = {name: draw.normal(size=(n, 2)).astype(np.float32) for name in ("positions", "placed")}
    maps = {f"{space}_{name}": values for space in ("pca", "pixel") for name, values in positions.items()}
    maps["pca_latents"] = draw.normal(size=(n, 50)).astype(np.float32)
    known = (
        rows,
        positions | {"kl_divergence": np.array(1.0), "landmarks": np.arange(n)},
        maps,
        load_params("map_scores"),
    )
    parts = ["latents", "map", "baselines", "factors"] * 2
    return [str(scores) for scores in run(partial(evaluate_map.evaluate, *known), parts)]


WORK = {"extraction": extraction, "placing": placing, "scoring": scoring}


@pytest.fixture(scope="session")
def alone() -> dict[str, list]:
    return {name: work(map) for name, work in WORK.items()}


def assert_same(results: list, expected: list, count) -> None:
    different = sum(
        a.tobytes() != b.tobytes() if isinstance(a, np.ndarray) else a != b
        for a, b in zip(results, expected, strict=True)
    )
    count("cluster: differences", different)
    assert different == 0


@pytest.mark.parametrize("work", WORK)
def test_a_node_killed_in_the_middle_costs_nothing(connected, alone, work, count, monkeypatch):
    monkeypatch.setattr(extract_latents, "PIECE", CHUNK)
    killed = []

    def killing(pieces):
        for number, piece in enumerate(pieces):
            if number == NODES * 2 + 1 and not killed:  # all nodes have work by now
                connected.kill()
                killed.append(number)
            yield piece

    results = WORK[work](lambda function, pieces: ray_map(function, killing(pieces)))
    assert killed
    assert_same(results, alone[work], count)
    count("cluster: nodes killed")


def test_a_slow_node_costs_only_time(connected, alone, count):
    with connected.slow():
        assert_same(placing(ray_map), alone["placing"], count)
    count("cluster: nodes slowed")


def test_a_full_object_store_spills_to_disk(connected, alone, count, monkeypatch):
    import ray

    monkeypatch.setattr(extract_latents, "PIECE", CHUNK)
    before, held = store_stats(), []

    def filling(pieces):
        for number, piece in enumerate(pieces):
            held.append(ray.put(np.full(STORE // 4, number, np.uint8)))  # 18, of which three find room
            yield piece

    assert_same(extraction(lambda function, pieces: ray_map(function, filling(pieces))), alone["extraction"], count)
    after = store_stats()
    spilled = after.spilled_bytes_total - before.spilled_bytes_total
    assert spilled >= (len(held) - 4) * (STORE // 4) > 0
    for number, reference in enumerate(held):
        assert (ray.get(reference) == number % 16).all()  # 16 pieces of training images, then those of the test images
    assert store_stats().restored_bytes_total - after.restored_bytes_total >= STORE
    count("cluster: object stores filled")
    count("cluster: MiB spilled", spilled >> 20)


def store_stats():
    """What the object stores of all nodes have spilled and restored so far."""
    import ray
    from ray._private.internal_api import get_memory_info_reply, get_state_from_address

    return get_memory_info_reply(get_state_from_address(ray.worker._global_node.address)).store_stats


def test_what_a_task_raises_is_raised_here(connected):
    with pytest.raises(ValueError, match="no part"):
        list(ray_map(refuse, [1, 2]))


def refuse(piece):
    raise ValueError("no part")
