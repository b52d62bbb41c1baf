"""Names are cleaned and read; uploads come with their labels; the table of sources says what it knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import (
    BrokenArchive,
    DeepfakeError,
    LabelMismatch,
    NoImages,
    UnknownSource,
    UnsafeName,
)
from backend.service.sources import SOURCES, RawImage, open_source
from backend.service.sources.names import NoPlace, place, safe_generator, safe_name, safe_path
from tests.service.pictures import picture, pictures, write_tree, write_zip
from tests.service.reading import places_of, read_source


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up.png", "REAL/../../up.png", "C:\\x.png", "\\\\host\\x.png", "a/..\\b"]
)
def test_names_that_leave_the_archive_are_refused(name: str) -> None:
    with pytest.raises(UnsafeName):
        safe_path(name)
    assert "/" not in safe_name(name)
    assert ".." not in safe_name(name)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("REAL\\cat.png", "REAL/cat.png"),
        ("./REAL//cat.png", "REAL/cat.png"),
        ("REAL/a\x00b\n\x1b[31m\u202egnp.png", "REAL/ab[31mgnp.png"),
        ("REAL/0000 (10).jpg", "REAL/0000 (10).jpg"),
        ("REAL/Bücher 東京.png", "REAL/Bücher 東京.png"),
        ("REAL/" + 300 * "x" + ".png", "REAL/" + 196 * "x" + ".png"),
        ("", ""),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert safe_path(name) == cleaned == safe_name(name)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "fake", "REAL", "Train", "../x", "..", "sd 1.4\n", "."])
def test_a_generator_is_one_folder_that_is_no_class_and_no_split(name: str) -> None:
    cleaned = safe_generator(name)
    found = place(f"train/FAKE/{cleaned}/x.png" if cleaned else "train/FAKE/x.png")
    assert not isinstance(found, NoPlace)
    assert (found.label, found.split, found.generator) == ("FAKE", "train", cleaned)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("cat.png", "dataset.no_class_folder"),
        ("train/cats/cat.png", "dataset.no_class_folder"),
        ("REAL/FAKE/cat.png", "dataset.ambiguous_folder"),
        ("train/test/REAL/cat.png", "dataset.ambiguous_folder"),
        ("REAL/more.zip", "archive.nested"),
        ("REAL.png", "dataset.no_class_folder"),
    ],
)
def test_files_whose_class_is_not_clear_have_no_place(path: str, code: str) -> None:
    found = place(path)
    assert isinstance(found, NoPlace)
    assert found.code == code


def write_manifest(folder: Path, entries: object) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(entries))
    return {"kind": "files", "path": str(folder)}


def test_files_come_with_their_labels(tmp_path: Path) -> None:
    write_tree(tmp_path, {"0001": picture(1), "0002": picture(2)})
    description = write_manifest(
        tmp_path,
        [
            {
                "stored": "0001",
                "filename": "C:\\fakepath\\..\\cat.png",
                "label": "real",
                "generator": "x",
                "group": "g",
            },
            {"stored": "0002", "filename": "cat.png", "label": "FAKE", "split": "test", "generator": "glow"},
            {"stored": "0003", "filename": "gone.png", "label": "FAKE"},
        ],
    )
    images, skips = read_source(description)
    assert images == [
        RawImage("cat.png", picture(1), "REAL", group="g"),
        RawImage("cat.png", picture(2), "FAKE", "test", "glow"),
    ]
    assert [(skip.filename, skip.code) for skip in skips] == [("gone.png", "upload.unreadable")]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ({}, LabelMismatch),
        ([1], LabelMismatch),
        ([{"stored": "0001", "filename": "a", "label": "maybe"}], LabelMismatch),
        ([{"stored": "0001", "filename": "a", "label": "REAL", "split": "exam"}], LabelMismatch),
        ([{"stored": "../0001", "filename": "a", "label": "REAL"}], UnsafeName),
        ([{"stored": "..", "filename": "a", "label": "REAL"}], UnsafeName),
        ([], NoImages),
    ],
)
def test_wrong_manifests_are_refused(tmp_path: Path, entries: object, error: type[DeepfakeError]) -> None:
    with pytest.raises(error):
        read_source(write_manifest(tmp_path, entries))


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_files_in_no_class_folder_are_of_the_class_that_the_description_gives(tmp_path: Path, kind: str) -> None:
    members = pictures(["a.png", "train/deep/b.png", "REAL/c.png", "REAL/FAKE/d.png"])
    path = write_zip(tmp_path / "a.zip", members) if kind == "zip" else write_tree(tmp_path / "tree", members)
    images, skips = read_source({"kind": kind, "path": str(path), "unsorted": "FAKE"})
    assert places_of(images) == {
        "a.png": ("FAKE", "", ""),
        "train/deep/b.png": ("FAKE", "", ""),
        "REAL/c.png": ("REAL", "", ""),
    }
    assert [skip.code for skip in skips] == ["dataset.ambiguous_folder"]
    with pytest.raises(UnknownSource, match="unsorted"):
        open_source({"kind": kind, "path": str(path), "unsorted": "MAYBE"})


def test_unknown_sources_and_options_name_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownSource) as caught:
        open_source({"kind": "ftp"})
    assert all(kind in caught.value.hint for kind in SOURCES)
    with pytest.raises(UnknownSource, match="generator"):
        open_source({"kind": "zip", "path": str(tmp_path), "generator": "x"})
    for kind in set(SOURCES) - {"demo"}:
        with pytest.raises(UnknownSource):
            open_source({"kind": kind})
        with pytest.raises(UnknownSource, match="nothing-here"):
            open_source({"kind": kind, "path": str(tmp_path / "nothing-here")})
    with pytest.raises(BrokenArchive):
        open_source({"kind": "zip", "path": str(tmp_path)})
