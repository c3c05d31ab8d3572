"""Where a stage runs: on this machine, or on the Ray cluster that the environment variable FITMAP_CLUSTER names.

It is not a setting, as no output depends on it. `local:4` starts Ray on this machine with four workers, `auto` is the
cluster that this machine belongs to, `ray://head:10001` a cluster reached through its head. Ray is imported only then.
"""

import os
import re
import socket
import warnings
from collections.abc import Callable
from pathlib import Path

from stages.common.errors import InputError

VARIABLE = "FITMAP_CLUSTER"
FORMS = re.compile(r"local:[1-9]\d{0,3}|auto|ray://[\w.\[\]:-]+:\d+")
ANSWERS_WITHIN = 10  # seconds
PACKAGE = Path(__file__).parents[1]  # sent to the workers, which need not have the project


def address() -> str | None:
    """Return the cluster's address, None for this machine. Raises `InputError` if it has none of the known forms."""
    value = os.environ.get(VARIABLE)
    if value and not FORMS.fullmatch(value):
        raise InputError(f"{VARIABLE} = {value!r} is no cluster: use local:4, auto or ray://head:10001, or unset it")
    return value or None


def on_cluster(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a stage's `main`: it runs connected to the cluster if one is named, else as it is.

    The wrapped function raises `InputError` if the cluster cannot be reached or Ray is not installed: a stage never
    falls back to this machine.
    """

    def run_there() -> None:
        if (where := address()) is None:
            return main()
        ray = connect(where)
        alive = [node for node in ray.nodes() if node["Alive"]]
        print(f"on {where}: {len(alive)} nodes, {ray.cluster_resources()['CPU']:.0f} CPUs", flush=True)
        try:
            main()
        finally:
            ray.shutdown()

    return run_there


def connect(where: str):
    """Return the module `ray`, connected to the cluster `where`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a task without GPUs still sees them, as here
    try:
        import ray
    except ImportError:
        raise InputError(f"{VARIABLE} = {where} needs Ray: pip install 'fitmap[cluster]'") from None
    kind, _, workers = where.partition("local:")
    target = {"address": kind} if kind else {"address": "local", "num_cpus": int(workers), "include_dashboard": False}
    environment = {"py_modules": [str(PACKAGE)], "env_vars": {"NUMBA_NUM_THREADS": "1"}}
    try:
        _knock(os.environ.get("RAY_ADDRESS", "") if kind == "auto" else kind)
        with warnings.catch_warnings(action="ignore"):  # the error says it again
            ray.init(**target, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # a network fails in many ways
        raise InputError(f"{VARIABLE} = {where} cannot be reached ({error}): is the cluster up? `ray status` tells")
    return ray


def _knock(address: str) -> None:
    """Raise `OSError` if nobody answers at an address that ends in host:port: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS_WITHIN).close()
