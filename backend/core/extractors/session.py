"""One way to open a graph with ONNX Runtime, for every extractor that runs one."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def open_session(graph: Path | bytes, threads: int) -> onnxruntime.InferenceSession:
    """The session of a graph, by its file or its bytes; one run of it takes `threads` threads.

    Raises what the runtime raises for a damaged file: classes of its own, many of them.
    """
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, settings, providers=["CPUExecutionProvider"])
