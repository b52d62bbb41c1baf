"""Pictures of a data set in a grid that fits a phone and a wide screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from PIL import Image

from frontend.client import Client
from frontend.session import client, show_error
from frontend.texts import plain, say, say_text
from frontend.transport import ApiError, Json

THUMBNAIL_PX = 128
CELL_PX = 120


@st.cache_data(max_entries=4000, ttl=600, show_spinner=False)
def _thumbnail(url: str, api_key: str | None, dataset_id: str, number: int) -> bytes:
    return Client(url, api_key).thumbnail(dataset_id, number, size=THUMBNAIL_PX)


def thumbnail(dataset_id: str, number: int) -> bytes | None:
    """A JPEG of image `number`, None where it is gone. Kept for a while, apart for each key: images never change."""
    service = client()
    try:
        return _thumbnail(service.base_url, service.api_key, dataset_id, number)
    except ApiError as error:
        if error.status != 404:
            raise
        return None


def show_gallery(
    dataset_id: str,
    rows: Sequence[Json],
    caption: Callable[[Json], str],
    below: Callable[[Json], None] | None = None,
    *,
    key: str = "",
) -> None:
    """A grid of the images in `rows` (each with its number `row`, its `path` and its `label`).

    `caption` gives plain text; `below` draws what stands under a picture, such as a choice of its label. With a `key`
    (one for each gallery of a page) every picture gets a button that opens the original, large.
    """
    with st.grid(min_column_width=CELL_PX):
        for row in rows:
            with st.container(gap="xxsmall"):
                show_picture(dataset_id, row, caption(row), key)
                if below is not None:
                    below(row)


def show_picture(dataset_id: str, row: Json, text: str, key: str = "") -> None:
    """One small picture with its caption; a sentence in its place where it is gone."""
    picture = thumbnail(dataset_id, int(row["row"]))
    if picture is None:
        st.caption(plain(say_text("gallery.gone", path=row["path"])))
        return
    alternative = say_text("gallery.picture", path=row["path"], label=row["label"])
    st.image(picture, width=CELL_PX, alt=alternative)
    st.caption(plain(text))
    if key and st.button(
        say("gallery.open"), key=f"{key}.open.{row['row']}", icon=":material/zoom_in:", type="tertiary"
    ):
        open_original(dataset_id, row, text)


def open_original(dataset_id: str, row: Json, text: str) -> None:
    """The picture as it was imported, as large as the window allows, over the page. Escape closes it."""

    @st.dialog(say("gallery.original"), width="medium")
    def show() -> None:
        alternative = say_text("gallery.picture", path=row["path"], label=row["label"])
        try:
            show_file(client().dataset_image(dataset_id, int(row["row"])), dataset_id, row, alternative)
        except ApiError as error:
            show_error(error)
        st.caption(plain(text))
        st.text(alternative)

    show()


def show_file(content: bytes, dataset_id: str, row: Json, alternative: str) -> None:
    """An image file across the whole width; its thumbnail where no browser shows its format."""
    try:
        st.image(content, width="stretch", alt=alternative)
    except (OSError, ValueError, Image.DecompressionBombError):  # Pillow here lacks the format, or refuses its size
        st.image(client().thumbnail(dataset_id, int(row["row"]), size=512), width="stretch", alt=alternative)
