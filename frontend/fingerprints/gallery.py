"""What is enrolled: the traces as pictures, REAL ones beside each generator's, with figures and a button to delete."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from frontend.client import Client
from frontend.fingerprints.attribution import name_of
from frontend.formatting import count, moment, number
from frontend.job_view import show_action
from frontend.session import client
from frontend.texts import plain, say, say_text
from frontend.training.choosing import choose_one
from frontend.transport import Json

PICTURES = ("residual", "spectrum", "autocorrelation")
CARD_PX = 300
MOST_SHOWN = 30


@st.cache_data(max_entries=600, ttl=600, show_spinner=False)
def _picture(url: str, api_key: str | None, fingerprint_id: str, name: str) -> bytes:
    return Client(url, api_key).fingerprint_picture(fingerprint_id, name)


def show_fingerprints(known: Sequence[Json]) -> None:
    """A card for each of the newest, with REAL's picture of the same denoiser beside a generator's."""
    if not known:
        st.info(say("fingerprints.none"))
        return
    name = choose_one(
        say("fingerprints.picture"),
        PICTURES,
        "fingerprints.picture.kind",
        format_func=lambda name: say_text(f"fingerprints.picture.{name}"),
    )
    st.caption(say(f"fingerprints.picture.{name}.reading"))
    reals = {one["denoiser"]: one for one in reversed(known) if one["label"] == "REAL"}
    with st.grid(min_column_width=CARD_PX):
        for one in known[:MOST_SHOWN]:
            with st.container(border=True):
                show_card(one, name, reals.get(one["denoiser"]))
    if len(known) > MOST_SHOWN:
        st.caption(say("fingerprints.more", shown=count(MOST_SHOWN), total=count(len(known))))


def show_card(one: Json, name: str, real: Json | None) -> None:
    """One fingerprint: its picture, that of REAL, and what it was made of."""
    st.markdown(f"**{plain(name_of(one))}**")
    shown = [one] if real is None or one["label"] == "REAL" else [one, real]
    for column, each in zip(st.columns(2), shown, strict=False):
        with column:
            service = client()
            picture = _picture(service.base_url, service.api_key, each["id"], name)
            alternative = say_text(f"fingerprints.picture.{name}.of", generator=name_of(each))
            st.image(picture, width="stretch", alt=alternative, caption=plain(name_of(each)))
    st.caption(describe(one))
    left_out = one["left_out"]
    if any(left_out.values()):
        st.caption(say("fingerprints.left_out", **{key: count(value) for key, value in left_out.items()}))
    if one["codecs"]:
        most = list(one["codecs"].items())[:3]
        st.caption(say("fingerprints.codecs", codecs=", ".join(f"{codec}: {count(n)}" for codec, n in most)))
    show_action(say("fingerprints.delete"), one["id"], client().delete_fingerprint, "delete", ":material/delete:")


def describe(one: Json) -> str:
    """Images, size, denoiser, how alike its own images are, and when it was made."""
    return say(
        "fingerprints.made_of",
        images=count(one["count"]),
        size=f"{one['width']} × {one['height']}",
        denoiser=one["denoiser"],
        own=number(one["own"]["mean"]),
        floor=number(one["floor"]),
        date=moment(one["created_at"]),
    )
