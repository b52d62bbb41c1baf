"""Teaching a model another generator from a few of its pictures, and what that gained and lost."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.formatting import count, number, rate
from frontend.session import client, show_error
from frontend.texts import plain, say, say_text
from frontend.transport import ApiError, Json
from frontend.uploads import Upload

FEWEST, ADVISED = 10, 50
"""Pictures of a generator: less are refused by the service, more help less and less."""


def show_enrolment(card: Json) -> None:
    """What the newest enrolment brought, where there was one, and behind a fold the form for another generator."""
    if not card.get("dataset"):
        return
    st.subheader(say("enrol.title"))
    show_gain(card)
    with st.expander(say("enrol.teach"), icon=":material/school:", key=f"enrol.{card['id']}"):
        st.write(say("enrol.how", fewest=FEWEST, advised=ADVISED))
        show_form(str(card["id"]))


def show_gain(card: Json) -> None:
    """Figures on the new generator's pictures and on the old test images, before and after; nothing without them."""
    gain = card.get("enrolment")
    if not gain:
        return
    new, after = card["enrolled"][-1], gain["after"] or {}
    st.markdown(say("enrol.learnt", generator=gain["generator"], images=count(new["images"])))
    if new.get("excluded"):
        st.caption(say("enrol.excluded", count=count(new["excluded"])))
    accuracy = (gain["test_accuracy_before"], card["accuracy"]["test"])
    rows = {
        say("enrol.auroc", generator=gain["generator"]): [number(x.get("auroc")) for x in (gain["before"], after)],
        say("enrol.recall", generator=gain["generator"], fpr=rate(gain["fpr"], 0)): [
            rate(x.get("recall")) for x in (gain["before"], after)
        ],
        say("enrol.accuracy"): [rate(share, 2) for share in accuracy],
    }
    columns = {
        say("enrol.figure"): list(rows),
        say("enrol.before"): [plain(before) for before, _ in rows.values()],
        say("enrol.after"): [plain(now) for _, now in rows.values()],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=say_text("enrol.title"))
    st.caption(say("enrol.reading"))


def show_form(model_id: str) -> None:
    """Name and pictures of the generator, and the button that starts the job and goes to its page."""
    with st.form(f"enrol.form.{model_id}", border=False, enter_to_submit=False):
        generator = st.text_input(say("enrol.generator"), max_chars=100, key=f"enrol.generator.{model_id}").strip()
        files = st.file_uploader(
            say("enrol.pictures"), accept_multiple_files=True, key=f"enrol.files.{model_id}", label_visibility="visible"
        )
        if not st.form_submit_button(say("enrol.start"), type="primary", icon=":material/school:"):
            return
    if not generator or not files:
        st.warning(say("enrol.incomplete"))
        return
    try:
        job = client().enrol_images(model_id, upload_of(files), generator)
    except ApiError as error:
        show_error(error)
        return
    st.switch_page("screens/train.py", query_params={"job": str(job["id"])})


def upload_of(files: Sequence[UploadedFile]) -> Upload:
    """A single zip as an archive, anything else as pictures."""
    contents = [(file.name, file.getvalue()) for file in files]
    is_zip = len(contents) == 1 and contents[0][0].lower().endswith(".zip")
    return Upload(archive=contents[0]) if is_zip else Upload(files=contents)
