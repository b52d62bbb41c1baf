"""Pictures of a data set, a page at a time, of the class, generator and split that the visitor chooses."""

from __future__ import annotations

import streamlit as st

from frontend.data.profile_facts import LABELS, in_split_order
from frontend.formatting import count
from frontend.gallery import show_gallery
from frontend.session import client
from frontend.texts import say, say_text
from frontend.transport import Json

PAGE_SIZE = 24
EVERY = ""


def show_pictures(dataset: Json) -> None:
    """The choices, the grid, and the pages below it."""
    label, generator, split = _choose(dataset)
    chosen = f"{dataset['id']}.{dataset['version']}.{label}.{generator}.{split}"
    key = f"pictures.page.{chosen}"  # another choice begins at its first page
    first = (int(st.session_state.get(key, 1)) - 1) * PAGE_SIZE
    found = client().dataset_images(
        str(dataset["id"]),
        label=label or None,
        generator=generator or None,
        split=split or None,
        limit=PAGE_SIZE,
        offset=first,
    )
    if not found["items"]:
        st.info(say("pictures.none"))
        return
    last = first + len(found["items"])
    st.caption(say("pages.position", first=count(first + 1), last=count(last), total=count(found["total"])))
    show_gallery(str(dataset["id"]), found["items"], describe)
    if found["total"] > PAGE_SIZE:
        st.pagination(-(-int(found["total"]) // PAGE_SIZE), key=key)


def describe(row: Json) -> str:
    """What stands under a picture: its class, its generator, its size and its file's name."""
    parts = [str(row["label"]), str(row.get("generator") or ""), str(row.get("split") or "")]
    if "width" in row:
        parts.append(f"{row['width']} × {row['height']}")
    return " · ".join(part for part in [*parts, file_of(row)] if part)


def file_of(row: Json) -> str:
    """The last part of an image's path."""
    return str(row["path"]).rpartition("/")[2]


def _choose(dataset: Json) -> tuple[str, str, str]:
    """Class, generator and split; "" for all. What leaves nothing to choose is not asked."""
    splits = [split for split in in_split_order(dataset["counts"]) if split]
    generators = [name for name in dataset["generators"] if name]
    with st.container(horizontal=True, gap="medium"):
        label = st.segmented_control(
            say("pictures.class"),
            [EVERY, *LABELS],
            format_func=lambda label: label or say("pictures.every"),
            default=EVERY,
            required=True,
            key="pictures.class",
        )
        split = EVERY
        if splits:
            split = st.segmented_control(
                say("pictures.split"),
                [EVERY, *splits],
                format_func=lambda split: say("split.named", split=split) if split else say("split.all"),
                default=EVERY,
                required=True,
                key=f"pictures.split.{dataset['id']}",
            )
    generator = EVERY
    if len(generators) > 0 and label != "REAL":
        generator = st.selectbox(
            say("pictures.generator"),
            [EVERY, *generators],
            format_func=lambda name: name or say_text("pictures.every"),
            key=f"pictures.generator.{dataset['id']}",
        )
    return label or EVERY, generator or EVERY, split or EVERY
