"""Answers of the service for the pictures in the tray: asked batch by batch, kept in the session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from frontend.checking.tray import Picture
from frontend.session import client
from frontend.texts import say_text
from frontend.transport import ApiError, Json

FIRST_FILES, BATCH_FILES, BATCH_BYTES = 16, 128, 32 * 2**20
"""The first answers of many pictures come soon; then a request has as many files as are answered already, up to these
bounds, since each one draws the page again.
"""
PASSING = frozenset({0, 401, 403, 404, 429, 502, 503, 504})
"""Statuses that say nothing of the pictures: to be asked again later, as they are."""


@dataclass(frozen=True)
class Answer:
    """What a model said of one picture: a prediction, or the problem why there is none."""

    model_id: str
    sha256: str  # of the picture's bytes, computed here
    prediction: Json | None
    problem: Json | None
    detailed: bool  # whether an explanation was asked for

    @property
    def verdict(self) -> str:
        """ "real", "fake", "unsure" or "failed"."""
        return "failed" if self.prediction is None else str(self.prediction["verdict"])


Answers = dict[tuple[str, str], Answer]
"""(id of the picture, id of the model) -> answer."""


def known_answers() -> Answers:
    """All answers of this session."""
    answers: Answers = st.session_state.setdefault("predict.answers", {})
    return answers


def forget_others(pictures: Iterable[str]) -> None:
    """Drops the answers for all but these pictures."""
    answers, kept = known_answers(), set(pictures)
    for key in [key for key in answers if key[0] not in kept]:
        del answers[key]


def next_batch(pictures: Sequence[Picture], model_ids: Sequence[str]) -> tuple[str, list[Picture]] | None:
    """The model and the pictures to ask for next, None where nothing is missing."""
    answers = known_answers()
    for model_id in model_ids:
        missing = [picture for picture in pictures if (picture.id, model_id) not in answers]
        if missing:
            return model_id, _first_of(missing, model_id)
    return None


def ask(model_id: str, batch: Sequence[Picture], *, detailed: bool = False, stability: bool = False) -> None:
    """Asks the service once and keeps its answers. Raises ApiError where that says nothing of these pictures.

    The first picture for each model is asked for with an explanation: whether one comes says what the service can do.
    """
    # All of Streamlit before the request: touching it afterwards may end this run, and the answers would be lost.
    answers, careful, explained = known_answers(), _careful(), _explained_models()
    no_answer = {"detail": say_text("predict.no_answer")}
    detailed = detailed or model_id not in explained
    try:
        answer = client().predict(
            [(picture.name, picture.content) for picture in batch],
            model_id=model_id,
            explain=detailed,
            provenance=True,
            stability=stability,
        )
    except ApiError as error:
        if error.status in PASSING:
            raise
        if len(batch) > 1:
            careful.update(picture.id for picture in batch)  # one of them spoils the request: one by one from now on
            return
        answer = {"predictions": [], "errors": [{"index": 0, "detail": error.detail, "hint": error.hint}]}
    found = {int(item["index"]): item for item in (*answer["predictions"], *answer["errors"])}
    for index, picture in enumerate(batch):
        item = found.get(index, no_answer)
        is_answer = "verdict" in item
        sha256 = hashlib.sha256(picture.content).hexdigest()
        answers[picture.id, model_id] = Answer(
            model_id, sha256, item if is_answer else None, None if is_answer else item, detailed
        )
        if is_answer and detailed:
            explained.setdefault(model_id, bool(item.get("explanation")))


def can_explain(answer: Answer) -> bool:
    """Whether asking for more about this picture may bring something that is not there yet."""
    return not answer.detailed and _explained_models().get(answer.model_id, False)


def can_try_changes(answer: Answer) -> bool:
    """Whether it was not yet tried what becomes of this answer on changed copies of the picture."""
    return answer.prediction is not None and not answer.prediction.get("stability")


def explain(picture: Picture, model_id: str, *, stability: bool = False) -> None:
    """Asks for one picture again, with its explanation, and with `stability` also on changed copies. Raises ApiError.

    What was asked for before is asked for again.
    """
    answers = known_answers()
    before = answers[picture.id, model_id]
    tried = bool((before.prediction or {}).get("stability"))
    ask(model_id, [picture], detailed=True, stability=stability or tried)
    if answers[picture.id, model_id].prediction is None:
        answers[picture.id, model_id] = replace(before, detailed=True)  # what was known is better than nothing


def _first_of(missing: Sequence[Picture], model_id: str) -> list[Picture]:
    known = sum(answered == model_id for _, answered in known_answers())
    most = min(_most_files(), max(FIRST_FILES, known)) if model_id in _explained_models() else 1
    batch: list[Picture] = []
    for picture in missing:
        n_bytes = sum(len(other.content) for other in batch) + len(picture.content)
        alone = picture.id in _careful()
        if batch and (len(batch) >= most or n_bytes > BATCH_BYTES or alone):
            break
        batch.append(picture)
        if alone:
            break
    return batch


def _most_files() -> int:
    """Files in a request, which the service may limit below our own number."""
    if "predict.most_files" not in st.session_state:
        limits = client().options().get("limits") or {}
        st.session_state["predict.most_files"] = max(1, min(BATCH_FILES, int(limits.get("max_files", BATCH_FILES))))
    return int(st.session_state["predict.most_files"])


def _careful() -> set[str]:
    """Ids of pictures that are asked for one by one."""
    careful: set[str] = st.session_state.setdefault("predict.careful", set())
    return careful


def _explained_models() -> dict[str, bool]:
    """Model -> whether the service explains its answers, once that is known."""
    explained: dict[str, bool] = st.session_state.setdefault("predict.explained", {})
    return explained
