"""Fingerprints: which generator made these pictures, what is enrolled, how alike it is, and the form that enrols."""

from __future__ import annotations

import streamlit as st

from frontend.client import pages
from frontend.fingerprints.attribution import show_attribution
from frontend.fingerprints.comparison import show_comparison
from frontend.fingerprints.enrolment import show_enrolments, show_form
from frontend.fingerprints.gallery import show_fingerprints
from frontend.session import client, run_page, show_error
from frontend.texts import say, say_option, say_text
from frontend.training.choosing import choose_one
from frontend.transport import ApiError


def show_page() -> None:
    """Enrolments under way, then a tab each to ask, to look, to compare and to enrol."""
    st.title(say("fingerprints.title"))
    st.write(say("fingerprints.intro"))
    options = client().options()
    known = list(pages(client().fingerprints))
    show_enrolments()
    names = ("ask", "gallery", "compare", "enrol")
    ask, gallery, compare, enrol = st.tabs([say(f"fingerprints.tab.{name}") for name in names])
    used = sorted({str(one["denoiser"]) for one in known})
    helps = {str(row["name"]): f"{row['name']}: {row['help']}" for row in options["denoisers"]}
    with ask:
        if not used:
            st.info(say("fingerprints.none"))
        else:
            denoiser = used[0]
            if len(used) > 1:
                denoiser = choose_one(
                    say("fingerprints.denoiser"),
                    used,
                    "fingerprints.used",
                    format_func=lambda name: say_option(f"fingerprints.denoiser.{name}", helps.get(name, name)),
                )
            show_attribution(denoiser, options["limits"])
    with gallery:
        try:
            show_fingerprints(known)
        except ApiError as error:  # a key that may only ask sees no pictures
            show_error(error)
    with compare:
        for denoiser in used:
            if len(used) > 1:
                st.subheader(say("fingerprints.by", denoiser=denoiser))
            show_comparison(denoiser)
        if not used:
            st.info(say("fingerprints.none"))
    with enrol:
        try:
            show_form(helps, options["limits"])
        except ApiError as error:
            show_error(error)
    st.caption(say_text("fingerprints.limits"))


run_page(show_page)
