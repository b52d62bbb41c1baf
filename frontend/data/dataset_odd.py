"""Images that stand out: outliers with what is unusual about them, and images that are equal pixel for pixel."""

from __future__ import annotations

import re

import streamlit as st

from frontend.data.dataset_pictures import file_of
from frontend.formatting import count
from frontend.gallery import show_gallery
from frontend.texts import say, say_option, say_text
from frontend.transport import Json

OUTLIERS_A_PAGE, GROUPS_A_PAGE = 12, 5

_REASON = re.compile(r"(?P<what>[a-z ]+): \w+ (?P<value>\S+), median (?P<median>\S+) \(.*\)")
"""How the service words a reason: "very dark: brightness 0.02, median 0.45 (-4.1 robust standard deviations)"."""


def show_outliers(dataset_id: str, outliers: Json) -> None:
    """The most unusual images as pictures, each with its reasons."""
    images = outliers["images"]
    if not images:
        st.write(say("outliers.none"))
        return
    st.write(say("outliers.intro", count=count(outliers["count"]), shown=count(len(images))))
    key = f"outliers.page.{dataset_id}"
    shown = _page(images, key, OUTLIERS_A_PAGE)
    show_gallery(dataset_id, shown, describe_outlier)
    _show_pages(len(images), key, OUTLIERS_A_PAGE)


def show_duplicates(dataset_id: str, duplicates: Json) -> None:
    """Groups of equal images side by side, those first that reach from train to test."""
    if not duplicates["groups"]:
        st.write(say("duplicates.none"))
        return
    st.write(say("duplicates.intro", groups=count(duplicates["groups"]), images=count(duplicates["images"])))
    if duplicates["crossing_train_test"]:
        st.warning(
            say("remark.crossing", count=count(duplicates["crossing_train_test"])), icon=":material/priority_high:"
        )
    if duplicates["conflicting_labels"]:
        st.warning(
            say("remark.conflicting", count=count(duplicates["conflicting_labels"])), icon=":material/priority_high:"
        )
    groups = duplicates["first"]
    key = f"duplicates.page.{dataset_id}"
    for group in _page(groups, key, GROUPS_A_PAGE):
        with st.container(border=True):
            st.caption(group_sentence(group))
            show_gallery(dataset_id, group["members"], describe_member)
    _show_pages(len(groups), key, GROUPS_A_PAGE)
    if duplicates["groups"] > len(groups):
        st.caption(say("duplicates.first", shown=count(len(groups)), groups=count(duplicates["groups"])))


def describe_outlier(row: Json) -> str:
    """The class and every reason in the visitor's language, as text."""
    return f"{row['label']} · {'; '.join(reason_in_words(str(reason)) for reason in row['reasons'])}"


def describe_member(row: Json) -> str:
    """Class, split and file of one of several equal images, as text."""
    return " · ".join(part for part in (str(row["label"]), str(row["split"]), file_of(row)) if part)


def reason_in_words(reason: str) -> str:
    """What is unusual, with the figure and what is usual; the service's own words where they are of another form."""
    match = _REASON.fullmatch(reason)
    if match is None:
        return reason
    what = say_option(f"outlier.{match['what'].replace(' ', '_')}", match["what"])
    return say_text("outlier.reason", what=what, value=_short(match["value"]), median=_short(match["median"]))


def group_sentence(group: Json) -> str:
    """What a group of equal images has in it (Markdown)."""
    labels = {str(member["label"]) for member in group["members"]}
    splits = {str(member["split"]) for member in group["members"]}
    if len(labels) > 1:
        return say("duplicates.group.conflicting", count=count(group["count"]))
    if {"train", "test"} <= splits:
        return say("duplicates.group.crossing", count=count(group["count"]))
    return say("duplicates.group", count=count(group["count"]))


def _short(figure: str) -> str:
    """The service's figure without its exponent."""
    value = float(figure)
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 1000 else f"{value:.3g}"


def _page(items: list[Json], key: str, size: int) -> list[Json]:
    first = (int(st.session_state.get(key, 1)) - 1) * size
    return items[first : first + size] or items[:size]


def _show_pages(total: int, key: str, size: int) -> None:
    if total > size:
        st.pagination(-(-total // size), key=key)
