"""What a process asks of the allocator."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from backend.service.heap import HEAPS
from tests.running import ROOT

THREADS_THAT_ALLOCATE = """
import ctypes, sys, threading
from backend.service.heap import few_heaps

if sys.argv[1] == "few":
    few_heaps()
together = threading.Barrier(8)

def work():
    together.wait()
    kept = bytes(2000)
    together.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
file = library.fopen(sys.argv[2].encode(), b"w")
library.malloc_info(0, ctypes.c_void_p(file))
library.fclose(ctypes.c_void_p(file))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such heaps")
def test_threads_of_the_server_share_few_heaps(tmp_path: Path) -> None:
    def heaps(mode: str) -> int:
        report = tmp_path / f"{mode}.xml"
        command = [sys.executable, "-c", THREADS_THAT_ALLOCATE, mode, str(report)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "MALLOC_ARENA_MAX": "64"}, check=True)
        return report.read_text().count("<heap nr=")

    assert heaps("as it is") > HEAPS
    assert heaps("few") <= HEAPS
