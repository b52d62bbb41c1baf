"""A model's confusion matrix, whose cells open the images in them, worst mistakes first."""

from __future__ import annotations

from math import ceil

import streamlit as st

from frontend.formatting import count, percent, rate
from frontend.gallery import show_gallery
from frontend.models.relabelling import show_changes, show_choice
from frontend.session import asked, client
from frontend.texts import say, say_text
from frontend.transport import ApiError, Json

CELLS = {"REAL": ("tn", "fp"), "FAKE": ("fn", "tp")}
"""Truth -> the cells of its row: called REAL, called FAKE. FAKE is the positive class."""
CORRECT = {True: ":material/check:", False: ":material/close:"}
PAGE = 24
"""Images of a cell shown at once."""
_SPLIT = "confusion.split"


def show_confusion(card: Json) -> None:
    """The matrix of a split, and below it the images of the cell that the address names (?split=test&cell=fp)."""
    splits = [split for split in ("test", "validation", "train") if card["metrics"].get(split)]
    if not splits:
        return
    st.subheader(say("confusion.title"))
    split = choose_split(splits)
    cell = asked("cell")
    show_matrix(card["metrics"][split]["confusion"], cell)
    st.caption(say("confusion.hint"))
    if cell in ("tn", "fp", "fn", "tp"):
        show_cell(card, split, cell)


def choose_split(splits: list[str]) -> str:
    """The part of the data set to look at. A bound widget would write its label, in one language, to the address."""
    st.session_state[_SPLIT] = asked("split") if asked("split") in splits else splits[0]

    def keep() -> None:
        st.query_params["split"] = st.session_state[_SPLIT]

    return str(
        st.segmented_control(
            say("confusion.split"),
            splits,
            required=True,
            format_func=lambda name: say(f"figures.split.{name}"),
            key=_SPLIT,
            on_change=keep,
        )
    )


def show_matrix(confusion: Json, chosen: str) -> None:
    """Two rows of two buttons with headings: what the images are, and what the model says."""
    with st.grid(3, min_column_width=96, wrap=False, gap="xsmall", vertical_alignment="center"):
        st.markdown("")
        for answer in CELLS:
            st.markdown(say(f"confusion.called.{answer}"))
        for truth, cells in CELLS.items():
            st.markdown(say(f"confusion.truth.{truth}"))
            images = sum(int(confusion[cell]) for cell in cells)
            for cell in cells:
                share = int(confusion[cell]) / images if images else None
                label = say(f"confusion.cell.{cell}", count=count(confusion[cell]), share=rate(share))
                # Told apart by label and icon: a button of another type would be a new one, and lose the focus.
                st.button(
                    f"**{label}**" if cell == chosen else label,
                    key=f"confusion.{cell}",
                    icon=":material/arrow_downward:" if cell == chosen else CORRECT[cell in ("tp", "tn")],
                    width="stretch",
                    wrap=True,
                    on_click=_choose,
                    args=(cell,),
                )


def _choose(cell: str) -> None:
    st.query_params["cell"] = cell


def show_cell(card: Json, split: str, cell: str) -> None:
    """A page of the cell's images, each with a choice of what becomes of it."""
    st.markdown(f"#### {say(f'confusion.opened.{cell}')}")
    dataset = dataset_of(card)
    if dataset is None:
        st.info(say("confusion.no_pictures", name=(card["dataset"] or {}).get("name") or "–"))
        return
    images = int(card["metrics"][split]["confusion"][cell])
    if not images:
        st.info(say("confusion.empty"))
        return
    moved = dataset["version"] != card["dataset"]["version"]
    if moved:
        st.warning(say("confusion.moved", then=card["dataset"]["version"], now=dataset["version"]))
    st.caption(say("relabel.hint"))
    pages = ceil(images / PAGE)
    place = st.container()
    page = st.pagination(pages, key=f"confusion.page.{split}.{cell}") if pages > 1 else 1
    offset = (page - 1) * PAGE
    answer = client().model_predictions(str(card["id"]), split=split, cell=cell, limit=PAGE, offset=offset)
    with place:
        if pages > 1:
            position = {"first": count(offset + 1), "last": count(offset + len(answer["items"]))}
            st.caption(say("pages.position", **position, total=count(answer["total"])))
        show_gallery(
            str(dataset["id"]),
            answer["items"],
            lambda row: say_text("confusion.caption", percent=percent(float(row["probability_fake"]))),
            lambda row: show_choice(row, str(dataset["id"]), int(dataset["version"]), moved=moved),
            key="confusion",
        )
    show_changes(card, dataset, tested=split == "test")


def dataset_of(card: Json) -> Json | None:
    """The data set that a model learnt from as it is now; None where the service does not have it any more."""
    try:
        return client().dataset(str(card["dataset"]["id"])) if card["dataset"] else None
    except ApiError as error:
        if error.status != 404:
            raise
        return None
