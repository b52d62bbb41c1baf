"""A job in words: what it is about, how it stands, how long it took; and the buttons that change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.client import pages
from frontend.formatting import duration
from frontend.session import client, explain
from frontend.texts import plain, say, say_known, say_problem, say_text
from frontend.transport import ApiError, Json

Colour = Literal["gray", "primary", "green", "red", "orange"]
STATES: dict[str, tuple[str, Colour]] = {
    "queued": (":material/hourglass_empty:", "gray"),
    "running": (":material/progress_activity:", "primary"),
    "done": (":material/check_circle:", "green"),
    "failed": (":material/error:", "red"),
    "cancelled": (":material/cancel:", "orange"),
}
"""Icon and colour of a state, which always stands there in words too."""


def dataset_names() -> dict[str, str]:
    """Id -> name of every data set that is there."""
    return {str(info["id"]): str(info["name"]) for info in pages(client().datasets)}


def kind_of(job: Json) -> str:
    """What kind of work it is, as text."""
    return say_known(f"job.kind.{job['kind']}", str(job["kind"]))


def title_of(job: Json, names: dict[str, str]) -> str:
    """What a job is about, as text: its model, or the data set by the name in `names` (id -> name)."""
    params = job["params"]
    ids = [str(params.get("dataset_id") or ""), *params.get("dataset_ids", ())]
    about = [", ".join(names.get(id, id) for id in ids if id) or str(params.get("name") or "")]
    if generator := params.get("generator"):
        about = [str(generator), *about]
    if config := params.get("config"):
        about = [str(config["name"]), *about] if config["name"] else [*about, str(config["head"]["name"])]
    return f"{kind_of(job)}: {' · '.join(part for part in about if part)}" if any(about) else kind_of(job)


def show_state(job: Json) -> None:
    """The state as a badge: icon, words and colour."""
    icon, colour = STATES.get(job["state"], (":material/help:", "gray"))
    st.badge(plain(say_known(f"job.state.{job['state']}", str(job["state"]))), icon=icon, color=colour)


def seconds_taken(job: Json, now: datetime | None = None) -> float | None:
    """Seconds from its start to its end, or until `now`; None where it never started."""
    if not job["started_at"]:
        return None
    end = datetime.fromisoformat(job["finished_at"]) if job["finished_at"] else now or datetime.now(UTC)
    return max((end - datetime.fromisoformat(job["started_at"])).total_seconds(), 0.0)


def took(job: Json) -> str:
    """How long it took so far, as text."""
    return duration(seconds_taken(job))


def reason_of(job: Json) -> str:
    """Why a job failed, as text in the visitor's language where that is known."""
    return say_problem(str(job.get("error_code") or ""), str(job["reason"] or say_text("job.no_reason")))


def show_reason(job: Json) -> None:
    """Why a job failed, in the service's words with its hint; that it was cancelled, where it was."""
    if job["state"] == "failed":
        st.error(plain(reason_of(job)), icon=":material/error:")
    elif job["state"] == "cancelled":
        st.info(say("job.was_cancelled"), icon=":material/cancel:")


def show_cancel(job: Json) -> None:
    """A button that stops an unfinished job; a sentence where it was told to stop already."""
    if job["state"] in FINISHED:
        return
    if job["cancel_requested"]:
        st.caption(say("job.cancelling"))
    else:
        show_action(say("cancel"), job["id"], client().cancel_job, "cancel", ":material/stop_circle:")


def show_retry(job: Json, *, primary: bool = False) -> None:
    """A button that queues a failed or cancelled job again."""
    if job["state"] in ("failed", "cancelled"):
        show_action(say("error.retry"), job["id"], client().retry_job, "retry", ":material/replay:", primary=primary)


def show_action(
    label: str, target: str, call: Callable[[str], object], name: str, icon: str, *, primary: bool = False
) -> None:
    """A button that does `call(target)`; where the service refuses, its sentence stays below until it is done."""
    key = f"{name}.{target}"
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    st.button(label, key=key, icon=icon, type=kind, on_click=_act, args=(key, call, target))
    if refusal := st.session_state.get(f"refused.{key}"):
        st.error(plain(refusal))


def _act(key: str, call: Callable[[str], object], target: str) -> None:
    # Kept in the session: what is drawn here would be gone with the next second's run of a fragment.
    try:
        call(target)
    except ApiError as error:
        st.session_state[f"refused.{key}"] = explain(error)
    else:
        st.session_state.pop(f"refused.{key}", None)


def describe_source(source: Json) -> str:
    """Where imported images come from, as text."""
    kind = str(source.get("kind") or "")
    return say_known(f"source.{kind}", kind)
