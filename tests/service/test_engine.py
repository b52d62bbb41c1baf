import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import dask.config
import psutil
import pytest

from backend.core.errors import Cancelled, NotAnImage, Unavailable, WorkerLost
from backend.service.engine import Engine
from backend.service.signals import Turn, WorkerReport
from backend.settings import load_settings
from tests.service import engine_work as work

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = Engine(load_settings(data_dir=tmp_path_factory.mktemp("engine"), workers=2))
    engine.start()
    yield engine
    engine.close()


def collect(engine, function, items, **more):
    results = {}

    def take(index, result):
        assert index not in results
        results[index] = result

    engine.map(function, items, on_result=take, **more)
    return [results[index] for index in range(len(items))]


def worker_processes(engine):
    return {pid for pid in collect(engine, work.pid, range(12)) if pid != os.getpid()}


def test_every_item_is_done_once(engine):
    assert collect(engine, work.double, range(50)) == [2 * x for x in range(50)]
    assert collect(engine, work.double, []) == []
    assert len(worker_processes(engine)) == 2


def test_results_arrive_in_the_calling_thread(engine):
    threads = []
    engine.map(work.double, range(5), on_result=lambda *_: threads.append(threading.get_ident()))
    assert set(threads) == {threading.get_ident()}


def test_only_a_few_items_are_handed_out_at_a_time(engine):
    """A list that remembers how far it was read: never far ahead of the results."""

    class Items(list):
        read = 0

        def __getitem__(self, index):
            self.read = max(self.read, index + 1)
            return super().__getitem__(index)

    items, ahead = Items(range(60)), []
    done = 0

    def take(index, result):
        nonlocal done
        done += 1
        ahead.append(items.read - done)

    engine.map(work.double, items, on_result=take)
    assert done == 60
    assert max(ahead) < 8


def test_two_threads_may_use_it_at_once(engine):
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: collect(engine, work.double, range(n, n + 10))}))
        for n in (0, 100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: [2 * x for x in range(n, n + 10)] for n in (0, 100)}


def test_what_the_function_raises_is_raised_here(engine):
    with pytest.raises(NotAnImage, match="no image") as caught:
        collect(engine, work.complain, range(10))
    assert caught.value.hint == "Send another."
    with pytest.raises(ZeroDivisionError):
        engine.call(work.break_down, 0)


def test_what_on_result_raises_ends_the_work(engine):
    def refuse(index, result):
        raise Cancelled("Enough.")

    with pytest.raises(Cancelled, match="Enough"):
        engine.map(work.slow_double, range(1000), on_result=refuse)


def test_cancel_within_a_second_while_nothing_completes(engine, tmp_path):
    turn = Turn(tmp_path / "turn", "first")
    turn.take()
    report = WorkerReport(turn, tmp_path / "progress.json")
    threading.Timer(0.5, turn.end).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        engine.map(partial(work.fit, report), [100_000] * 4, on_result=lambda *_: None, cancelled=turn)
    assert time.monotonic() - start < 1.5
    assert collect(engine, work.double, [1]) == [2]  # the workers have stopped as well


def test_a_killed_workers_items_run_again(engine):
    victim = worker_processes(engine).pop()
    killed = False

    def take(index, result):
        nonlocal killed
        results[index] = result
        if not killed:
            os.kill(victim, signal.SIGKILL)
            killed = True

    results = {}
    engine.map(work.slow_double, range(30), on_result=take)
    assert results == {x: 2 * x for x in range(30)}
    assert victim not in worker_processes(engine)


def test_an_item_that_kills_its_worker_once_is_done_by_another(engine, tmp_path):
    result = engine.call(work.die_once, str(tmp_path / "mark"))
    assert result != os.getpid()


def test_an_item_that_always_kills_its_worker_fails_with_a_reason(engine):
    with pytest.raises(WorkerLost, match="died on the same piece of work, 4 times"):
        collect(engine, work.die, [0])
    assert collect(engine, work.double, [4]) == [8]


def test_workers_have_manners_also_after_a_restart(engine):
    for described in collect(engine, work.describe, range(6)):
        assert described.pop("batches_by_the_wall_clock") is False
        assert described == {"nice": 10, "threads": ["1", "1", "1"], "modules": [], "interrupt_ignored": True}


