"""Record what a stage opens, writes and starts.

Python imports this file at its start when its folder is on PYTHONPATH. Every process of `python -m stages NAME` appends
its events to the file NAME in the folder AUDIT_LOG, one JSON list each: what, path or detail, and the project's file
that did it.
"""

import json
import os
import sys
import threading

EDITS = {"os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"}
PROCESSES = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}


def entries(event: str, arguments: tuple):
    """What one audit event says, as (what, path or detail)."""
    if event == "open" and not isinstance(arguments[0], int):
        path, mode, flags = arguments
        writing = set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        yield ("write" if writing else "read", absolute(path))
    elif event in ("os.listdir", "os.scandir"):
        yield ("list", absolute(arguments[0] or "."))
    elif event == "os.rename":
        yield ("remove", absolute(arguments[0]))
        yield ("write", absolute(arguments[1]))
    elif event in EDITS:
        yield ("remove" if event == "os.remove" else "write", absolute(arguments[0]))
    elif event == "fitmap.load_params":
        yield ("params", arguments[0])
    elif event in PROCESSES or (event.startswith("socket.") and event != "socket.gethostname"):
        yield ("forbidden", f"{event} {arguments!r}"[:200])


def absolute(path) -> str | None:
    """The path in full; None for an entry of `sys.path`, which is Python's own to look at."""
    if isinstance(path, int):
        return f"descriptor {path}"
    path = os.fsdecode(path)
    return None if path in sys.path else os.path.realpath(path)


def origin(root: str) -> str | None:
    """The innermost file of the project that led to the event; None where Python's import system did it."""
    frame = sys._getframe(2)
    while frame:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return None
        if not name.startswith("<") and os.path.abspath(name).startswith(f"{root}/"):
            return os.path.relpath(name, root)
        frame = frame.f_back
    return None


def start(stage: str) -> None:
    log = os.open(os.path.join(os.environ["AUDIT_LOG"], stage), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    root, seen, thread = os.getcwd(), set(), threading.local()

    def record(event: str, arguments: tuple) -> None:
        if getattr(thread, "recording", False):
            return  # what recording itself does
        thread.recording = True
        try:
            for what, detail in entries(event, arguments):
                if detail is None:
                    continue
                line = json.dumps([what, detail, origin(root)])
                if line not in seen:
                    seen.add(line)
                    os.write(log, f"{line}\n".encode())
        finally:
            thread.recording = False

    sys.addaudithook(record)


if "AUDIT_LOG" in os.environ and sys.orig_argv[1:3] == ["-m", "stages"]:
    start(sys.orig_argv[3])
