"""Mean power spectra of a data set: the periodic traces that up-sampling leaves."""

from __future__ import annotations

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.spectra import draw_picture, draw_radial, limits_of, subtract
from frontend.data.profile_facts import LABELS, largest_gap
from frontend.texts import say, say_text
from frontend.transport import Json


def show_spectrum(profile: Json) -> None:
    """Power along the radius, then the pictures side by side with their difference."""
    spectrum = profile["spectrum"]
    st.write(say("spectrum.intro"))
    st.subheader(say("spectrum.radial"))
    show_chart(draw_radial(spectrum), radial_sentence(profile), say_text("spectrum.radial.alt"))
    st.subheader(say("spectrum.pictures"))
    pictures = {label: spectrum["by_class"][label]["picture"] for label in LABELS if label in spectrum["by_class"]}
    limits = limits_of(*pictures.values())
    columns = st.columns(len(pictures) + (len(pictures) == 2))
    for column, (label, picture) in zip(columns, pictures.items(), strict=False):
        with column:
            st.markdown(f"**{label}**")
            show_chart(
                draw_picture(picture, limits),
                say("spectrum.picture.reading"),
                say_text("spectrum.picture.alt", label=label),
            )
    if len(pictures) == 2:
        difference = subtract(pictures["FAKE"], pictures["REAL"])
        most = max(abs(limit) for limit in limits_of(difference)) or 1.0
        with columns[-1]:
            st.markdown(f"**{say('spectrum.difference')}**")
            show_chart(
                draw_picture(difference, (-most, most), difference=True),
                say("spectrum.difference.reading"),
                say_text("spectrum.difference.alt"),
            )


def radial_sentence(profile: Json) -> str:
    """Where the classes' spectra differ most, and by how much (Markdown)."""
    gap = largest_gap(profile)
    if gap is None:
        return say("spectrum.one_class")
    frequency, times = gap
    label, other = ("FAKE", "REAL") if times >= 1 else ("REAL", "FAKE")
    ratio = max(times, 1 / times)
    if ratio < 1.05:
        return say("spectrum.equal")
    shown = f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"
    return say("spectrum.gap", frequency=f"{frequency:.2f}", label=label, other=other, times=shown)
