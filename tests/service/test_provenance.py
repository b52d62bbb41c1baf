"""The trust anchors of the settings, and what they change in what the service says of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import ConfigError
from backend.service.provenance import describe_origin, read_anchors
from backend.settings import load_settings
from tests.pictures import crop, encode
from tests.signed import authority, signed


def test_anchors_of_any_length_make_a_signer_trusted(tmp_path: Path) -> None:
    file = tmp_path / "anchors.pem"
    file.write_text(f"{'# a comment' * 20_000}\n{authority().root}")
    anchors = read_anchors(load_settings(c2pa_anchors=file).c2pa_anchors)
    data = signed(encode(crop(0), "JPEG"))
    found = [describe_origin(data, known) for known in ("", anchors)]
    assert [origin and origin["evidence"][0]["trusted"] for origin in found] == [False, True]
    assert describe_origin(encode(crop(0)), anchors) is None


def test_without_a_file_there_are_no_anchors() -> None:
    assert read_anchors(None) == ""


@pytest.mark.parametrize("content", [None, b"no certificate", b"\xff\xfe"])
def test_anchors_that_cannot_be_read_are_said_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "anchors.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"anchors\.pem") as raised:
        read_anchors(file)
    assert "DEEPFAKE_C2PA_ANCHORS" in raised.value.hint
