"""What the audit of a data set found, before somebody trains on it; or a button that starts the audit."""

from __future__ import annotations

import streamlit as st

from frontend.data.findings import SERIOUS, show_findings
from frontend.data.profile_facts import findings_of
from frontend.data.profile_job import fetch_profile
from frontend.session import client
from frontend.texts import say
from frontend.transport import ApiError, Json

_ASKED = "train.audit.asked"


def show_audit(dataset: Json) -> None:
    """The serious findings, or that there are none; where nobody has audited the data set yet, a way to do it."""
    key = f"{_ASKED}.{dataset['id']}.{dataset['version']}"
    profile = fetch_profile(dataset) if st.session_state.get(key) else _known_profile(str(dataset["id"]))
    if profile is None:
        if not st.session_state.get(key):
            st.caption(say("train.audit.none"))
            st.button(
                say("train.audit.start"), key=key + ".start", icon=":material/fact_check:", on_click=_ask, args=(key,)
            )
        return
    if "audit" not in profile:  # a service that has none
        return
    serious = [finding for finding in findings_of(profile) if finding.get("severity") in SERIOUS]
    if serious:
        st.subheader(say("train.audit"))
        show_findings(serious)
    else:
        st.caption(say("train.audit.clean"))


def _ask(key: str) -> None:
    st.session_state[key] = True


def _known_profile(dataset_id: str) -> Json | None:
    """The profile if it was made before: looking at the form starts no work."""
    try:
        return client().eda(dataset_id, make=False)
    except ApiError:  # not profiled; and whatever else is wrong with the service, the page says where it matters
        return None
