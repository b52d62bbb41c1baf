"""The question which enrolled source made some pictures, and the answer in words and figures."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from frontend.formatting import count, number, rate
from frontend.session import client, show_error
from frontend.texts import plain, say, say_text
from frontend.training.choosing import choose_one
from frontend.transport import ApiError, Json

SHARES = (0.01, 0.05, 0.1)
DEFAULT_SHARE = 0.05
ANSWER = "fingerprints.answer"
MIB = 1 << 20


def show_attribution(denoiser: str, limits: Json) -> None:
    """The form, and below it the answer for the pictures that are in it."""
    files = st.file_uploader(
        say("fingerprints.ask.files"),
        accept_multiple_files=True,
        max_upload_size=max(1, int(limits["max_upload_bytes"]) // MIB),
        key="fingerprints.files",
    )
    batch = st.toggle(say("fingerprints.ask.batch"), key="fingerprints.batch", help=say("fingerprints.ask.batch.help"))
    share = choose_one(
        say("fingerprints.ask.share"),
        SHARES,
        "fingerprints.share",
        format_func=lambda value: f"{100 * value:.0f} %",
        default=DEFAULT_SHARE,
        help=say("fingerprints.ask.share.help"),
    )
    asked = ([file.file_id for file in files], batch, share, denoiser)
    if st.button(say("fingerprints.ask.start"), type="primary", icon=":material/fingerprint:", disabled=not files):
        images = [(file.name, file.getvalue()) for file in files]
        try:
            with st.spinner(say_text("fingerprints.ask.waiting")):
                answer = client().attribute(images, batch=batch, false_attribution=share, denoiser=denoiser)
        except ApiError as error:
            st.session_state.pop(ANSWER, None)
            show_error(error)
        else:
            st.session_state[ANSWER] = (asked, answer)
    kept = st.session_state.get(ANSWER)
    if kept is not None and kept[0] == asked:
        show_answer(kept[1])


def show_answer(answer: Json) -> None:
    """What was found: in words for one answer, as a table for several; and files that could not be used."""
    found = answer["attributions"]
    if len(found) == 1:
        show_one(found[0])
    else:
        show_several(found)
    if not answer["calibrated"]:
        st.warning(say("fingerprints.uncalibrated"))
    if answer["left_out"]:
        names = ", ".join(one["generator"] for one in answer["left_out"])
        st.warning(say("fingerprints.damaged", generators=names))
    for error in answer["errors"]:
        st.error(say("fingerprints.unread", file=error["filename"], reason=f"{error['detail']} {error['hint']}"))


def show_one(found: Json) -> None:
    """One answer: its sentence, what limits it, and every enrolled source."""
    share, images = rate(found["false_attribution"], 0), count(found["images"])
    if found["source"] is None:
        best = found["matches"][0]["generator"]
        st.info(say("fingerprints.nobody", best=best, share=share, images=images), icon=":material/help:")
    else:
        st.success(
            say("fingerprints.found", source=found["source"], share=share, images=images),
            icon=":material/fingerprint:",
        )
    show_limits(found)
    show_matches(found["matches"])
    st.caption(say("fingerprints.scores", score=number(found["score"], 2), threshold=number(found["threshold"], 2)))


def show_limits(found: Json) -> None:
    """What was cropped or left out, and what that costs."""
    best = found["matches"][0]
    if best["crops"] or found["cut"]:
        st.warning(
            say(
                "fingerprints.cropped",
                crops=count(max(best["crops"], found["cut"])),
                images=count(found["images"]),
                share=rate(best["pixels_share"], 0),
                lost=rate(best["lost"], 0),
            )
        )
    if found["constant"] or found["duplicates"]:
        left_out = {name: count(found[name]) for name in ("constant", "duplicates")}
        st.caption(say("fingerprints.skipped", **left_out))


def show_matches(matches: Sequence[Json]) -> None:
    """Every enrolled source with its correlation and z, the best first."""
    table = {
        say("fingerprints.column.generator"): [plain(name_of(match)) for match in matches],
        say("fingerprints.column.correlation"): [number(match["correlation"]) for match in matches],
        say("fingerprints.column.z"): [number(match["z"], 1) for match in matches],
        say("fingerprints.column.score"): [number(match["score"], 2) for match in matches],
    }
    st.table(table, border="horizontal", hide_index=True, alt=say_text("fingerprints.matches"))


def show_several(found: Sequence[Json]) -> None:
    """A row a picture."""
    table = {
        say("fingerprints.column.file"): [plain(one["files"][0]["filename"]) for one in found],
        say("fingerprints.column.source"): [
            plain(one["source"] or say_text("fingerprints.column.nobody")) for one in found
        ],
        say("fingerprints.column.best"): [plain(name_of(one["matches"][0])) for one in found],
        say("fingerprints.column.correlation"): [number(one["matches"][0]["correlation"]) for one in found],
        say("fingerprints.column.z"): [number(one["matches"][0]["z"], 1) for one in found],
    }
    st.table(table, border="horizontal", hide_index=True, alt=say_text("fingerprints.matches"))
    if sum(bool(one["matches"][0]["crops"] or one["cut"]) for one in found):
        st.caption(say("fingerprints.cropped.some"))


def name_of(one: Json) -> str:
    """A source as text: its name, with a note where it is a camera."""
    return f"{one['generator']} (REAL)" if one["label"] == "REAL" else str(one["generator"])
