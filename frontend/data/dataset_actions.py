"""What one does with a whole data set: train on it, take it away as a file, delete it."""

from __future__ import annotations

import streamlit as st

from frontend.client import Client
from frontend.data.profile_facts import LABELS
from frontend.exports import Fetch, show_download
from frontend.formatting import count
from frontend.session import client, show_error
from frontend.texts import say, say_text
from frontend.transport import ApiError, Json

DELETED = "dataset.deleted"
"""In the session: the name of a data set that was just deleted, for the page of all data sets to say so."""

FORMATS = {"zip": "application/zip", "parquet": "application/vnd.apache.parquet"}


def show_actions(dataset: Json, *, with_link: bool) -> None:
    """A row of links and buttons; `with_link` adds the way to the data set's own page."""
    dataset_id = str(dataset["id"])
    query = {"id": dataset_id}
    with st.container(horizontal=True, vertical_alignment="center"):
        if with_link:
            st.page_link("screens/dataset.py", label=say("dataset.look"), icon=":material/search:", query_params=query)
        st.page_link(
            "screens/train.py",
            label=say("dataset.train"),
            icon=":material/model_training:",
            query_params={"dataset": dataset_id},
            disabled=any(count_of(dataset, label) == 0 for label in LABELS),  # the page says why
        )
        with st.popover(say("dataset.export"), icon=":material/download:"):
            st.write(say("dataset.export.how"))
            for name, mime in FORMATS.items():
                show_download(
                    say(f"dataset.export.{name}"),
                    export(client(), dataset_id, name),
                    f"{dataset_id}.{name}",
                    mime,
                    key=f"export.{name}.{dataset_id}.{dataset['version']}",
                )
        with st.popover(say("dataset.delete"), icon=":material/delete:"):
            st.write(say("dataset.delete.what", name=dataset["name"], images=count(dataset["images"])))
            if st.button(say("dataset.delete.sure"), key=f"delete.{dataset_id}", type="primary"):
                delete(dataset)


def export(service: Client, dataset_id: str, format: str) -> Fetch:
    """What fetches the whole data set as one file."""
    return lambda target: service.export_dataset(dataset_id, target, format=format)


def delete(dataset: Json) -> None:
    """Deletes the data set and goes to the page of those that are left; a refusal is said where the button is."""
    try:
        client().delete_dataset(str(dataset["id"]))
    except ApiError as error:
        show_error(error)
        if error.status == 409:  # a job works on it
            st.page_link("screens/jobs.py", label=say("dataset.delete.jobs"), icon=":material/list_alt:")
        return
    st.session_state[DELETED] = str(dataset["name"])
    st.switch_page("screens/datasets.py")


def say_deleted() -> None:
    """Once after a deletion: that it was done."""
    name = st.session_state.pop(DELETED, None)
    if name is not None:
        st.toast(say("dataset.deleted", name=name), icon=":material/delete:")


def count_of(dataset: Json, label: str) -> int:
    """Images of a class, in every split."""
    return sum(int(counts.get(label, 0)) for counts in dataset["counts"].values())


def generator_names(dataset: Json) -> str:
    """The generators of a data set in one line, as text."""
    names = [str(name) for name in dataset["generators"] if name]
    if not names:
        return say_text("dataset.generators.unknown") if dataset["generators"] else "–"
    return ", ".join(names)
