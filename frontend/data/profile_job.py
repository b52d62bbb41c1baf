"""A data set's profile, or the job that makes it, without waiting for either."""

from __future__ import annotations

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.job_view import reason_of
from frontend.progress import follow_job
from frontend.session import client, show_error
from frontend.texts import say
from frontend.transport import ApiError, Json


def fetch_profile(dataset: Json) -> Json | None:
    """The profile; None while a job makes it, which is then shown, or where that failed, which is then said."""
    key = f"profile.job.{dataset['id']}.{dataset['version']}"
    try:
        # A job that failed is not asked for again by itself: every drawing of the page would begin it anew.
        failed = _failed_job(st.session_state.get(key))
        if failed is not None:
            _show_failure(failed, key)
            return None
        answer = client().eda(str(dataset["id"]))
        if "state" not in answer:
            return answer
        st.session_state[key] = answer["id"]
    except ApiError as error:
        show_error(error)
        return None
    st.write(say("profile.making"))
    if answer["state"] in FINISHED:
        st.rerun()
    follow_job(str(answer["id"]))
    return None


def _failed_job(job_id: str | None) -> Json | None:
    if job_id is None:
        return None
    try:
        job = client().job(job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        return None
    return job if job["state"] in ("failed", "cancelled") else None


def _show_failure(job: Json, key: str) -> None:
    if job["state"] == "cancelled":
        st.info(say("profile.cancelled"))
    else:
        st.error(say("profile.failed", reason=reason_of(job)))
    st.button(say("profile.again"), key="profile.again", icon=":material/refresh:", on_click=_forget, args=(key,))


def _forget(key: str) -> None:
    st.session_state.pop(key, None)
