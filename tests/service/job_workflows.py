"""Workflows for the tests of jobs, and a program that runs them: `python job_workflows.py DATA_DIR`."""

import os
import sys
import time
from pathlib import Path

from backend.core.errors import Cancelled, OneClass
from backend.service.database import Database
from backend.service.jobs import Jobs
from backend.service.runner import Runner
from backend.settings import load_settings

STEPS = 20


def count(context, params):
    """Does STEPS steps, each a line in a file; what a former start did is not done again."""
    file = Path(params["file"])
    steps = params.get("steps", STEPS)
    done = len(file.read_text().splitlines()) if file.exists() else 0
    context.progress("count", done, steps)
    while done < steps:
        time.sleep(params.get("pause", 0.05))
        with file.open("a") as out:
            out.write(f"{done} {os.getpid()}\n")
        done += 1
        context.progress("count", done, steps)
    return {"lines": done}


def once(context, params):
    """Adds one line: a job that runs twice leaves two."""
    with Path(params["file"]).open("a") as out:
        out.write(f"{context.job_id} {os.getpid()}\n")
    time.sleep(0.02)
    return {}


def fail(context, params):
    if params["how"] == "ours":
        raise OneClass("There are only REAL images.", "Add FAKE ones.")
    if params["how"] == "disk":
        raise OSError(28, "No space left on device")
    raise ZeroDivisionError("bad \x00" + "\xff" * 5000)


def die(context, params):
    """Ends its process, as if it were killed."""
    with Path(params["file"]).open("a") as out:
        out.write("start\n")
    os._exit(9)


def odd(context, params):
    return {"result": {1, 2}}


def inspect(context, params):
    """Waits until it is stopped, then leaves word that it saw the flag."""
    (context.folder / "upload").write_text("bytes")
    while not context.cancelled():
        time.sleep(0.01)
    told = time.monotonic()
    while not context.turn() and time.monotonic() < told + 0.5:  # it is told a moment later
        time.sleep(0.01)
    Path(params["file"]).write_text(f"{context.turn()}")
    context.progress("inspect", 1, 1)
    return {}


def watch(context, params):
    """Stops as work on a worker does, once the turn is over; the next start has nothing to do."""
    file = Path(params["file"])
    if not file.exists():
        file.touch()
        while not context.turn():
            time.sleep(0.01)
        raise Cancelled("The work was told to stop.")
    return {}


WORKFLOWS = {"count": count, "once": once, "fail": fail, "die": die, "odd": odd, "inspect": inspect, "watch": watch}


def open_jobs(data_dir, **settings):
    settings = load_settings(data_dir=data_dir, **settings)
    database = Database(settings.database)
    database.upgrade()
    return Jobs(database, settings)


def wait_for(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    # A second argument: the folder of the lock file is another one, as on another host with the same database.
    settings = {"database_url": f"sqlite:///{sys.argv[2]}"} if len(sys.argv) > 2 else {}
    runner = Runner(
        open_jobs(Path(sys.argv[1]), **settings), WORKFLOWS, None, prepare=lambda: print("owner", flush=True)
    )
    runner.start()
    time.sleep(60)
