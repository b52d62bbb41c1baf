"""The supervisor with real processes: small servers that stand for the API and the web app."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from backend.cli.supervisor import check_port_free
from backend.core.errors import Unavailable

CHILD = """
import http.server, signal, subprocess, sys, time
port, behaviour = int(sys.argv[1]), sys.argv[2]
if behaviour == "stubborn":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
if behaviour == "late":
    time.sleep(0.5)
class Handler(http.server.BaseHTTPRequestHandler):
    refusals = 2
    def do_GET(self):
        Handler.refusals -= 1
        self.send_response(503 if Handler.refusals >= 0 else 200)
        self.end_headers()
        self.wfile.write(b"hello")
        if behaviour == "dies" and Handler.refusals < 0:
            import os, threading
            threading.Timer(0.3, os._exit, [7]).start()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

PARENT = """
import sys
from backend.cli import supervisor
from backend.core.errors import Unavailable
supervisor.STOP_S = 1.0
ports = sys.argv[1].split(",")
child, behaviours = sys.argv[2], sys.argv[3].split(",")
parts = [
    supervisor.Part(f"part{i}", [sys.executable, child, port, behaviour], {}, f"http://127.0.0.1:{port}/")
    for i, (port, behaviour) in enumerate(zip(ports, behaviours))
]
try:
    supervisor.run(parts, lambda name: print(name, flush=True))
except Unavailable as error:
    print(error.message, flush=True)
    sys.exit(1)
print("stopped", flush=True)
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest):
    """Starts the supervisor over children of the given behaviours; returns it and, once ready, its descendants."""
    child = tmp_path / "child.py"
    child.write_text(textwrap.dedent(CHILD))
    started: list[subprocess.Popen[str]] = []
    family: list[psutil.Process] = []

    def run(*behaviours: str, ready: int) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        ports = ",".join(map(str, free_ports(len(behaviours))))
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT, ports, str(child), ",".join(behaviours)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        for i in range(ready):
            assert process.stdout is not None
            assert process.stdout.readline() == f"part{i}\n"
        family.extend(psutil.Process(process.pid).children(recursive=True))
        return process, list(family)

    yield run
    for process in started:
        process.kill()
        process.communicate()
    for relative in family:
        if relative.is_running():
            relative.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_parts_and_the_status_is_0(start, number: int) -> None:
    process, children = start("plain", "late", ready=2)
    assert len(children) == 2
    os.kill(process.pid, number)
    assert process.communicate(timeout=20)[0] == "stopped\n"
    assert process.returncode == 0
    assert not any(child.is_running() for child in children)


def test_a_ctrl_c_while_the_parts_still_start_stops_them(start) -> None:
    process, _ = start("plain", "late", ready=1)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "stopped\n"


def test_when_one_part_dies_the_others_are_stopped_and_the_message_names_it(start) -> None:
    process, children = start("plain", "dies", ready=2)
    assert process.communicate(timeout=20)[0] == "part1 ended with status 7, so everything is stopped.\n"
    assert process.returncode == 1
    assert not any(child.is_running() for child in children)


def test_a_part_that_will_not_stop_is_killed_with_its_children(start) -> None:
    process, children = start("plain", "stubborn", ready=2)
    assert len(children) == 3
    os.kill(process.pid, signal.SIGTERM)
    os.kill(process.pid, signal.SIGTERM)  # an impatient second time changes nothing
    assert process.communicate(timeout=20)[0] == "stopped\n"
    deadline = time.monotonic() + 5
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(child) for child in children)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends the children of a killed process")
def test_when_the_supervisor_itself_is_killed_no_part_stays_behind(start) -> None:
    process, children = start("plain", "plain", ready=2)
    process.kill()
    deadline = time.monotonic() + 5
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(child) for child in children)


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that ended and was not yet collected by its new parent does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_port_in_use_is_refused_with_the_way_out() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(Unavailable, match=str(port)) as caught:
            check_port_free("127.0.0.1", port, "WEB_PORT")
        assert "WEB_PORT" in caught.value.hint
    check_port_free("127.0.0.1", port, "WEB_PORT")
