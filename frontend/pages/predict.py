"""Upload pictures, read their verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.session import client, show_error
from frontend.texts import percent, plain, say, say_text
from frontend.transport import ApiError, Json

COLOURS = {"real": "blue", "fake": "orange", "unsure": "gray"}  # told apart by colour-blind people, and by the words
ICONS = {"real": ":material/check_circle:", "fake": ":material/warning:", "unsure": ":material/help:"}


def show_page() -> None:
    """The page from top to bottom."""
    st.title(say("app.title"))
    st.write(say("predict.intro"))
    files = st.file_uploader(say("predict.upload"), accept_multiple_files=True)
    try:
        card = client().active_model()
        if files:
            show_answer(files, predict(files, str(card["id"])))
        show_model(card)
    except ApiError as error:
        show_error(error)


def predict(files: Sequence[UploadedFile], model_id: str) -> Json:
    """The service's answer for these files, asked once however often the page is drawn. Raises ApiError."""
    key = (model_id, *(file.file_id for file in files))
    if st.session_state.get("predict.key") != key:
        with st.spinner(say_text("predict.working", count=len(files))):
            answer = client().predict([(file.name, file.getvalue()) for file in files], model_id=model_id)
        st.session_state["predict.key"], st.session_state["predict.answer"] = key, answer
    stored: Json = st.session_state["predict.answer"]
    return stored


def show_answer(files: Sequence[UploadedFile], answer: Json) -> None:
    """Verdicts in the order of the files, after a line of totals where there are several."""
    if len(files) > 1:
        totals = Counter(prediction["verdict"] for prediction in answer["predictions"])
        counts = {verdict: totals[verdict] for verdict in ("fake", "real", "unsure")}
        st.subheader(say("predict.summary", **counts, failed=len(answer["errors"])))
    for error in answer["errors"]:
        st.error(plain(f"{error['filename']}: {error['detail']} {error.get('hint') or ''}"))
    for prediction in answer["predictions"]:
        file = files[prediction["index"]]
        show_prediction(file.name, file.getvalue(), prediction)


def show_prediction(filename: str, content: bytes, prediction: Json) -> None:
    """One picture: the verdict in words first, then the probability and reasons; beside them the picture."""
    verdict = prediction["verdict"]
    words, picture = st.container(border=True).columns([2, 1])
    with words:
        st.markdown(f"### :{COLOURS[verdict]}[{ICONS[verdict]} {say(f'verdict.{verdict}')}]")
        probability = float(prediction["probability_fake"])
        shown = {"percent": percent(probability), "threshold": percent(float(prediction["threshold"]))}
        st.progress(probability, text=say("predict.probability", **shown))
        for reason in prediction["reasons"]:
            st.write(plain(reason))
        st.text(filename)
    with picture:
        show_picture(filename, content)


def show_picture(filename: str, content: bytes) -> None:
    """The picture at most as large as the page; a sentence where a browser cannot show its format."""
    try:
        st.image(content, alt=say_text("predict.picture", filename=filename))
    except (OSError, ValueError, Image.DecompressionBombError):  # Pillow here lacks the format, or refuses its size
        st.caption(say("predict.no_preview"))


def show_model(card: Json) -> None:
    """Who answers, how often it was right on test pictures, and what it does not know."""
    dataset = card["dataset"]["name"]
    accuracy = (card.get("accuracy") or {}).get("test")
    if accuracy is None:
        st.caption(say("model.without_accuracy", name=card["name"]))
    else:
        st.caption(say("model.with_accuracy", name=card["name"], accuracy=f"{accuracy * 100:.1f} %", dataset=dataset))
    generators = ", ".join(card.get("generators") or []) or say_text("model.generators_unknown")
    st.caption(say("model.limits", dataset=dataset, generators=generators))


show_page()
