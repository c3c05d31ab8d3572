"""A Ray cluster on this machine: a head without CPUs and two nodes of one CPU each, every one with its own raylet."""

import os
from collections.abc import Iterator

import pytest

from tests.remotes.conftest import free_port

STORE = 80 << 20  # bytes of each node's object store, about the least that Ray allows
NODES = 2


class Nodes:
    """The nodes of the cluster; `client` is its address for processes outside of it."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        port = free_port()
        self.client = f"ray://127.0.0.1:{port}"
        head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head | {"ray_client_server_port": port})
        self.nodes = []
        self.fill()

    def fill(self) -> None:
        """Start the nodes that are missing."""
        while len(self.nodes) < NODES:
            self.nodes.append(self.cluster.add_node(num_cpus=1, object_store_memory=STORE))
        self.cluster.wait_for_nodes()

    def kill(self) -> None:
        """Kill a node's raylet, with its workers and objects."""
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)


@pytest.fixture(scope="session")
def started() -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture
def nodes(started, monkeypatch) -> Nodes:
    """The cluster with both nodes, named by FITMAP_CLUSTER."""
    started.fill()
    monkeypatch.setenv("RAY_ADDRESS", started.cluster.address)
    monkeypatch.setenv("FITMAP_CLUSTER", "auto")
    return started


@pytest.fixture
def connected(nodes) -> Iterator[Nodes]:
    """The cluster, with this process connected to it."""
    from stages.cluster.connection import connect

    ray = connect("auto")
    yield nodes
    ray.shutdown()
