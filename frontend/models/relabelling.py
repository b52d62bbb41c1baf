"""Images that get another label or are dropped: the choices, collected over pages, and the refit that follows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import streamlit as st

from frontend.session import client, explain, show_error
from frontend.texts import plain, say, say_text
from frontend.transport import ApiError, Json

KEEP, DROP = "", "DROP"
_STATE = "relabel.changes"
_HEAD_FIELDS = (
    *("C", "class_weight", "epochs", "components", "gamma"),
    *("hidden", "dropout", "mixup", "learning_rate", "weight_decay", "ensemble"),
)
_FIT_FIELDS = (
    "extractor",
    "validation_fraction",
    "test_fraction",
    "target_fpr",
    "doubt",
    "evaluate_test",
    "measure_limits",
    "seed",
    "notes",
)
_NAME_LENGTH = 100


@dataclass(frozen=True)
class Changes:
    """What is to become of images of one data set: number -> REAL, FAKE or DROP, chosen while it was at `version`."""

    dataset_id: str
    version: int
    labels: dict[int, str] = field(default_factory=dict)

    def choose(self, number: int, label: str) -> Changes:
        """The changes with one more choice; KEEP takes a choice back."""
        others = {other: chosen for other, chosen in self.labels.items() if other != number}
        return replace(self, labels=others if label == KEEP else {**others, number: label})

    def at(self, version: int) -> Changes:
        """The same choices for another version of the data set: numbers stay valid over versions."""
        return replace(self, version=version)


def choices_for(label: str, moved: bool) -> list[str]:
    """What can become of an image labelled `label`; every label where the data set has `moved` on since."""
    return [KEEP, *(other for other in ("REAL", "FAKE") if moved or other != label), DROP]


def refit_config(config: Json, name: str) -> Json:
    """The fields of a fit that equals the one of a card's `config`, for a model called `name`."""
    head = config["head"]
    fields = {key: config[key] for key in _FIT_FIELDS if key in config}
    return {**fields, "head": head["name"], **{key: head[key] for key in _HEAD_FIELDS if key in head}, "name": name}


def next_name(name: str, version: int) -> str:
    """The name of a model that is fitted again on `version` of its data set; an earlier version's number goes."""
    beginning, found, number = name.rpartition(" · v")
    ending = f" · v{version}"
    base = beginning if found and number.isdecimal() else name
    return base[: _NAME_LENGTH - len(ending)] + ending


def changes_of(dataset_id: str, version: int) -> Changes:
    """This visitor's choices for a data set; none, at `version`, where nothing was chosen yet."""
    kept = st.session_state.get(_STATE)
    if isinstance(kept, Changes) and kept.dataset_id == dataset_id and kept.labels:
        return kept
    return Changes(dataset_id, version)


def show_choice(row: Json, dataset_id: str, version: int, *, moved: bool) -> None:
    """A box below a picture that says what becomes of it."""
    number, key = int(row["row"]), f"relabel.{dataset_id}.{row['row']}"
    options = choices_for(str(row["label"]), moved)
    chosen = changes_of(dataset_id, version).labels.get(number, KEEP)
    st.session_state[key] = chosen if chosen in options else KEEP  # also what was chosen before another page was open

    def keep() -> None:
        st.session_state[_STATE] = changes_of(dataset_id, version).choose(number, st.session_state[key])

    st.selectbox(
        say("relabel.choice", path=row["path"]),
        options,
        format_func=lambda option: say_text(f"relabel.to.{option or 'KEEP'}"),
        key=key,
        on_change=keep,
        label_visibility="collapsed",
    )


def show_changes(card: Json, dataset: Json, *, tested: bool) -> None:
    """How many images are to change, with the buttons that forget it or make it so; nothing where none is.

    `tested`: they are chosen among test images, which calls for a word of care.
    """
    changes = changes_of(str(dataset["id"]), int(dataset["version"]))
    if not changes.labels:
        return
    with st.container(border=True):
        st.markdown(f"**{say('relabel.summary', count=len(changes.labels))}**")
        st.caption(say("relabel.explain", name=dataset["name"], version=dataset["version"]))
        if tested:
            st.caption(say("relabel.care"))
        with st.container(horizontal=True):
            start = st.button(say("relabel.refit"), key="relabel.refit", type="primary", icon=":material/replay:")
            st.button(say("relabel.forget"), key="relabel.forget", on_click=_forget)
        if start:
            refit(card, changes)


def refit(card: Json, changes: Changes) -> None:
    """Makes the data set's next version, starts the fit on it and goes to where it can be watched.

    What is refused becomes a sentence, and the choices stay.
    """
    service = client()
    try:
        revised = service.revise_dataset(changes.dataset_id, changes.labels, version=changes.version)
    except ApiError as error:
        if error.status == 409 and (version := _present_version(changes)) != changes.version:
            st.session_state[_STATE] = changes.at(version)
            st.warning(say("relabel.moved", version=version))
        elif error.status == 409:
            st.warning(f"{plain(explain(error))} {say('relabel.kept')}")
        else:
            show_error(error)
        return
    _forget()
    version = int(revised["version"])
    try:
        job = service.fit(changes.dataset_id, refit_config(card["config"], next_name(str(card["name"]), version)))
    except ApiError as error:
        st.warning(say("relabel.not_started", version=version, detail=explain(error)))
        return
    st.switch_page("screens/train.py", query_params={"job": str(job["id"])})


def _present_version(changes: Changes) -> int:
    try:
        return int(client().dataset(changes.dataset_id)["version"])
    except ApiError:
        return changes.version


def _forget() -> None:
    st.session_state.pop(_STATE, None)
