"""The web app: a table of pages. Started by `deepfake serve --web` or `streamlit run frontend/app.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import streamlit as st

from frontend.session import asked, client, show_key_field
from frontend.texts import LANGUAGE_KEY, say
from frontend.texts.language import LANGUAGES
from frontend.transport import ApiError


class Row(NamedTuple):
    """One page: its file in screens/ is also its address, its title the text `nav.<file>`."""

    file: str
    section: str
    icon: str
    layout: Literal["centered", "wide"] = "wide"
    visibility: Literal["visible", "hidden"] = "visible"  # hidden: reached from another page, or by its address


PAGES = (
    Row("predict", "check", ":material/image_search:"),
    Row("datasets", "build", ":material/photo_library:"),
    Row("dataset", "build", ":material/photo_library:", visibility="hidden"),
    Row("train", "build", ":material/model_training:", layout="centered"),
    Row("models", "build", ":material/leaderboard:"),
    Row("model", "build", ":material/leaderboard:", visibility="hidden"),
    Row("generators", "build", ":material/grid_on:"),
    Row("fingerprints", "check", ":material/fingerprint:"),
    Row("jobs", "watch", ":material/list_alt:"),
    Row("job", "watch", ":material/list_alt:", layout="centered", visibility="hidden"),
)


ICON = Path(__file__).parent / "icon.png"
"""A file of our own: for a sign the browser would ask another company's server for a picture."""

_REFUSED_TO = "jobs_refused_to"


def show_app() -> None:
    """The frame and the page that its address names."""
    with st.sidebar:
        choose_language()
    sections: dict[str, list[st.Page]] = {}
    layouts: dict[str, Literal["centered", "wide"]] = {}
    for row in PAGES:
        file = Path(__file__).parent / "screens" / f"{row.file}.py"
        title = say(f"nav.{row.file}")
        address = "front" if row == PAGES[0] else row.file  # of the first page Streamlit makes the site's own address
        page = st.Page(file, title=title, icon=row.icon, url_path=address, visibility=row.visibility)
        sections.setdefault(say(f"nav.section.{row.section}"), []).append(page)
        layouts[title] = row.layout
    sections[""] = [st.Page(open_front, title=PAGES[0].file, url_path=PAGES[0].file, visibility="hidden")]
    chosen = st.navigation(sections, expanded=True)
    st.set_page_config(page_title=chosen.title, page_icon=str(ICON), layout=layouts.get(chosen.title))
    with st.sidebar, st.expander(say("key.label"), icon=":material/key:"):
        show_key_field()
    chosen.run()
    with st.sidebar:  # last: where the service is down, the page has said so by now
        show_running_jobs()


def open_front() -> None:
    """Leads from the first page's name to it."""
    st.switch_page(f"screens/{PAGES[0].file}.py", query_params=st.query_params.to_dict())


def choose_language() -> None:
    """The language, kept in every page's address; at first the browser's own where there are texts in it."""
    browsers = (st.context.locale or "en").split("-")[0]
    default = browsers if browsers in LANGUAGES else "en"
    if LANGUAGE_KEY not in st.session_state:
        asked_for = asked(LANGUAGE_KEY)
        st.session_state[LANGUAGE_KEY] = asked_for if asked_for in LANGUAGES else default
    chosen = st.segmented_control(
        say("language"),
        list(LANGUAGES),
        format_func=lambda code: LANGUAGES[code],
        key=LANGUAGE_KEY,
        required=True,
        label_visibility="collapsed",
    )
    if chosen != default:
        st.query_params[LANGUAGE_KEY] = str(chosen)
    else:
        st.query_params.pop(LANGUAGE_KEY, None)


def show_running_jobs() -> None:
    """A link to the jobs where some are running, from whichever page; a key that may not see them asks once."""
    service = client()
    if st.session_state.get(_REFUSED_TO) == (service.api_key or ""):
        return
    try:
        running = service.jobs(state="running", limit=1)["total"]
    except ApiError as error:
        if error.status in (401, 403):
            st.session_state[_REFUSED_TO] = service.api_key or ""
        return
    if running:
        st.page_link("screens/jobs.py", label=say("nav.running", count=running), icon=":material/progress_activity:")


if __name__ == "__main__":
    show_app()
