"""The web app: a table of pages. Started by `deepfake serve --web` or `streamlit run frontend/app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from frontend.texts import say

FOLDER = Path(__file__).parent / "pages"

PAGES = (  # file in pages/, title, icon, path of its address
    ("predict.py", "nav.predict", ":material/image_search:", "predict"),
)

st.set_page_config(page_title=say("app.title"), page_icon="🔍", layout="centered")
st.navigation(
    [st.Page(FOLDER / file, title=say(title), icon=icon, url_path=path) for file, title, icon, path in PAGES]
).run()
