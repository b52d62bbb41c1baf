"""One way to open a graph with ONNX Runtime, for every extractor that runs one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import onnxruntime


@cache
def share_arena() -> None:
    """Lets all sessions that this process opens from now on draw on one arena of memory; else each has one of its own.

    An arena keeps what its largest run took. That suits a process that keeps several networks to answer by any of
    them, and not one that opens a network, uses it and lets it go.
    """
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({}))


def open_session(graph: Path | bytes, threads: int) -> onnxruntime.InferenceSession:
    """The session of a graph, by its file or its bytes; one run of it takes `threads` threads.

    Raises what the runtime raises for a damaged file: classes of its own, many of them.
    """
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
    settings.add_session_config_entry("session.use_env_allocators", "1")  # no change before share_arena
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, settings, providers=["CPUExecutionProvider"])
