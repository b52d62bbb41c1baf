"""Extractors whose networks are kept in the store: each machine works with a local copy of a graph."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.core.extractors import Extractor, check_spec, create, stored_files
from backend.service.storage import copy_in, read_bytes, write_bytes
from backend.settings import StorePath, local_scratch


def make_extractor(spec: Mapping[str, Any], backbones: StorePath) -> Extractor:
    """The extractor of `spec` for one thread. A graph that is nowhere yet is exported, and kept in the store.

    Raises what `create` raises, and Unreachable.
    """
    folder = local_backbones(spec, backbones)
    names = [] if folder == backbones else stored_files(check_spec(spec))
    absent = [name for name in names if not (folder / name).is_file()]
    extractor = create(spec, backbones=folder)
    for name in absent:
        copy_in(folder / name, backbones / name)
    return extractor


def local_backbones(spec: Mapping[str, Any], backbones: StorePath) -> Path:
    """A folder of this machine that holds those graphs of `spec` which the store has. Raises what check_spec raises."""
    if isinstance(backbones, Path):
        return backbones
    folder = local_scratch() / "backbones" / hashlib.sha256(str(backbones).encode()).hexdigest()[:16]
    for name in stored_files(check_spec(spec)):
        if not (folder / name).is_file():
            with suppress(FileNotFoundError):
                write_bytes(folder / name, read_bytes(backbones / name))
    return folder
