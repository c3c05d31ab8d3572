"""A real Ray cluster on this machine: a head without CPUs and nodes of one CPU each, every one a raylet of its own."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.remotes.conftest import free_port

STORE = 80 << 20  # bytes of each node's object store, nearly the least that Ray allows
NODES = 2


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "tests/cluster/" in item.nodeid:
            item.add_marker(pytest.mark.cluster)


class Nodes:
    """The cluster's worker nodes, to lose and to slow down; `client` is its address for those outside of it."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # the head would send some
        port = free_port()
        self.client = f"ray://127.0.0.1:{port}"
        head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
        head |= {"ray_client_server_port": port}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = []
        self.fill()

    def fill(self) -> None:
        """Start as many nodes as are missing."""
        while len(self.nodes) < NODES:
            self.nodes.append(self.cluster.add_node(num_cpus=1, object_store_memory=STORE))
        self.cluster.wait_for_nodes()

    def kill(self) -> None:
        """End a node at once: its raylet gets SIGKILL, and its workers and objects go with it."""
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)

    @contextmanager
    def slow(self) -> Iterator[None]:
        """One node whose processes sleep nine tenths of the time."""
        raylet = self.nodes[-1].all_processes["raylet"][0].process.pid
        done = threading.Event()
        thread = threading.Thread(target=slow_down, args=(raylet, done))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def slow_down(raylet: int, done: threading.Event) -> None:
    import psutil

    def signal_all(which: int) -> None:
        for process in psutil.Process(raylet).children(recursive=True):
            if "agent" not in " ".join(process.cmdline()):
                os.kill(process.pid, which)

    while not done.is_set():
        signal_all(signal.SIGSTOP)
        done.wait(0.45)
        signal_all(signal.SIGCONT)
        done.wait(0.05)


@pytest.fixture(scope="session")
def started(tmp_path_factory) -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture
def nodes(started, monkeypatch) -> Nodes:
    """The cluster with all its nodes, and FITMAP_CLUSTER naming it."""
    started.fill()
    monkeypatch.setenv("RAY_ADDRESS", started.cluster.address)
    monkeypatch.setenv("FITMAP_CLUSTER", "auto")
    return started


@pytest.fixture
def connected(nodes) -> Iterator[Nodes]:
    """The same, with this process connected to it."""
    from stages.cluster.connection import connect

    ray = connect("auto")
    yield nodes
    ray.shutdown()


@pytest.fixture
def outside(nodes, monkeypatch) -> Iterator[Nodes]:
    """The same, with this process connected to it through its head, as one on a machine outside of it is."""
    from stages.cluster.connection import connect

    monkeypatch.setenv("FITMAP_CLUSTER", nodes.client)
    ray = connect(nodes.client)
    yield nodes
    ray.shutdown()
