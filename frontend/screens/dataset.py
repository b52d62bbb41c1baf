"""One data set: what is in it, how its classes differ, and its pictures."""

from __future__ import annotations

import streamlit as st

from frontend.data.dataset_actions import count_of, generator_names, show_actions
from frontend.data.dataset_list import source_of
from frontend.data.dataset_odd import show_duplicates, show_outliers
from frontend.data.dataset_pictures import show_pictures
from frontend.data.profile_colour import show_colour
from frontend.data.profile_files import show_files
from frontend.data.profile_job import fetch_profile
from frontend.data.profile_measures import show_measures
from frontend.data.profile_spectrum import show_spectrum
from frontend.data.profile_summary import show_summary
from frontend.formatting import count, moment, size
from frontend.session import asked, client, run_page
from frontend.texts import plain, say, say_text
from frontend.transport import Json

PARTS = ("summary", "pictures", "colour", "measures", "spectrum", "files", "outliers", "duplicates")
_PART = "dataset.part"


def show_page() -> None:
    """The header, then the part that the visitor chooses; only that one is computed."""
    st.page_link("screens/datasets.py", label=say("dataset.back"), icon=":material/arrow_back:")
    if not asked():
        st.info(say("dataset.unasked"))
        return
    dataset = client().dataset(asked())
    show_header(dataset)
    show_actions(dataset, with_link=False)
    part = choose_part()
    if part == "pictures":
        show_pictures(dataset)
        return
    profile = fetch_profile(dataset)
    if profile is not None:
        show_part(part, dataset, profile)


def choose_part() -> str:
    """The part that the visitor looks at, in whatever language.

    The page's address alone holds it: a second memory would undo what the browser's button "back" does.
    """
    st.session_state[_PART] = asked("part") if asked("part") in PARTS else PARTS[0]

    def keep() -> None:
        st.query_params["part"] = st.session_state[_PART]

    return str(
        st.segmented_control(
            say("dataset.part"),
            PARTS,
            format_func=lambda part: say(f"dataset.part.{part}"),
            required=True,
            key=_PART,
            label_visibility="collapsed",
            on_change=keep,
        )
    )


def show_part(part: str, dataset: Json, profile: Json) -> None:
    """One part of the profile."""
    dataset_id = str(dataset["id"])
    if part == "colour":
        show_colour(profile)
    elif part == "measures":
        show_measures(profile)
    elif part == "spectrum":
        show_spectrum(profile)
    elif part == "files":
        show_files(profile)
    elif part == "outliers":
        show_outliers(dataset_id, profile["outliers"])
    elif part == "duplicates":
        show_duplicates(dataset_id, profile["duplicates"])
    else:
        show_summary(dataset, profile)


def show_header(dataset: Json) -> None:
    """Name, figures, generators, and what the import left out."""
    st.title(plain(str(dataset["name"])))
    st.caption(
        say(
            "dataset.origin",
            version=dataset["version"],
            created=moment(dataset["created_at"]),
            source=source_of(dataset),
            size=size(dataset["bytes"]),
        )
    )
    with st.grid(min_column_width=140):
        st.metric(say("dataset.images"), count(dataset["images"]))
        st.metric("REAL", count(count_of(dataset, "REAL")))
        st.metric("FAKE", count(count_of(dataset, "FAKE")))
    st.caption(say("dataset.generators.list", names=generator_names(dataset)))
    if dataset.get("dropped"):
        st.caption(say("dataset.dropped", count=count(dataset["dropped"])))
    skipped = dataset["skipped"]
    if skipped["count"]:
        with st.expander(say("dataset.skipped", count=count(skipped["count"])), icon=":material/block:"):
            for file in skipped["first"]:
                st.text(f"{file['filename']}: {file['message']}")
            if skipped["count"] > len(skipped["first"]):
                st.caption(say_text("dataset.skipped.more"))


run_page(show_page)
