"""What a visitor put in: it stays, it goes when it is removed, and it has a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.checking import tray as trays
from frontend.checking.tray import MOST_LISTED, Tray
from tests.frontend.conftest import Open, shown
from tests.pictures import photo
from tests.running import RunningService


@dataclass
class File:
    """What the tray reads of an uploaded file."""

    file_id: str
    content: bytes = b"1234"

    @property
    def name(self) -> str:
        return f"{self.file_id}.png"

    def getvalue(self) -> bytes:
        return self.content


def files(*ids: str) -> list[UploadedFile]:
    return cast("list[UploadedFile]", [File(name) for name in ids])


def test_what_is_removed_in_the_uploader_leaves_and_all_else_stays() -> None:
    tray = Tray()
    tray.add("pasted.png", b"x")
    tray.follow(files("a", "b"))
    tray.follow(files("b", "c"))
    assert [picture.name for picture in tray.pictures.values()] == ["pasted.png", "b.png", "c.png"]
    assert tray.is_kept("made-1")
    assert not tray.is_kept("b")


def test_an_uploader_that_was_just_put_on_the_page_removes_nothing() -> None:
    tray = Tray()
    tray.follow(files("a", "b"))
    tray.notice([])
    tray.follow(files("c"))
    assert list(tray.pictures) == ["a", "b", "c"]
    assert tray.is_kept("a")


def test_pictures_without_room_are_counted_and_find_room_when_others_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trays, "MOST_BYTES", 9)
    tray = Tray()
    tray.follow(files("a", "b", "c", "d"))
    assert (list(tray.pictures), tray.left_out, tray.n_bytes) == (["a", "b"], 2, 8)
    tray.follow(files("b", "c"))
    assert (list(tray.pictures), tray.left_out) == (["b", "c"], 0)


def test_a_long_list_of_files_is_emptied_and_its_pictures_stay() -> None:
    tray = Tray()
    ids = [str(n) for n in range(MOST_LISTED + 1)]
    tray.follow(files(*ids[:-1]))
    assert tray.mount == 0
    tray.follow(files(*ids))
    assert (list(tray.pictures), tray.mount) == (ids, 1)
    assert all(tray.is_kept(name) for name in ids)


def names(page: Any) -> list[str]:
    return [text.value for text in page.text]


def test_pictures_survive_another_page_and_each_can_be_removed_afterwards(
    open_page: Open, fitted: RunningService
) -> None:
    page = open_page(fitted.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.png", photo(2)).run()
    before = [line for line in shown(page).splitlines() if line.startswith("### ")]
    page.switch_page("screens/jobs.py").run()
    assert "a.png" not in names(page)
    page.switch_page("screens/predict.py").run()
    assert names(page) == ["a.png", "b.png"]
    assert [line for line in shown(page).splitlines() if line.startswith("### ")] == before
    next(button for button in page.button if button.key.startswith("remove.")).click().run()
    assert names(page) == ["b.png"]


def test_remove_all_leaves_an_empty_uploader(open_page: Open, fitted: RunningService) -> None:
    page = open_page(fitted.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.png", photo(2)).run()
    page.button(key="tray.clear").click().run()
    assert names(page) == []
    assert page.file_uploader[0].value == []
    assert "Pictures: " not in shown(page)


def test_where_there_is_no_room_a_sentence_says_how_many_were_left_out(
    open_page: Open, fitted: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trays, "MOST_BYTES", len(photo(1)))
    page = open_page(fitted.url)
    page.file_uploader[0].upload("a.png", photo(1)).upload("b.png", photo(2)).run()
    assert "Left out: 1." in shown(page)
    assert names(page) == ["a.png"]
