"""Functions that the tests of the engine run on workers, and a program with an engine: `python engine_work.py`."""

import os
import signal
import sys
import threading
import time
import types
from pathlib import Path

from backend.core.errors import NotAnImage


def double(x):
    return 2 * x


def slow_double(x):
    time.sleep(0.1)
    return 2 * x


def die_once(path):
    """Kills its worker the first time."""
    path = Path(path)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def complain(x):
    if x == 3:
        raise NotAnImage("This is no image.", "Send another.")
    return x


def break_down(x):
    return 1 // x


def pid(_):
    time.sleep(0.05)
    return os.getpid()


def describe(_=None):
    """What this worker process is like."""
    import distributed.batched

    return {
        "nice": os.getpriority(os.PRIO_PROCESS, threading.get_native_id()),
        "threads": [os.environ.get(f"{name}_NUM_THREADS") for name in ("OMP", "OPENBLAS", "MKL")],
        "modules": sorted(sys.modules.keys() & {"torch", "pandas", "bokeh", "dask.dataframe", "fastapi", "sqlalchemy"}),
        "batches_by_the_wall_clock": distributed.batched.time is not time.monotonic,
        "interrupt_ignored": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    }


def blas_threads():
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info()]


def load_torch():
    """As an export of a backbone does, but without its seconds."""
    sys.modules["torch"] = types.ModuleType("torch")
    return os.getpid()


def hold(megabytes):
    """Takes memory in small pieces, frees it, and says how much of it the process still has (MiB)."""
    import psutil

    before = psutil.Process().memory_info().rss
    pieces = [bytes(4096) for _ in range(megabytes * 256)]
    full = psutil.Process().memory_info().rss
    assert full - before > megabytes * 2**19
    del pieces
    return before


def resident(_):
    import psutil

    return psutil.Process().memory_info().rss


def grow(_):
    """Takes more and more memory until it is stopped."""
    taken = []
    while True:
        taken.append(bytearray(os.urandom(4096) * 2560))
        time.sleep(0.01)


def fit(report, epochs):
    """As a head does: reports each epoch, and stops when it is told to."""
    for epoch in range(epochs):
        report("fit", epoch, epochs)
        time.sleep(0.02)
    report("fit", epochs, epochs)
    return epochs


if __name__ == "__main__":
    import psutil

    from backend.service.engine import Engine
    from backend.settings import load_settings

    started = time.perf_counter()
    engine = Engine(load_settings(data_dir=Path(sys.argv[1]), workers=2))
    engine.start()
    assert engine.wait(60)
    me = psutil.Process()
    workers = [child.pid for child in me.children(recursive=True)]
    print(*workers, flush=True)
    seconds = time.perf_counter() - started
    heavy = sys.modules.keys() & {"torch", "pandas", "bokeh", "dask.dataframe", "streamlit"}
    print(me.memory_info().rss // 2**20, f"{seconds:.2f}", *heavy, flush=True)
    engine.map(slow_double, range(10_000), on_result=lambda index, result: None)
