"""Zip and folder give every image with its class, split and generator; an unsafe or damaged zip is refused."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from backend.core.errors import (
    ArchiveTooLarge,
    BrokenArchive,
    DeepfakeError,
    NoImages,
    UnsafeName,
)
from backend.service.sources import ImportLimits, RawImage, open_source
from tests.service.pictures import LAYOUT, PLACES, picture, pictures, write_tree, write_zip
from tests.service.reading import places_of, read_source


@pytest.mark.parametrize("kind", ["zip", "folder"])
@pytest.mark.parametrize("top", ["", "my images/"])
def test_zip_and_folder_read_every_layout(tmp_path: Path, kind: str, top: str) -> None:
    members = {f"{top}{name}": data for name, data in pictures(LAYOUT).items()}
    path = write_zip(tmp_path / "a.zip", members) if kind == "zip" else write_tree(tmp_path / "a", members)
    images, skips = read_source({"kind": kind, "path": str(path)}, ImportLimits(images_per_chunk=3))
    assert {image.path: image.data for image in images} == members
    assert places_of(images) == {f"{top}{name}": expected for name, expected in PLACES.items()}
    assert not skips


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_leftovers_are_ignored_and_other_files_are_reported(tmp_path: Path, kind: str) -> None:
    members = {
        "REAL/a.png": picture(0),
        "__MACOSX/REAL/._a.png": b"junk",
        "REAL/.DS_Store": b"junk",
        "FAKE/Thumbs.db": b"junk",
        "FAKE/more.zip": b"PK",
        "readme.txt": b"hello",
        "FAKE/b.png": picture(1),
    }
    path = write_zip(tmp_path / "a.zip", members) if kind == "zip" else write_tree(tmp_path / "a", members)
    images, skips = read_source({"kind": kind, "path": str(path)})
    assert {image.path for image in images} == {"REAL/a.png", "FAKE/b.png"}
    assert {(skip.filename, skip.code) for skip in skips} == {
        ("FAKE/more.zip", "archive.nested"),
        ("readme.txt", "dataset.no_class_folder"),
    }


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_metadata_names_groups(tmp_path: Path, kind: str) -> None:
    members = {
        **pictures(["set/REAL/a.png", "set/FAKE/x/b.png"]),
        "set/metadata.csv": 'file_name,caption,group\nREAL/a.png,"a, b",p1\nFAKE/x/b.png,,p1\n'.encode("utf-8-sig"),
    }
    path = write_zip(tmp_path / "a.zip", members) if kind == "zip" else write_tree(tmp_path / "a", members)
    description = {"kind": kind, "path": str(path)}
    assert open_source(description).groups() == {"set/REAL/a.png": "p1", "set/FAKE/x/b.png": "p1"}
    assert read_source(description)[1] == []


def test_a_zip_without_classes_or_without_anything_is_refused(tmp_path: Path) -> None:
    for members in ({}, {"cat.png": picture(0)}, {"REAL/": b""}):
        with pytest.raises(NoImages):
            read_source({"kind": "zip", "path": str(write_zip(tmp_path / "a.zip", members))})
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoImages):
        read_source({"kind": "folder", "path": str(tmp_path / "empty")})


@pytest.mark.parametrize("name", ["../REAL/a.png", "/REAL/a.png", "REAL/..\\..\\a.png", "D:/REAL/a.png"])
def test_one_unsafe_name_refuses_the_whole_zip(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "a.zip", {"REAL/ok.png": picture(0), name: picture(1)})
    with pytest.raises(UnsafeName):
        open_source({"kind": "zip", "path": str(path)}).chunks()


def test_what_is_no_whole_zip_is_refused(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", pictures(LAYOUT)).read_bytes()
    path = tmp_path / "a.zip"
    for data in (b"", b"hello" * 100, whole[: len(whole) // 2], whole[:-1], whole[300:], b"PK\x05\x06" + bytes(18)):
        path.write_bytes(data)
        with pytest.raises((BrokenArchive, NoImages)):
            read_source({"kind": "zip", "path": str(path)})


def test_any_damage_to_a_zip_is_told_and_never_crashes(tmp_path: Path) -> None:
    """Random bytes changed: every image that still comes is intact, all else is an error of the tree or a skip."""
    members = pictures(LAYOUT)
    whole = write_zip(tmp_path / "whole.zip", members).read_bytes()
    path, dice = tmp_path / "a.zip", random.Random(0)
    intact = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 3, 30])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(bytes(data))
        try:
            images, _ = read_source({"kind": "zip", "path": str(path)})
        except DeepfakeError:
            continue
        assert {image.data for image in images} <= set(members.values())
        intact += 1
    assert intact > 100


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", pictures(LAYOUT))
    data = bytearray(path.read_bytes())
    record = data.index(b"PK\x01\x02")
    data[record + 8] |= 1  # the flag that says so
    path.write_bytes(bytes(data))
    with pytest.raises(BrokenArchive, match="encrypted"):
        open_source({"kind": "zip", "path": str(path)}).chunks()


def test_a_damaged_member_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    members = pictures(["REAL/a.png", "REAL/b.png", "FAKE/c.png"])
    path = write_zip(tmp_path / "a.zip", members, zipfile.ZIP_STORED)
    data = path.read_bytes().replace(members["REAL/b.png"], bytes(len(members["REAL/b.png"])))
    path.write_bytes(data)
    images, skips = read_source({"kind": "zip", "path": str(path)})
    assert [image.path for image in images] == ["REAL/a.png", "FAKE/c.png"]
    assert [(skip.filename, skip.code) for skip in skips] == [("REAL/b.png", "archive.broken")]


def test_more_than_the_limits_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    description = {
        "kind": "zip",
        "path": str(write_zip(tmp_path / "a.zip", {f"REAL/{n}.png": bytes(1000) for n in range(50)})),
    }
    for limits in (ImportLimits(max_members=49), ImportLimits(max_unpacked_bytes=49_999)):
        with pytest.raises(ArchiveTooLarge):
            open_source(description, limits).chunks()
    assert open_source(description, ImportLimits(max_members=50, max_unpacked_bytes=50_000)).chunks()
    images, skips = read_source(description, ImportLimits(max_image_bytes=999))
    assert not images
    assert {skip.code for skip in skips} == {"upload.unreadable"}


def test_a_member_larger_than_it_claims_refuses_the_zip_and_is_never_unpacked(tmp_path: Path) -> None:
    """A bomb: 300 MB of zeros in 300 kB that claims to be 1000 bytes. Read in a process of little memory."""
    path = write_zip(tmp_path / "a.zip", {"REAL/a.png": bytes(300_000_000)})
    data = bytearray(path.read_bytes())
    assert len(data) < 400_000
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 1000)
    path.write_bytes(bytes(data))
    with pytest.raises(ArchiveTooLarge):
        read_source({"kind": "zip", "path": str(path)})
    code = (
        "import resource, sys; from backend.service.sources import open_source\n"
        "from backend.core.errors import ArchiveTooLarge\n"
        "source = open_source({'kind': 'zip', 'path': sys.argv[1]}); plan = source.chunks()[0]\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, used + 50_000_000))\n"
        "try: list(source.read(plan))\n"
        "except ArchiveTooLarge: print('refused')\n"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("the memory bound is set through /proc")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_zips_with_bytes_in_front_and_with_more_than_65535_members_are_read(tmp_path: Path) -> None:
    members = {f"REAL/{n}.png": b"" for n in range(66_000)} | {"FAKE/last.png": picture(1)}
    path = write_zip(tmp_path / "a.zip", members, zipfile.ZIP_STORED)
    path.write_bytes(b"#!/bin/sh\n" * 10 + path.read_bytes())
    plans = open_source({"kind": "zip", "path": str(path)}).chunks()
    assert sum(plan.images for plan in plans) == 66_001
    assert len(plans) == 34
    assert max(len(pickle.dumps(plan)) for plan in plans) < 1000
    last = list(open_source({"kind": "zip", "path": str(path)}).read(plans[-1]))[-1]
    assert last == RawImage("FAKE/last.png", picture(1), "FAKE")


def test_a_zip_that_was_streamed_is_read(tmp_path: Path) -> None:
    """Written to a pipe: sizes stand behind the members, not before them."""
    script = (
        "import sys, zipfile\n"
        "with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as archive:\n"
        "    archive.writestr('REAL/a.png', open(sys.argv[1], 'rb').read())\n"
    )
    (tmp_path / "a.png").write_bytes(picture(0))
    made = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.png")], capture_output=True, check=True)
    (tmp_path / "a.zip").write_bytes(made.stdout)
    images, _ = read_source({"kind": "zip", "path": str(tmp_path / "a.zip")})
    assert [image.data for image in images] == [picture(0)]


def test_a_folder_leaves_links_to_folders_and_pipes_alone(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "a", pictures(["REAL/a.png", "FAKE/b.png"]))
    (root / "FAKE" / "loop").symlink_to(root)
    os.mkfifo(root / "FAKE" / "pipe.png")
    images, skips = read_source({"kind": "folder", "path": str(root)})
    assert {image.path for image in images} == {"REAL/a.png", "FAKE/b.png"}
    assert not skips


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_cifake_knows_its_generator(tmp_path: Path, kind: str) -> None:
    members = pictures(["train/REAL/0000 (10).jpg", "train/FAKE/1.jpg", "test/FAKE/2 (3).jpg"])
    path = write_zip(tmp_path / "a.zip", members) if kind == "zip" else write_tree(tmp_path / "a", members)
    images, _ = read_source({"kind": "cifake", "path": str(path)})
    assert places_of(images) == {
        "train/REAL/0000 (10).jpg": ("REAL", "train", ""),
        "train/FAKE/1.jpg": ("FAKE", "train", "stable-diffusion-1.4"),
        "test/FAKE/2 (3).jpg": ("FAKE", "test", "stable-diffusion-1.4"),
    }


def test_real_archives_of_known_layout(tmp_path: Path) -> None:
    """gen32: FAKE/<generator>/ alone, eight generators."""
    folder = os.environ.get("DEEPFAKE_DATA")
    if not folder or not (Path(folder) / "gen32.zip").exists():
        pytest.skip("DEEPFAKE_DATA names no folder with gen32.zip")
    images, skips = read_source({"kind": "zip", "path": str(Path(folder) / "gen32.zip")})
    assert len(images) == 912
    assert not skips
    assert {image.label for image in images} == {"FAKE"}
    assert len({image.generator for image in images}) == 8
    shutil.unpack_archive(Path(folder) / "gen32.zip", tmp_path / "gen32")
    again, _ = read_source({"kind": "folder", "path": str(tmp_path / "gen32")})
    assert sorted(again, key=lambda image: image.path) == sorted(images, key=lambda image: image.path)
