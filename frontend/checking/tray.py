"""The pictures that a visitor put in: they stay in the session while the page is left or the service is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.checking.previews import Preview, make_preview, make_thumbnail

MOST_BYTES = 512 * 2**20
"""Of all pictures of one visitor together: they are kept in memory."""
MOST_LISTED = 24
"""Files that stay in the uploader's own list: a long one adds thousands of empty pixels below the page."""


@dataclass(frozen=True)
class Picture:
    """One picture as it was put in; `content` is the uploaded file's own bytes, not a copy."""

    id: str
    name: str
    content: bytes

    @cached_property
    def thumbnail(self) -> str | None:
        """A small JPEG as a data URI, for a table."""
        return make_thumbnail(self.content)

    @cached_property
    def preview(self) -> Preview | None:
        """The picture as a browser shows it."""
        return make_preview(self.content, most_bytes=2**20)


@dataclass
class Tray:
    """Pictures in the order they came in, by their ids; `left_out` of the last ones found no room."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    left_out: int = 0
    mount: int = 0  # part of the uploader's key: a new number makes an empty uploader
    _uploaded: frozenset[str] = frozenset()  # what is in the uploader that is on the page now
    _made: int = 0  # pictures that got their number here: pasted ones and photos

    @property
    def n_bytes(self) -> int:
        """Bytes of all pictures."""
        return sum(len(picture.content) for picture in self.pictures.values())

    def is_kept(self, picture_id: str) -> bool:
        """Whether the picture is no longer (or never was) in the uploader's own list, where it could be removed."""
        return picture_id not in self._uploaded

    def follow(self, files: Sequence[UploadedFile]) -> None:
        """Takes what is new in the uploader and drops what was removed there; all else stays.

        A long list is then emptied: its pictures stay here, each with a button of its own.
        """
        now = frozenset(file.file_id for file in files)
        for gone in self._uploaded - now:
            self.pictures.pop(gone, None)
        self.left_out = 0
        for file in files:
            if file.file_id not in self.pictures:
                self._add(Picture(file.file_id, file.name, file.getvalue()))
        self._uploaded = now
        if len(files) > MOST_LISTED:
            self._empty_uploader()

    def notice(self, files: Sequence[UploadedFile]) -> None:
        """Hears what the uploader on the page holds: one that was just put there is empty, and that removes nothing."""
        self._uploaded = frozenset(file.file_id for file in files)

    def add(self, name: str, content: bytes) -> None:
        """Takes a picture that was pasted or photographed; it stays until it is removed."""
        self._made += 1
        self._add(Picture(f"made-{self._made}", name, content))

    def number(self) -> int:
        """Of the next picture that has no name of its own, from 1."""
        return self._made + 1

    def remove(self, picture_id: str) -> None:
        """Drops one picture."""
        self.pictures.pop(picture_id, None)
        self.left_out = 0

    def clear(self) -> None:
        """Drops all pictures, those in the uploader too."""
        self.pictures.clear()
        self.left_out = 0
        self._empty_uploader()

    def _empty_uploader(self) -> None:
        self.mount, self._uploaded = self.mount + 1, frozenset()

    def _add(self, picture: Picture) -> None:
        if self.n_bytes + len(picture.content) > MOST_BYTES:
            self.left_out += 1
        else:
            self.pictures[picture.id] = picture


def open_tray() -> Tray:
    """This visitor's tray."""
    tray: Tray = st.session_state.setdefault("tray", Tray())
    return tray