def test_a_call_may_use_all_cores_and_leaves_no_trace(engine):
    cores = len(os.sched_getaffinity(0))
    assert set(engine.call(work.blas_threads)) == {cores}
    after = collect(engine, work.describe, range(4))
    assert all(described["threads"] == ["1", "1", "1"] for described in after)


def test_a_worker_that_has_loaded_torch_is_replaced(engine):
    heavy = engine.call(work.load_torch)
    assert heavy not in worker_processes(engine)
    assert all(described["modules"] == [] for described in collect(engine, work.describe, range(6)))


def test_progress_of_a_call_is_passed_on(engine, tmp_path):
    turn = Turn(tmp_path / "turn", "first")
    turn.take()
    report = WorkerReport(turn, tmp_path / "progress.json")
    seen = []
    assert engine.call(work.fit, report, 50, report=report, on_progress=lambda *now: seen.append(now)) == 50
    assert len(seen) >= 2
    assert all(stage == "fit" and total == 50 for stage, _, total in seen)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_memory_goes_back_after_each_item(engine):
    before = collect(engine, work.hold, [150] * 4)
    after = collect(engine, work.resident, range(4))
    assert max(after) - min(before) < 40 * 2**20


def test_nothing_listens_beyond_loopback_and_no_page_is_served(engine):
    collect(engine, work.double, [1])
    me = psutil.Process()
    processes = [me, *(child for child in me.children() if "spawn_main" in " ".join(child.cmdline()))]
    ports = [
        connection.laddr
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(ports) >= 6
    encrypted = 0
    for address in ports:
        assert address.ip == "127.0.0.1"
        for path in ("", "health", "metrics", "info/main/workers.html", "json/counts.json"):
            status = ask(f"http://127.0.0.1:{address.port}/{path}")
            if status is None:  # no HTTP: then it must be TLS, and refuse whoever has no certificate
                encrypted += 1
                assert refuses_strangers(address.port)
                break
            assert status == 404, path
    assert encrypted >= 5  # a scheduler, two nannies, two workers


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


def refuses_strangers(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as stranger:
            stranger.sendall(b"x" * 100)
            return stranger.recv(10) == b""
    except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):  # hung up on us
        return True
    except ssl.SSLError as error:
        return "CERTIFICATE_REQUIRED" in str(error)


def test_an_import_of_the_engine_is_light():
    code = "import sys, backend.service.engine; print(sorted(sys.modules.keys() & {'distributed', 'dask', 'numpy'}))"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_a_killed_parent_leaves_no_worker_behind_and_was_small(tmp_path):
    command = [sys.executable, "-m", "tests.service.engine_work", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        try:
            workers = [int(pid) for pid in parent.stdout.readline().split()]
            megabytes, _, *heavy = parent.stdout.readline().split()
        finally:
            os.kill(parent.pid, signal.SIGKILL)
    assert len(workers) >= 2
    assert heavy == []
    assert int(megabytes) < 250
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)


def test_a_worker_that_takes_too_much_memory_is_stopped(tmp_path):
    engine = Engine(load_settings(data_dir=tmp_path, workers=1, worker_memory="512MiB"))
    try:
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}), pytest.raises(WorkerLost) as caught:
            collect(engine, work.grow, [0])
    finally:
        engine.close()
    assert "DEEPFAKE_WORKER_MEMORY" in caught.value.hint


def test_closing(tmp_path):
    engine = Engine(load_settings(data_dir=tmp_path, workers=1))
    assert engine.state == "stopped"
    engine.start()
    assert engine.state == "starting"
    closing = threading.Timer(3, engine.close)
    closing.start()
    with pytest.raises(Cancelled, match="stopped"):
        collect(engine, work.slow_double, range(1000))
    closing.join()
    assert engine.state == "stopped"
    with pytest.raises(Cancelled):
        collect(engine, work.double, [1])


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.service.engine._START_SECONDS", 1.0)
    monkeypatch.setattr("backend.service.cluster.CONNECT_SECONDS", 0.5)
    engine = Engine(load_settings(data_dir=tmp_path, dask_scheduler_address="tcp://127.0.0.1:1"))
    with pytest.raises(Unavailable, match=re.escape("tcp://127.0.0.1:1")):
        collect(engine, work.double, [1])
    assert engine.state in ("failed", "starting")
    engine.close()
