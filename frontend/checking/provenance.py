"""What a file says of its own origin, on the page."""

from __future__ import annotations

import streamlit as st

from frontend.checking.origin import describe_evidence
from frontend.texts import plain, say
from frontend.transport import Json

_ICONS = {"trusted": ":material/verified:", "signed": ":material/draw:", "none": ":material/broken_image:"}


def show_provenance(evidence: list[Json]) -> None:
    """Each piece of evidence, the strongest first, and what all of it is worth."""
    for item, (source, sentence) in zip(evidence, describe_evidence(evidence), strict=True):
        icon = _ICONS.get(str(item.get("strength")), ":material/info:")
        st.markdown(f"{icon} **{plain(source)}** {plain(sentence)}")
    st.caption(say("provenance.note"))
