"""Map a function over pieces of work: on this machine, or as Ray tasks on a cluster, with the same result.

Pure functions take a parameter `run=map` and cut their work into the same pieces wherever it runs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from stages.cluster.connection import address
from stages.common.errors import InputError

AHEAD = 2  # tasks under way for each CPU: enough to keep it busy, few enough to hold their results in memory
RETRIES = 5  # of a task whose worker or node is lost


def mapping() -> Callable[[Callable, Iterable], Iterator]:
    """Return what maps a function over pieces where the stage runs: the built-in `map`, or `ray_map` on a cluster."""
    return ray_map if address() else map


def ray_map(function: Callable, pieces: Iterable) -> Iterator:
    """Yield `function` of each piece in order. A task whose node is lost runs again; its result comes once.

    Pieces are taken as tasks end, so that few pieces and results are held at once. `function`, with the arrays it may
    hold, is sent to each node once. What it raises is raised here; `InputError` if the cluster gives a task up.
    """
    import ray

    task = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
    shared, waiting = ray.put(function), deque()
    most = AHEAD * int(ray.cluster_resources()["CPU"])
    try:
        for piece in pieces:
            waiting.append(task.remote(shared, piece))
            if len(waiting) == most:
                yield ray.get(waiting.popleft())
        while waiting:
            yield ray.get(waiting.popleft())
    except ray.exceptions.RayTaskError as error:
        raise error.cause
    except ray.exceptions.RayError as error:
        raise InputError(f"the Ray cluster gave up a piece of work after {RETRIES} retries ({error})") from None


def _call(function: Callable, piece):
    return function(piece)
