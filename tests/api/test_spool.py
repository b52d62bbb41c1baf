"""Folders that uploads wait in: gone unless kept, and swept when the process that filled them died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.api.spool import SpoolFolder, sweep


def test_a_folder_goes_unless_it_is_kept(tmp_path: Path) -> None:
    with SpoolFolder(tmp_path / "jobs" / "a") as folder:
        (folder.path / "file").write_bytes(b"x")
    with SpoolFolder(tmp_path / "jobs" / "b") as folder:
        (folder.path / "file").write_bytes(b"x")
        folder.keep()
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == ["b"]
    assert [path.name for path in (tmp_path / "jobs" / "b").iterdir()] == ["file"]  # no lock is left


def test_a_folder_goes_when_something_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), SpoolFolder(tmp_path / "a"):
        raise KeyError
    assert not (tmp_path / "a").exists()


def test_sweep_spares_what_is_being_filled_and_what_has_an_owner(tmp_path: Path) -> None:
    (tmp_path / "owned").mkdir()
    (tmp_path / "just-made").mkdir()  # as between mkdir and the lock
    with SpoolFolder(tmp_path / "filling"):
        assert sweep(tmp_path, lambda name: name == "owned") == []
        assert sorted(path.name for path in tmp_path.iterdir()) == ["filling", "just-made", "owned"]


def test_sweep_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, pathlib; from backend.api.spool import SpoolFolder\n"
        "with SpoolFolder(pathlib.Path(sys.argv[1]) / 'left') as folder:\n"
        "    (folder.path / 'half').write_bytes(b'x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    assert (tmp_path / "left" / "half").exists()
    assert sweep(tmp_path, lambda _: False) == ["left"]
    assert list(tmp_path.iterdir()) == []


def test_sweep_of_a_missing_folder(tmp_path: Path) -> None:
    assert sweep(tmp_path / "nothing", lambda _: False) == []
